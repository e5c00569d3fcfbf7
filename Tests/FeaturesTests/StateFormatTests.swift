// SPDX-License-Identifier: MIT

@testable import Features
import JSON
import Platform
import Testing

/// The state file of every released format is read; Fixtures/make_state.py wrote it from the
/// documentation alone.
struct StateFormatTests {
    private let folder = TemporaryFolder()

    /// Puts the file of a format into the folder and returns its digest.
    private func write(format: Int) throws -> String {
        let rows = try fixture("state-format-\(format).txt").split(separator: "\n")
        let first = try #require(rows.first).split(separator: " ")
        let digest = String(first[0])
        var bytes = [UInt8](repeating: 0, count: try #require(Int(first[1])))
        for row in rows.dropFirst() {
            let parts = row.split(separator: " ")
            let start = try #require(Int(parts[0]))
            let digits = Array(parts[1])
            for index in 0..<digits.count / 2 {
                let pair = String(digits[2 * index...2 * index + 1])
                bytes[start + index] = try #require(UInt8(pair, radix: 16))
            }
        }
        try FileAccess.makeDirectory("\(folder.path)/\(digest)")
        try FileAccess.write(bytes, to: "\(folder.path)/\(digest)/state")
        return digest
    }

    @Test(arguments: [1, 3])
    func readsEveryFormat(format: Int) throws {
        let digest = try write(format: format)
        let directory = try StateDirectory(path: folder.path)
        #expect(try directory.digests() == [digest])
        let archive = StateArchive(try directory.description(ofDigest: digest))
        var lines: [String] = []
        let check = try directory.file(ofDigest: digest).check { words in
            lines.append(String(decoding: archive.line(words), as: UTF8.self))
        }
        #expect(check == StateCheck(machineCount: 1))
        #expect(try fixture("state-format-\(format).jsonl") == lines.map { "\($0)\n" }.joined())
    }

    @Test func takesOverTheMachinesOfFormatOne() throws {
        let digest = try write(format: 1)
        let directory = try StateDirectory(path: folder.path)
        guard case .object(var json) = try directory.description(ofDigest: digest).json else {
            Issue.record("no object")
            return
        }
        json["format"] = .integer(StateDescription.format)
        let description = try StateDescription(json: JSONView(.object(json)))
        #expect(description.withoutAlarm.digest == digest)
        let before = try directory.file(ofDigest: digest)
        var old: [[UInt64]] = []
        _ = before.check { old.append($0) }
        let store = try directory.store(for: description, limits: StateLimits(machinesMax: 10))
        #expect(store.counts().machines == 1)
        #expect(try directory.digests() == [description.digest])
        let id = Array("pump 7 é".utf8)
        let found = store.record(id: id.span)
        var record = try #require(found)
        let words = RecordLayout.alarmWordCount
        let place = try #require(store.records.alarm)
        let alarm = store.records.alarm(record.mutableSpan, at: 0)
        #expect(alarm == AlarmRecord())
        record.removeSubrange(place..<place + words)
        // Apart from the checksum of the words before the panes.
        #expect(record.dropFirst() == old[0].dropFirst())
        let again = try StateDirectory(path: folder.path)
        let reopened = try again.store(for: description, limits: StateLimits(machinesMax: 10))
        #expect(reopened.counts().machines == 1)
    }

    private func fixture(_ name: String, from file: String = #filePath) throws -> String {
        let path = "\(FileAccess.parent(of: file))/Fixtures/\(name)"
        return String(decoding: try FileAccess.read(path), as: UTF8.self)
    }
}
