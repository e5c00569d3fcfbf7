// SPDX-License-Identifier: MIT

internal import Synchronization

/// Bounds of the state that a server keeps.
package struct StateLimits: Equatable, Sendable {
    /// Machines that are kept; with the standard schema one takes about 4 KB.
    package var machinesMax: Int
    /// Shards, each with a lock of its own; a power of two.
    package var shardCount: Int

    /// Describes the bounds.
    package init(machinesMax: Int = 1_000_000, shardCount: Int = 64) {
        self.machinesMax = machinesMax
        self.shardCount = shardCount
    }
}

/// Why a reading could not be kept.
package enum StateError: Error, Equatable {
    /// As many machines as the limit allows are kept and, among those looked at (up to 64 a shard),
    /// none has been idle long enough.
    case full(limit: Int)
    /// The equipment id is longer than a record has room for.
    case idTooLong(byteCount: Int, limit: Int)
}

/// Counts of a store, read at scrape time.
package struct StateCounts: Equatable, Sendable {
    /// Machines kept now.
    package var machines = 0
    /// Machines forgotten because they were idle and room was needed.
    package var evictions = 0
    /// Bytes of records and index.
    package var byteCount = 0
}

/// The records of all machines, in memory, found by equipment id in O(1).
///
/// A shard's lock is held while a reading goes into its record and the row's inputs are noted,
/// never across I/O or a forward pass.
///
/// - Note: Thread-safe: one `Mutex` per shard, chosen by a hash of the id.
package final class StateStore: Sendable {
    /// Where things stand in a record; an engine that uses the store has an equal layout.
    package let records: RecordLayout
    /// The bounds.
    package let limits: StateLimits
    private let shards: [StateShard]
    private let seed: UInt64
    private let quota: MachineQuota

    /// Makes an empty store for records of one layout.
    package init(records: RecordLayout, horizonMicroseconds: Int64, limits: StateLimits) {
        precondition(limits.shardCount.nonzeroBitCount == 1, "shards must be a power of two")
        self.records = records
        self.limits = limits
        seed = .random(in: 0 ... .max)
        quota = MachineQuota(machinesMax: limits.machinesMax)
        shards = (0..<limits.shardCount).map { _ in
            StateShard(MachineTable(records: records, idleMicroseconds: 2 * horizonMicroseconds))
        }
    }

    /// Takes the reading in `scratch.values` into its machine's record and notes what its row
    /// needs.
    ///
    /// - Throws: ``StateError`` where the id is too long or there is no room; then nothing changed.
    /// - Complexity: O(panes of the longest window).
    package func observe(
        _ time: ReadingTime,
        id: Span<UInt8>,
        engine: FeatureEngine,
        scratch: inout FeatureScratch
    ) throws(StateError) -> Admission {
        guard id.count <= SpecLimits.equipmentIDBytesMax else {
            throw .idTooLong(byteCount: id.count, limit: SpecLimits.equipmentIDBytesMax)
        }
        let hash = hashBytes(id, seed: seed)
        let home = Int(truncatingIfNeeded: hash) & (shards.count - 1)
        repeat {
            let admission = shards[home].observe(
                time,
                id: id,
                hash: hash,
                quota: quota,
                engine: engine,
                scratch: &scratch
            )
            if let admission { return admission }
        } while makeRoom(besides: home, arrival: time.arrival)
        throw .full(limit: limits.machinesMax)
    }

    /// Looks in the other shards for an idle machine to forget, so that the bound holds for the
    /// store and not for each shard.
    private func makeRoom(besides home: Int, arrival: Int64) -> Bool {
        for step in 1..<max(shards.count, 1) {
            let shard = shards[(home + step) & (shards.count - 1)]
            if shard.evictIdle(arrival: arrival) {
                quota.giveBack()
                return true
            }
        }
        return false
    }

    /// Counts over all shards.
    package func counts() -> StateCounts {
        var total = StateCounts()
        for shard in shards {
            let part = shard.counts()
            total.machines += part.machines
            total.evictions += part.evictions
            total.byteCount += part.byteCount
        }
        return total
    }
}

/// One shard: a table of machines behind a lock.
private final class StateShard: Sendable {
    private let table: Mutex<MachineTable>

    init(_ table: consuming sending MachineTable) {
        self.table = Mutex(table)
    }

    /// Nil where there is no room for a new machine.
    func observe(
        _ time: ReadingTime,
        id: Span<UInt8>,
        hash: UInt64,
        quota: MachineQuota,
        engine: FeatureEngine,
        scratch: inout FeatureScratch
    ) -> Admission? {
        table.withLock { table in
            let record = table.record(id: id, hash: hash, arrival: time.arrival, quota: quota)
            guard let record else { return nil }
            return table.observe(time, record: record, engine: engine, scratch: &scratch)
        }
    }

    func evictIdle(arrival: Int64) -> Bool { table.withLock { $0.evictIdle(arrival: arrival) } }

    func counts() -> StateCounts { table.withLock { $0.counts } }
}

/// How many machines all shards may still take.
///
/// - Note: Thread-safe: an atomic counter.
final class MachineQuota: Sendable {
    private let left: Atomic<Int>

    init(machinesMax: Int) { left = Atomic(machinesMax) }

    /// Takes one machine's room; false where none is left.
    func take() -> Bool {
        if left.subtract(1, ordering: .relaxed).newValue >= 0 { return true }
        giveBack()
        return false
    }

    func giveBack() { left.add(1, ordering: .relaxed) }
}

/// A seeded 64-bit hash of an equipment id: multiply-and-fold over eight bytes at a time, so that a
/// client that does not know the seed cannot pile ids up in one place.
func hashBytes(_ bytes: Span<UInt8>, seed: UInt64) -> UInt64 {
    var hash = seed ^ 0x9E37_79B9_7F4A_7C15
    var index = 0
    while index < bytes.count {
        var word: UInt64 = 0
        let end = min(index + 8, bytes.count)
        for place in index..<end { word = word << 8 | UInt64(bytes[place]) }
        hash = fold(hash ^ word, 0xD6E8_FEB8_6659_FD93)
        index = end
    }
    return fold(hash ^ UInt64(bytes.count), 0xA076_1D64_78BD_642F)
}

private func fold(_ a: UInt64, _ b: UInt64) -> UInt64 {
    let (high, low) = a.multipliedFullWidth(by: b)
    return high ^ low
}
