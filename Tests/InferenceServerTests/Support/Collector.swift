// SPDX-License-Identifier: MIT

import HTTPServer
import JSON
import Platform
import Testing

/// A collector of OTLP on loopback that keeps what it gets, stopped with its owner.
final class Collector: Sendable {
    private final class Keeper: RequestHandler {
        let bodies = Lock<[(path: Int, body: JSONValue)]>([])
        let status: Int
        let answer: String

        init(status: Int, answer: String) {
            self.status = status
            self.answer = answer
        }

        func respond(to request: borrowing Request, bytes: Span<UInt8>, response: inout Response) {
            let body = [UInt8](capacity: request.body.count) {
                $0.append(copying: bytes.extracting(request.body))
            }
            let value = (try? JSONValue.parse(body)) ?? .null
            bodies.withLock { $0.append((request.routeID, value)) }
            response.status = status
            response.body = Array(answer.utf8)
        }
    }

    private let keeper: Keeper
    private let server: Server

    /// One that answers with a status and a body.
    init(status: Int = 200, answer: String = "{}") throws {
        keeper = Keeper(status: status, answer: answer)
        let routes = [Route(.post, "/v1/traces", id: 0), Route(.post, "/v1/logs", id: 1)]
        server = Server(
            configuration: ServerConfiguration(listeners: [ListenerConfiguration(.main, port: 0)]),
            routes: RouteTable(routes),
            handler: keeper
        )
        try server.start()
    }

    deinit { server.stopNow() }

    /// What `--otlp-collector` is told.
    var address: String { "127.0.0.1:\(server.port(of: .main) ?? 0)" }

    /// The spans that came.
    var spans: [JSONValue] { records(0, ["resourceSpans", "scopeSpans", "spans"]) }

    /// The events that came.
    var events: [JSONValue] { records(1, ["resourceLogs", "scopeLogs", "logRecords"]) }

    private func records(_ route: Int, _ keys: [String]) -> [JSONValue] {
        keeper.bodies.withLock { $0 }.filter { $0.path == route }.flatMap { body in
            keys.reduce([body.body]) { values, key in
                values.flatMap { value -> [JSONValue] in
                    guard case .array(let elements)? = value[key] else { return [] }
                    return elements
                }
            }
        }
    }

    /// The value of a record's attribute.
    static func attribute(_ name: String, _ record: JSONValue) -> JSONValue? {
        guard case .array(let attributes)? = record["attributes"] else { return nil }
        return attributes.first { $0["key"] == .string(name) }?["value"]
    }

    /// The stages of each request's span, by their names.
    static func stages(
        under name: String,
        in spans: [JSONValue]
    ) throws -> [[String: (start: Int64, end: Int64, span: JSONValue)]] {
        func time(_ key: String, _ span: JSONValue) throws -> Int64 {
            guard case .string(let text)? = span[key] else { return -1 }
            return try #require(Int64(text))
        }
        return try spans.filter { $0["name"] == .string(name) }.map { request in
            var stages: [String: (start: Int64, end: Int64, span: JSONValue)] = [:]
            for span in spans where span["parentSpanId"] == request["spanId"] {
                guard case .string(let name)? = span["name"] else { continue }
                #expect(span["traceId"] == request["traceId"])
                let (start, end) = (
                    try time("startTimeUnixNano", span), try time("endTimeUnixNano", span)
                )
                #expect(try time("startTimeUnixNano", request) <= start)
                #expect(try end <= time("endTimeUnixNano", request))
                stages[name] = (start, end, span)
            }
            return stages
        }
    }
}
