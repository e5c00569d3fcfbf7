// SPDX-License-Identifier: MIT

/// What a caller notes about a machine: one of three labels, which count in one epoch only.
///
/// It is kept beside the record, in memory: a restart forgets it.
package struct MachineMark: Sendable, Equatable {
    private let bits: UInt16

    private init(bits: UInt16) { self.bits = bits }

    /// No label.
    package static let none = MachineMark(bits: 0)

    /// The label 1, 2 or 3 in an epoch, of which the lowest 14 bits count.
    package init(label: Int, epoch: Int) {
        bits = UInt16(truncatingIfNeeded: epoch << 2 | label)
    }

    /// The label, or 0 where there is none of this epoch.
    func label(in epoch: Int) -> Int {
        bits >> 2 == UInt16(truncatingIfNeeded: epoch << 2) >> 2 ? Int(bits & 3) : 0
    }
}

/// Where a store keeps the machine of the reading that was taken in last, and its mark by then.
package struct MachinePlace: Sendable {
    let shard: Int
    let number: Int
    /// The machine's mark.
    package let mark: MachineMark
}

/// Machines of a store by what was noted about them.
package struct MachineCensus: Sendable {
    private static let silentIDsMax = 8

    private let epoch: Int
    private let moment: Int64
    /// All machines, by label; at 0 those without one of the epoch.
    package private(set) var labelled = [0, 0, 0, 0]
    /// Machines whose last reading arrived before the moment.
    package private(set) var silent = 0
    /// The ids of some of them.
    package private(set) var silentIDs: [[UInt8]] = []

    init(epoch: Int, silentSince moment: Int64) {
        self.epoch = epoch
        self.moment = moment
    }

    /// - Returns: Whether the machine is silent and its id is wanted.
    mutating func add(_ mark: MachineMark, lastArrival: Int64) -> Bool {
        labelled[mark.label(in: epoch)] += 1
        guard lastArrival < moment else { return false }
        silent += 1
        return silentIDs.count < Self.silentIDsMax
    }

    mutating func add(silentID: [UInt8]) { silentIDs.append(silentID) }
}

extension MachineTable {
    /// Machines that are looked at in one go.
    private static let censusCount = 512

    /// The id of a machine; nil where its record, which nobody may have looked at yet, is damaged.
    private mutating func id(_ number: Int) -> [UInt8]? {
        if let file, entries[number].standing != .memory {
            file.load(Int(entries[number].fileRecord), into: &work)
        }
        var words = copy(number)
        var span = words.mutableSpan
        guard entries[number].standing == .memory || records.isHeaderSound(&span) else {
            return nil
        }
        return records.id(span)
    }

    mutating func mark(_ number: Int, _ mark: MachineMark) -> Bool {
        guard entries.indices.contains(number), entries[number].mark != mark else { return false }
        entries[number].mark = mark
        return true
    }

    /// Adds the next machines to a census.
    ///
    /// - Returns: Where to go on, or nil at the end.
    mutating func count(from first: Int, into census: inout MachineCensus) -> Int? {
        let end = min(first + Self.censusCount, entries.count)
        for number in first..<max(first, end) where entries[number].standing != .free {
            if census.add(entries[number].mark, lastArrival: lastArrival(number)) {
                if let id = id(number) { census.add(silentID: id) }
            }
        }
        return end < entries.count ? end : nil
    }
}
