// SPDX-License-Identifier: MIT

internal import JSON

/// The lines of an exported state: one of what the records mean, then one for each machine.
///
/// A record goes as the hexadecimal digits of its words, with its checksums; what stands beside it
/// is for people.
package struct StateArchive: Sendable {
    /// The format of the first line.
    package static let format = 1

    /// What the records mean.
    package let state: StateDescription
    private let records: RecordLayout

    /// An archive of records of that kind.
    package init(_ state: StateDescription) {
        self.state = state
        records = state.records
    }

    /// Reads the first line of an archive.
    ///
    /// - Throws: ``StateArchiveError``.
    package init(firstLine: [UInt8]) throws(StateArchiveError) {
        do {
            let view = JSONView(try JSONValue.parse(firstLine))
            let format = try view.required("format")
            guard try format.int == Self.format else { throw format.refuse("\(Self.format)") }
            self.init(try StateDescription(json: try view.required("state")))
        } catch {
            throw StateArchiveError(reason: "\(error)")
        }
    }

    /// The first line, without its end.
    package var firstLine: [UInt8] {
        let line: JSONValue = ["format": .integer(Self.format), "state": state.json]
        return line.serialized()
    }

    /// The line of a machine, without its end.
    package func line(_ words: [UInt64]) -> [UInt8] {
        let span = words.span
        let last = Int64(bitPattern: span[RecordLayout.lastTimestamp])
        var digits: [UInt8] = []
        digits.reserveCapacity(words.count * 16)
        for word in words {
            for shift in stride(from: UInt64(60), through: 0, by: -4) {
                digits.append(Self.digits[Int(word >> shift & 15)])
            }
        }
        let line: JSONValue = [
            "equipment_id": .string(String(decoding: id(words), as: UTF8.self)),
            "readings": .integer(Int(span[RecordLayout.readingCount])),
            "last_timestamp": last == .min ? .null : .string(Timestamp.text(last)),
            "record": .string(String(decoding: digits, as: UTF8.self)),
        ]
        return line.serialized()
    }

    /// The record of a machine's line.
    ///
    /// - Throws: ``StateArchiveError`` where the line is none or was changed.
    package func record(_ line: [UInt8]) throws(StateArchiveError) -> [UInt64] {
        let name: String
        let digits: [UInt8]
        do {
            let view = JSONView(try JSONValue.parse(line))
            name = try view.required("equipment_id").string
            digits = Array(try view.required("record").string.utf8)
        } catch {
            throw StateArchiveError(reason: "\(error)")
        }
        guard digits.count == records.wordCount * 16 else {
            throw StateArchiveError(reason: "the record has not \(records.wordCount) words")
        }
        var words: [UInt64] = []
        words.reserveCapacity(records.wordCount)
        for start in stride(from: 0, to: digits.count, by: 16) {
            var word: UInt64 = 0
            for digit in digits[start..<start + 16] {
                guard let value = Self.digits.firstIndex(of: digit) else {
                    throw StateArchiveError(
                        reason: "the record holds another character than 0-9a-f"
                    )
                }
                word = word << 4 | UInt64(value)
            }
            words.append(word)
        }
        guard isSound(&words), id(words) == Array(name.utf8) else {
            throw StateArchiveError(reason: "the record is not what its checksums say")
        }
        return words
    }

    /// Puts the record of a machine's line into a store, in the place of what is known of it.
    ///
    /// - Returns: Whether it was: a machine of another shard is passed over.
    /// - Throws: ``StateArchiveError``.
    @discardableResult
    package func restore(
        _ line: [UInt8],
        into store: StateStore,
        of shard: FleetShard? = nil
    ) throws(StateArchiveError) -> Bool {
        let words = try record(line)
        let id = id(words)
        if let shard, shard.owner(of: id.span) != shard { return false }
        do throws(StateError) {
            try store.restore(words, id: id.span)
        } catch {
            throw StateArchiveError(reason: "there is no room for another machine")
        }
        return true
    }

    private func id(_ words: [UInt64]) -> [UInt8] {
        var words = words
        return records.id(words.mutableSpan)
    }

    private func isSound(_ words: inout [UInt64]) -> Bool {
        var span = words.mutableSpan
        return records.isHeaderSound(&span) && records.emptyTornPanes(&span).isEmpty
    }

    private static let digits = Array("0123456789abcdef".utf8)
}

/// Why a line of an archive cannot be taken.
package struct StateArchiveError: Error, Equatable, CustomStringConvertible {
    /// What is wrong.
    package let reason: String

    package var description: String { reason }
}
