// SPDX-License-Identifier: MIT

import HTTPServer
import Platform

/// A service on this machine that keeps what it is sent, and answers as it is told.
final class Receiver: RequestHandler {
    /// What came.
    struct Call {
        let method: String
        /// The path and the query.
        let target: String
        /// By name in lower case.
        let fields: [String: String]
        let body: [UInt8]

        var text: String { String(decoding: body, as: UTF8.self) }
    }

    private enum Behaviour {
        case answers(status: Int, body: String)
        /// No answer comes until the test ends.
        case waits
    }

    private struct State {
        var calls: [Call] = []
        /// What is done in turn; the last is done ever after.
        var script: [Behaviour] = [.answers(status: 200, body: "{}")]
        var kept: [DeferredResponse] = []
    }

    private let state = Lock(State())
    private let server = Lock<Server?>(nil)
    private let port: UInt16

    /// Listens for calls such as `POST /path`.
    init(_ routes: [String]) throws {
        let table = routes.enumerated().map { id, text -> Route in
            let parts = text.split(separator: " ")
            let method = RequestMethod.allCases.first { $0.name == parts[0] } ?? .get
            return Route(method, String(parts[1]), id: id)
        }
        let relay = Relay()
        let server = Server(
            configuration: ServerConfiguration(listeners: [ListenerConfiguration(.main, port: 0)]),
            routes: RouteTable(table),
            handler: relay
        )
        try server.start()
        port = server.port(of: .main) ?? 0
        relay.receiver.withLock { $0.value = self }
        self.server.withLock { $0 = server }
    }

    deinit { stop() }

    /// Listens no more.
    func stop() {
        state.withLock { $0.kept.removeAll() }
        server.withLock { server in
            server?.stopNow()
            server = nil
        }
    }

    func url(_ target: String) -> String { "http://127.0.0.1:\(port)\(target)" }

    var calls: [Call] { state.withLock { $0.calls } }

    /// Answers so from now on.
    func answer(_ status: Int, _ body: String) { answer([(status, body)]) }

    /// Answers so in turn, and at last ever the same.
    func answer(_ answers: [(status: Int, body: String)]) {
        state.withLock { state in
            state.script = answers.map { .answers(status: $0.status, body: $0.body) }
        }
    }

    /// Answers nothing from now on.
    func wait() { state.withLock { $0.script = [.waits] } }

    func respond(to request: borrowing Request, bytes: Span<UInt8>, response: inout Response) {
        func text(_ range: Range<Int>) -> String {
            String(decoding: range.map { bytes[$0] }, as: UTF8.self)
        }
        var fields: [String: String] = [:]
        for field in request.fields { fields[text(field.name).lowercased()] = text(field.value) }
        let query = request.query.isEmpty ? "" : "?\(text(request.query))"
        let call = Call(
            method: request.method.name,
            target: text(request.path) + query,
            fields: fields,
            body: request.body.map { bytes[$0] }
        )
        let behaviour = state.withLock { state in
            state.calls.append(call)
            return state.script.count > 1 ? state.script.removeFirst() : state.script[0]
        }
        switch behaviour {
        case .waits:
            let later = response.defer()
            state.withLock { $0.kept.append(later) }
        case .answers(let status, let body):
            response.status = status
            if status == 401 { response.addField("www-authenticate", "Basic realm=\"x\"") }
            response.body.append(contentsOf: body.utf8)
        }
    }
}

/// Hands calls on, so that the server does not keep the receiver.
private final class Relay: RequestHandler {
    struct Reference {
        weak var value: Receiver?
    }

    let receiver = Lock(Reference())

    func respond(to request: borrowing Request, bytes: Span<UInt8>, response: inout Response) {
        receiver.withLock { $0.value }?.respond(to: request, bytes: bytes, response: &response)
    }
}
