// SPDX-License-Identifier: MIT

import Dispatch
import Glibc
@testable import HTTPServer
import Platform
import Testing

/// Notes which requests it was shown together; `/held` waits until the test lets it go.
private final class JoiningHandler: RequestHandler {
    static let routes = RouteTable([
        Route(.get, "/held", id: 0),
        Route(.get, "/joined", id: 1, joinsOthers: true),
        Route(.get, "/other", id: 2),
        Route(.get, "/late", id: 3),
        Route(.get, "/minute", id: 4),
        Route(.get, "/costly", id: 5, isCostly: true),
        Route(.get, "/costly/held", id: 6, isCostly: true),
        Route(.get, "/costly/ended", id: 7, isCostly: true),
    ])

    let time = TestClock()
    /// What `/late` has not answered.
    private let late = Lock<[DeferredResponse]>([])

    let isHeld = DispatchSemaphore(value: 0)
    let mayGoOn = DispatchSemaphore(value: 0)
    /// The sizes of the groups.
    let groups = Lock<[Int]>([])
    /// The routes of the requests in the order in which they were answered.
    let order = Lock<[Int]>([])

    func join(_ request: borrowing Request, bytes: Span<UInt8>, isFirst: Bool) -> Int? {
        groups.withLock { groups in
            if isFirst { groups.append(0) }
            groups[groups.count - 1] += 1
            return groups[groups.count - 1] - 1
        }
    }

    func respond(to request: borrowing Request, bytes: Span<UInt8>, response: inout Response) {
        order.withLock { $0.append(request.routeID) }
        if request.routeID >= 5 { time.advance(by: .milliseconds(1)) }
        if request.routeID == 0 || request.routeID == 6 {
            isHeld.signal()
            mayGoOn.wait()
        }
        if request.routeID == 4 { time.advance(by: .seconds(61)) }
        if request.routeID == 3 {
            let handle = response.defer()
            return late.withLock { $0.append(handle) }
        }
        let text = request.joinedIndex.map { "joined \($0);" } ?? "alone;"
        response.body.append(contentsOf: text.utf8)
    }
}

/// Requests that wait in the sockets when a loop comes back to them.
@Suite struct JoiningTests {
    private let handler = JoiningHandler()
    private let server: Server
    private let clients: [TestClient]

