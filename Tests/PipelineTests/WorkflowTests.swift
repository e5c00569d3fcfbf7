// SPDX-License-Identifier: MIT

import Foundation
import JSON
import Testing

/// From a simulated fleet to a scored bundle, through the programs as they are.
struct WorkflowTests {
    private let fleet: SmallFleet

    init() throws { fleet = try SmallFleet.made.get() }

    private var bundle: String {
        fleet.folder.file("one/predictive-maintenance/\(SmallFleet.version)")
    }

    private func json(_ path: String) throws -> JSONObject {
        let data = try Data(contentsOf: URL(filePath: path))
        let value = try JSONValue.parse(Array(data))
        guard case .object(let object) = value else {
            Issue.record("\(path) is no object")
            return JSONObject()
        }
        return object
    }

    private func run(_ command: String) throws -> Program.Outcome {
        try Program.run(command.split(separator: " ").map(String.init), in: fleet.folder.path)
    }

    @Test func sameSeedAndVersionGiveTheSameBytes() throws {
        let one = try bundles("one")
        #expect(one.count >= 8)
        #expect(try bundles("two") == one)
    }

    /// The files below a folder but the logs, which hold seconds.
    private func bundles(_ name: String) throws -> [String: Data] {
        try fleet.folder.contents(name).filter { !$0.key.hasSuffix(".training.json") }
    }

    @Test func anotherSeedGivesOtherWeights() throws {
        #expect(try run(SmallFleet.train(to: "three", seed: 43)).status == 0)
        let weights = "predictive-maintenance/\(SmallFleet.version)/weights.safetensors"
        let one = try fleet.folder.contents("one")
        #expect(try fleet.folder.contents("three")[weights] != one[weights])
    }

    @Test func checksumsPass() throws {
        let outcome = try Program.run(
            ["--strict", "-c", "SHA256SUMS"],
            program: "/usr/bin/sha256sum",
            in: bundle
        )
        #expect(outcome.status == 0, "\(outcome.error)")
        #expect(outcome.lines.count >= 5 && outcome.lines.allSatisfy { $0.hasSuffix(": OK") })
    }

    @Test func seedsSideBySideScoreAsOneByOne() throws {
        let both = try run(SmallFleet.train(to: "seeds") + " --seeds 2 --report seeds.json")
        #expect(both.status == 0, "\(both.error)")
        let lines = both.lines.filter { $0.hasPrefix("seed ") || $0.hasPrefix("epoch ") }
        let epochs = SmallFleet.epochs
        #expect(lines.count == 2 + 2 * epochs)
        #expect(lines[0] == "seed 42" && lines[1 + epochs] == "seed 43")
        let second = SmallFleet.train(to: "second", seed: 43) + " --report second.json"
        #expect(try run(second).status == 0)
        let said = try json("\(bundle)/evaluation.json")
        let found = try json(fleet.folder.file("seeds.json"))["pr_auc"]?["values"]
        let alone = try json(fleet.folder.file("second.json"))["pr_auc"]?["mean"]
        #expect(found == .array([said["pr_auc"] ?? .null, alone ?? .null]))
    }

