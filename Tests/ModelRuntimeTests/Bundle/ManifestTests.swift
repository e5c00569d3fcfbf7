// SPDX-License-Identifier: MIT

import JSON
import ModelRuntime
import TestSupport
import Testing

struct ManifestTests {
    private let manifest = BundleSample.manifest

    @Test func readsWhatItWrote() throws {
        let bytes = manifest.json.serialized(isPretty: true)
        let read = try Manifest(bytes)
        #expect(read == manifest)
        #expect(read.json.serialized(isPretty: true) == bytes)
    }

    @Test func keepsAnAbsentHorizonAndRequires() throws {
        var manifest = manifest
        manifest.horizonHours = nil
        manifest.requires = ["layers", "threshold"]
        #expect(try Manifest(manifest.json.serialized()) == manifest)
    }

    @Test func requiresWhatAnOldReaderWouldMisread() throws {
        #expect(manifest.json["requires"] == [])
        var manifest = manifest
        manifest.memberCount = 5
        manifest.calibration = .platt(slope: 1.25, offset: -2)
        manifest.requires = ["layers"]
        #expect(manifest.json["requires"] == ["layers", "members", "calibration"])
        #expect(try Manifest(manifest.json.serialized()) == manifest)
    }

    @Test func ignoresUnknownKeys() throws {
        #expect(try Manifest(changed(["colour"], to: "red")) == manifest)
        #expect(try Manifest(changed(["layers", "0", "dropout"], to: 0.3)) == manifest)
    }

    @Test(arguments: ["colour", "calibrations", "Layers", ""])
    func refusesARequirementItDoesNotKnow(key: String) {
        #expect(throws: BundleError.requirement(key)) {
            try Manifest(changed(["requires"], to: ["layers", .string(key)]))
        }
    }

    @Test func namesTheRequirementInItsMessage() {
        let message = BundleError.requirement("colour").description
        #expect(message == #"manifest.json: requires "colour", which is not known here"#)
    }

    @Test func refusesAnotherFormat() {
        #expect(throws: BundleError.format(file: "manifest.json", actual: 2, expected: 1)) {
            try Manifest(changed(["format"], to: 2))
        }
    }

    @Test(arguments: [
        "format", "model", "version", "created", "framework", "transform", "layers", "threshold",
        "risk_levels", "training_data", "evaluation",
    ])
    func refusesAMissingKey(key: String) {
        #expect(throws: BundleError.self) { try Manifest(changed([key], to: nil)) }
    }

    @Test(
        arguments: [
            (["threshold"], 0.0001, 0), (["threshold"], 0.9999, 1), (["threshold"], 0.5, "0.5"),
            (["risk_levels", "medium"], 0.0001, 0), (["risk_levels", "medium"], 0.6999, 0.7),
            (["risk_levels", "high"], 1, 1.0001), (["horizon_hours"], 0.5, 0),
            (["horizon_hours"], 87_600, 87_600.5), (["horizon_hours"], 24, 1e300),
            (["training_data", "rows"], 0, -1), (["training_data", "rows"], 1, 1.5),
            (
                ["training_data", "sha256"], .string(String(repeating: "A", count: 64)),
                .string(String(repeating: "A", count: 63))
            ),
            (
                ["model"], .string(String(repeating: "m", count: 64)),
                .string(String(repeating: "m", count: 65))
            ),
            (["model"], "a.b-C_1", "a/b"), (["model"], "m", ""), (["model"], "m.", ".m"),
            (
                ["framework"], .string(String(repeating: "f", count: 64)),
                .string(String(repeating: "f", count: 65))
            ),
            (["framework"], "f", ""),
            (["version"], "20240229_235959", "20230229_235959"),
            (["created"], "2026-01-02T03:04:05.5Z", "2026-01-02"),
            (["layers", "0", "activation"], "tanh", "gelu"),
            (["layers", "0", "normalization", "position"], "after_activation", "afterActivation"),
            (["layers", "0", "inputs"], 4, 5), (["layers"], nil, []),
            (["calibration"], .null, "beta"), (["members"], 32, 33), (["members"], 1, 0),
            (
                ["calibration"], ["method": "platt", "slope": 0.5, "offset": 0],
                ["method": "platt", "slope": 0, "offset": 0]
            ),
            (
                ["calibration"], ["method": "platt", "slope": 1e30, "offset": -1e30],
                ["method": "platt", "slope": 1.1e30, "offset": 0]
            ),
            (
                ["calibration"], ["method": "platt", "slope": 1, "offset": 1e30],
                ["method": "platt", "slope": 1, "offset": -1e307]
            ),
            (
                ["calibration"], ["method": "isotonic", "logits": [0], "probabilities": [1]],
                ["method": "beta", "logits": [0], "probabilities": [1]]
            ),
            (
                ["alarm"], ["raise": 0.5, "clear": 0.3, "needed": 2, "of": 3],
                ["raise": 0.5, "clear": 0.6, "needed": 2, "of": 3]
            ),
            (
                ["alarm"], ["raise": 1, "clear": 1, "needed": 64, "of": 64],
                ["raise": 1, "clear": 1, "needed": 64, "of": 65]
            ),
            (["evaluation"], .object(JSONObject()), []), (["requires"], .null, "layers"),
        ] as [([String], JSONValue?, JSONValue)]
    )
    func checksValues(keys: [String], accepted: JSONValue?, refused: JSONValue) throws {
        if let accepted { _ = try Manifest(changed(keys, to: accepted)) }
        #expect(throws: BundleError.self) { try Manifest(changed(keys, to: refused)) }
    }

    @Test func namesTheFileAndThePlace() {
        do throws(BundleError) {
            _ = try Manifest(changed(["layers", "0", "inputs"], to: "many"))
            Issue.record("it was accepted")
        } catch {
            #expect(
                error.description
                    == #"manifest.json: /layers/0/inputs: expected an integer, found "many""#
            )
        }
    }

    @Test(
        arguments: [
            .identity, .platt(slope: 1.25, offset: -2),
            .isotonic(logits: [-1, 0.5, 2], probabilities: [0.125, 0.125, 1]),
        ] as [Calibrator]
    )
    func survivesDamage(calibration: Calibrator) {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SplitMix(seed: seed)
        var manifest = manifest
        manifest.calibration = calibration
        manifest.memberCount = 2
        let valid = manifest.json.serialized()
        var refused = 0
        for _ in 0..<1000 {
            do throws(BundleError) {
                let read = try Manifest(random.damaged(valid))
                // What passes has to be sound: written and read again, it is the same.
                let again = try Manifest(read.json.serialized())
                #expect(again == read, "seed \(seed)")
            } catch {
                refused += 1
            }
        }
        #expect(refused > 300, "seed \(seed)")
    }

    private func changed(_ keys: [String], to value: JSONValue?) -> [UInt8] {
        (manifest.json.setting(keys[...], to: value) ?? .null).serialized()
    }
}

