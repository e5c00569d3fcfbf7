// SPDX-License-Identifier: MIT

import Platform
import Testing
import Training

struct GzipReaderTests {
    // printf 'x\n1\n2\n' | gzip -n
    private static let member: [UInt8] = [
        0x1F, 0x8B, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0xAB, 0xE0, 0x32, 0xE4, 0x32,
        0xE2, 0x02, 0x00, 0xD3, 0x91, 0xA6, 0x54, 0x06, 0x00, 0x00, 0x00,
    ]

    @Test func inflatesOneMemberAndSeveral() throws {
        #expect(GzipReader.isGzip(Self.member))
        let content = Array("x\n1\n2\n".utf8)
        #expect(try GzipReader.inflate(Self.member, byteCountMax: 100) == content)
        #expect(
            try GzipReader.inflate(Self.member + Self.member, byteCountMax: 100)
                == content + content
        )
    }

    @Test func inflatesUpToTheLimitAndRefusesOneByteMore() throws {
        #expect(try GzipReader.inflate(Self.member, byteCountMax: 6).count == 6)
        #expect(throws: GzipError.tooLarge(limit: 5)) {
            try GzipReader.inflate(Self.member, byteCountMax: 5)
        }
    }

    @Test func refusesEveryTruncation() {
        for count in 2..<Self.member.count {
            #expect(throws: GzipError.truncated) {
                try GzipReader.inflate(Array(Self.member[..<count]), byteCountMax: 100)
            }
        }
    }

    @Test func refusesDamageAndWhatFollows() {
        // Method, flags, data and both fields of the trailer; time and system may be anything.
        for index in [2, 3] + Array(10..<Self.member.count) {
            var damaged = Self.member
            damaged[index] ^= 0xFF
            #expect(throws: GzipError.self) {
                try GzipReader.inflate(damaged, byteCountMax: 1000)
            }
        }
        #expect(throws: GzipError.self) {
            try GzipReader.inflate(Self.member + [0, 0], byteCountMax: 100)
        }
    }

    @Test func loadsACompressedTable() throws {
        let path = "/tmp/gzip-tests-\(UInt64.random(in: 0 ... .max)).csv.gz"
        defer { try? FileAccess.remove(path) }
        try FileAccess.write(Self.member, to: path)
        let table = try TableReader.read(
            try TableReader.load(path),
            columns: [ColumnRequest("x", .number)]
        )
        #expect(table.columns[0] == .numbers([1, 2]))
        try FileAccess.write(Array(Self.member.dropLast()), to: path)
        #expect(throws: TableError.gzip(path: path, .truncated)) { try TableReader.load(path) }
    }
}
