// SPDX-License-Identifier: MIT

internal import Foundation
internal import Integrity
internal import Testing

struct Ed25519Tests {
    // RFC 8032, section 7.1, tests 1 to 3, the keys in PEM.
    private static let examples: [(key: String, message: String, signature: String)] = [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
                + "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                + "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ),
        (
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7", "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
                + "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
        ),
    ]

    @Test(arguments: examples)
    func signsTheExamplesOfTheStandard(
        _ example: (key: String, message: String, signature: String)
    ) throws {
        let key = try Ed25519PrivateKey(privatePEM(example.key))
        let message = bytes(example.message)
        let signature = try key.signature(of: message)
        #expect(signature == bytes(example.signature))
        #expect(key.publicKey.verifies(signature, of: message))
    }

    @Test func refusesEveryFlippedBit() throws {
        let key = try Ed25519PrivateKey(privatePEM(Self.examples[0].key))
        let message = Array("checksums".utf8)
        let signature = try key.signature(of: message)
        for bit in 0..<(8 * signature.count) {
            var damaged = signature
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(!key.publicKey.verifies(damaged, of: message))
        }
        #expect(!key.publicKey.verifies(signature, of: message + [0]))
        #expect(!key.publicKey.verifies(signature + [0], of: message))
        #expect(!key.publicKey.verifies(Array(signature.dropLast()), of: message))
        #expect(!key.publicKey.verifies([], of: message))
        #expect(key.publicKey.verifies(signature, of: message))
    }

    @Test func understandsTheToolAndIsUnderstoodByIt() throws {
        let folder = try Folder()
        try folder.tool("genpkey -algorithm ed25519 -out private.pem")
        try folder.tool("pkey -in private.pem -pubout -out public.pem")
        let key = try Ed25519PrivateKey(folder.read("private.pem"))
        let keys = try Ed25519PublicKey.read(folder.read("public.pem"))
        #expect(keys == [key.publicKey])
        try folder.write(Array("text".utf8), "text")
        try folder.write(try key.signature(of: Array("text".utf8)), "ours")
        try folder.tool(
            "pkeyutl -verify -rawin -in text -sigfile ours -pubin -inkey public.pem"
        )
        try folder.tool("pkeyutl -sign -rawin -in text -out theirs -inkey private.pem")
        #expect(try folder.read("theirs") == folder.read("ours"))
    }

    @Test func readsSeveralKeysUpToTheLimit() throws {
        let folder = try Folder()
        try folder.tool("genpkey -algorithm ed25519 -out private.pem")
        try folder.tool("pkey -in private.pem -pubout -out public.pem")
        let pem = Array("# the plant's key\n".utf8) + (try folder.read("public.pem"))
        let limit = Ed25519PublicKey.countMax
        let most = Array(repeatElement(pem, count: limit).joined())
        #expect(try Ed25519PublicKey.read(most).count == limit)
        #expect(throws: KeyError.tooMany(limit: limit)) {
            try Ed25519PublicKey.read(most + pem)
        }
        let room = Ed25519PublicKey.fileBytesMax - pem.count
        let blanks = [UInt8](repeating: UInt8(ascii: "\n"), count: room)
        #expect(try Ed25519PublicKey.read(pem + blanks).count == 1)
        #expect(throws: KeyError.tooLarge(limit: Ed25519PublicKey.fileBytesMax)) {
            try Ed25519PublicKey.read(pem + blanks + [UInt8(ascii: "\n")])
        }
    }

    @Test func refusesOtherKeysAndDamage() throws {
        let folder = try Folder()
        try folder.tool("genpkey -algorithm ed25519 -out private.pem")
        try folder.tool("pkey -in private.pem -pubout -out public.pem")
        try folder.tool("genpkey -algorithm x25519 -out other.pem")
        try folder.tool("pkey -in other.pem -pubout -out other.public.pem")
        try folder.tool("pkey -in private.pem -aes256 -passout pass:x -out locked.pem")
        let good = try folder.read("public.pem")
        #expect(throws: KeyError.none(kind: "public key")) { try Ed25519PublicKey.read([]) }
        #expect(throws: KeyError.none(kind: "public key")) {
            try Ed25519PublicKey.read(folder.read("private.pem"))
        }
        #expect(throws: KeyError.none(kind: "private key")) { _ = try Ed25519PrivateKey(good) }
        #expect(throws: KeyError.otherAlgorithm) {
            try Ed25519PublicKey.read(good + folder.read("other.public.pem"))
        }
        #expect(throws: KeyError.otherAlgorithm) {
            _ = try Ed25519PrivateKey(folder.read("other.pem"))
        }
        #expect(throws: KeyError.self) { _ = try Ed25519PrivateKey(folder.read("locked.pem")) }
        #expect(throws: KeyError.self) { try Ed25519PublicKey.read(Array(good.dropLast(20))) }
        var damaged = good
        damaged[40] = UInt8(ascii: "!")
        #expect(throws: KeyError.self) { try Ed25519PublicKey.read(damaged) }
        #expect(throws: KeyError.self) { try Ed25519PublicKey.read(good + damaged) }
    }

    private func bytes(_ hex: String) -> [UInt8] {
        stride(from: 0, to: hex.count, by: 2).compactMap {
            UInt8(hex.dropFirst($0).prefix(2), radix: 16)
        }
    }

    /// PKCS #8 of RFC 8410 around the 32 bytes.
    private func privatePEM(_ hex: String) -> [UInt8] {
        let code = Data(bytes("302e020100300506032b657004220420" + hex)).base64EncodedString()
        return Array("-----BEGIN PRIVATE KEY-----\n\(code)\n-----END PRIVATE KEY-----\n".utf8)
    }
}

/// A temporary folder in which the openssl tool runs.
private final class Folder {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("ed25519-\(UUID())")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    func read(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: url.appendingPathComponent(name)))
    }

    func write(_ bytes: [UInt8], _ name: String) throws {
        try Data(bytes).write(to: url.appendingPathComponent(name))
    }

    func tool(_ line: String) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = line.split(separator: " ").map(String.init)
        process.currentDirectoryURL = url
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "openssl \(line)")
    }
}