    init() throws {
        var configuration = ServerConfiguration(listeners: [ListenerConfiguration(.main, port: 0)])
        configuration.eventLoopCount = 1
        // The test holds the loop up.
        configuration.limits.queueDelayInterval = .seconds(3600)
        configuration.limits.endedRequestCountMax = 10
        server = Server(
            configuration: configuration,
            routes: JoiningHandler.routes,
            handler: handler,
            clock: handler.time.clock
        )
        try server.start()
        let port = try #require(server.port(of: .main))
        clients = try (0..<20).map { _ in try #require(TestClient(port: port)) }
        // Those that have had an answer have been accepted.
        for client in clients {
            client.send(get("/joined"))
            #expect(client.receive(until: ";").hasSuffix("alone;"))
        }
    }

    private func get(_ path: String) -> String { "GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n" }

    /// Has the requests of all but the first client come while that one holds the loop.
    private func sendTogether(
        _ request: (Int) -> String,
        then end: (Int) -> Void = { _ in }
    ) {
        clients[0].send(get("/held"))
        handler.isHeld.wait()
        for index in clients.indices.dropFirst() {
            clients[index].send(request(index))
            end(index)
        }
        handler.mayGoOn.signal()
        #expect(clients[0].receive(until: ";").hasSuffix("alone;"))
    }

    @Test func readsAheadWhatComesTogether() {
        defer { server.stopNow() }
        sendTogether { _ in get("/joined") }
        let answers = clients.dropFirst().map { $0.receive(until: ";") }
        let indices = answers.map { $0.suffix(3) }
        #expect(indices.count { $0 == " 0;" } == 2)
        #expect(indices.count { $0 == "15;" } == 1)
        #expect(handler.groups.withLock { $0 } == [16, 3])
    }

    @Test func answersPipelinedRequestsInTheirOrder() {
        defer { server.stopNow() }
        sendTogether { index in
            index == 1 ? get("/joined") + get("/other") + get("/joined") : get("/other")
        }
        let answer = clients[1].receive(until: ";", count: 3)
        #expect(answer.split(separator: ";").count == 3)
        for client in clients.dropFirst(2) {
            #expect(client.receive(until: ";").hasSuffix("alone;"))
        }
    }

    /// Requests that cost much hold up no others, and come to their turn for all that.
    @Test func answersWhatCostsMuchAfterAllOthers() {
        defer { server.stopNow() }
        sendTogether { index in index <= 10 ? get("/costly") + get("/other") : get("/joined") }
        for client in clients.dropFirst(11) {
            #expect(client.receive(until: ";").hasSuffix(";"))
        }
        for client in clients[1...10] {
            #expect(client.receive(until: ";", count: 2).hasSuffix("alone;"))
        }
        let order = handler.order.withLock { Array($0.drop { $0 != 0 }) }
        #expect(Array(order.prefix(10)) == [0] + [Int](repeating: 1, count: 9))
        // Each takes longer than a turn gives them, and leaves the others theirs.
        let costly = [[Int]](repeating: [5, 2], count: 10)
        #expect(Array(order.dropFirst(10)) == Array(costly.joined()))
    }

    /// However long the line is, whoever comes does not wait for it, nor for more that it is sent.
    @Test func takesConnectionsWhileTheLineIsLong() throws {
        defer { server.stopNow() }
        let port = try #require(server.port(of: .main))
        var later: [TestClient?] = []
        sendTogether { index in
            // When the last of the line has sent its own: they are seen after all others.
            if index == 13 { later = (0..<3).map { _ in TestClient(port: port) } }
            if index == 13 { for client in later { client?.send(get("/joined")) } }
            return index <= 12 ? get("/costly") : ""
        }
        for client in later { #expect(client?.receive(until: ";").hasSuffix(";") == true) }
        for client in clients[1...12] {
            #expect(client.receive(until: ";").hasSuffix("alone;"))
        }
        let order = handler.order.withLock { Array($0.drop { $0 != 0 }.dropFirst()) }
        // It may take a turn to read what has come with a connection.
        let first = try #require(order.firstIndex(of: 1))
        #expect(order.count == 15 && first <= 1 && order[first..<(first + 3)] == [1, 1, 1])
    }

    /// Who sends no more, as who has gone, waits for all others, and of too many the oldest goes.
    @Test(arguments: [1, 10, 12])
    func whoHasEndedWaitsForAllOthers(endedCount: Int) {
        defer { server.stopNow() }
        let ended = 2..<(2 + endedCount)
        sendTogether { index in
            ended.contains(index) ? get("/costly/ended") : get("/costly")
        } then: { index in
            if ended.contains(index) { clients[index].finishSending() }
        }
        let answers = ended.map { clients[$0].receiveAll() }
        for index in clients.indices.dropFirst() where !ended.contains(index) {
            #expect(clients[index].receive(until: ";").hasSuffix("alone;"))
        }
        let dropped = max(0, endedCount - 10)
        #expect(
            answers.map { $0.hasSuffix("alone;") }
                == (0..<endedCount).map { $0 >= dropped }
        )
        let order = handler.order.withLock { Array($0.drop { $0 != 0 }.dropFirst()) }
        // Each takes a turn's time; their ends are seen in the second turn.
        var expected = [5]
        for turn in 0..<clients.count {
            if turn < clients.count - 2 - endedCount { expected.append(5) }
            if turn < endedCount - dropped { expected.append(7) }
        }
        #expect(order == expected)
    }

    /// Who has gone costs nothing, and keeps no one waiting.
    @Test func doesNotAnswerThoseWhoHaveGone() throws {
        defer { server.stopNow() }
        let port = try #require(server.port(of: .main))
        var gone = TestClient(port: port)
        gone?.send(get("/other"))
        #expect(gone?.receive(until: ";").hasSuffix("alone;") == true)
        sendTogether { index in
            if index == 2 { gone?.send(get("/costly")) }
            return get(index == 1 ? "/costly/held" : "/other")
        }
        for client in clients.dropFirst(2) {
            #expect(client.receive(until: ";").hasSuffix("alone;"))
        }
        handler.isHeld.wait()
        gone?.reset()
        gone = nil
        handler.mayGoOn.signal()
        #expect(clients[1].receive(until: ";").hasSuffix("alone;"))
        for _ in 0..<1000 where server.counters.connectionsOpen > clients.count { usleep(1000) }
        #expect(server.counters.connectionsOpen == clients.count)
        #expect(handler.order.withLock { $0.last } == 6)
    }

    @Test func answersAConnectionThatEndsWithItsRequest() {
        defer { server.stopNow() }
        let last = "GET /joined HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        sendTogether { index in index == 1 ? last : get("/joined") }
        #expect(clients[1].receiveAll().hasSuffix(";"))
        for client in clients.dropFirst(2) {
            #expect(client.receive(until: ";").hasSuffix(";"))
        }
    }

    /// What a timer brings finds no others to wait for: their turn is over.
    @Test func answersWhatStandsBehindAnAnswerThatTookTooLong() throws {
        defer { server.stopNow() }
        let port = try #require(server.port(of: .main))
        let client = try #require(TestClient(port: port))
        client.send(get("/late") + get("/joined"))
        for _ in 0..<10_000 where server.counters.requestsDeferred == 0 { usleep(1000) }
        sendTogether { index in get(index == 1 ? "/minute" : "/other") }
        let answers = client.receive(until: "alone;")
        #expect(statuses(of: answers) == [503, 200])
        for other in clients.dropFirst() {
            #expect(other.receive(until: ";").hasSuffix("alone;"))
        }
        sendTogether { _ in get("/joined") }
        for other in clients.dropFirst() { #expect(other.receive(until: ";").hasSuffix(";")) }
    }
}
