// SPDX-License-Identifier: MIT

import Foundation
import JSON
import Testing

/// Rows without machine and time, as those of AI4I 2020: there are no windows, but every column
/// that is computed from a row alone.
struct TableWithoutMachinesTests {
    private static let schema = """
        {"format": 1, "name": "lathe", "sensors": [
            {"name": "torque", "unit": "Nm"}, {"name": "speed", "unit": "rpm"},
            {"name": "grade", "kind": "category", "categories": ["L", "M"]}],
         "label": {"column": "failure"}}
        """
    private static let spec = """
        {"format": 1, "name": "lathe", "scaled_clip": 10, "features": [
            {"kind": "raw"},
            {"kind": "difference", "sensors": ["speed", "torque"]},
            {"kind": "product", "sensors": ["torque", "speed"]},
            {"kind": "ratio", "sensors": ["torque", "speed"]},
            {"kind": "power", "sensor": "torque", "exponent": 3}]}
        """
    private static let names = [
        "torque", "speed", "grade_L", "grade_M", "speed_minus_torque", "torque_x_speed",
        "torque_per_speed", "torque_pow_3",
    ]

    private func run(_ command: String, _ folder: Folder) throws -> Program.Outcome {
        try Program.run(command.split(separator: " ").map(String.init), in: folder.path)
    }

    private func prepared() throws -> Folder {
        let folder = try Folder()
        _ = try folder.write(Self.schema, "schema.json")
        _ = try folder.write(Self.spec, "spec.json")
        let rows = (0..<400).map { row in
            let (torque, speed) = (40 + row % 37, 1400 + 7 * (row % 53))
            return "\(torque),\(speed),\(row % 3 == 0 ? "L" : "M"),\(torque > 70 ? 1 : 0)"
        }
        let table = (["torque,speed,grade,failure"] + rows).joined(separator: "\n") + "\n"
        _ = try folder.write(table, "raw.csv")
        for command in [
            "preprocess --schema schema.json --input raw.csv --output data --split stratified",
            "features --spec spec.json --input data/train.csv --output data/train_features.csv"
                + " --is-training true",
            "features --input data/test.csv --output data/test_features.csv --is-training false",
        ] {
            let outcome = try run(command, folder)
            try #require(outcome.status == 0, "\(command): \(outcome.error)")
        }
        return folder
    }

    private func table(_ path: String) throws -> [[String]] {
        try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map { line in
            line.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        }
    }

    @Test func derivedColumnsNeedNoWindows() throws {
        let folder = try prepared()
        let text = try Data(contentsOf: URL(filePath: folder.file("data/features.json")))
        let json = JSONView(try JSONValue.parse(Array(text)))
        let features = try json.required("transform").required("features").array
        #expect(try features.map { try $0.required("name").string } == Self.names)
        for part in ["train", "test"] {
            let scaled = try table(folder.file("data/\(part)_features.csv"))
            let measured = try table(folder.file("data/\(part).csv"))
            #expect(scaled[0] == Self.names + ["failure"] && scaled.count == measured.count)
            let torquePlace = try #require(measured[0].firstIndex(of: "torque"))
            let speedPlace = try #require(measured[0].firstIndex(of: "speed"))
            for (row, source) in zip(scaled, measured).dropFirst() {
                let torque = try #require(Double(source[torquePlace]))
                let speed = try #require(Double(source[speedPlace]))
                let expected = [
                    speed - torque, torque * speed, torque / speed, torque * torque * torque,
                ]
                for (place, value) in zip(4..<8, expected) {
                    let center = try features[place].required("center").double
                    let scale = try features[place].required("scale").double
                    let found = try #require(Double(row[place]))
                    // Rounded to Float once.
                    #expect(abs(found - (value - center) / scale) <= 1e-6 * max(1, abs(found)))
                }
            }
        }
    }

    @Test func trainsAndJudgesThem() throws {
        let folder = try prepared()
        let train = try run(
            "train --train-data data/train_features.csv --test-data data/test_features.csv"
                + " --epochs 12 --batch-size 16 --version 20240102_030405 --output-dir models",
            folder
        )
        #expect(train.status == 0, "\(train.error)")
        let evaluate = try run(
            "evaluate --model-path models/predictive-maintenance/20240102_030405"
                + " --test-data data/test_features.csv --readings data/test.csv"
                + " --output-dir scores",
            folder
        )
        #expect(evaluate.status == 0, "\(evaluate.error)")
        let text = try Data(contentsOf: URL(filePath: folder.file("scores/evaluation.json")))
        let json = JSONView(try JSONValue.parse(Array(text)))
        #expect(try json.required("pr_auc").double > 0.8)
    }

    @Test func windowsAreRefusedWithTheReason() throws {
        let folder = try prepared()
        let spec = Self.spec.replacing(
            "{\"kind\": \"raw\"}",
            with: "{\"kind\": \"window\", \"statistics\": [\"mean\"], \"hours\": [6],"
                + " \"sensors\": \"gauges\"}"
        )
        _ = try folder.write(spec, "windows.json")
        let outcome = try run(
            "features --spec windows.json --input data/train.csv --output data/other.csv"
                + " --is-training true",
            folder
        )
        #expect(outcome.status == 1 && outcome.errorLines.count == 1)
        #expect(outcome.error.contains("window"), "\(outcome.error)")
    }
}
