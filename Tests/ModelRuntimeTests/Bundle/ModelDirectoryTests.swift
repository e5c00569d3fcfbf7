// SPDX-License-Identifier: MIT

import Glibc
import Integrity
import ModelRuntime
import Platform
import Testing

struct ModelDirectoryTests {
    private let versions = ["20260101_000000", "20251231_235959", "20260102_030405"]

    @Test func findsTheOnlyModelAndItsNewestVersionFirst() throws {
        let root = try tree(["press"])
        let found = try ModelDirectory(path: root.path).candidates()
        #expect(
            found.map(\.version?.description) == [
                "20260102_030405", "20260101_000000", "20251231_235959",
            ]
        )
        #expect(found[0].path == "\(root.path)/press/20260102_030405")
        #expect(found.allSatisfy { $0.model == "press" })
    }

    @Test func findsAModelByName() throws {
        let root = try tree(["press", "pump"])
        let found = try ModelDirectory(path: root.path, model: "pump").candidates()
        #expect(found[0].path == "\(root.path)/pump/20260102_030405")
        #expect(
            throws: ModelDirectoryError.unknownModel(
                "fan",
                path: root.path,
                models: ["press", "pump"]
            )
        ) { try ModelDirectory(path: root.path, model: "fan").candidates() }
        #expect(
            throws: ModelDirectoryError.severalModels(path: root.path, models: ["press", "pump"])
        ) { try ModelDirectory(path: root.path).candidates() }
    }

    @Test func takesAModelsFolder() throws {
        let root = try tree(["press"])
        let folder = "\(root.path)/press"
        let found = try ModelDirectory(path: folder).candidates()
        #expect(found.count == 3)
        #expect(found[0].model == nil)
        let named = try ModelDirectory(path: folder, model: "pump").candidates()
        #expect(named[0].model == "pump", "the reader compares it with the manifest")
    }

    @Test func takesOneBundle() throws {
        let folder = try BundleFolder()
        let found = try ModelDirectory(path: folder.path).candidates()
        #expect(found == [BundleLocation(path: folder.path)])
        _ = try BundleReader.load(found[0])
    }

    @Test func passesOverWhatIsNoVersion() throws {
        let root = try tree(["press"])
        try FileAccess.makeDirectory("\(root.path)/press/.20270101_000000.tmp")
        try FileAccess.makeDirectory("\(root.path)/press/20270101")
        try FileAccess.write([], to: "\(root.path)/press/20270101_000000")
        try FileAccess.makeDirectory("\(root.path)/lost+found")
        try FileAccess.makeDirectory("\(root.path)/empty")
        let found = try ModelDirectory(path: root.path).candidates()
        #expect(found.map(\.version?.description).first == "20260102_030405")
    }

    @Test func passesOverLinksThatLeadNowhere() throws {
        let root = try tree(["press"])
        let folder = "\(root.path)/press"
        for (name, target) in [("20270101_000000", "20270101_000000"), ("20270102_000000", "x")] {
            // SAFETY: Swift passes both strings NUL-terminated for the call.
            try #require(unsafe symlink(target, "\(folder)/\(name)") == 0)
        }
        for path in [root.path, folder] {
            let directory = ModelDirectory(path: path)
            #expect(try directory.candidates().first?.version?.description == "20260102_030405")
            #expect(
                try directory.modelFolder().brokenLinks() == [
                    "\(folder)/20270101_000000", "\(folder)/20270102_000000",
                ]
            )
        }
    }

    @Test func waitsForNoPipeInPlaceOfTheRegistry() throws {
        let root = try tree(["press"])
        let path = "\(root.path)/press/registry.json"
        // SAFETY: Swift passes the string NUL-terminated for the call.
        try #require(unsafe mkfifo(path, 0o600) == 0)
        #expect(throws: ModelDirectoryError.file(.notRegular(path: path))) {
            try ModelDirectory(path: root.path).candidates()
        }
        #expect(throws: KeyFileError.file(.notRegular(path: path))) {
            try [Ed25519PublicKey](file: path)
        }
    }

    @Test func prefersTheChampionAndFallsBackToThoseBeforeIt() throws {
        let root = try tree(["press"])
        try registry(root.path, #"{"format":1,"champion":"20260101_000000","later":{"x":1}}"#)
        let found = try ModelDirectory(path: root.path).candidates()
        #expect(found.map(\.version?.description) == ["20260101_000000", "20251231_235959"])
    }

    @Test func refusesAChampionThatIsNotThere() throws {
        let root = try tree(["press"])
        try registry(root.path, #"{"format":1,"champion":"20260101_000001"}"#)
        #expect(
            throws: ModelDirectoryError.unknownChampion(
                sampleVersion("20260101_000001"),
                path: "\(root.path)/press/registry.json"
            )
        ) { try ModelDirectory(path: root.path).candidates() }
    }

    @Test(arguments: [
        "", "[]", "{}", #"{"format":2,"champion":"20260101_000000"}"#, #"{"format":1}"#,
        #"{"format":1,"champion":"newest"}"#,
        #"{"format":1,"champion":"20260101_000000","requires":["quorum"]}"#,
    ])
    func refusesAStrangeRegistry(text: String) throws {
        let root = try tree(["press"])
        try registry(root.path, text)
        do throws(ModelDirectoryError) {
            _ = try ModelDirectory(path: root.path).candidates()
            Issue.record("it was accepted")
        } catch {
            #expect(error.description.hasPrefix("\(root.path)/press/registry.json: "))
        }
    }

    @Test func saysWhatIsMissing() throws {
        let root = try TemporaryDirectory()
        #expect(throws: ModelDirectoryError.noModel(path: root.path)) {
            try ModelDirectory(path: root.path).candidates()
        }
        #expect(throws: ModelDirectoryError.missing(path: "\(root.path)/none")) {
            try ModelDirectory(path: "\(root.path)/none").candidates()
        }
        try FileAccess.write([], to: "\(root.path)/file")
        #expect(throws: ModelDirectoryError.missing(path: "\(root.path)/file")) {
            try ModelDirectory(path: "\(root.path)/file").candidates()
        }
        try FileAccess.makeDirectory("\(root.path)/press")
        try registry(root.path, "{}")
        #expect(throws: ModelDirectoryError.self) {
            try ModelDirectory(path: root.path).candidates()
        }
    }

    @Test func fingerprintChangesWithWhatIsThere() throws {
        let root = try TemporaryDirectory()
        let directory = ModelDirectory(path: "\(root.path)/models")
        var seen = [directory.fingerprint()]
        func expectChange(_ what: String) {
            #expect(!seen.contains(directory.fingerprint()), "\(what)")
            #expect(directory.fingerprint() == directory.fingerprint(), "\(what)")
            seen.append(directory.fingerprint())
        }
        try FileAccess.makeDirectory(directory.path)
        expectChange("root made")
        var contents = try BundleSample.contents()
        let first = try BundleWriter.write(contents, to: directory.path)
        expectChange("first bundle")
        contents.manifest.version = sampleVersion("20260102_030406")
        _ = try BundleWriter.write(contents, to: directory.path)
        expectChange("second bundle")
        let registry = "\(directory.path)/press/registry.json"
        for version in ["20260102_030405", "20260102_030406"] {
            let text = #"{"format":1,"champion":"\#(version)"}"#
            try FileAccess.replace(registry, with: Array(text.utf8))
            expectChange("champion \(version)")
        }
        let sums = try FileAccess.read("\(first.path)/SHA256SUMS")
        try FileAccess.write(sums + [0], to: "\(first.path)/SHA256SUMS")
        expectChange("sums rewritten")
        try FileAccess.remove(first.path)
        expectChange("bundle removed")
    }

    @Test func fallsBackFromABundleThatIsRefused() throws {
        let root = try TemporaryDirectory()
        var contents = try BundleSample.contents()
        let good = try BundleWriter.write(contents, to: root.path)
        contents.manifest.version = sampleVersion("20260102_030406")
        let bad = try BundleWriter.write(contents, to: root.path)
        try FileAccess.write([0], to: "\(bad.path)/weights.safetensors")
        let found = try ModelDirectory(path: root.path).candidates()
        #expect(throws: BundleError.digest(file: "weights.safetensors")) {
            try BundleReader.load(found[0])
        }
        #expect(try BundleReader.load(found[1]).path == good.path)
    }

    private func tree(_ models: [String]) throws -> TemporaryDirectory {
        let root = try TemporaryDirectory()
        for model in models {
            for version in versions {
                try FileAccess.makeDirectory("\(root.path)/\(model)/\(version)")
            }
        }
        return root
    }

    private func registry(_ root: String, _ text: String) throws {
        try FileAccess.write(Array(text.utf8), to: "\(root)/press/registry.json")
    }
}
