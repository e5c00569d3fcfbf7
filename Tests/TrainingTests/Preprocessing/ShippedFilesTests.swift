// SPDX-License-Identifier: MIT

import Features
import JSON
import Platform
import Testing
import Training

/// The schemas and specs that come with the project.
struct ShippedFilesTests {
    @Test func defaultSchemaIsTheBuiltInOne() throws {
        let path = repositoryFile("schemas/default.json")
        #expect(try Schema(json: JSONView(try JSONFile.read(path))) == .standard)
        #expect(try FileAccess.read(path) == Schema.standard.json.serialized(isPretty: true))
    }

    @Test func defaultSpecIsTheBuiltInOne() throws {
        let path = repositoryFile("specs/default.json")
        #expect(try FeatureSpec(json: JSONView(try JSONFile.read(path))) == .standard)
        #expect(try FileAccess.read(path) == FeatureSpec.standard.json.serialized(isPretty: true))
    }

    @Test func everySchemaIsRead() throws {
        let names = try FileAccess.list(repositoryFile("schemas"))
        #expect(names == ["ai4i2020.json", "cmapss.json", "default.json"])
        for name in names {
            let json = try JSONFile.read(repositoryFile("schemas/\(name)"))
            let schema = try Schema(json: JSONView(json))
            #expect("\(schema.name).json" == name)
            #expect(try Schema(json: JSONView(schema.json)) == schema)
        }
    }

    @Test func everySpecFitsItsSchema() throws {
        let names = try FileAccess.list(repositoryFile("specs"))
        let shipped = ["ai4i2020", "cmapss-day", "cmapss-means48", "cmapss", "default"]
        #expect(names == shipped.map { "\($0).json" })
        for name in names {
            let file = try JSONFile.read(repositoryFile("specs/\(name)"))
            let spec = try FeatureSpec(json: JSONView(file))
            #expect("\(spec.name).json" == name)
            let stem = name.split { $0 == "-" || $0 == "." }[0]
            let json = try JSONFile.read(repositoryFile("schemas/\(stem).json"))
            let features = try spec.resolved(for: try Schema(json: JSONView(json)))
            #expect(!features.isEmpty)
        }
    }
}
