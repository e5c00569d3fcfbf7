// SPDX-License-Identifier: MIT

import JSON
import ModelRuntime
import Platform
import Training

/// What earlier runs of a pipeline did: which step with which digests, and what it wrote.
///
/// It is replaced after every step, so that a run that is cut off goes on where it was.
struct PipelineMemory {
    /// One step that ended well.
    struct Entry: Equatable {
        /// The digest of the program, the arguments and the inputs.
        var key: String
        /// The outputs with their digests.
        var outputs: [String: String]
        /// When it ended, in words.
        var ended: String
        /// How long it took.
        var seconds: Double
    }

    private static let format = 1

    let path: String
    /// The version of the model that the latest run made or is about to make.
    var version: BundleVersion?
    var entries: [String: Entry] = [:]

    /// Reads the memory of earlier runs; nothing where there were none.
    ///
    /// - Throws: ``TrainingError``.
    init(path: String) throws(TrainingError) {
        self.path = path
        do throws(FileError) {
            guard try FileAccess.status(of: path) != nil else { return }
        } catch {
            throw .file(error)
        }
        let json = JSONView(try JSONFile.read(path))
        do throws(JSONShapeError) {
            try read(json)
        } catch {
            throw .shape(path: path, error)
        }
    }

    private mutating func read(_ json: JSONView) throws(JSONShapeError) {
        let format = try json.required("format")
        guard try format.int == Self.format else { throw format.refuse("\(Self.format)") }
        version = try json.optional("version").flatMap { view throws(JSONShapeError) in
            BundleVersion(try view.string)
        }
        for (name, view) in try json.required("steps").members {
            var outputs: [String: String] = [:]
            for (path, digest) in try view.required("outputs").members {
                outputs[path] = try digest.string
            }
            entries[name] = Entry(
                key: try view.required("key").string,
                outputs: outputs,
                ended: try view.required("ended").string,
                seconds: try view.required("seconds").double
            )
        }
    }

    /// Writes it down.
    ///
    /// - Throws: ``TrainingError``.
    func save() throws(TrainingError) {
        var steps = JSONObject()
        for (name, entry) in entries.sorted(by: { $0.key < $1.key }) {
            var outputs = JSONObject()
            for (path, digest) in entry.outputs.sorted(by: { $0.key < $1.key }) {
                outputs[path] = .string(digest)
            }
            steps[name] = [
                "key": .string(entry.key), "outputs": .object(outputs),
                "ended": .string(entry.ended), "seconds": .number(entry.seconds),
            ]
        }
        var object = JSONObject()
        object["format"] = .integer(Self.format)
        object["version"] = version.map { .string("\($0)") }
        object["steps"] = .object(steps)
        try JSONFile.write(.object(object), to: path)
    }
}
