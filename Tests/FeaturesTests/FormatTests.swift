// SPDX-License-Identifier: MIT

import Features
import JSON
import Testing

/// What every file of ours has at its head: a format, and keys that its reader must know.
struct FormatTests {
    private func json(_ value: JSONValue, requires: JSONValue, format: Int = 1) throws -> JSONView {
        var object = try JSONView(value).object
        object["format"] = .integer(format)
        object["requires"] = requires
        return JSONView(.object(object))
    }

    @Test func schemaRefusesARequiredKeyThatItDoesNotKnow() throws {
        let error = #expect(throws: SpecError.self) {
            try Schema(json: json(Schema.standard.json, requires: ["label", "regimes"]))
        }
        let message = "/requires/1: expected one of name, file, entity, "
        #expect(error?.description.hasPrefix(message) == true)
        #expect(error?.description.hasSuffix("found \"regimes\", which is not known here") == true)
    }

    @Test func schemaKeepsTheRequiredKeysThatItKnows() throws {
        let schema = try Schema(json: json(Schema.standard.json, requires: ["label", "sensors"]))
        #expect(schema.requires == ["label", "sensors"])
        #expect(try Schema(json: JSONView(schema.json)) == schema)
        #expect(try Schema(json: json(Schema.standard.json, requires: .null)) == .standard)
    }

    @Test func schemaIgnoresAnUnknownKeyThatIsNotRequired() throws {
        var object = try JSONView(Schema.standard.json).object
        object["regimes"] = 6
        #expect(try Schema(json: JSONView(.object(object))) == .standard)
    }

    @Test func specAndTransformRefuseARequiredKeyThatTheyDoNotKnow() throws {
        let spec = try json(FeatureSpec.standard.json, requires: ["lags"])
        let error = #expect(throws: JSONShapeError.self) { try FeatureSpec(json: spec) }
        #expect(error?.pointer == "/requires/0")
        #expect(throws: JSONShapeError.self) {
            try FeatureSpec(json: json(FeatureSpec.standard.json, requires: "features"))
        }
        let known = try json(FeatureSpec.standard.json, requires: ["features"])
        #expect(try FeatureSpec(json: known) == .standard)
        #expect(throws: SpecError.self) { try FeatureTransform(json: spec) }
    }
}
