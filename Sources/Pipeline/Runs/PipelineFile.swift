// SPDX-License-Identifier: MIT

import JSON
import Training

/// A pipeline as a file describes it: steps of `pdm` in order, each with what it reads and writes.
///
///     {"format": 1, "variables": {"data": "data"},
///      "steps": [{"name": "train", "run": ["train", "--output-dir", "${data}/models"],
///                 "inputs": ["${data}/a.csv"],
///                 "outputs": ["${data}/models/m/${version}/SHA256SUMS"]}]}
///
/// `${name}` stands for a variable; `${version}` for the version of the run's new model.
struct PipelineFile {
    /// One command and its files.
    struct Step {
        let name: String
        /// The arguments of `pdm`.
        let arguments: [String]
        let inputs: [String]
        let outputs: [String]

        /// Whether it names the new model.
        var usesVersion: Bool {
            (arguments + inputs + outputs).contains { $0.contains("${\(PipelineFile.version)}") }
        }
    }

    static let version = "version"
    private static let format = 1

    let variables: [String: String]
    let steps: [Step]

    /// Reads a pipeline file.
    ///
    /// - Throws: ``TrainingError``.
    init(path: String) throws(TrainingError) {
        let json = JSONView(try JSONFile.read(path))
        do throws(JSONShapeError) {
            try self.init(json)
        } catch {
            throw .shape(path: path, error)
        }
    }

    private init(_ json: JSONView) throws(JSONShapeError) {
        let format = try json.required("format")
        guard try format.int == Self.format else { throw format.refuse("\(Self.format)") }
        var variables: [String: String] = [:]
        for (name, view) in try json.optional("variables")?.members ?? [] {
            guard name != Self.version else { throw view.refuse("another name: a run sets it") }
            variables[name] = try view.string
        }
        self.variables = variables
        var steps: [Step] = []
        for view in try json.required("steps").array {
            let nameView = try view.required("name")
            let name = try nameView.string
            guard !steps.contains(where: { $0.name == name }) else {
                throw nameView.refuse("a name of its own")
            }
            steps.append(
                Step(
                    name: name,
                    arguments: try view.required("run").strings,
                    inputs: try view.optional("inputs")?.strings ?? [],
                    outputs: try view.optional("outputs")?.strings ?? []
                )
            )
        }
        guard !steps.isEmpty else { throw try json.required("steps").refuse("a step") }
        self.steps = steps
    }
}

/// Puts values in the place of `${name}`.
struct VariableExpansion {
    var values: [String: String]

    /// A text with every variable replaced.
    ///
    /// - Throws: ``TrainingError`` for a name without a value, or a brace that never closes.
    func expand(_ text: String) throws(TrainingError) -> String {
        var (result, rest) = ("", text[...])
        while let start = rest.firstRange(of: "${") {
            result += rest[..<start.lowerBound]
            rest = rest[start.upperBound...]
            guard let end = rest.firstIndex(of: "}") else {
                throw .unusable("\(text): a ${ without its }")
            }
            let name = String(rest[..<end])
            guard let value = values[name] else {
                throw .unusable("\(text): there is no variable \(name)")
            }
            result += value
            rest = rest[rest.index(after: end)...]
        }
        return result + rest
    }

    /// Expands each text.
    func expand(_ texts: [String]) throws(TrainingError) -> [String] {
        var result: [String] = []
        for text in texts { result.append(try expand(text)) }
        return result
    }
}
