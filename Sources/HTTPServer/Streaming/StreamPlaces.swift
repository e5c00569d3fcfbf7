// SPDX-License-Identifier: MIT

/// The places of the streamed bodies that a loop decodes, which are few: each has a decoder.
///
/// Where all are taken, the connection that has most gives one to a connection that has fewer: a
/// client with many streams keeps out no others, and takes no place of theirs.
final class StreamPlaces {
    private struct Holder {
        let id: ObjectIdentifier
        unowned let body: StreamedBody
    }

    private var holders: [Holder] = []

    /// How many are taken.
    var count: Int { holders.count }

    /// Looks for a free place, and otherwise takes one of the connection that has most, if that has
    /// more yet than the owner of the new one will: of its bodies the one of which least has come.
    ///
    /// - Returns: Whether there is one now.
    func makeRoom(for owner: ObjectIdentifier?, countMax: Int) -> Bool {
        guard holders.count >= countMax else { return true }
        var counts: [ObjectIdentifier: Int] = [:]
        for holder in holders { counts[holder.body.owner ?? holder.id, default: 0] += 1 }
        let own = owner.flatMap { counts[$0] } ?? 0
        guard let most = counts.max(by: { $0.value < $1.value }), most.value > own + 1 else {
            return false
        }
        var least: (index: Int, byteCount: Int)?
        for (index, holder) in holders.enumerated()
        where holder.body.owner == most.key && !holder.body.isAwaited {
            if let least, least.byteCount <= holder.body.byteCount { continue }
            least = (index, holder.body.byteCount)
        }
        guard let least else { return false }
        holders.remove(at: least.index).body.losePlace()
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
