// SPDX-License-Identifier: MIT

import Dispatch
@testable import HTTPServer
import Testing

private let lastGet = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

/// Sessions that end or go on in ways that no client needs.
struct TLSHostileTests {
    private let certificates: Certificates

    init() throws { certificates = try Certificates.shared() }

    private func server(
        _ change: (inout ServerLimits) -> Void = { _ in },
        hasTestClock: Bool = false
    ) throws -> TestServer {
        var limits = ServerLimits()
        change(&limits)
        return try TestServer(
            loops: 1,
            limits: limits,
            hasTestClock: hasTestClock,
            tls: certificates.configuration()
        )
    }

    private func answersOthers(_ server: TestServer) throws -> Bool {
        let other = try #require(TestClient(port: server.port))
        other.send(lastGet)
        return statuses(of: other.receiveAll()) == [200]
    }

    /// Of a socket that has gone, the library says that the client has ended the session if it has.
    @Test func forgetsAClientThatSaysGoodbyeAndResets() throws {
        let server = try server()
        var client = TLSTestClient(port: server.tlsPort)
        #expect(client?.shakeHands() == true)
        client?.sendLast("GET /stopping HTTP/1.1\r\nHost: a\r\n\r\n")
        server.handler.isStopping.wait()
        client?.reset()
        client = nil
        server.handler.goesOn.signal()
        #expect(try answersOthers(server))
        #expect(server.wait { $0.connectionsOpen == 0 })
    }

    /// What follows the end of the session is never read.
    @Test func sleepsWhereBytesFollowTheGoodbye() throws {
        let server = try server()
        let client = try #require(TLSTestClient(port: server.tlsPort, protocols: [.http2]))
        #expect(client.shakeHands())
        // SETTINGS_INITIAL_WINDOW_SIZE 0: the answer stays owed.
        client.write(Frames.preface + Frames.settings([(4, 0)]))
        client.write(Frames.headers(1, Frames.request("GET", "/")))
        #expect(server.wait { $0.requests == 1 })
        client.sendGoodbye(followedBy: [0x17])
        #expect(try answersOthers(server))
        #expect(server.isIdle)
    }

    @Test func tellsWhoSpeaksInTheClearWhatIsSpoken() throws {
        let server = try server()
        for text in [lastGet, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nnine more"] {
            let client = try #require(TestClient(port: server.tlsPort))
            client.send(text)
            let answer = client.receiveAll()
            #expect(answer.hasPrefix("HTTP/1.1 400 ") && answer.contains("ask for https"))
        }
        #expect(server.wait { $0.connectionsOpen == 0 && $0.tlsFailures == 2 })
    }

    /// Each would cost a handshake.
    @Test func forgetsThoseWhoHaveGoneBeforeTheFirstStep() throws {
        let server = try server()
        let stopping = try #require(TestClient(port: server.port))
        stopping.send("GET /stopping HTTP/1.1\r\nHost: a\r\n\r\n")
        server.handler.isStopping.wait()
        for _ in 0..<20 {
            let client = try #require(TestClient(port: server.tlsPort))
            client.send([0x16, 0x03, 0x01])
            client.finishSending()
        }
        server.handler.goesOn.signal()
        #expect(server.wait { $0.tlsFailures == 20 && $0.connectionsOpen == 1 })
    }

    @Test func endsASessionOfRecordsThatBringNothing() throws {
        let server = try server()
        let client = try #require(TLSTestClient(port: server.tlsPort))
        #expect(client.shakeHands())
        // At the bound; what is one past it ends the session once the library wants more.
        client.changeKeys(16, then: "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(client.receive(until: "now;").hasSuffix("now;"))
        client.changeKeys(1000)
        #expect(client.receive() == nil)
        #expect(server.wait { $0.connectionsOpen == 0 })
    }

    /// The server owes an answer to every change of keys, and has no room for it.
    @Test func sleepsUntilItMayAnswerAChangeOfKeys() throws {
        let server = try server()
        #expect(try answersOthers(server))
        let client = try #require(TLSTestClient(port: server.tlsPort, receiveBytes: 4096))
        #expect(client.shakeHands())
        let count = 1000
        client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: \(count)\r\n\r\n")
        for _ in 0..<count { client.changeKeys(8, then: "x") }
        #expect(server.isIdle)
        #expect(client.receive(until: ";").hasSuffix(String(repeating: "x", count: count) + ";"))
    }

    /// Bytes of TLS are no bytes of the body.
    @Test func doesNotExtendTheTimeOfAPieceForAChangeOfKeys() throws {
        let server = try server({ $0.streamIdleTimeout = .seconds(10) }, hasTestClock: true)
        let client = try #require(TLSTestClient(port: server.tlsPort))
        #expect(client.shakeHands())
        client.send("POST /stream/quiet HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nab")
        #expect(server.wait { $0.bytesIn > 0 })
        for _ in 0..<4 {
            server.advance(by: .seconds(3))
            client.changeKeys(1)
            #expect(client.waitForBytes())
        }
        #expect(server.wait { $0.timeouts == 1 })
    }
}
