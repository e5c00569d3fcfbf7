// SPDX-License-Identifier: MIT

import Dispatch
@testable import HTTPServer
import Testing

private let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

struct ServerTests {
    @Test func answersOnAConnectionThatStays() throws {
        let server = try TestServer()
        let client = try #require(TestClient(port: server.port))
        for _ in 0..<3 {
            client.send(get)
            let answer = client.receive(until: "now;")
            #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\ndate: "))
            #expect(answer.contains("content-length: 4\r\n"))
            #expect(!answer.contains("connection:"))
        }
        #expect(server.server.counters.connectionsAccepted == 1)
        #expect(server.server.counters.requests == 3)
    }

    @Test func refusesAPortThatAnotherServerHolds() throws {
        let server = try TestServer()
        let second = Server(
            configuration: ServerConfiguration(listeners: [
                ListenerConfiguration(.main, port: server.port)
            ]),
            routes: TestHandler.routes,
            handler: TestHandler()
        )
        let error = #expect(throws: ServerError.self) { try second.start() }
        #expect(error?.description.contains("Address already in use") == true)
    }

    @Test func sharesAPortWhereItIsToldTo() throws {
        let first = try TestServer()
        var configuration = ServerConfiguration(listeners: [
            ListenerConfiguration(.main, port: first.port)
        ])
        configuration.sharesPorts = true
        let second = Server(
            configuration: configuration,
            routes: TestHandler.routes,
            handler: TestHandler()
        )
        try second.start()
        first.server.stopNow()
        first.server.waitUntilStopped()
        let client = try #require(TestClient(port: first.port))
        client.send(get)
        #expect(statuses(of: client.receive(until: "now;")) == [200])
        second.stopNow()
        second.waitUntilStopped()
    }

    /// Turns that end after the first request, and one that takes all.
    @Test(arguments: [Duration.zero, .seconds(3600)])
    func answersHundredsOfPipelinedRequestsInOrder(_ turnTime: Duration) throws {
        var limits = ServerLimits()
        limits.turnTime = turnTime
        limits.pipelinedRequestCountMax = 1000
        let server = try TestServer(limits: limits)
        let client = try #require(TestClient(port: server.port))
        let count = 500
        var requests = ""
        for index in 0..<count {
            requests += "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n"
            requests += "\(1000 + index)"
        }
        client.send(requests)
        let answers = client.receive(until: ";", count: count)
        let bodies = answers.split(separator: ";").map { $0.suffix(4) }
        #expect(bodies == (0..<count).map { "\(1000 + $0)"[...] })
    }

    @Test func keepsTheOrderOfDeferredAnswers() throws {
        let server = try TestServer()
        let client = try #require(TestClient(port: server.port))
        client.send("GET /later HTTP/1.1\r\nHost: a\r\n\r\n\(get)")
        let answers = client.receive(until: "now;")
        #expect(statuses(of: answers) == [200, 200])
        let later = try #require(answers.firstRange(of: "later;"))
        let now = try #require(answers.firstRange(of: "now;"))
        #expect(later.lowerBound < now.lowerBound)
    }

    @Test func answersForAHandlerThatForgets() throws {
        let server = try TestServer()
        let client = try #require(TestClient(port: server.port))
        client.send("GET /dropped HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(statuses(of: client.receive(until: "}")) == [500])
    }

    @Test func countsAnAnswerWhoseConnectionHasGone() throws {
        let server = try TestServer(loops: 1)
        do {
            let client = try #require(TestClient(port: server.port))
            client.send("GET /held HTTP/1.1\r\nHost: a\r\n\r\nGET")
            #expect(server.wait { $0.requestsDeferred == 1 })
            let other = try #require(TestClient(port: server.port))
            other.send(get)
            #expect(statuses(of: other.receive(until: "now;")) == [200])
        }
        server.handler.release()
        #expect(server.wait { $0.requestsDeferred == 0 && $0.connectionsOpen == 0 })
    }

    @Test func answersAClientThatHasFinishedSending() throws {
        let server = try TestServer()
        let client = try #require(TestClient(port: server.port))
        client.send("GET /later HTTP/1.1\r\nHost: a\r\n\r\n")
        client.finishSending()
        #expect(client.receiveAll().hasSuffix("later;"))
    }

