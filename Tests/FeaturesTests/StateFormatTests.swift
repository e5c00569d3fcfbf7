// SPDX-License-Identifier: MIT

@testable import Features
import Platform
import Testing

/// The state file of every released format is read; Fixtures/make_state.py wrote it from the
/// documentation alone.
struct StateFormatTests {
    private let folder = TemporaryFolder()

    @Test func readsFormatOne() throws {
        let rows = try fixture("state-format-1.txt").split(separator: "\n")
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
        let directory = try StateDirectory(path: folder.path)
        #expect(try directory.digests() == [digest])
        let archive = StateArchive(try directory.description(ofDigest: digest))
        var lines: [String] = []
        let check = try directory.file(ofDigest: digest).check { words in
            lines.append(String(decoding: archive.line(words), as: UTF8.self))
        }
        #expect(check == StateCheck(machineCount: 1))
        #expect(try fixture("state-format-1.jsonl") == lines.map { "\($0)\n" }.joined())
    }

    private func fixture(_ name: String, from file: String = #filePath) throws -> String {
        let path = "\(FileAccess.parent(of: file))/Fixtures/\(name)"
        return String(decoding: try FileAccess.read(path), as: UTF8.self)
    }
}
