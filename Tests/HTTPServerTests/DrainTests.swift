// SPDX-License-Identifier: MIT

import Dispatch
@testable import HTTPServer
import Synchronization
import Testing

private let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

struct DrainTests {
    @Test func losesNothingUnderLoad() throws {
        for _ in 0..<5 {
            let server = try TestServer()
            let answered = Atomic(0)
            let lost = Atomic(0)
            let workers = DispatchGroup()
            for _ in 0..<8 {
                DispatchQueue(label: "client").async(group: workers) { [port = server.port] in
                    // Until the port is closed; every request that went out gets its answer.
                    while let client = TestClient(port: port) {
                        while true {
                            client.send(get)
                            let answer = client.receive(until: "now;")
                            guard statuses(of: answer) == [200] else {
                                lost.wrappingAdd(1, ordering: .relaxed)
                                break
                            }
                            answered.wrappingAdd(1, ordering: .relaxed)
                            if answer.contains("connection: close") { break }
                        }
                    }
                }
            }
            #expect(server.wait { $0.requests > 500 })
            server.server.beginDrain(delay: .milliseconds(20), timeout: .seconds(10))
            server.server.waitUntilStopped()
            workers.wait()
            #expect(lost.load(ordering: .relaxed) == 0)
            #expect(answered.load(ordering: .relaxed) == server.server.counters.requests)
            #expect(server.server.counters.connectionsCutOff == 0)
        }
    }

    @Test func waitsForDeferredAnswers() throws {
        let server = try TestServer()
        let client = try #require(TestClient(port: server.port))
        client.send("GET /held HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(server.wait { $0.requestsDeferred == 1 })
        server.server.beginDrain(delay: .zero, timeout: .seconds(30))
        #expect(server.server.isDraining)
        server.handler.release()
        let answer = client.receiveAll()
        #expect(statuses(of: answer) == [200])
        #expect(answer.contains("connection: close\r\n"))
        server.server.waitUntilStopped()
    }

    @Test func letsIdleConnectionsAskOnceMore() throws {
        let server = try TestServer()
        let client = try #require(TestClient(port: server.port))
        client.send(get)
        #expect(!client.receive(until: "now;").contains("connection: close"))
        server.server.beginDrain(delay: .zero, timeout: .seconds(30))
        // A loop hears of the drain with its next turn; until then its answers are as before.
        var answer = ""
        for _ in 0..<1000 where !answer.contains("connection: close") {
            client.send(get)
            answer = client.receive(until: "now;")
        }
        #expect(answer.contains("connection: close"))
        server.server.waitUntilStopped()
    }

    @Test func endsAtItsTimeoutAndCountsWhatItCutOff() throws {
        var limits = ServerLimits()
        // The clock runs far ahead of the loop, which is to find the end of the drain first.
        limits.answerTimeout = .seconds(1 << 30)
        let server = try TestServer(loops: 1, limits: limits, hasTestClock: true)
        let client = try #require(TestClient(port: server.port))
        client.send("GET /held HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(server.wait { $0.requestsDeferred == 1 })
        server.server.beginDrain(delay: .seconds(1), timeout: .seconds(5))
        // The clock moves again until the loop has seen every stage of the drain.
        let isCutOff = server.wait { counters in
            server.advance(by: .milliseconds(500))
            return counters.connectionsCutOff == 1
        }
        try #require(isCutOff)
        server.server.waitUntilStopped()
    }

    @Test func stopsAtOnceWhenAskedTwice() throws {
        let server = try TestServer()
        let client = try #require(TestClient(port: server.port))
        client.send(get)
        #expect(statuses(of: client.receive(until: "now;")) == [200])
        server.server.beginDrain(delay: .seconds(100), timeout: .seconds(100))
        server.server.beginDrain(delay: .seconds(100), timeout: .seconds(100))
        server.server.waitUntilStopped()
        #expect(client.receiveAll() == "")
    }
}
