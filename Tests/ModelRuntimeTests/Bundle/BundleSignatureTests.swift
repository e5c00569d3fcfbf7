// SPDX-License-Identifier: MIT

import Glibc
import Integrity
import ModelRuntime
import Platform
import Testing

struct BundleSignatureTests {
    // Keys for tests, made with `openssl genpkey -algorithm ed25519`.
    private static let first = """
        -----BEGIN PRIVATE KEY-----
        MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g
        -----END PRIVATE KEY-----

        """
    private static let second = """
        -----BEGIN PRIVATE KEY-----
        MC4CAQAwBQYDK2VwBCIEIEzNCJso/5banbbDRuwRTg9bijGfNaumJNqM9u1PuKb7
        -----END PRIVATE KEY-----

        """

    private func key(_ pem: String) throws -> Ed25519PrivateKey {
        try Ed25519PrivateKey(Array(pem.utf8))
    }

    private func refusal(
        _ folder: borrowing BundleFolder,
        _ keys: [Ed25519PublicKey]
    ) -> BundleError? {
        do throws(BundleError) {
            _ = try BundleReader.load(path: folder.path, signedBy: keys)
            return nil
        } catch {
            return error
        }
    }

    @Test func takesWhatIsSignedByAnyOfTheKeys() throws {
        let folder = try BundleFolder()
        let old = try key(Self.first)
        let new = try key(Self.second)
        #expect(refusal(folder, [old.publicKey]) == .unsigned)
        #expect(refusal(folder, []) == nil)
        try BundleSigner.sign(folder.path, with: old)
        #expect(refusal(folder, [old.publicKey]) == nil)
        #expect(refusal(folder, [new.publicKey, old.publicKey]) == nil)
        #expect(refusal(folder, [new.publicKey]) == .signature)
        try BundleSigner.sign(folder.path, with: new)
        #expect(refusal(folder, [new.publicKey]) == nil)
        #expect(try folder.read("SHA256SUMS.sig").count == 64)
        let names = try FileAccess.list(FileAccess.parent(of: folder.path))
        #expect(names == ["\(BundleSample.version)"], "nothing is left beside the bundle")
    }

    @Test func refusesWhatWasSignedAndThenChanged() throws {
        let folder = try BundleFolder()
        let key = try key(Self.first)
        try BundleSigner.sign(folder.path, with: key)
        let signature = try folder.read("SHA256SUMS.sig")
        try folder.replace("evaluation.json", with: Array("{}".utf8))
        #expect(refusal(folder, [key.publicKey]) == .signature, "the sums were put right")
        try BundleSigner.sign(folder.path, with: key)
        #expect(refusal(folder, [key.publicKey]) == nil)
        try folder.write(signature, "SHA256SUMS.sig")
        #expect(refusal(folder, [key.publicKey]) == .signature, "a signature of before")
        for bytes in [[], [UInt8](signature.dropLast()), [UInt8](repeating: 0, count: 64)] {
            try folder.write(bytes, "SHA256SUMS.sig")
            #expect(refusal(folder, [key.publicKey]) == .signature)
        }
        try folder.write(signature + [0], "SHA256SUMS.sig")
        let tooLarge = BundleError.tooLarge(file: "SHA256SUMS.sig", limit: 64)
        #expect(refusal(folder, [key.publicKey]) == tooLarge)
    }

    @Test func takesNoPipeAwayForASignature() throws {
        let folder = try BundleFolder()
        let path = "\(folder.path)/SHA256SUMS.sig"
        // SAFETY: Swift passes the string NUL-terminated for the call.
        try #require(unsafe mkfifo(path, 0o600) == 0)
        let key = try key(Self.first)
        do throws(BundleError) {
            try BundleSigner.sign(folder.path, with: key)
            Issue.record("the pipe was replaced")
        } catch {
            #expect(error == .file(.notRegular(path: path)))
        }
        #expect(try FileAccess.status(of: path)?.isRegularFile == false)
        #expect(refusal(folder, [key.publicKey]) == .notAFile(file: "SHA256SUMS.sig"))
    }

    @Test func signsOnlyWhatVerifies() throws {
        let folder = try BundleFolder()
        var weights = try folder.read("weights.safetensors")
        weights[weights.count - 1] ^= 1
        try folder.write(weights, "weights.safetensors")
        let key = try key(Self.first)
        do throws(BundleError) {
            try BundleSigner.sign(folder.path, with: key)
            Issue.record("a damaged bundle was signed")
        } catch {
            #expect(error == .digest(file: "weights.safetensors"))
        }
        #expect(try FileAccess.status(of: "\(folder.path)/SHA256SUMS.sig") == nil)
    }

    @Test func namesTheFileOfKeysThatCannotBeUsed() throws {
        let directory = try TemporaryDirectory()
        let path = "\(directory.path)/keys.pem"
        #expect(throws: KeyFileError.self) { try [Ed25519PublicKey](file: path) }
        try FileAccess.write(Array(Self.first.utf8), to: path)
        #expect(throws: KeyFileError.key(path: path, .none(kind: "public key"))) {
            try [Ed25519PublicKey](file: path)
        }
        let key = try Ed25519PrivateKey(file: path)
        #expect(try key.publicKey == self.key(Self.first).publicKey)
    }
}
