// SPDX-License-Identifier: MIT

import Features
import JSON
import Training

/// Reads schema and spec files; the name `default` stands for the built-in ones.
enum SchemaSource {
    static func schema(_ name: String) throws(TrainingError) -> Schema {
        if name == "default" { return .standard }
        let json = try JSONFile.read(name)
        do throws(SpecError) {
            return try Schema(json: JSONView(json))
        } catch {
            throw .spec(path: name, error)
        }
    }

    static func spec(_ name: String) throws(TrainingError) -> FeatureSpec {
        if name == "default" { return .standard }
        let json = try JSONFile.read(name)
        do throws(JSONShapeError) {
            return try FeatureSpec(json: JSONView(json))
        } catch {
            throw .shape(path: name, error)
        }
    }
}
