// SPDX-License-Identifier: MIT

import Foundation
import JSON
import Testing

/// `pdm drift` on the files of a small fleet: what it writes and how it ends.
struct DriftCommandTests {
    private let fleet: SmallFleet

    init() throws { fleet = try SmallFleet.made.get() }

    private func drift(_ options: String, to name: String) throws -> Program.Outcome {
        let words = "drift \(options) --output-dir drift/\(name)".split(separator: " ")
        return try Program.run(words.map(String.init), in: fleet.folder.path)
    }

    private func json(_ name: String) throws -> JSONValue {
        let data = try Data(
            contentsOf: URL(filePath: fleet.folder.file("drift/\(name)/drift.json"))
        )
        return try JSONValue.parse([UInt8](data))
    }

    /// A copy of the test features in which a column's fields are changed.
    private func changed(
        _ name: String,
        columns: Set<String>,
        _ change: (Double) -> Double
    ) throws -> String {
        let file = URL(filePath: fleet.folder.file("data/test_features.csv"))
        var lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
        let places = lines[0].split(separator: ",").enumerated()
            .filter { columns.isEmpty || columns.contains(String($0.element)) }
            .filter { !["timestamp", "equipment_id", "failure"].contains($0.element) }
            .map(\.offset)
        for index in lines.indices.dropFirst() {
            var fields = lines[index].split(separator: ",", omittingEmptySubsequences: false)
                .map(String.init)
            for place in places { fields[place] = "\(change(Double(fields[place]) ?? 0))" }
            lines[index] = Substring(fields.joined(separator: ","))
        }
        let text = lines.joined(separator: "\n") + "\n"
        try text.write(
            to: URL(filePath: fleet.folder.file("data/\(name)")),
            atomically: true,
            encoding: .utf8
        )
        return "data/\(name)"
    }

    @Test func sameDataEndWithNought() throws {
        let outcome = try drift(
            "--reference-data data/train_features.csv --current-data data/train_features.csv",
            to: "same"
        )
        #expect(outcome.status == 0, "\(outcome.output)\(outcome.error)")
        #expect(outcome.lines.first?.hasPrefix("No drift: 0 of ") == true)
        let report = try json("same")
        #expect(report["format"] == 1 && report["drift"] == false && report["plain_share"] == 0)
        // The day of the week is no feature of the world.
        guard case .array(let features) = report["features"] else { throw CancellationError() }
        #expect(!features.contains { $0["name"] == "day_of_week" })
        #expect(features.contains { $0["name"] == "vibration_mean_6h" })
    }

    @Test func everyColumnMovedEndsWithThree() throws {
        let moved = try changed("moved.csv", columns: []) { $0 + 3 }
        for (name, source) in [
            ("files", "--reference-data data/train_features.csv"),
            ("bundle", "--bundle one/predictive-maintenance/\(SmallFleet.version)"),
        ] {
            let outcome = try drift("\(source) --current-data \(moved)", to: name)
            #expect(outcome.status == 3, "\(outcome.output)\(outcome.error)")
            #expect(try json(name)["drift"] == true)
            let page = try String(
                contentsOf: URL(filePath: fleet.folder.file("drift/\(name)/drift.html")),
                encoding: .utf8
            )
            #expect(page.hasPrefix("<!DOCTYPE html>") && page.contains("<svg"))
        }
    }

    @Test func stuckSensorEndsWithFour() throws {
        let stuck = try changed("stuck.csv", columns: ["temperature"]) { _ in 0.25 }
        let outcome = try drift(
            "--reference-data data/test_features.csv --current-data \(stuck)",
            to: "stuck"
        )
        #expect(outcome.status == 4, "\(outcome.output)\(outcome.error)")
        #expect(outcome.lines.first?.contains("a sensor looks broken: temperature") == true)
        guard case .array(let features) = try json("stuck")["features"] else {
            throw CancellationError()
        }
        let excluded = features.filter { $0["excluded"] == true }.compactMap { $0["name"] }
        #expect(excluded.contains("temperature_mean_6h") && !excluded.contains("current"))
    }

    @Test func missingFileEndsWithOne() throws {
        let outcome = try drift("--reference-data no.csv --current-data no.csv", to: "none")
        #expect(outcome.status == 1 && outcome.errorLines.count == 1)
        #expect(outcome.error.hasPrefix("error: ") && outcome.error.contains("no.csv"))
    }
}
