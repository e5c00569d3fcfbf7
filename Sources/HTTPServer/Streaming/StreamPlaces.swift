// SPDX-License-Identifier: MIT

/// The places of the streamed bodies that a loop decodes, which are few: each has a decoder.
///
/// Where all are taken, one that hardly sends anything gives its place to the next, so that some
/// that are idle cannot keep out all others.
final class StreamPlaces {
    private struct Holder {
        let id: ObjectIdentifier
        unowned let body: StreamedBody
    }

    private var holders: [Holder] = []

    /// Bytes of its body that have to come in a second for one to keep its place.
    private static let bytesPerSecondMin = 4096.0
    /// For how long everyone keeps it.
    private static let graceNanoseconds: Int64 = 1_000_000_000

    /// How many are taken.
    var count: Int { holders.count }

    /// Looks for a free place, and otherwise takes that of the slowest body, if it is slow enough.
    ///
    /// - Returns: Whether there is one now.
    func makeRoom(countMax: Int, at now: Int64) -> Bool {
        guard holders.count >= countMax else { return true }
        var slowest: (index: Int, pace: Double)?
        for (index, holder) in holders.enumerated() {
            guard let pace = Self.bytesPerSecond(of: holder.body, at: now),
                pace < slowest?.pace ?? Self.bytesPerSecondMin
            else { continue }
            slowest = (index, pace)
        }
        guard let slowest else { return false }
        holders.remove(at: slowest.index).body.losePlace()
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

    /// How fast a body comes; nil where that cannot be told yet, or a piece of it is worked on.
    private static func bytesPerSecond(of body: StreamedBody, at now: Int64) -> Double? {
        let age = now - body.begin
        guard age >= graceNanoseconds, !body.isAwaited else { return nil }
        return Double(body.byteCount) * 1e9 / Double(age)
    }
}