    @Test func sendsHeadWithoutBody() throws {
        let server = try TestServer()
        let client = try #require(TestClient(port: server.port))
        client.send("HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        let answer = client.receiveAll()
        #expect(answer.contains("content-length: 4\r\n"))
        #expect(answer.hasSuffix("\r\n\r\n"))
    }

    @Test func continuesWhenAsked() throws {
        let server = try TestServer()
        let client = try #require(TestClient(port: server.port))
        client.send(
            "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
        )
        #expect(client.receive(until: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
        client.send("ab")
        #expect(client.receive(until: ";").hasSuffix("ab;"))
    }

    @Test func tellsWhatIsWrongAndCloses() throws {
        let server = try TestServer()
        let client = try #require(TestClient(port: server.port))
        client.send("GET / HTTP/3.0\r\nHost: a\r\n\r\n\(String(repeating: "x", count: 300_000))")
        let answer = client.receiveAll()
        #expect(statuses(of: answer) == [505])
        #expect(answer.contains("connection: close\r\n"))
        #expect(answer.contains("application/problem+json"))
        #expect(server.server.counters.parseErrors == 1)
    }

    @Test func givesProblemsTheRequestID() throws {
        let server = try TestServer()
        let client = try #require(TestClient(port: server.port))
        client.send("GET /x HTTP/1.1\r\nHost: a\r\nX-Request-ID: a/b\r\n\r\n")
        let answer = client.receive(until: "}")
        #expect(answer.contains("x-request-id: a/b\r\n"))
        #expect(answer.contains(#""instance":"/x","request_id":"a/b"}"#))
    }

    @Test(arguments: [
        ("Content-Length: 99999999", 413), ("Expect: x\r\nContent-Length: 3", 417),
        ("Content-Encoding: br\r\nContent-Length: 3", 415), ("X: y", 411),
    ])
    func givesRefusalsOfACompleteHeadItsPathAndRequestID(_ field: String, _ status: Int) throws {
        var machine = Machine()
        machine.feed("POST /echo HTTP/1.1\r\nHost: a\r\n\(field)\r\nX-Request-ID: id-1\r\n\r\n")
        #expect(machine.statuses == [status])
        #expect(machine.outputText.contains("x-request-id: id-1\r\n"))
        #expect(machine.outputText.contains(#""instance":"/echo","request_id":"id-1"}"#))
    }

    @Test(arguments: ["Bad Field: x", "X-Request-ID : a", ""])
    func leavesThePathOutAndMakesAnIDWhereTheHeadIsNotRead(_ field: String) throws {
        var machine = Machine()
        // The first request is there so that nothing of it is told with the second.
        machine.feed("GET / HTTP/1.1\r\nHost: a\r\nX-Request-ID: id-0\r\n\r\n")
        machine.feed("GET /a HTTP/1.1\r\nHost: a\r\nX-Request-ID: id-1\r\n\(field)\n")
        #expect(machine.statuses == [200, 400])
        #expect(!machine.outputText.contains("instance"))
        #expect(!machine.outputText.contains("id-"))
        let made = "0000000000000000-0000000000000001"
        #expect(machine.outputText.contains("x-request-id: \(made)\r\n"))
        #expect(machine.outputText.contains(#""request_id":"\#(made)"}"#))
    }

    @Test(arguments: [
        "X-Request-ID: a b", "X-Request-ID:", "X-Request-ID: a\"b", "X: y",
        "X-Request-ID: " + String(repeating: "x", count: 129),
    ])
    func makesARequestIDWhereTheClientSendsNoneOfUse(_ field: String) {
        var machine = Machine()
        machine.feed("GET /x HTTP/1.1\r\nHost: a\r\n\(field)\r\n\r\n")
        #expect(machine.statuses == [404])
        let made = "0000000000000000-0000000000000001"
        #expect(machine.outputText.contains("x-request-id: \(made)\r\n"))
        #expect(machine.outputText.contains(#""instance":"/x","request_id":"\#(made)"}"#))
    }

    @Test func keepsAdminRoutesOnTheirListener() throws {
        let server = try TestServer()
        let request = "GET /admin HTTP/1.1\r\nHost: a\r\n\r\n"
        let main = try #require(TestClient(port: server.port))
        main.send(request)
        #expect(statuses(of: main.receive(until: "}")) == [404])
        let admin = try #require(TestClient(port: server.server.port(of: .admin) ?? 0))
        admin.send(request)
        #expect(statuses(of: admin.receive(until: "now;")) == [200])
    }

    @Test func takesABodyOfManyReadings() throws {
        let server = try TestServer()
        let client = try #require(TestClient(port: server.port))
        let body = String(repeating: "0123456789", count: 100_000)
        client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: \(body.utf8.count)\r\n\r\n")
        client.send(body)
        #expect(client.receive(until: ";").hasSuffix(body + ";"))
        client.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in 0..<1000 { client.send("3e8\r\n\(body.prefix(1000))\r\n") }
        client.send("0\r\n\r\n")
        #expect(client.receive(until: ";").hasSuffix(body + ";"))
    }

    @Test func waitsForASlowReader() throws {
        let server = try TestServer(loops: 1)
        let client = try #require(TestClient(port: server.port))
        client.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n\(get)")
        let other = try #require(TestClient(port: server.port))
        other.send(get)
        #expect(statuses(of: other.receive(until: "now;")) == [200])
        #expect(statuses(of: client.receive(until: "now;")) == [200, 200])
    }

    @Test func turnsAwayWhatIsOverTheConnectionLimit() throws {
        var limits = ServerLimits()
        limits.connectionCountMax = 2
        let server = try TestServer(limits: limits)
        let first = try #require(TestClient(port: server.port))
        do {
            let second = try #require(TestClient(port: server.port))
            for client in [first, second] {
                client.send(get)
                #expect(statuses(of: client.receive(until: "now;")) == [200])
            }
            let third = try #require(TestClient(port: server.port))
            #expect(statuses(of: third.receiveAll()) == [503])
        }
        #expect(server.wait { $0.connectionsOpen == 1 })
        let fourth = try #require(TestClient(port: server.port))
        fourth.send(get)
        #expect(statuses(of: fourth.receive(until: "now;")) == [200])
    }
}
