// SPDX-License-Identifier: MIT

internal import Foundation
internal import Integrity
internal import Testing

struct SHA256Tests {
    // NIST's examples for FIPS 180-4, and the empty message.
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        (
            "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
                + "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
            "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"
        ),
    ])
    func computesTheStandardExamples(_ message: String, _ hex: String) {
        #expect(SHA256.digest(of: Array(message.utf8)).hex == hex)
    }

    @Test func computesTheExampleOfAMillionLetters() {
        let message = [UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000)
        let hex = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
        #expect(SHA256.digest(of: message).hex == hex)
    }

    @Test func givesTheSameForEverySplit() {
        let message = (0..<200).map { UInt8($0) }
        let whole = SHA256.digest(of: message)
        for split in 0...message.count {
            var hasher = SHA256()
            hasher.update(Array(message[..<split]))
            hasher.update(Array(message[split...]))
            #expect(hasher.finish() == whole)
        }
        var byteByByte = SHA256()
        for byte in message { byteByByte.update([byte]) }
        #expect(byteByByte.finish() == whole)
    }

    @Test func agreesWithSha256sum() throws {
        let directory = FileManager.default.temporaryDirectory
        let file = directory.appendingPathComponent("sha256-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        for count in [0, 1, 55, 56, 63, 64, 65, 4096, 100_003] {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ $0 >> 8) }
            try Data(bytes).write(to: file)
            let tool = Process()
            tool.executableURL = URL(fileURLWithPath: "/usr/bin/sha256sum")
            tool.arguments = [file.path]
            let output = Pipe()
            tool.standardOutput = output
            try tool.run()
            let line = String(
                decoding: output.fileHandleForReading.readDataToEndOfFile(),
                as: UTF8.self
            )
            tool.waitUntilExit()
            #expect(SHA256.digest(of: bytes).hex == line.prefix(64))
        }
    }
}

struct DigestTests {
    private let hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

    @Test func readsWhatItWrites() {
        let digest = SHA256.digest(of: Array("abc".utf8))
        #expect(Digest(hex: hex) == digest)
        #expect(Digest(hex: hex.uppercased()) == digest)
        #expect("\(digest)" == hex)
        #expect(Set([digest, digest]).count == 1)
    }

    @Test func refusesWhatIsNoDigest() {
        #expect(Digest(hex: "") == nil)
        #expect(Digest(hex: String(hex.dropLast())) == nil)
        #expect(Digest(hex: hex + "0") == nil)
        #expect(Digest(hex: "g" + hex.dropFirst()) == nil)
        #expect(Digest(hex: "é" + hex.dropFirst(2)) == nil)
    }

    @Test func tellsDigestsApartByEveryByte() {
        let digest = SHA256.digest(of: [])
        for index in 0..<Digest.byteCount {
            var bytes = digest.bytes
            bytes[index] ^= 1
            #expect(Digest(bytes: bytes) != digest)
        }
    }
}
