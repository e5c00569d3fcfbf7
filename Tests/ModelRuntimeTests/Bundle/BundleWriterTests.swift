// SPDX-License-Identifier: MIT

internal import Foundation
import Features
import Integrity
import JSON
import ModelRuntime
import Platform
import Testing

struct BundleWriterTests {
    @Test func writesTheSameBytesForTheSameContents() throws {
        let first = try BundleFolder()
        let second = try BundleFolder()
        let names = try FileAccess.list(first.path)
        #expect(
            names == [
                "SHA256SUMS", "evaluation.json", "golden.json", "manifest.json",
                "reference.safetensors", "weights.safetensors",
            ]
        )
        for name in names { #expect(try first.read(name) == second.read(name)) }
    }

    @Test func writesBelowModelAndVersionAndLeavesNothingElse() throws {
        let folder = try BundleFolder()
        #expect(folder.path == "\(folder.directory.path)/press/20260102_030405")
        #expect(try FileAccess.list("\(folder.directory.path)/press") == ["20260102_030405"])
    }

    @Test func neverReplacesAVersion() throws {
        let folder = try BundleFolder()
        let before = try folder.read("SHA256SUMS")
        var contents = try BundleSample.contents()
        contents.evaluation["pr_auc"] = 0.5
        #expect(throws: BundleError.exists(path: folder.path)) {
            try BundleWriter.write(contents, to: folder.directory.path)
        }
        #expect(try folder.read("SHA256SUMS") == before)
    }

    @Test func writesAndLoadsMembers() throws {
        let directory = try TemporaryDirectory()
        let contents = try BundleSample.memberContents()
        let loaded = try BundleWriter.write(contents, to: directory.path)
        #expect(loaded.network.memberCount == 2)
        #expect(loaded.manifest == contents.manifest)
        var wrong = contents
        wrong.manifest.version = sampleVersion("20270101_000000")
        wrong.manifest.memberCount = 3
        #expect(throws: BundleError.self) { try BundleWriter.write(wrong, to: directory.path) }
    }

    @Test func publishesNothingThatAReaderWouldRefuse() throws {
        let directory = try TemporaryDirectory()
        var contents = try BundleSample.contents()
        contents.golden[0].logit += 1
        #expect(throws: BundleError.self) { try BundleWriter.write(contents, to: directory.path) }
        contents = try BundleSample.contents()
        contents.members[0][1].bias = [.nan]
        #expect(throws: BundleError.self) { try BundleWriter.write(contents, to: directory.path) }
        contents = try BundleSample.contents()
        contents.manifest.threshold = 1
        #expect(throws: BundleError.self) { try BundleWriter.write(contents, to: directory.path) }
        #expect(try FileAccess.list("\(directory.path)/press") == [])
    }

    @Test func clearsAwayWhatAnInterruptedWriterLeft() throws {
        let directory = try TemporaryDirectory()
        let leftover = "\(directory.path)/press/.20260102_030405.tmp"
        try FileAccess.makeDirectory(leftover)
        try FileAccess.write([1], to: "\(leftover)/strange.bin")
        let written = try BundleWriter.write(try BundleSample.contents(), to: directory.path)
        #expect(try FileAccess.list("\(directory.path)/press") == ["20260102_030405"])
        _ = try BundleReader.load(path: written.path)
    }

    @Test func satisfiesTheSystemsOwnTool() throws {
        let folder = try BundleFolder()
        #expect(try checkSums(in: folder.path) == 0)
        var weights = try folder.read("weights.safetensors")
        weights[weights.count - 1] ^= 1
        try folder.write(weights, "weights.safetensors")
        #expect(try checkSums(in: folder.path) == 1)
    }

    private func checkSums(in path: String) throws -> Int32 {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["sha256sum", "--strict", "--quiet", "-c", "SHA256SUMS"]
        process.currentDirectoryURL = URL(fileURLWithPath: path)
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus
    }
}

/// A bundle of every released format stays here and must load for ever.
struct ReleasedBundleTests {
    /// Written by `BundleWriter` from `BundleSample` when format 1 was released; never again.
    @Test func loadsFormat1() throws {
        let loaded = try BundleReader.load(path: "\(Fixture.path)/bundle-format-1")
        #expect(
            loaded.digest.hex == "be0c043d64c8ab6702b1c1dc531c512ca10c9a59187e4d863c6f6a9a0ff9913e"
        )
        #expect(loaded.manifest.model == "press")
        #expect(loaded.manifest.version == sampleVersion("20260102_030405"))
        #expect(loaded.manifest.layers.map(\.outputs) == [2, 1])
        #expect(
            loaded.manifest.transform.featureNames == [
                "temperature", "mode_press", "temperature_mean_6h", "temperature_std_6h",
            ]
        )
    }

    /// Written in the same way from `BundleSample.memberContents` when members and calibration
    /// came.
    @Test func loadsFormat1WithMembersAndCalibration() throws {
        let loaded = try BundleReader.load(path: "\(Fixture.path)/bundle-format-1-members")
        #expect(
            loaded.digest.hex == "24326b4ad08ced437eb4143c7b3601d50f381126bcb55ccb04bf75f3d762acc3"
        )
        #expect(loaded.network.memberCount == 2)
        #expect(loaded.manifest.calibration == .platt(slope: 1.25, offset: -0.5))
        #expect(abs(loaded.probability(ofLogit: 0.4) - 0.5) < 1e-8)
    }
    /// Written in the same way from `BundleSample.alarmContents` when background records and rules
    /// for alarms had come.
    @Test func loadsFormat1WithBackgroundAndAlarm() throws {
        let loaded = try BundleReader.load(path: "\(Fixture.path)/bundle-format-1-alarm")
        #expect(
            loaded.digest.hex == "2847bf0931856e7d472b18bd4daa64f438ad632c1ba0e038cb0417ca2645ed1c"
        )
        #expect(
            loaded.manifest.alarm == AlarmRule(raise: 0.5, clear: 0.25, needed: 3, of: 5)
        )
        let explainer = try #require(loaded.explainer)
        #expect(explainer.groups.map(\.name) == ["temperature", "mode"])
        #expect(explainer.backgroundCount == 2)
    }
}