struct BundleVersionTests {
    @Test(arguments: ["00010101_000000", "20260102_030405", "20240229_235959", "99991231_235959"])
    func readsWhatItWrites(text: String) {
        #expect(BundleVersion(text)?.description == text)
    }

    @Test(arguments: [
        "", "20260102", "20260102_03040", "20260102_0304050", "20260102-030405", "20261302_030405",
        "20230229_000000", "20260102_240000", "20260102_006000", "20260102_235960",
        "00000102_030405", "2026010a_030405", ".20260102_030405.tmp", "２0260102_03040",
    ])
    func refuses(text: String) {
        #expect(BundleVersion(text) == nil)
    }

    @Test func cutsTheFractionOff() {
        let version = sampleVersion("20260102_030405")
        #expect(BundleVersion(microseconds: version.microseconds + 999_999) == version)
        #expect(BundleVersion(microseconds: version.microseconds + 1_000_000) > version)
        #expect(BundleVersion(microseconds: -1).description == "19691231_235959")
    }

    @Test func sortsByTime() {
        let texts = ["20251231_235959", "20260101_000000", "20260102_030405"]
        #expect(texts.reversed().map(sampleVersion).sorted().map(\.description) == texts)
    }
}

struct RiskLevelTests {
    @Test(arguments: [
        (0.0, false, RiskLevel.low), (0.3.nextDown, false, .low), (0.3, false, .medium),
        (0.7.nextDown, false, .medium), (0.7, false, .high), (1, true, .high),
        (0.1, true, .medium), (0.3.nextDown, true, .medium), (0.5, true, .medium),
    ])
    func followsTheBorders(probability: Double, isPositive: Bool, expected: RiskLevel) {
        #expect(RiskLevels().level(probability: probability, isPositive: isPositive) == expected)
    }
}
