// SPDX-License-Identifier: MIT

/// The places of the streamed bodies that a loop decodes, which are few: each has a decoder.
///
/// Where all are taken, a body of which nothing has come for a while gives one to a connection that
/// has fewer: a client with many streams keeps out no others, and who goes on sending keeps its
/// own.
final class StreamPlaces {
    private struct Holder {
        let id: ObjectIdentifier
        unowned let body: StreamedBody
    }

    /// Time without a byte after which a body may lose its place: 5 s, longer than a network takes
    /// to send again what was lost.
    private static let idleNanoseconds: Int64 = 5_000_000_000
    /// Time after a look that has found no such body in which the next takes little time: no more
    /// than a count of the owner's places.
    private static let lookIntervalNanoseconds: Int64 = 10_000_000

    private var holders: [Holder] = []
    /// When all are to be looked at again, on the monotonic clock, and until then the places of the
    /// connection that would have given one to somebody with fewer.
    private var nextLook = Int64.min
    private var giverCount = 0

    /// How many are taken.
    var count: Int { holders.count }

    /// Looks for a free place, and otherwise takes one of those of which nothing has come for long:
    /// of the connection that has most places, if it has more yet than the owner of the new one
    /// will, that for which this is longest.
    ///
    /// A body that is the only one of its connection keeps its place.
    ///
    /// - Returns: Whether there is one now.
    func makeRoom(for owner: ObjectIdentifier?, countMax: Int, at now: Int64) -> Bool {
        guard holders.count >= countMax else { return true }
        if now < nextLook {
            let isCounted = giverCount > 0 && owner != nil
            let ownCount = isCounted ? holders.count { $0.body.owner == owner } : 0
            guard giverCount >= ownCount + 2 else { return false }
        }
        var counts: [ObjectIdentifier: Int] = [:]
        for holder in holders {
            if let owner = holder.body.owner { counts[owner, default: 0] += 1 }
        }
        var giver: (index: Int, count: Int, idleSince: Int64)?
        for (index, holder) in holders.enumerated() {
            let body = holder.body
            guard let owner = body.owner, !body.isAwaited,
                now - body.idleSince >= Self.idleNanoseconds
            else { continue }
            let count = counts[owner] ?? 0
            if let giver, (giver.count, body.idleSince) >= (count, giver.idleSince) { continue }
            giver = (index, count, body.idleSince)
        }
        let ownCount = owner.flatMap { counts[$0] } ?? 0
        guard let giver, giver.count >= ownCount + 2 else {
            nextLook = now + Self.lookIntervalNanoseconds
            giverCount = giver?.count ?? 0
            return false
        }
        holders.remove(at: giver.index).body.losePlace()
        return true
    }

    /// Gives a body a place, which it has until it goes or loses it.
    func add(_ body: StreamedBody) {
        holders.append(Holder(id: ObjectIdentifier(body), body: body))
    }

    /// Takes the place back of a body that goes, if it has one yet.
    func remove(_ id: ObjectIdentifier) {
        holders.removeAll { $0.id == id }
    }
}
