// SPDX-License-Identifier: MIT

@testable import HTTPServer
import Testing

/// A request that every version of HTTP can carry, and its answer.
private struct SuiteCase {
    let method: String
    let path: String
    var fields: [(String, String)] = []
    var body: String?
    let status: Int
    /// What the answer's body holds.
    let content: String
}

/// A way to a server: bytes out, bytes in.
private struct Wire {
    let send: ([UInt8]) -> Void
    let receive: () -> [UInt8]?
}

/// One suite over HTTP/1.1 and HTTP/2, each in the clear and over TLS.
struct RequestSuiteTests {
    private static let cases: [SuiteCase] = [
        .init(method: "GET", path: "/", status: 200, content: "now;"),
        .init(method: "GET", path: "/?a=1", status: 200, content: "now;"),
        .init(method: "HEAD", path: "/", status: 200, content: ""),
        .init(method: "POST", path: "/echo", body: "abc", status: 200, content: "abc;"),
        .init(method: "GET", path: "/later", status: 200, content: "later;"),
        .init(method: "GET", path: "/dropped", status: 500, content: "500"),
        .init(method: "GET", path: "/x", status: 404, content: #""instance":"/x""#),
        .init(method: "POST", path: "/x", body: "abc", status: 404, content: "404"),
        .init(method: "DELETE", path: "/", status: 405, content: "405"),
        .init(method: "QUERY", path: "/", body: "abc", status: 405, content: "405"),
        .init(method: "OPTIONS", path: "/echo", status: 204, content: ""),
        .init(method: "OPTIONS", path: "*", status: 204, content: ""),
        .init(method: "GET", path: "/admin", status: 404, content: "404"),
        .init(
            method: "GET",
            path: "/x",
            fields: [("x-request-id", "id-1")],
            status: 404,
            content: #""request_id":"id-1""#
        ),
        .init(
            method: "POST",
            path: "/echo",
            body: String(repeating: "0123456789", count: 50_000),
            status: 200,
            content: "0123456789;"
        ),
        .init(
            method: "POST",
            path: "/stream/loud",
            body: String(repeating: "abcdefghij", count: 6_000),
            status: 200,
            content: "ABCDEFGHIJ."
        ),
        .init(
            method: "POST",
            path: "/stream/later",
            body: String(repeating: "abcdefghij", count: 6_000),
            status: 200,
            content: "ABCDEFGHIJ."
        ),
        // Those that end a connection of HTTP/1.1 come last; each has its own.
        .init(method: "BREW", path: "/", status: 501, content: "501"),
        .init(method: "GET", path: "/%zz", status: 400, content: "400"),
        .init(
            method: "POST",
            path: "/echo",
            fields: [("content-encoding", "br")],
            body: "a",
            status: 415,
            content: "415"
        ),
        .init(
            method: "POST",
            path: "/echo",
            fields: [("expect", "x")],
            body: "a",
            status: 417,
            content: "417"
        ),
        .init(
            method: "POST",
            path: "/echo",
            body: String(repeating: "x", count: (1 << 20) + 1),
            status: 413,
            content: "413"
        ),
        .init(
            method: "GET",
            path: "/?" + String(repeating: "a", count: 8000),
            status: 414,
            content: "414"
        ),
        .init(
            method: "GET",
            path: "/",
            fields: [("x", String(repeating: "v", count: 16_384))],
            status: 431,
            content: "431"
        ),
    ]

    private func plain(_ port: UInt16) throws -> Wire {
        let client = try #require(TestClient(port: port))
        return Wire(send: { client.send($0) }, receive: { client.receive() })
    }

    private func encrypted(_ port: UInt16, _ wanted: ApplicationProtocol) throws -> Wire {
        let client = try #require(TLSTestClient(port: port, protocols: [wanted]))
        #expect(client.shakeHands())
        return Wire(send: { client.write($0) }, receive: { client.receive() })
    }

    private func askHTTP1(_ example: SuiteCase, _ wire: Wire) -> (status: Int?, body: String) {
        var text = "\(example.method) \(example.path) HTTP/1.1\r\nhost: a\r\nconnection: close\r\n"
        for (name, value) in example.fields { text += "\(name): \(value)\r\n" }
        if let body = example.body { text += "content-length: \(body.utf8.count)\r\n" }
        wire.send(Array("\(text)\r\n\(example.body ?? "")".utf8))
        var output: [UInt8] = []
        while let bytes = wire.receive() { output += bytes }
        let answer = ParsedAnswer.all(output).first
        return (answer?.status, answer?.body ?? "")
    }

    private func askHTTP2(
        _ example: SuiteCase,
        _ wire: Wire,
        scheme: String
    ) -> (status: Int?, body: String) {
        let head = Frames.request(example.method, example.path, example.fields, scheme: scheme)
        var frames = Frames.preface + Frames.settings()
        let hasBody = example.body != nil
        // A block that is too long for a frame goes on in another.
        let block = Frames.block(head)
        let first = Array(block.prefix(16_000))
        let rest = Array(block.dropFirst(16_000))
        frames += Frames.frame(
            1,
            flags: (hasBody ? 0 : 1) | (rest.isEmpty ? 4 : 0),
            stream: 1,
            first
        )
        if !rest.isEmpty { frames += Frames.frame(9, flags: 4, stream: 1, rest) }
        var body = (example.body ?? "")[...]
        while !body.isEmpty {
            let part = String(body.prefix(16_000))
            body = body.dropFirst(16_000)
            frames += Frames.data(1, part, flags: body.isEmpty ? 1 : 0)
        }
        frames += Frames.windowUpdate(0, 1 << 24) + Frames.windowUpdate(1, 1 << 24)
        wire.send(frames)
        var reader = HTTP2Reader()
        while reader.answers[1]?.isComplete != true, let bytes = wire.receive() {
            reader.read(bytes)
        }
        return (reader.answers[1]?.statuses.last, reader.answers[1]?.text ?? "")
    }

    /// The request id that a problem document names.
    private func requestID(in body: String) -> Substring? {
        guard let key = body.firstRange(of: #""request_id":""#) else { return nil }
        return body[key.upperBound...].prefix { $0 != "\"" }
    }

    /// A body with the request id, which differs from request to request, taken out.
    private func withoutID(_ body: String) -> String {
        guard let id = requestID(in: body) else { return body }
        return String(body[..<id.startIndex] + body[id.endIndex...])
    }

    @Test func answersTheSameOverEveryVersionAndTransport() throws {
        let certificates = try Certificates.shared()
        let server = try TestServer(tls: certificates.configuration())
        for example in RequestSuiteTests.cases {
            let answers = [
                ("HTTP/1.1", askHTTP1(example, try plain(server.port))),
                ("HTTP/1.1 over TLS", askHTTP1(example, try encrypted(server.tlsPort, .http1))),
                ("h2c", askHTTP2(example, try plain(server.port), scheme: "http")),
                (
                    "h2",
                    askHTTP2(example, try encrypted(server.tlsPort, .http2), scheme: "https")
                ),
            ]
            for (name, answer) in answers {
                let what = "\(name): \(example.method) \(example.path.prefix(20))"
                #expect(answer.status == example.status, "\(what)")
                #expect(answer.body.contains(example.content), "\(what): \(answer.body.suffix(99))")
                let isProblem = example.status >= 400 && example.method != "HEAD"
                #expect(!isProblem || requestID(in: answer.body)?.isEmpty == false, "\(what)")
                #expect(withoutID(answer.body) == withoutID(answers[0].1.body), "\(what)")
            }
        }
        checkCounts(server.server)
    }

    /// Each case is counted once for each way, under its route where it has one.
    private func checkCounts(_ server: Server) {
        var expected: [String: Int] = [:]
        for example in RequestSuiteTests.cases {
            let route = TestHandler.routes.routes.first { route in
                let isItsMethod = route.method.name == example.method.replacing("HEAD", with: "GET")
                let path = example.path.prefix { $0 != "?" }
                let isItsPath =
                    route.path == path
                    || route.path == StreamHandler.route.path && path.hasPrefix("/stream/")
                return isItsMethod && isItsPath && route.listeners.contains(.main)
            }
            // What is refused for its head has not been routed.
            let isRouted = ![414, 415, 417, 431].contains(example.status)
            let name = isRouted ? route?.path ?? "none" : "none"
            expected["\(name) \(example.status)", default: 0] += 4
        }
        var counted: [String: Int] = [:]
        for answers in server.answerCounts {
            counted["\(answers.path ?? "none") \(answers.status)", default: 0] += answers.count
        }
        #expect(counted == expected)
    }
}
