// SPDX-License-Identifier: MIT

import HTTPServer
@testable import InferenceServer
import JSON
import Testing

@Suite struct OpenAPITests {
    private func members(_ value: JSONValue?) -> [(key: String, value: JSONValue)] {
        if case .object(let object)? = value { object.members } else { [] }
    }

    @Test func describesTheRoutesOfItsListener() throws {
        let server = try TestServer(arguments: ["admin-port": "0"])
        for listener in Listener.allCases {
            let document = try server.client(listener).request("GET", "/openapi.json").json
            #expect(document["openapi"] == "3.1.0")
            var described: Set<String> = []
            for (path, item) in members(document["paths"]) {
                for (method, _) in members(item) { described.insert("\(method) \(path)") }
            }
            let routes = Endpoint.allCases.filter { $0.listeners.contains(listener) }
            #expect(described == Set(routes.map { "\($0.method.name.lowercased()) \($0.path)" }))
        }
    }

    @Test func describesTheSensorsOfTheModel() throws {
        let server = try TestServer()
        let document = try server.client().request("GET", "/openapi.json").json
        let reading = document["components"]?["schemas"]?["Reading"]
        #expect(
            reading?["required"] == [
                "equipment_id", "temperature", "vibration", "pressure", "rotation_speed",
                "current", "operating_hours",
            ]
        )
        let temperature = reading?["properties"]?["temperature"]
        #expect(temperature?["type"] == ["number", "null"])
        #expect(temperature?["x-unit"] == "degC")
        #expect(temperature?["x-range"] != nil)
        // Every reference leads somewhere.
        let text = String(decoding: document.serialized(), as: UTF8.self)
        let schemas = Set(members(document["components"]?["schemas"]).map { $0.key })
        for reference in text.matches(of: /#\/components\/schemas\/([A-Za-z]+)/) {
            #expect(schemas.contains(String(reference.1)), "\(reference.1)")
        }
    }

    @Test func documentsTheStatusOfEveryError() {
        let errors: [ServiceError] = [
            .emptyBody, .unsupportedMediaType, .invalidContent([]), .tooManyRows(limit: 1), .busy,
            .noModel, .malformedPath, .preconditionFailed,
        ]
        let common = [400, 408, 413, 414, 431, 503]
        for error in errors {
            let known = Endpoint.batchPredict.description.problems + common
            #expect(known.contains(error.status), "\(error)")
        }
    }
}
