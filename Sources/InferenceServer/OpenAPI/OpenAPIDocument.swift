// SPDX-License-Identifier: MIT

internal import HTTPServer
internal import JSON

/// The description of a listener's routes, OpenAPI 3.1, made from the model in service: sensors,
/// units and ranges are its own.
struct OpenAPIDocument {
    private let schemas: OpenAPISchemas
    private let listener: Listener

    init(_ model: ServedModel, listener: Listener) {
        schemas = OpenAPISchemas(model)
        self.listener = listener
    }

    /// The document as JSON text.
    var bytes: [UInt8] {
        let document: JSONValue = [
            "openapi": "3.1.0",
            "jsonSchemaDialect": "https://spec.openapis.org/oas/3.1/dialect/base",
            "info": [
                "title": "Predictive maintenance",
                "description": .string(
                    "Predicts from sensor readings which machine is about to fail. Model "
                        + "\(schemas.model.name), version \(schemas.model.version)."
                ),
                "version": .string(InferenceServerCommand.version),
                "license": ["name": "MIT", "identifier": "MIT"],
            ],
            "servers": [["url": "/"]],
            "security": [],
            "paths": .object(paths),
            "components": ["schemas": .object(schemas.all)],
        ]
        return document.serialized()
    }

    private var paths: JSONObject {
        var paths = JSONObject()
        for endpoint in Endpoint.allCases where endpoint.listeners.contains(listener) {
            var item = JSONObject()
            if case .object(let known)? = paths[endpoint.path] { item = known }
            item[endpoint.method.name.lowercased()] = .object(operation(endpoint))
            paths[endpoint.path] = .object(item)
        }
        return paths
    }

    private func operation(_ endpoint: Endpoint) -> JSONObject {
        let description = endpoint.description
        var operation = JSONObject()
        operation["operationId"] = .string("\(endpoint)")
        operation["summary"] = .string(description.summary)
        operation["tags"] = [.string(description.tag)]
        let parameters = parameters(endpoint)
        if !parameters.isEmpty { operation["parameters"] = .array(parameters) }
        if let body = body(endpoint) { operation["requestBody"] = body }
        var responses = JSONObject()
        for (status, response) in answers(endpoint) { responses["\(status)"] = response }
        for status in description.problems + Self.commonProblems where responses["\(status)"] == nil
        {
            responses["\(status)"] = answer(
                StatusText.text(of: status),
                "application/problem+json",
                "Problem"
            )
        }
        operation["responses"] = .object(responses)
        return operation
    }

    /// What any request may come to: malformed, late, too large, or too many at once.
    private static let commonProblems = [400, 408, 413, 414, 431, 503]

    private func parameters(_ endpoint: Endpoint) -> [JSONValue] {
        switch endpoint {
        case .predict:
            return [
                query("explain", ["true", "false"], "Whether the answer says which sensors count.")
            ]
        case .batchPredict:
            return [
                query(
                    "on_error",
                    ["fail", "skip"],
                    "What becomes of the batch at a bad reading; of skipped ones the first"
                        + " \(ServiceLimits.batchProblemsListedMax) bad fields are listed."
                )
            ]
        case .machine, .maintenance, .forget:
            return [
                [
                    "name": "id", "in": "path", "required": true,
                    "description": "The equipment id, percent-encoded.",
                    "schema": ["type": "string", "minLength": 1],
                ]
            ]
        default: return []
        }
    }

    private func query(_ name: String, _ values: [JSONValue], _ what: String) -> JSONValue {
        [
            "name": .string(name), "in": "query", "required": false,
            "description": .string(what),
            "schema": ["type": "string", "enum": .array(values)],
        ]
    }

    private func body(_ endpoint: Endpoint) -> JSONValue? {
        switch endpoint {
        case .predict: ["required": true, "content": ["application/json": reference("Reading")]]
        case .batchPredict:
            [
                "required": true,
                "content": [
                    "application/json": reference("Batch"),
                    "application/x-ndjson": [
                        "schema": ["type": "string", "description": "A reading in each line."]
                    ],
                ],
            ]
        case .maintenance:
            ["required": false, "content": ["application/json": reference("Maintenance")]]
        case .feedback:
            ["required": true, "content": ["application/json": reference("Feedback")]]
        default: nil
        }
    }

    private func answers(_ endpoint: Endpoint) -> [(Int, JSONValue)] {
        let json = "application/json"
        switch endpoint {
        case .predict: return [(200, answer("The prediction.", json, "Prediction"))]
        case .batchPredict:
            let lines: JSONValue = ["schema": ["type": "string"]]
            let content: JSONValue = [
                json: reference("BatchAnswer"), "application/x-ndjson": lines,
            ]
            return [(200, ["description": "The predictions.", "content": content])]
        case .health, .ready:
            return [
                (200, answer("Healthy.", json, "Health")), (503, answer("Not so.", json, "Health")),
            ]
        case .live: return [(200, answer("Alive.", json, "Health"))]
        case .startup:
            return [
                (200, answer("Started.", json, "Health")),
                (503, answer("Not yet.", json, "Health")),
            ]
        case .metrics:
            let text: JSONValue = ["schema": ["type": "string"]]
            let content: JSONValue = ["text/plain": text, "application/openmetrics-text": text]
            return [(200, ["description": "The page.", "content": content])]
        case .modelInfo: return [(200, answer("The model.", json, "ModelInfo"))]
        case .drift: return [(200, answer("The last window.", json, "Drift"))]
        case .openAPI:
            let content: JSONValue = [json: ["schema": ["type": "object"]]]
            return [(200, ["description": "This document.", "content": content])]
        case .machine: return [(200, answer("What is kept.", json, "Machine"))]
        case .maintenance: return [(200, answer("What was noted.", json, "MaintenanceAnswer"))]
        case .feedback: return [(200, answer("What was kept.", json, "FeedbackAnswer"))]
        case .forget: return [(204, ["description": "The machine is forgotten."])]
        }
    }

    private func answer(_ what: String, _ type: String, _ schema: String) -> JSONValue {
        var content = JSONObject()
        content[type] = reference(schema)
        return ["description": .string(what), "content": .object(content)]
    }

    private func reference(_ schema: String) -> JSONValue {
        ["schema": ["$ref": .string("#/components/schemas/\(schema)")]]
    }
}
