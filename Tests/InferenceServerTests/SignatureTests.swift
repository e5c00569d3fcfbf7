// SPDX-License-Identifier: MIT

@testable import InferenceServer
import Integrity
import JSON
import ModelRuntime
import Platform
import Testing

@Suite struct SignatureTests {
    private static let first = """
        -----BEGIN PRIVATE KEY-----
        MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g
        -----END PRIVATE KEY-----

        """
    /// The public key of the first.
    private static let firstPublic = """
        -----BEGIN PUBLIC KEY-----
        MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
        -----END PUBLIC KEY-----

        """
    private static let second = """
        -----BEGIN PRIVATE KEY-----
        MC4CAQAwBQYDK2VwBCIEIEzNCJso/5banbbDRuwRTg9bijGfNaumJNqM9u1PuKb7
        -----END PRIVATE KEY-----

        """
    /// The public key of the second.
    private static let secondPublic = """
        -----BEGIN PUBLIC KEY-----
        MCowBQYDK2VwAyEAPUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw=
        -----END PUBLIC KEY-----

        """

    private func sign(_ bundle: LoadedModel, _ key: String) throws {
        try BundleSigner.sign(bundle.path, with: Ed25519PrivateKey(Array(key.utf8)))
    }

    private func writeKeys(_ text: String, _ directory: TemporaryDirectory) throws -> String {
        let path = "\(directory.path)/keys.pem"
        try FileAccess.replace(path, with: Array(text.utf8))
        return path
    }

    private func version(_ server: TestServer) throws -> JSONValue? {
        try server.client().request("POST", "/predict", body: TestReading.brief)
            .json["model_version"]
    }

    @Test func servesOnlyWhatAKnownKeySigned() throws {
        let keys = try TemporaryDirectory()
        let path = try writeKeys(Self.firstPublic, keys)
        let server = try TestServer(arguments: ["bundle-public-key": path]) { folder in
            try sign(try TestBundle.write(to: folder), Self.first)
        }
        #expect(try version(server) == .string(TestBundle.firstVersion))
        let second = try TestBundle.write(
            to: server.directory.path,
            version: TestBundle.secondVersion
        )
        for key in [nil, Self.second] {
            if let key { try sign(second, key) }
            server.application.watcher.scanNow(isForced: false)
            #expect(try version(server) == .string(TestBundle.firstVersion))
            let info = try server.client().request("GET", "/model/info").json
            #expect(info["last_refusal"]?["version"] == .string(TestBundle.secondVersion))
        }
        let refused = server.lines.containing("model_refused")
        #expect(refused.count == 2)
        #expect(refused[0].contains("only signed bundles"))
        #expect(refused[1].contains("a key that is known here"))
        let page = try server.client().request("GET", "/metrics").body
        #expect(page.contains("\nmodel_refusals_total 2\n"))
        #expect(page.contains("\nmodel_preferred_refused 1\n"))
        try sign(second, Self.first)
        server.application.watcher.scanNow(isForced: false)
        #expect(try version(server) == .string(TestBundle.secondVersion))
    }

    @Test func followsTheFileOfKeys() throws {
        let keys = try TemporaryDirectory()
        let path = try writeKeys(Self.firstPublic, keys)
        let server = try TestServer(arguments: ["bundle-public-key": path]) { folder in
            try sign(try TestBundle.write(to: folder), Self.first)
        }
        let second = try TestBundle.write(
            to: server.directory.path,
            version: TestBundle.secondVersion
        )
        try sign(second, Self.second)
        server.application.watcher.scanNow(isForced: false)
        #expect(try version(server) == .string(TestBundle.firstVersion))
        try FileAccess.remove(path)
        server.application.watcher.scanNow(isForced: false)
        #expect(try version(server) == .string(TestBundle.firstVersion), "no keys, no bundle")
        _ = try writeKeys(Self.firstPublic + Self.secondPublic, keys)
        server.application.watcher.scanNow(isForced: false)
        #expect(try version(server) == .string(TestBundle.secondVersion))
    }

    @Test func doesNotStartWithoutTheKeysItIsToldOf() throws {
        let keys = try TemporaryDirectory()
        for path in ["\(keys.path)/none.pem", try writeKeys(Self.first, keys)] {
            #expect(throws: StartError.self) {
                _ = try TestServer(arguments: ["bundle-public-key": path])
            }
        }
    }

    @Test func aReportAsksForTheSignatureToo() throws {
        let directory = try TemporaryDirectory()
        let bundle = try TestBundle.write(to: directory.path)
        let known = try Ed25519PublicKey.read(Array(Self.firstPublic.utf8))
        #expect(BundleReport(path: bundle.path).text.contains("not checked"))
        #expect(!BundleReport(path: bundle.path, signedBy: known).isGood)
        try sign(bundle, Self.first)
        let report = BundleReport(path: bundle.path, signedBy: known)
        #expect(report.isGood && report.text.contains("\"signature\": \"verified\""))
    }
}
