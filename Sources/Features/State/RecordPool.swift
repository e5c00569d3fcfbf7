// SPDX-License-Identifier: MIT

internal import Platform

/// Which records of a state file are free.
struct RecordPool: Sendable {
    /// Records that the file has room for now.
    var capacity: Int
    /// Whether the disk gave no room when more was asked for.
    var isFull = false
    /// Records from here on were never used.
    private(set) var next = 0
    private let capacityMax: Int
    private var free: [UInt32] = []

    init(capacity: Int, capacityMax: Int) {
        self.capacity = capacity
        self.capacityMax = capacityMax
    }

    /// How many records are in use.
    var usedCount: Int { next - free.count }

    /// Begins with the records that are in use.
    mutating func begin(_ used: [Bool]) {
        next = (used.lastIndex(of: true) ?? -1) + 1
        free = (0..<next).reversed().filter { !used[$0] }.map { UInt32($0) }
    }

    mutating func take() -> Int? {
        if let record = free.popLast() { return Int(record) }
        guard next < capacity else { return nil }
        next += 1
        return next - 1
    }

    /// Whether there is a record to take.
    var hasFree: Bool { !free.isEmpty || next < capacity }

    mutating func giveBack(_ record: Int) { free.append(UInt32(record)) }

    /// Whether less than half a chunk is left and there may be more.
    func isGrowthWanted(_ recordsPerChunk: Int, isRetry: Bool = false) -> Bool {
        capacity < capacityMax && (isRetry || !isFull)
            && capacity - usedCount < (recordsPerChunk + 1) / 2
    }
}

/// What a redo slot says about its words: which parts of which record they are.
struct SlotControl {
    let record: Int
    let first: Range<Int>
    let second: Range<Int>
    let hash: UInt64

    init(record: Int, first: Range<Int>, second: Range<Int>, hash: UInt64) {
        precondition(first.lowerBound == 0, "the first part begins the record")
        self.record = record
        self.first = first
        self.second = second
        self.hash = hash
    }

    /// Reads the words of a slot.
    init(places: UInt64, counts: UInt64, hash: UInt64) {
        record = Int(places & 0xFFFF_FFFF)
        first = 0..<Int(counts & 0xFFFF_FFFF)
        let start = Int(places >> 32)
        second = start..<start + Int(counts >> 32)
        self.hash = hash
    }

    /// Record number and where the second part begins.
    var places: UInt64 { UInt64(record) | UInt64(second.lowerBound) << 32 }

    /// The number of words of each part.
    var counts: UInt64 { UInt64(first.count) | UInt64(second.count) << 32 }

    /// A checksum of the above, never 0.
    var seal: UInt64 {
        foldedProduct(
            foldedProduct(places ^ 0x9E37_79B9_7F4A_7C15, counts ^ 0xC2B2_AE3D_27D4_EB4F) ^ hash,
            0xD6E8_FEB8_6659_FD93
        ) | 1
    }

    /// Whether the parts lie in a record, and fit into a slot.
    func fits(_ records: RecordLayout) -> Bool {
        (first == records.header || first == 0..<records.wordCount)
            && second.upperBound <= records.wordCount
            && first.count + second.count <= records.wordCount
    }
}

/// Makes a state file fail on purpose: tests stop it between any two stores and fill its disk.
package final class StateFaults: Sendable {
    private let storesLeft: Lock<Int>
    private let chunksLeft: Lock<Int>

    /// After so many stores nothing is stored any more; after so many chunks the disk is full.
    package init(storesMax: Int = .max, chunksMax: Int = .max) {
        storesLeft = Lock(storesMax)
        chunksLeft = Lock(chunksMax)
    }

    /// Whether some stores were not done.
    package var isExhausted: Bool { storesLeft.withLock { $0 == 0 } }

    /// Gives the disk room for so many chunks.
    package func allow(chunks: Int) { chunksLeft.withLock { $0 = chunks } }

    /// How many of so many stores are done.
    func takeStores(_ count: Int) -> Int { Self.take(count, storesLeft) }

    func takeChunk() -> Bool { Self.take(1, chunksLeft) == 1 }

    private static func take(_ count: Int, _ left: borrowing Lock<Int>) -> Int {
        left.withLock { left in
            let taken = min(count, left)
            left -= taken
            return taken
        }
    }
}
