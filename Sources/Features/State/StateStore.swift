// SPDX-License-Identifier: MIT

internal import Platform
internal import Synchronization

/// Bounds of the state that a server keeps.
package struct StateLimits: Equatable, Sendable {
    /// How many machines may be kept.
    package static let machinesRange = 1...100_000_000

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
    /// Records and panes that a power cut tore, found and dropped since the start.
    package var torn = 0
    /// Machines that are only in memory although there is a state file.
    package var memoryOnly = 0

    /// The counts of no store.
    package static let none = StateCounts()
}

/// The records of all machines, found by equipment id in O(1): in memory, or in a ``StateFile``.
///
/// A shard's lock is held while a reading goes into its record and the row's inputs are noted,
/// never across I/O or a forward pass.
///
/// - Note: Thread-safe: one `Lock` per shard, chosen by a hash of the id.
package final class StateStore: Sendable {
    /// Where things stand in a record; an engine that uses the store has an equal layout.
    package let records: RecordLayout
    /// The bounds.
    package let limits: StateLimits
    /// The file that holds the records; nil where they are in memory only.
    package let file: StateFile?
    /// In the store itself, so that taking one of them changes no reference count that loops share;
    /// as many as the limits say are used.
    private let shards: InlineArray<64, StateShard>
    private let shardCount: Int
    private let seed: UInt64
    private let quota: MachineQuota

    /// Makes a store for records of one layout: empty in memory, or with what the file holds.
    package init(
        records: RecordLayout,
        horizonMicroseconds: Int64,
        limits: StateLimits,
        file: StateFile? = nil
    ) {
        precondition(limits.shardCount.nonzeroBitCount == 1, "shards must be a power of two")
        precondition(limits.shardCount <= StateFileLayout.slotCount, "each shard has a slot")
        self.records = records
        self.limits = limits
        self.file = file
        seed = file?.seed ?? .random(in: 0 ... .max)
        let known = file?.usedCount ?? 0
        let quota = MachineQuota(machinesMax: limits.machinesMax - known)
        self.quota = quota
        func makeTable(_ shard: Int, of file: StateFile?) -> MachineTable {
            MachineTable(
                records: records,
                idleMicroseconds: 2 * horizonMicroseconds,
                quota: quota,
                file: file,
                slot: shard,
                // Hashing spreads machines unevenly; a table that is too small grows.
                expectedCount: known / limits.shardCount
            )
        }
        shardCount = limits.shardCount
        var tables = (0..<limits.shardCount).map { makeTable($0, of: file) }
        let mask = limits.shardCount - 1
        file?.forEachUsed { record, hash in
            tables[Int(truncatingIfNeeded: hash) & mask].adopt(record, hash: hash)
        }
        shards = InlineArray { shard in
            StateShard(shard < tables.count ? tables[shard] : makeTable(shard, of: nil))
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
        let home = home(hash)
        repeat {
            let admission = shards[home].observe(
                time,
                hash: hash,
                id: id,
                engine: engine,
                scratch: &scratch
            )
            if let admission { return admission }
        } while makeRoom(besides: home, arrival: time.arrival)
        throw .full(limit: limits.machinesMax)
    }

    /// Lets a machine's alarm see the prediction of a reading in order, and returns what has become
    /// of it; without a probability it only looks.
    package func observeAlarm(
        _ probability: Double?,
        at timestamp: Int64,
        by policy: AlarmPolicy,
        id: Span<UInt8>
    ) -> AlarmState {
        let found = withMachine(id) { table, number in
            table.updateAlarm(number) { record in
                var state = record.state(of: policy.model)
                if let probability {
                    state.observe(probability: probability, at: timestamp, by: policy.rule)
                    record.state = state
                    record.model = policy.model
                }
                return state
            }
        }
        // A machine that was forgotten in between has no alarm.
        return found ?? AlarmState()
    }

    /// The shard of a machine: observations of different shards never wait for each other.
    package func shard(of id: Span<UInt8>) -> Int {
        let hash = hashBytes(id, seed: seed)
        return home(hash)
    }

    /// A copy of a machine's record, nil where it is not known.
    func record(id: Span<UInt8>) -> [UInt64]? {
        withMachine(id) { table, number in table.copy(number) }
    }

    /// Forgets what is known of a machine's time before a maintenance; false where it is not known.
    ///
    /// The windows begin anew with the pane of that moment; readings before it will be stale.
    package func resetWindows(id: Span<UInt8>, before timestamp: Int64) -> Bool {
        let found: Void? = withMachine(id) { table, number in
            var copy = table.copy(number)
            var words = copy.mutableSpan
            records.beginAnew(&words, at: 0, timestamp: timestamp)
            table.replace(number, with: copy)
        }
        return found != nil
    }

    /// Forgets a machine; false where it is not known.
    package func remove(id: Span<UInt8>) -> Bool {
        let found: Void? = withMachine(id) { table, number in
            table.remove(number)
            quota.giveBack()
        }
        return found != nil
    }

    /// Puts a record in the place of the machine's own, or adds the machine.
    ///
    /// - Throws: ``StateError`` where there is no room.
    func restore(_ record: [UInt64], id: Span<UInt8>) throws(StateError) {
        let hash = hashBytes(id, seed: seed)
        let isDone = shards[home(hash)].withTable { table in
            guard let number = table.find(hash, id) ?? table.insert(hash, id, arrival: .min) else {
                return false
            }
            table.replace(number, with: record)
            return true
        }
        if !isDone { throw .full(limit: limits.machinesMax) }
    }

    private func home(_ hash: UInt64) -> Int {
        Int(truncatingIfNeeded: hash) & (shardCount - 1)
    }

    private func withMachine<Result: Sendable>(
        _ id: Span<UInt8>,
        _ body: (inout MachineTable, Int) -> Result
    ) -> Result? {
        guard id.count <= SpecLimits.equipmentIDBytesMax else { return nil }
        let hash = hashBytes(id, seed: seed)
        return shards[home(hash)].withTable { table in
            table.find(hash, id).map { body(&table, $0) }
        }
    }

    /// Notes something about a machine whose reading was taken in.
    ///
    /// Where the machine has been forgotten since, the note may go to another one, until its next
    /// reading.
    ///
    /// - Returns: Whether that is something else than what was noted before.
    package func mark(_ place: MachinePlace, _ mark: MachineMark) -> Bool {
        shards[place.shard].withTable { $0.mark(place.number, mark) }
    }

    /// Counts the machines by their marks, and those that are silent since a moment.
    ///
    /// A shard is locked for some 50 microseconds at a time.
    package func census(epoch: Int, silentSince moment: Int64) -> MachineCensus {
        var census = MachineCensus(epoch: epoch, silentSince: moment)
        for shard in 0..<shardCount {
            var next: Int? = 0
            while let first = next {
                (census, next) = shards[shard].withTable { table in
                    var part = census
                    let next = table.count(from: first, into: &part)
                    return (part, next)
                }
            }
        }
        return census
    }

    /// Looks in the other shards for an idle machine to forget, so that the bound holds for the
    /// store and not for each shard.
    private func makeRoom(besides home: Int, arrival: Int64) -> Bool {
        for step in 1..<max(shardCount, 1) {
            if shards[(home + step) & (shardCount - 1)].evictIdle(arrival: arrival) {
                quota.giveBack()
                return true
            }
        }
        return false
    }

    /// Moves machines that are kept in memory only into the file, as far as the disk has room.
    ///
    /// They came while it had none. A shard is locked for some tens of microseconds at a time.
    package func moveToFile() {
        guard let file else { return }
        for shard in 0..<shardCount {
            var next: Int? = 0
            while let first = next, shards[shard].hasMachinesInMemory {
                guard file.makeRoom() else { return }
                next = shards[shard].withTable { $0.moveToFile(from: first, atMost: 16) }
            }
        }
    }

    /// Counts over all shards.
    package func counts() -> StateCounts {
        var total = StateCounts()
        for shard in 0..<shardCount {
            let part = shards[shard].counts()
            total.machines += part.machines
            total.evictions += part.evictions
            total.byteCount += part.byteCount
            total.torn += part.torn
            total.memoryOnly += part.memoryOnly
        }
        total.byteCount += file?.byteCount ?? 0
        return total
    }
}

/// One shard: a table of machines behind a lock.
private struct StateShard: ~Copyable, Sendable {
    private let table: Lock<MachineTable>

    init(_ table: consuming sending MachineTable) {
        self.table = Lock(table)
    }

    /// Nil where there is no room for a new machine.
    func observe(
        _ time: ReadingTime,
        hash: UInt64,
        id: Span<UInt8>,
        engine: FeatureEngine,
        scratch: inout FeatureScratch
    ) -> Admission? {
        table.withLock { table in
            table.observe(time, hash: hash, id: id, engine: engine, scratch: &scratch)
        }
    }

    func withTable<Result: Sendable>(_ body: (inout MachineTable) -> Result) -> Result {
        table.withLock { body(&$0) }
    }

    func evictIdle(arrival: Int64) -> Bool { table.withLock { $0.evictIdle(arrival: arrival) } }

    var hasMachinesInMemory: Bool { table.withLock { $0.memoryCount > 0 } }

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
        // The first byte is the highest of those that there are.
        let empty = 8 * max(0, index + 8 - bytes.count)
        let word = bytes.paddedWord(at: index).byteSwapped >> UInt64(empty)
        hash = foldedProduct(hash ^ word, 0xD6E8_FEB8_6659_FD93)
        index += 8
    }
    return foldedProduct(hash ^ UInt64(bytes.count), 0xA076_1D64_78BD_642F)
}

/// Both halves of a product, folded into one.
@inline(__always)
func foldedProduct(_ a: UInt64, _ b: UInt64) -> UInt64 {
    let (high, low) = a.multipliedFullWidth(by: b)
    return high ^ low
}
