// SPDX-License-Identifier: MIT

import Foundation
import JSON
import Testing

/// A model that serves hands its layout down, so that its successor goes on with its windows.
struct ChampionTests {
    private static let longSpec = """
        {"format": 1, "name": "long", "features": [
          {"kind": "window", "statistics": ["mean"], "hours": [48], "sensors": "gauges"}]}
        """

    private let fleet: SmallFleet
    private let folder: Folder

    init() throws {
        fleet = try SmallFleet.made.get()
        folder = try Folder()
    }

    private func run(_ command: String) throws -> Program.Outcome {
        try Program.run(command.split(separator: " ").map(String.init), in: folder.path)
    }

    private func preprocess(_ options: String) throws -> Program.Outcome {
        try run("preprocess --input \(fleet.folder.file("raw.csv")) --output data \(options)")
    }

    private func fit(_ spec: String) throws -> Program.Outcome {
        let path = try folder.write(spec, "spec.json")
        return try run(
            "features --input data/train.csv --output data/f.csv --is-training true --spec \(path)"
        )
    }

    private func layout(_ path: String, _ keys: String...) throws -> JSONValue? {
        var value: JSONValue? = try JSONValue.parse(
            Array(try Data(contentsOf: URL(filePath: path)))
        )
        for key in keys { value = value?[key] }
        return value
    }

    @Test(arguments: ["one", "one/predictive-maintenance"])
    func handsDownItsLayout(champion: String) throws {
        let outcome = try preprocess("--champion \(fleet.folder.file(champion))")
        #expect(outcome.status == 0, "\(outcome.error)")
        #expect(outcome.output.hasPrefix("layout of \(fleet.folder.file("one"))/"))
        // A spec of fewer windows keeps all panes of the model before it.
        let spec = Self.longSpec.replacing("48", with: "6")
        #expect(try fit(spec).status == 0)
        let bundle = fleet.folder.file("one/predictive-maintenance/\(SmallFleet.version)")
        let kept = try layout("\(bundle)/manifest.json", "transform", "layout")
        #expect(kept != nil)
        #expect(try layout(folder.file("data/features.json"), "transform", "layout") == kept)
        #expect(try preprocess("--new-layout").status == 0)
        #expect(try fit(spec).status == 0)
        #expect(try layout(folder.file("data/features.json"), "transform", "layout") != kept)
    }

    @Test func isFoundInModels() throws {
        #expect(try preprocess("").output.contains("layout") == false)
        try FileManager.default.createSymbolicLink(
            atPath: folder.file("models"),
            withDestinationPath: fleet.folder.file("one")
        )
        #expect(try preprocess("").output.hasPrefix("layout of models/predictive-maintenance/"))
        #expect(try preprocess("--new-layout").output.contains("layout") == false)
    }

    @Test func refusesASpecThatNeedsMoreThanItsPanes() throws {
        #expect(try preprocess("--champion \(fleet.folder.file("one"))").status == 0)
        let outcome = try fit(Self.longSpec)
        #expect(outcome.status == 1 && outcome.errorLines.count == 1)
        #expect(outcome.error.contains("spec.json: the layout of the model that serves: "))
        #expect(outcome.error.contains("pdm preprocess --new-layout"), "\(outcome.error)")
        #expect(try preprocess("--new-layout").status == 0)
        #expect(try fit(Self.longSpec).status == 0)
    }

    @Test func mustBeThereWhereItIsNamed() throws {
        let missing = try preprocess("--champion nowhere")
        #expect(missing.status == 1)
        #expect(missing.error.hasPrefix("error: nowhere: no such directory; name the model that"))
        let schema = repositoryPath("schemas/cmapss.json")
        let rows = (1...4).map { "\($0 % 2) \($0)\(String(repeating: " 1.5", count: 24))\n" }
        let raw = try folder.write(rows.joined(), "raw.txt")
        let other = try run(
            "preprocess --schema \(schema) --input \(raw) --output other"
                + " --champion \(fleet.folder.file("one"))"
        )
        #expect(other.status == 1)
        #expect(other.error.contains("its sensors are not those of schema cmapss"))
        let both = try preprocess("--champion nowhere --new-layout")
        #expect(both.status == 64)
    }
}
