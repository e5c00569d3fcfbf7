// SPDX-License-Identifier: MIT

@testable import HTTPServer
import Testing

/// The cases of the connection machine once more, through sockets.
struct LiveConformanceTests {
    /// What every request that reaches a handler is answered.
    private final class Handler: RequestHandler {
        func respond(to request: borrowing Request, bytes: Span<UInt8>, response: inout Response) {
            response.body.append(contentsOf: "ok".utf8)
        }
    }

    private func server(_ tls: TLSConfiguration? = nil) throws -> Server {
        var configuration = ServerConfiguration(listeners: [
            ListenerConfiguration(.main, port: 0, tls: tls)
        ])
        configuration.limits.queueDelayInterval = .seconds(3600)
        let server = Server(
            configuration: configuration,
            routes: Machine.routes,
            handler: Handler()
        )
        try server.start()
        return server
    }

    /// Asks and reads until all answers are there, or the end where one is expected.
    private func check(
        _ example: ConformanceCase,
        _ name: String,
        _ receive: () -> [UInt8]?
    ) {
        var output: [UInt8] = []
        var found: [Int] = []
        var hasEnded = false
        while found.count < example.statuses.count || example.closes, !hasEnded {
            if let bytes = receive() { output += bytes } else { hasEnded = true }
            found = statuses(of: String(decoding: output, as: UTF8.self))
        }
        #expect(found == example.statuses, "\(name): \(example.clause)")
        #expect(hasEnded == example.closes, "\(name): \(example.clause)")
    }

    @Test func answersInTheClear() throws {
        let server = try server()
        defer { server.stopNow() }
        for example in conformanceCases {
            let client = try #require(TestClient(port: server.port(of: .main) ?? 0))
            client.send(example.input)
            check(example, "plain") { client.receive() }
        }
    }

    @Test func answersOverTLS() throws {
        let certificates = try Certificates.shared()
        let server = try server(certificates.configuration())
        defer { server.stopNow() }
        for example in conformanceCases {
            let port = server.port(of: .main, isEncrypted: true) ?? 0
            let client = try #require(TLSTestClient(port: port))
            #expect(client.shakeHands())
            client.send(example.input)
            check(example, "TLS") { client.receive() }
        }
    }
}
