// SPDX-License-Identifier: MIT

import Foundation
import JSON
import Testing

/// `pdm registry` on a folder with two versions of a model.
struct RegistryCommandTests {
    private static let second = "20240103_030405"

    private let folder: Folder

    init() throws {
        let fleet = try SmallFleet.made.get()
        folder = try Folder()
        let models = folder.file("models")
        try FileManager.default.copyItem(atPath: fleet.folder.file("one"), toPath: models)
        let train = SmallFleet.train(to: models, seed: 7)
            .replacing(SmallFleet.version, with: Self.second)
        let words = train.split(separator: " ").map(String.init)
        let outcome = try Program.run(words, in: fleet.folder.path)
        try #require(outcome.status == 0, "\(outcome.error)")
    }

    private func registry(_ words: String...) throws -> Program.Outcome {
        try Program.run(["registry"] + words, in: folder.path)
    }

    private func content() throws -> JSONValue {
        let path = folder.file("models/predictive-maintenance/registry.json")
        return try JSONValue.parse(Array(try Data(contentsOf: URL(filePath: path))))
    }

    @Test func promotesAndRollsBack() throws {
        let listed = try registry("list").lines
        #expect(
            listed.map { $0.split(separator: " ")[0] } == [
                Substring(Self.second), Substring(SmallFleet.version),
            ]
        )
        #expect(listed[0].contains("champion") && listed[0].contains("pr_auc"))
        let without = try registry("rollback", "--reason", "r")
        #expect(without.status == 1)
        let promoted = try registry("promote", SmallFleet.version, "--reason", "r", "--by", "me")
        #expect(promoted.status == 0, "\(promoted.error)")
        #expect(promoted.lines == ["champion: \(SmallFleet.version)"])
        #expect(try content()["champion"] == .string(SmallFleet.version))
        #expect(try registry("list").lines[1].contains("champion"))
        let again = try registry("promote", SmallFleet.version, "--reason", "r")
        #expect(again.status == 1)
        #expect(again.error.contains("is the champion already"))
        #expect(try registry("rollback", "--reason", "worse").lines == ["champion: \(Self.second)"])
        let shown = try JSONValue.parse(Array(try registry("show").output.utf8))
        #expect(try shown == content())
        guard case .array(let history)? = shown["history"] else {
            Issue.record("no history")
            return
        }
        #expect(history.map { $0["action"] } == ["promote", "promote", "rollback"])
        #expect(history[1]["by"] == "me" && history[1]["previous"] == .string(Self.second))
        #expect(history[2]["reason"] == "worse")
    }

    @Test func triesAChallenger() throws {
        let tried = try registry("challenge", SmallFleet.version, "--reason", "r", "--share", "0.2")
        #expect(tried.status == 0, "\(tried.error)")
        #expect(try content()["champion"] == .string(Self.second))
        #expect(try content()["challenger"]?["share"] == 0.2)
        #expect(try registry("list").lines[1].contains("challenger (0.2)"))
        #expect(try registry("withdraw", "--reason", "r").status == 0)
        #expect(try content()["challenger"] == nil)
        #expect(try registry("withdraw", "--reason", "r").status == 1)
        #expect(try registry("challenge", "x", "--reason", "r", "--share", "1").status == 64)
    }

    @Test func saysInWhatVersionsDiffer() throws {
        let equal = try registry("diff", Self.second, Self.second)
        #expect(equal.lines == ["no difference but the weights"])
        let other = try registry("diff", SmallFleet.version, Self.second)
        #expect(other.status == 0)
        #expect(other.output.contains("  evaluation: pr_auc "))
        #expect(!other.output.contains("!"))
    }

    @Test func promotesNothingThatDoesNotVerify() throws {
        let weights = "models/predictive-maintenance/\(Self.second)/weights.safetensors"
        var bytes = try Data(contentsOf: URL(filePath: folder.file(weights)))
        bytes[bytes.count - 1] ^= 1
        try bytes.write(to: URL(filePath: folder.file(weights)))
        let verified = try registry("verify")
        #expect(verified.status == 1)
        #expect(verified.lines[0].contains("refused: weights.safetensors"))
        #expect(verified.lines[1].contains("verified"))
        #expect(try registry("list").lines[0].contains("refused"))
        let outcome = try registry("promote", Self.second, "--reason", "r")
        #expect(outcome.status == 1)
        #expect(outcome.error.contains("weights.safetensors"))
        let unknown = try registry("promote", "20200101_000000", "--reason", "r")
        #expect(unknown.status == 1)
        #expect(try registry("promote", "yesterday", "--reason", "r").status == 1)
        #expect(try registry("promote", Self.second, "--reason", "").status == 64)
    }

    @Test func signsWhatTheToolsThenVerify() throws {
        let bundle = "models/predictive-maintenance/\(Self.second)"
        let steps = """
            set -e; openssl genpkey -algorithm ed25519 -out private.pem
            openssl pkey -in private.pem -pubout -out public.pem
            """
        #expect(try shell(steps).status == 0)
        let unsigned = try registry("verify", Self.second, "--public-key", "public.pem")
        #expect(unsigned.status == 1)
        #expect(unsigned.lines[0].contains("SHA256SUMS.sig: missing"))
        let signed = try Program.run(["sign", bundle, "--key", "private.pem"], in: folder.path)
        #expect(signed.status == 0, "\(signed.error)")
        #expect(try registry("verify", Self.second, "--public-key", "public.pem").status == 0)
        #expect(try registry("verify").status == 0)
        let check = """
            set -e; cd \(bundle); sha256sum -c SHA256SUMS
            openssl pkeyutl -verify -rawin -in SHA256SUMS -sigfile SHA256SUMS.sig -pubin \
                -inkey ../../../public.pem
            """
        #expect(try shell(check).status == 0)
        let wrong = try Program.run(["sign", bundle, "--key", "public.pem"], in: folder.path)
        #expect(wrong.status == 1 && wrong.error.contains("no PEM text of a private key"))
    }

    private func shell(_ text: String) throws -> Program.Outcome {
        try Program.run(["-c", text], program: "/bin/bash", in: folder.path)
    }

    @Test func refusesAnotherHorizonUnlessItIsMeant() throws {
        try rewriteManifest(of: Self.second) { $0["horizon_hours"] = 12 }
        let refused = try registry("challenge", SmallFleet.version, "--reason", "r")
        #expect(refused.status == 1)
        #expect(refused.error.contains("horizon: 12.0 h -> 24.0 h"))
        let promoted = try registry("promote", SmallFleet.version, "--reason", "r")
        #expect(promoted.error.contains("--allow horizon"))
        let allowed = ["--reason", "r", "--allow", "horizon"]
        let outcome = try Program.run(
            ["registry", "promote", SmallFleet.version] + allowed,
            in: folder.path
        )
        #expect(outcome.status == 0, "\(outcome.error)")
        #expect(try registry("diff", Self.second, SmallFleet.version).output.contains("! horizon"))
    }

    @Test func keepsThatAShiftIsMeant() throws {
        func registry(_ words: String...) throws -> Program.Outcome {
            try Program.run(["registry"] + words + ["--reason", "r"], in: folder.path)
        }
        let version = SmallFleet.version
        #expect(try registry("promote", version, "--allow", "unit,shift").status == 0)
        let path = folder.file("models/predictive-maintenance/registry.json")
        let text = try JSONValue.parse(Array(Data(contentsOf: URL(filePath: path))))
        guard case .array(let history)? = text["history"] else {
            Issue.record("\(text)")
            return
        }
        #expect(history.last?["allowed"] == ["unit", "shift"])
        for wrong in ["shft", "features", "shift,", ""] {
            #expect(try registry("promote", Self.second, "--allow", wrong).status == 64)
        }
        #expect(try registry("challenge", Self.second, "--allow", "unit").status == 64)
        #expect(try registry("promote", Self.second, "--allow", "none").status == 0)
    }

    /// Changes a bundle's manifest and the sum that stands for it.
    private func rewriteManifest(
        of version: String,
        _ change: (inout JSONObject) -> Void
    ) throws {
        let bundle = folder.file("models/predictive-maintenance/\(version)")
        let manifest = URL(filePath: "\(bundle)/manifest.json")
        guard case .object(var object) = try JSONValue.parse(Array(Data(contentsOf: manifest)))
        else { return }
        change(&object)
        try Data(JSONValue.object(object).serialized()).write(to: manifest)
        let outcome = try Program.run(
            ["-c", "sha256sum $(ls | grep -v SHA256SUMS) > SHA256SUMS"],
            program: "/bin/bash",
            in: bundle
        )
        #expect(outcome.status == 0)
    }
}
