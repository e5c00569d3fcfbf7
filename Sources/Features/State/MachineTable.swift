// SPDX-License-Identifier: MIT

/// The records of a shard's machines and the index that finds them.
///
/// Open addressing with linear probing, at most half full, deletion by shifting back (Knuth, The
/// Art of Computer Programming, volume 3, section 6.4, algorithm R).
struct MachineTable: Sendable {
    private static let recordsPerChunk = 8
    private static let evictionSteps = 64

    private let records: RecordLayout
    private let idleMicroseconds: Int64
    /// Records in pieces, so that growing moves none of them.
    private var chunks: [[UInt64]] = []
    private var hashes: [UInt64] = []
    private var isUsed: [Bool] = []
    private var free: [Int] = []
    /// Record number + 1, or 0 for an empty place.
    private var index: [UInt32] = Array(repeating: 0, count: 16)
    private var hand = 0
    private var evictions = 0

    init(records: RecordLayout, idleMicroseconds: Int64) {
        self.records = records
        self.idleMicroseconds = idleMicroseconds
    }

    var counts: StateCounts {
        StateCounts(
            machines: hashes.count - free.count,
            evictions: evictions,
            byteCount: chunks.count * Self.recordsPerChunk * records.wordCount * 8
                + hashes.capacity * 9 + index.capacity * 4
        )
    }

    /// The machine's record; where there is none it is made if the quota or, without it, an idle
    /// machine of this table gives room, else the result is nil.
    mutating func record(
        id: Span<UInt8>,
        hash: UInt64,
        arrival: Int64,
        quota: MachineQuota
    ) -> Int? {
        var place = Int(truncatingIfNeeded: hash >> 16) & (index.count - 1)
        while index[place] != 0 {
            let record = Int(index[place]) - 1
            if hashes[record] == hash, holds(record, id) { return record }
            place = (place + 1) & (index.count - 1)
        }
        if !quota.take(), !evictIdle(arrival: arrival) { return nil }
        let record = newRecord()
        hashes[record] = hash
        isUsed[record] = true
        let (chunk, base) = position(record)
        var words = chunks[chunk].mutableSpan
        records.reset(&words, at: base, id: id)
        insert(record)
        return record
    }

    mutating func observe(
        _ time: ReadingTime,
        record: Int,
        engine: FeatureEngine,
        scratch: inout FeatureScratch
    ) -> Admission {
        let (chunk, base) = position(record)
        var words = chunks[chunk].mutableSpan
        return engine.observe(time, in: &words, at: base, scratch: &scratch)
    }

    private func position(_ record: Int) -> (chunk: Int, base: Int) {
        let (chunk, place) = record.quotientAndRemainder(dividingBy: Self.recordsPerChunk)
        return (chunk, place * records.wordCount)
    }

    private mutating func holds(_ record: Int, _ id: Span<UInt8>) -> Bool {
        let (chunk, base) = position(record)
        return records.holds(chunks[chunk].mutableSpan, at: base, id: id)
    }

    private mutating func newRecord() -> Int {
        if let record = free.popLast() { return record }
        if hashes.count == chunks.count * Self.recordsPerChunk {
            let wordCount = Self.recordsPerChunk * records.wordCount
            chunks.append(Array(repeating: 0, count: wordCount))
        }
        hashes.append(0)
        isUsed.append(false)
        return hashes.count - 1
    }

    /// Forgets the next machine that has been silent for longer than the idle time, looking at up
    /// to 64 of them and going on from there the next time; false where none was found.
    mutating func evictIdle(arrival: Int64) -> Bool {
        for _ in 0..<min(Self.evictionSteps, hashes.count) {
            hand = (hand + 1) % hashes.count
            let (chunk, base) = position(hand)
            let last = records.lastArrival(chunks[chunk].mutableSpan, at: base)
            guard isUsed[hand], arrival - last > idleMicroseconds else { continue }
            remove(hand)
            evictions += 1
            return true
        }
        return false
    }

    private mutating func insert(_ record: Int) {
        if (hashes.count - free.count) * 2 > index.count {
            index = Array(repeating: 0, count: index.count * 2)
            for other in hashes.indices where isUsed[other] { place(other) }
        } else {
            place(record)
        }
    }

    private mutating func place(_ record: Int) {
        var place = home(record)
        while index[place] != 0 { place = (place + 1) & (index.count - 1) }
        index[place] = UInt32(record + 1)
    }

    private func home(_ record: Int) -> Int {
        Int(truncatingIfNeeded: hashes[record] >> 16) & (index.count - 1)
    }

    private mutating func remove(_ record: Int) {
        let mask = index.count - 1
        var hole = home(record)
        while index[hole] != UInt32(record + 1) { hole = (hole + 1) & mask }
        var next = (hole + 1) & mask
        while index[next] != 0 {
            let distance = (next - home(Int(index[next]) - 1)) & mask
            if distance >= (next - hole) & mask {
                index[hole] = index[next]
                hole = next
            }
            next = (next + 1) & mask
        }
        index[hole] = 0
        isUsed[record] = false
        free.append(record)
    }
}
