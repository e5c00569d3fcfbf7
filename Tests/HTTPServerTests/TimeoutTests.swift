// SPDX-License-Identifier: MIT

@testable import HTTPServer
import Testing

struct TimeoutTests {
    private func server() throws -> TestServer {
        var limits = ServerLimits()
        limits.headTimeout = .seconds(10)
        limits.bodyTimeout = .seconds(20)
        limits.idleTimeout = .seconds(60)
        return try TestServer(loops: 1, limits: limits, hasTestClock: true)
    }

    /// Sends the start of something, moves the clock to just before and just past its time-out.
    private func expire(_ start: String, after timeout: Duration) throws -> String {
        let server = try server()
        let client = try #require(TestClient(port: server.port))
        client.send(start)
        #expect(server.wait { $0.connectionsOpen == 1 && $0.bytesIn == start.utf8.count })
        server.advance(by: timeout - .milliseconds(1))
        let other = try #require(TestClient(port: server.port))
        other.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        #expect(statuses(of: other.receiveAll()) == [200])
        #expect(server.server.counters.timeouts == 0)
        server.advance(by: .milliseconds(200))
        #expect(server.wait { $0.timeouts == 1 })
        return client.receiveAll()
    }

    @Test func closesIdleConnectionsSilently() throws {
        #expect(try expire("", after: .seconds(60)) == "")
    }

    /// More than one turn of a loop ends.
    @Test func endsManyThatFallSilentTogether() throws {
        let server = try server()
        let clients = (0..<40).compactMap { _ in TestClient(port: server.port) }
        for client in clients { client.send("GET /") }
        #expect(server.wait { $0.bytesIn == 200 })
        server.advance(by: .seconds(11))
        #expect(server.wait { $0.timeouts == 40 })
        for client in clients { #expect(statuses(of: client.receiveAll()) == [408]) }
    }

    /// They are no request (RFC 9112 §2.2), which nobody would expect an answer to.
    @Test func closesSilentlyBehindEmptyLines() throws {
        #expect(try expire("\r\n\r\n", after: .seconds(60)) == "")
    }

    @Test func answers408ToASlowHead() throws {
        #expect(statuses(of: try expire("GET /", after: .seconds(10))) == [408])
    }

    @Test func answers408ToASlowBody() throws {
        let start = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na"
        #expect(statuses(of: try expire(start, after: .seconds(20))) == [408])
    }

    @Test func saysWhichRequestDidNotArriveInTime() throws {
        let start =
            "POST /echo HTTP/1.1\r\nHost: a\r\nX-Request-ID: id-1\r\nContent-Length: 3\r\n\r\na"
        let answer = try expire(start, after: .seconds(20))
        #expect(answer.contains("x-request-id: id-1\r\n"))
        #expect(answer.contains(#""instance":"/echo","request_id":"id-1""#))
    }

    @Test func answers503ForAHandlerThatTakesTooLong() throws {
        let server = try server()
        let client = try #require(TestClient(port: server.port))
        client.send("GET /held HTTP/1.1\r\nHost: a\r\nX-Request-ID: id-1\r\n\r\n")
        #expect(server.wait { $0.requestsDeferred == 1 })
        server.advance(by: .milliseconds(59_900))
        let other = try #require(TestClient(port: server.port))
        other.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        #expect(statuses(of: other.receiveAll()) == [200])
        #expect(server.server.counters.timeouts == 0)
        server.advance(by: .milliseconds(300))
        let answer = client.receive(until: "}")
        #expect(statuses(of: answer) == [503])
        #expect(answer.contains(#""instance":"/held","request_id":"id-1""#))
        #expect(answer.contains("retry-after: 1\r\n"))
        // The connection goes on, and the late answer finds no one.
        server.handler.release()
        #expect(server.wait { $0.answersDropped == 1 && $0.requestsDeferred == 0 })
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(client.receive(until: "now;").hasSuffix("now;"))
    }

    @Test func doesNotExtendTheTimeForTrickles() throws {
        let server = try server()
        let client = try #require(TestClient(port: server.port))
        for step in 1...5 {
            client.send("G")
            #expect(server.wait { $0.bytesIn == step })
            server.advance(by: .seconds(2))
        }
        server.advance(by: .milliseconds(200))
        #expect(statuses(of: client.receiveAll()) == [408])
    }

    @Test func forgetsAClientThatDoesNotRead() throws {
        let server = try server()
        let client = try #require(TestClient(port: server.port))
        client.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(server.wait { $0.requests == 1 && $0.bytesOut > 0 })
        server.advance(by: .seconds(31))
        server.advance(by: .seconds(31))
        #expect(server.wait { $0.timeouts == 1 && $0.connectionsOpen == 0 })
    }
}
