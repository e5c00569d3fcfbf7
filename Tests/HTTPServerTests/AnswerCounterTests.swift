// SPDX-License-Identifier: MIT

@testable import HTTPServer
import Testing

struct AnswerCounterTests {
    @Test func tellsEveryStatusWithANameApart() {
        let named = (200..<600).filter {
            !["Success", "Error"].contains(StatusLine.reason(of: $0))
        }
        #expect(AnswerCounters.statuses == named)
    }

    @Test func countsByRouteAndStatus() {
        let routes = [Route(.get, "/a", id: 0), Route(.post, "/b", id: 1)]
        let loops = [AnswerCounters(routeCount: 2), AnswerCounters(routeCount: 2)]
        loops[0].count(status: 200, routeIndex: 0)
        loops[1].count(status: 200, routeIndex: 0)
        loops[1].count(status: 505, routeIndex: 1)
        loops[1].count(status: 299, routeIndex: 1)
        loops[0].count(status: 404, routeIndex: nil)
        #expect(
            AnswerCounters.sum(loops, routes: routes) == [
                AnswerCount(method: .get, path: "/a", status: 200, count: 2),
                AnswerCount(method: .post, path: "/b", status: 505, count: 1),
                AnswerCount(method: .post, path: "/b", status: 0, count: 1),
                AnswerCount(method: nil, path: nil, status: 404, count: 1),
            ]
        )
    }

    @Test func countsTimeOutsUnderTheirRoute() throws {
        var limits = ServerLimits()
        limits.bodyTimeout = .seconds(1)
        limits.answerTimeout = .seconds(2)
        let server = try TestServer(limits: limits, hasTestClock: true)
        let slow = try #require(TestClient(port: server.port))
        let start = "POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\na"
        slow.send(start)
        #expect(server.wait { $0.bytesIn == start.utf8.count })
        let held = try #require(TestClient(port: server.port))
        held.send("GET /held HTTP/1.1\r\nhost: a\r\n\r\n")
        var http2 = try #require(HTTP2Client(port: server.port))
        http2.client.send(Frames.headers(1, Frames.request("GET", "/held")))
        #expect(server.wait { $0.requestsDeferred == 2 })
        for _ in 0..<3 { server.advance(by: .seconds(1)) }
        #expect(slow.receive(until: "\"}\n").contains(" 408 "))
        #expect(held.receive(until: "\"}\n").contains(" 503 "))
        http2.receive { $0.answers[1]?.isComplete == true }
        let counts = server.server.answerCounts
        #expect(counts.first { $0.status == 408 }?.path == "/echo")
        #expect(
            counts.first { $0.status == 503 }
                == .init(
                    method: .get,
                    path: "/held",
                    status: 503,
                    count: 2
                )
        )
    }
}