    @Test func evaluateFindsWhatTheBundleSays() throws {
        var said = try json("\(bundle)/evaluation.json")
        var found = try json(fleet.folder.file("scores/evaluation.json"))
        #expect(said["protocol"] != found["protocol"])
        // What only training knows, and what only the scores of a bundle have.
        #expect(said["seeds"] == [42] && said["members"] == 1 && said["warnings"] == [])
        #expect(found["lead_time"]?["failures"] == 4)
        for key in ["protocol", "seeds", "members", "warnings"] {
            #expect(found["training"]?[key] == said[key], "\(key)")
        }
        for key in [
            "protocol", "seeds", "members", "warnings", "lead_time", "intervals", "training",
        ] {
            said[key] = nil
            found[key] = nil
        }
        #expect(said == found)
        for key in [
            "accuracy", "roc_auc", "pr_auc", "classes", "confusion_matrix", "false_positive_rate",
            "false_negative_rate", "brier_skill", "expected_calibration_error", "reliability",
            "threshold_rule",
        ] { #expect(found[key] != nil, "\(key)") }
    }

    @Test func evaluateWritesAPageThatLoadsNothing() throws {
        let file = URL(filePath: fleet.folder.file("scores/evaluation.html"))
        let page = try String(contentsOf: file, encoding: .utf8)
        #expect(page.hasPrefix("<!DOCTYPE html>") && page.contains("of 4 failures had an alarm"))
        #expect(page.contains("<p>These rows: scored by pdm evaluate.</p>"))
        #expect(page.contains("<p>Seed 42; 1 network in the model.</p>"))
        #expect(!page.contains("Leakage"))
        for word in ["http", "src=", "url(", "@import", "<script"] { #expect(!page.contains(word)) }
    }

    @Test func evaluateWarnsOfTheRowsThatTrainedTheModel() throws {
        let outcome = try run(
            "evaluate --model-path one/predictive-maintenance/\(SmallFleet.version)"
                + " --test-data data/train_features.csv --output-dir leaking-scores"
        )
        let warning = "these are the rows that the model was trained on"
        #expect(outcome.status == 0 && outcome.error == "warning: \(warning)\n")
        let found = try json(fleet.folder.file("leaking-scores/evaluation.json"))
        #expect(found["warnings"] == [.string(warning)])
        let page = try fleet.folder.contents("leaking-scores")["evaluation.html"] ?? Data()
        #expect(String(decoding: page, as: UTF8.self).contains("Leakage? \(warning)."))
    }

    @Test func evaluatePrintsTheReportAndEveryPrediction() throws {
        let lines = try #require(fleet.outputs["evaluate"])
        #expect(lines[0].contains("precision") && lines[0].contains("support"))
        #expect(lines.contains { $0.hasPrefix("normal ") })
        #expect(lines.contains { $0.hasPrefix("failure ") })
        let predictions = try String(
            contentsOfFile: fleet.folder.file("scores/predictions.csv"),
            encoding: .utf8
        )
        let features = try String(
            contentsOfFile: fleet.folder.file("data/test_features.csv"),
            encoding: .utf8
        )
        #expect(predictions.hasPrefix("timestamp,equipment_id,probability,failure\n"))
        #expect(predictions.split(separator: "\n").count == features.split(separator: "\n").count)
    }

    @Test func trainPrintsALinePerEpoch() throws {
        let lines = try #require(fleet.outputs["one"]).filter { $0.hasPrefix("epoch ") }
        #expect(lines.count == SmallFleet.epochs)
        for (index, line) in lines.enumerated() {
            #expect(line.hasPrefix("epoch \(index + 1)/\(SmallFleet.epochs)  loss "))
            for name in ["val loss", "acc", "prec", "rec", "roc-auc", "pr-auc", "lr"] {
                #expect(line.contains("  \(name) "), "\(name)")
            }
        }
    }

    @Test func compareJudgesAllBundlesOnTheSameRows() throws {
        let bundles = ["one", "two"].map { "\($0)/predictive-maintenance/\(SmallFleet.version)" }
        let outcome = try run(
            "compare --test-data data/test_features.csv --output-dir compared "
                + bundles.joined(separator: " ")
        )
        #expect(outcome.status == 0, "\(outcome.error)")
        let models = JSONView(.object(try json(fleet.folder.file("compared/comparison.json"))))
        let scores = try models.required("models").array
        let expected = try json(fleet.folder.file("scores/evaluation.json"))["pr_auc"]
        for score in scores {
            #expect(try score.required("pr_auc").value == expected)
            #expect(try score.required("training_seconds").double > 0)
        }
        #expect(scores.count == 2)
        let page = try fleet.folder.contents("compared")["comparison.html"]
        #expect(String(decoding: page ?? Data(), as: UTF8.self).hasPrefix("<!DOCTYPE html>"))
    }

    @Test func compareTrainsWhoIsInstalled() throws {
        let outcome = try run(
            "compare --train-data data/train_features.csv --test-data data/test_features.csv"
                + " --epochs 2 --environments nowhere --output-dir trained"
                + " one/predictive-maintenance/\(SmallFleet.version)"
        )
        #expect(outcome.status == 0, "\(outcome.error)")
        #expect(outcome.errorLines.count == 2)
        #expect(outcome.error.contains("keras is left out: there is no nowhere/keras/bin/python"))
        let models = JSONView(.object(try json(fleet.folder.file("trained/comparison.json"))))
        let names = try models.required("models").array.map { try $0.required("name").string }
        #expect(names.count == 2 && names.allSatisfy { $0.hasPrefix("pdm (") })
        #expect(names[1].contains(SmallFleet.version))
        let nobody = try run(
            "compare --train-data data/train_features.csv --test-data data/test_features.csv"
                + " --trainers keras --environments nowhere --output-dir nobody"
        )
        #expect(nobody.status == 1 && nobody.errorLines.count == 2)
    }

    /// What `python -m trainers.keras` is called with, by a stand-in that fails.
    @Test func compareHandsItsOptionsToTheTrainers() throws {
        let bin = fleet.folder.file("stand-in/keras/bin")
        try FileManager.default.createDirectory(atPath: bin, withIntermediateDirectories: true)
        _ = try fleet.folder.write(
            "#!/bin/sh\necho \"$PYTHONPATH $*\"\nexit 5\n",
            "stand-in/keras/bin/python"
        )
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o755],
            ofItemAtPath: "\(bin)/python"
        )
        let outcome = try run(
            "compare --train-data data/train_features.csv --test-data data/test_features.csv"
                + " --trainers keras --epochs 7 --batch-size 32 --seed 9 --trainers-dir there"
                + " --environments \(fleet.folder.file("stand-in")) --output-dir handed"
        )
        #expect(outcome.status == 1 && !outcome.isCrash)
        #expect(outcome.error.contains("keras: the training ended with 5"), "\(outcome.error)")
        #expect(outcome.output.contains("there -m trainers.keras --pdm /"))
        #expect(
            outcome.output.contains(
                " --train-data data/train_features.csv --test-data data/test_features.csv"
                    + " --epochs 7 --batch-size 32 --seed 9 --output-dir handed/models"
                    + " --model keras --version "
            )
        )
    }

    @Test func neverWritesOverABundle() throws {
        let before = try fleet.folder.contents("one")
        let outcome = try run(SmallFleet.train(to: "one", seed: 44))
        #expect(outcome.status == 1 && !outcome.isCrash)
        #expect(outcome.errorLines.count == 1)
        #expect(outcome.error.contains(SmallFleet.version), "\(outcome.error)")
        #expect(try fleet.folder.contents("one") == before)
    }

    @Test func warnsThatASplitByRowLeaks() throws {
        let outcome = try run("preprocess --input raw.csv --output leaking --split stratified")
        #expect(outcome.status == 0)
        #expect(outcome.errorLines.count == 1)
        #expect(outcome.error.hasPrefix("warning: leakage: "), "\(outcome.error)")
    }

    @Test func appliesNoFitOfOtherTrainingRows() throws {
        #expect(try run("preprocess --input raw.csv --output other --seed 1").status == 0)
        let apply = "features --input other/test.csv --is-training false --output"
        let outcome = try run("\(apply) data/other_features.csv")
        #expect(outcome.status == 1)
        #expect(outcome.error.contains("fitted on other training rows"), "\(outcome.error)")
        // Named, it is meant.
        let named = try run("\(apply) other/features.csv --fitted data/features.json")
        #expect(named.status == 0, "\(named.error)")
    }

    @Test func appliesNoFitOfAnotherSchema() throws {
        let schema = fleet.folder.file("schema.json")
        try FileManager.default.copyItem(
            atPath: repositoryPath("schemas/default.json"),
            toPath: schema
        )
        var text = try String(contentsOfFile: schema, encoding: .utf8)
        text = text.replacingOccurrences(of: "85", with: "86")
        _ = try fleet.folder.write(text, "schema.json")
        let preprocess = "preprocess --input raw.csv --output changed --schema schema.json"
        #expect(try run(preprocess).status == 0)
        let outcome = try run(
            "features --input changed/test.csv --is-training false --output changed/f.csv"
                + " --fitted data/features.json"
        )
        #expect(outcome.status == 1)
        #expect(outcome.error.contains("fitted for another schema"), "\(outcome.error)")
    }

    @Test func refusesFeaturesThatWereChanged() throws {
        let files = FileManager.default
        try files.createDirectory(
            atPath: fleet.folder.file("changed-fit"),
            withIntermediateDirectories: true
        )
        for name in ["train_features.csv", "test_features.csv"] {
            try files.copyItem(
                atPath: fleet.folder.file("data/\(name)"),
                toPath: fleet.folder.file("changed-fit/\(name)")
            )
        }
        let features = fleet.folder.file("data/features.json")
        let text = try String(contentsOfFile: features, encoding: .utf8)
        let changed = text.replacingOccurrences(of: "\"scale\": ", with: "\"scale\": 1")
        _ = try fleet.folder.write(changed, "changed-fit/features.json")
        let outcome = try run(
            "train --train-data changed-fit/train_features.csv"
                + " --test-data changed-fit/test_features.csv --output-dir changed-models"
        )
        #expect(outcome.status == 1)
        #expect(outcome.error.contains("the transform was changed"), "\(outcome.error)")
        #expect(!files.fileExists(atPath: fleet.folder.file("changed-models")))
    }

    @Test func refusesToTrainWithoutFailures() throws {
        let features = try String(
            contentsOfFile: fleet.folder.file("data/train_features.csv"),
            encoding: .utf8
        )
        let healthy = features.split(separator: "\n").filter { !$0.hasSuffix(",1") }
        try FileManager.default.createDirectory(
            atPath: fleet.folder.file("healthy"),
            withIntermediateDirectories: true
        )
        for name in ["features.json", "train_features.csv.transform"] {
            try FileManager.default.copyItem(
                atPath: fleet.folder.file("data/\(name)"),
                toPath: fleet.folder.file("healthy/\(name)")
            )
        }
        let lines = healthy.joined(separator: "\n") + "\n"
        _ = try fleet.folder.write(lines, "healthy/train_features.csv")
        let outcome = try run(
            "train --train-data healthy/train_features.csv --test-data data/test_features.csv"
                + " --output-dir healthy-models"
        )
        #expect(outcome.status == 1 && outcome.errorLines.count == 1)
        let message = "error: healthy/train_features.csv: no failure among its "
        #expect(outcome.error.hasPrefix(message), "\(outcome.error)")
        #expect(!FileManager.default.fileExists(atPath: fleet.folder.file("healthy-models")))
    }

    @Test func survivesAnOutputThatIsFull() throws {
        let command =
            "\(Program.path) evaluate --model-path \(bundle)"
            + " --test-data \(fleet.folder.file("data/test_features.csv"))"
            + " --output-dir \(fleet.folder.file("full")) >/dev/full"
        let outcome = try Program.run(["-c", command], program: "/bin/sh")
        #expect(outcome.status == 0 && !outcome.isCrash, "\(outcome.error)")
    }
}
