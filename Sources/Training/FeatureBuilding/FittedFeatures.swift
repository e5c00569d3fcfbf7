// SPDX-License-Identifier: MIT

package import Features
internal import Integrity
package import JSON
package import ModelRuntime
internal import Platform

/// What `pdm features --is-training true` learns: the transform, and readings to test bundles with
/// and to explain by.
///
/// Its file is `features.json` beside the feature file; `digest` is the SHA-256 of the transform's
/// JSON form without blanks.
package struct FittedFeatures: Sendable {
    /// The name of the file.
    package static let fileName = "features.json"
    private static let format = 1

    /// The fitted transform.
    package var transform: FeatureTransform
    /// Readings with their history and features; their logits wait for a network.
    package var golden: [GoldenCase]
    /// What explanations compare with; none in a file of an earlier program.
    package var background: [BackgroundRecord]

    /// Puts the parts together.
    package init(
        transform: FeatureTransform,
        golden: [GoldenCase],
        background: [BackgroundRecord] = []
    ) {
        self.transform = transform
        self.golden = golden
        self.background = background
    }

    /// The content of `features.json`.
    package var json: JSONValue {
        var object = JSONObject()
        object["format"] = .integer(Self.format)
        object["digest"] = .string(digest)
        object["transform"] = transform.json
        object["golden"] = GoldenCase.json(golden, schema: transform.schema)
        if !background.isEmpty {
            object["background"] = BackgroundRecord.json(background, schema: transform.schema)
        }
        return .object(object)
    }

    /// The transform that stands beside a feature file; nil where there is none.
    ///
    /// - Throws: ``TrainingError`` where the file is there and cannot be used.
    package static func transform(
        beside path: String
    ) throws(TrainingError) -> FeatureTransform? {
        let file = "\(FileAccess.parent(of: path))/\(fileName)"
        guard (try? FileAccess.status(of: file)) ?? nil != nil else { return nil }
        return try FittedFeatures(path: file).transform
    }

    /// The SHA-256 of the transform's JSON form, in hexadecimal digits.
    package var digest: String { Self.digest(of: transform) }

    /// The SHA-256 of a transform's JSON form, in hexadecimal digits.
    package static func digest(of transform: FeatureTransform) -> String {
        digest(of: transform.json.serialized())
    }

    /// The SHA-256 of any bytes, in hexadecimal digits.
    package static func digest(of bytes: [UInt8]) -> String { SHA256.digest(of: bytes).hex }

    /// Reads `features.json` and checks its digest.
    ///
    /// - Throws: ``TrainingError``.
    package init(path: String) throws(TrainingError) {
        let json = JSONView(try JSONFile.read(path))
        let view: JSONView
        let cases: JSONView
        let lent: JSONView?
        let expected: String
        do throws(JSONShapeError) {
            try json.checkFormat(
                Self.format,
                keys: ["digest", "transform", "golden", "background"]
            )
            view = try json.required("transform")
            cases = try json.required("golden")
            lent = try json.optional("background")
            expected = try json.required("digest").string
        } catch {
            throw .shape(path: path, error)
        }
        do throws(SpecError) {
            transform = try FeatureTransform(json: view)
        } catch {
            throw .spec(path: path, error)
        }
        do throws(BundleError) {
            golden = try GoldenCase.read(cases.value.serialized(), transform: transform)
            background = []
            if let bytes = lent?.value.serialized() {
                background = try BackgroundRecord.read(bytes, transform: transform)
            }
        } catch {
            throw .unusable("\(path): \(error)")
        }
        guard digest == expected else {
            throw .unusable("\(path): the transform was changed: its digest is \(digest)")
        }
    }
}
