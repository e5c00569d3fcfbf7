// SPDX-License-Identifier: MIT

@testable import HTTPServer
import Testing

/// RFC 9112 §9.6: after a refusal the server reads on for a while, so that the client sees it.
struct LingeringTests {
    private static let head =
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n"

    /// A server whose clock stands still, and a client that was refused by it.
    private func refused(
        _ limits: ServerLimits = ServerLimits()
    ) throws -> (TestServer, TestClient) {
        let server = try TestServer(loops: 1, limits: limits, hasTestClock: true)
        let client = try #require(TestClient(port: server.port))
        client.send(Self.head)
        #expect(statuses(of: client.receiveAll()) == [413])
        return (server, client)
    }

    private func send(_ count: Int, _ client: TestClient, _ server: TestServer) -> Bool {
        let before = server.server.counters.bytesIn
        client.send([UInt8](repeating: 0, count: count))
        return server.wait { $0.bytesIn == before + count }
    }

    @Test func isHeardByAClientThatSendsAWholeBodyFirst() throws {
        let server = try TestServer()
        let client = try #require(TestClient(port: server.port))
        let count = 20 << 20
        client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: \(count)\r\n\r\n")
        client.send([UInt8](repeating: 0, count: count))
        #expect(statuses(of: client.receiveAll()) == [413])
    }

    /// What comes behind the last request, be it the end of TLS, must not reset its answer.
    @Test(arguments: ["HTTP/1.1\r\nConnection: close", "HTTP/1.0"])
    func keepsWhatHasNotBeenRead(_ version: String) throws {
        let server = try TestServer(loops: 1)
        let client = try #require(TestClient(port: server.port, receiveBytes: 4096))
        client.send("GET /large \(version)\r\nHost: a\r\n\r\n")
        #expect(server.wait { $0.answerBytesPending > 0 })
        client.send("\r\n")
        #expect(client.receiveAll().utf8.count > 8_000_000)
    }

    @Test func endsPastItsBytes() throws {
        var limits = ServerLimits()
        limits.lingerBytesMax = 100_000
        let (server, client) = try refused(limits)
        #expect(send(100_000, client, server))
        #expect(server.server.counters.connectionsOpen == 1)
        #expect(send(1, client, server))
        #expect(server.wait { $0.connectionsOpen == 0 })
    }

    @Test func endsWhereNothingComes() throws {
        let (server, client) = try refused()
        server.advance(by: .milliseconds(1900))
        // What comes starts the time anew.
        #expect(send(1, client, server))
        server.advance(by: .milliseconds(1900))
        #expect(send(1, client, server))
        server.advance(by: .milliseconds(2200))
        #expect(server.wait { $0.connectionsOpen == 0 })
    }

    @Test func endsAfterItsWholeTime() throws {
        let (server, client) = try refused()
        for _ in 0..<19 {
            server.advance(by: .milliseconds(1500))
            #expect(send(1, client, server))
        }
        server.advance(by: .milliseconds(1700))
        #expect(server.wait { $0.connectionsOpen == 0 })
        // How a refused connection ends is no time-out of a request.
        #expect(server.server.counters.timeouts == 0)
    }
}
