// SPDX-License-Identifier: MIT

@testable import HTTPServer
import Testing

private let step = 16_384

/// What the bodies of all clients take together.
struct BodyMemoryTests {
    private func limits(_ bytes: Int) -> ServerLimits {
        var limits = ServerLimits()
        limits.bodyBytesPendingMax = bytes
        return limits
    }

    private func head(_ byteCount: Int) -> String {
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: \(byteCount)\r\n\r\n"
    }

    private func text(_ count: Int) -> String { String(repeating: "x", count: count) }

    /// Gives an answer that no socket takes at once; tells whether what goes with it is there.
    private func giveMarked(_ give: (Response) -> Void) -> () -> Bool {
        let marker = TestReservation()
        var response = TestHandler.answer(text(1_000_000))
        response.reservation = marker
        give(response)
        return { [weak marker] in marker != nil }
    }

    @Test func aBudgetIsTakenInSteps() {
        let budget = ByteBudget(byteCountMax: 4 * step)
        var held = 0
        for (byteCount, taken) in [
            (0, 0), (1, 0), (step, 0), (step + 1, step), (2 * step, step), (2 * step + 1, 2 * step),
            (1, 0),
        ] {
            #expect(budget.follow(&held, byteCount: byteCount))
            #expect(held == taken && budget.byteCount == taken)
        }
        var other = 0
        #expect(budget.follow(&held, byteCount: 2 * step))
        #expect(budget.follow(&other, byteCount: 4 * step))
        #expect(budget.byteCount == 4 * step)
        #expect(!budget.follow(&other, byteCount: 4 * step + 1))
        #expect(other == 3 * step && budget.byteCount == 4 * step, "it has what it had")
        #expect(budget.follow(&held, byteCount: 0))
        #expect(budget.follow(&other, byteCount: 100 * step), "one alone always finds room")
        #expect(!budget.follow(&held, byteCount: step + 1))
        #expect(budget.follow(&other, byteCount: 0) && budget.byteCount == 0)
    }

    @Test func boundsTheBodiesOfAllConnections() throws {
        let server = try TestServer(limits: limits(4 * step))
        let first = try #require(TestClient(port: server.port))
        first.send(head(100_000) + text(60_000))
        // The buffer has grown to 64 KiB, of which the first 16 are free.
        #expect(server.wait { $0.bodyBytesPending == 3 * step })
        let second = try #require(TestClient(port: server.port))
        second.send(head(100_000) + text(30_000))
        #expect(server.wait { $0.bodyBytesPending == 4 * step })
        second.send(text(10_000))
        let refusal = second.receiveAll()
        #expect(refusal.hasPrefix("HTTP/1.1 503 ") && refusal.contains("\r\nretry-after: 1\r\n"))
        #expect(refusal.contains("\"instance\":\"/echo\""))
        #expect(server.wait { $0.bodyBytesPending == 3 * step && $0.limitHits == 1 })
        // What others have goes on, and a small request is taken at any time.
        let third = try #require(TestClient(port: server.port))
        third.send(head(3) + "abc")
        #expect(third.receive(until: "abc;").hasSuffix("abc;"))
        first.send(text(40_000))
        #expect(first.receive(until: "x;").hasPrefix("HTTP/1.1 200 "))
        #expect(server.wait { $0.bodyBytesPending == 0 })
    }

    @Test func givesBackWhatAClientLeavesBehind() throws {
        let server = try TestServer(limits: limits(4 * step))
        let client = try #require(TestClient(port: server.port))
        client.send(head(100_000) + text(60_000))
        #expect(server.wait { $0.bodyBytesPending == 3 * step })
        client.reset()
        client.finishSending()
        #expect(server.wait { $0.bodyBytesPending == 0 })
    }

    @Test func growsNoFurtherThanTheBody() throws {
        var http = HTTP1Connection()
        let context = HTTP1Connection.Context(
            routes: TestHandler.routes,
            limits: ServerLimits()
        )
        http.reset(listener: .main, loopIndex: 0)
        let bytes = Array((head(70_000) + text(70_000)).utf8)
        var offset = 0
        while offset < bytes.count {
            let hasRoom = http.makeRoom(context)
            #expect(hasRoom)
            let count = min(http.input.count - http.inputEnd, bytes.count - offset)
            for index in 0..<count { http.input[http.inputEnd + index] = bytes[offset + index] }
            http.didReceive(count)
            offset += count
            let action = http.next(context)
            #expect(action == (offset < bytes.count ? .receive : .handle))
        }
        #expect(http.input.count == bytes.count)
    }

    @Test(arguments: [(0, 200), (1, 503)])
    func boundsTheBodiesOfHTTP2(_ excess: Int, _ status: Int) throws {
        var machine = try HTTP2Machine(limits: limits(2 * step))
        // What others have, beside which there is room for a step more.
        try #require(machine.context.bodies.reserve(step))
        let request = Frames.request("POST", "/optional")
        machine.feed(Frames.headers(1, request, flags: 4))
        let headByteCount = machine.http2.requestByteCount
        machine.feed(Frames.data(1, text(step), flags: 0))
        machine.feed(Frames.data(1, text(step - headByteCount), flags: 0))
        #expect(machine.context.bodies.byteCount == 2 * step)
        machine.feed(Frames.data(1, text(excess)))
        #expect(machine.reader.statuses == [1: status])
        #expect(machine.context.bodies.byteCount == step)
        #expect(!machine.isOver)
    }

    /// As behind a proxy, where the streams are those of many clients.
    @Test func refusesNoMoreThanDoesNotFit() throws {
        var machine = try HTTP2Machine(limits: limits(step))
        try #require(machine.context.bodies.reserve(step))
        let streams = (0..<8).map { UInt32(2 * $0 + 1) }
        let request = Frames.request("POST", "/optional")
        machine.feed(streams.flatMap { Frames.headers($0, request, flags: 4) })
        machine.feed(streams.flatMap { Frames.data($0, text(1006), flags: 0) })
        // In one go, before any of them is answered; each stream has 1024 bytes of its own.
        machine.feed(streams.flatMap { Frames.data($0, text(20)) })
        let statuses = machine.reader.statuses
        #expect(statuses.count == 8)
        #expect(statuses.values.filter { $0 == 503 }.count == 1)
    }

    @Test func keepsLittleOfARequestWhoseAnswerWaits() throws {
        var machine = try HTTP2Machine()
        machine.feed(Frames.settings([(4, 0)]))
        for stream in 0..<UInt32(20) {
            let head = Frames.request("GET", "/") + [("x", text(12_000))]
            machine.feed(Frames.headers(2 * stream + 1, head))
        }
        #expect(machine.requests.count == 20)
        #expect(machine.http2.slots.allSatisfy { $0.bytes.capacity < 2048 })
    }

    @Test func takesSmallGzipBodiesWhenTheBudgetIsTaken() throws {
        var answer = Response()
        answer.body = Array(text(8000).utf8)
        ContentCoder().encode(&answer)
        let fields = "Content-Encoding: gzip\r\nContent-Length: \(answer.body.count)"
        let head = "POST /optional HTTP/1.1\r\nHost: a\r\n\(fields)\r\n\r\n"
        var machine = Machine(limits: limits(step))
        try #require(machine.context.bodies.reserve(step))
        // What stands behind the body moves.
        machine.feed(
            Array(head.utf8) + answer.body + Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
        )
        #expect(machine.statuses == [200, 200])
        #expect(machine.requests.first?.contains(text(8000)) == true)
    }

    /// What comes behind a large request, perhaps a byte, does not keep its memory.
    @Test(arguments: [0, 1, 20_000])
    func givesBackWhatALargeRequestHad(_ restByteCount: Int) {
        var machine = Machine(limits: limits(1 << 30))
        let head = "POST /optional HTTP/1.1\r\nHost: a\r\nContent-Length: "
        let next = Array("\(head)20000\r\n\r\n\(text(20_000))".utf8)
        let large = Array("\(head)\(60 * step)\r\n\r\n\(text(60 * step))".utf8)
        machine.feed(large + next.prefix(restByteCount))
        #expect(machine.statuses == [200])
        #expect(machine.context.bodies.byteCount <= step)
        #expect(machine.http.input.count <= 2 * step)
        #expect(machine.http.unread.count == restByteCount)
        machine.feed(Array(next.dropFirst(restByteCount)))
        #expect(machine.statuses == [200, 200])
        #expect(machine.requests.last?.hasSuffix("xx]") == true)
    }

    @Test func givesBackWhatARefusedRequestHad() {
        var machine = Machine(limits: limits(1 << 30))
        let line = "POST /optional HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        machine.feed(line + "40000\r\n" + text(0x40000))
        #expect(machine.context.bodies.byteCount > 10 * step)
        machine.feed("xx\r\n" + text(100))
        #expect(machine.statuses == [400] && machine.isClosed)
        #expect(machine.context.bodies.byteCount == 0)
    }

    /// Nobody counts what is lent.
    @Test func lendsNoLargeInputs() {
        let pool = BufferPool()
        var http = HTTP1Connection()
        http.input = [UInt8](repeating: 0, count: 4 * step)
        pool.takeInput(from: &http)
        #expect(http.input.isEmpty)
        for _ in 0..<2 {
            var other = HTTP1Connection()
            pool.lend(to: &other)
            #expect(other.input.count == step)
        }
    }

    @Test func forgetsAClientThatCanOpenNoWindowAnyMore() throws {
        let server = try TestServer()
        var client = try #require(HTTP2Client(port: server.port))
        client.client.send(Frames.settings([(4, 0)]))
        client.client.send(Frames.headers(1, Frames.request("GET", "/large")))
        client.receive { $0.statuses[1] == 200 }
        client.client.finishSending()
        client.receive { _ in false }
        #expect(client.isClosed)
        #expect(server.wait { $0.connectionsOpen == 0 && $0.bodyBytesPending == 0 })
    }

    @Test func boundsTheHeadsOfHTTP2() throws {
        var machine = try HTTP2Machine(limits: limits(2 * step))
        try #require(machine.context.bodies.reserve(2 * step))
        let fields = Frames.request("POST", "/optional") + [("x", text(10_000))]
        for stream: UInt32 in [1, 3] { machine.feed(Frames.headers(stream, fields, flags: 4)) }
        // Not even an answer is kept for it.
        #expect(machine.reader.statuses == [:] && machine.reader.resets == [3: 7])
    }

    @Test func givesBackWhatAnHTTP2ConnectionHad() throws {
        let context: HTTP1Connection.Context
        do {
            var machine = try HTTP2Machine(limits: limits(4 * step))
            context = machine.context
            machine.feed(Frames.headers(1, Frames.request("POST", "/optional"), flags: 4))
            for _ in 0..<2 { machine.feed(Frames.data(1, text(step), flags: 0)) }
            #expect(context.bodies.byteCount == 2 * step)
        }
        #expect(context.bodies.byteCount == 0)
    }

    @Test(arguments: [true, false])
    func keepsWhatGoesWithAnAnswerUntilItIsSent(_ reads: Bool) throws {
        var limits = ServerLimits()
        // Nobody is waited for who encodes it.
        limits.encodedBytesMin = .max
        let server = try TestServer(limits: limits)
        let isThere: () -> Bool
        do {
            let client = try #require(TestClient(port: server.port, receiveBytes: 4096))
            client.send("GET /held HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(server.wait { $0.requestsDeferred == 1 })
            isThere = giveMarked { server.handler.release($0) }
            #expect(server.wait { $0.requestsDeferred == 0 })
            #expect(isThere())
            if reads {
                #expect(client.receive(until: "x", count: 1_000_000).hasPrefix("HTTP/1.1 200 "))
            } else {
                client.reset()
            }
        }
        #expect(server.wait { _ in !isThere() })
    }

    @Test func keepsWhatGoesWithAnAnswerOfHTTP2UntilItIsSent() throws {
        var machine = try HTTP2Machine()
        machine.defers = true
        machine.feed(Frames.headers(1, Frames.request("GET", "/")))
        let isThere = giveMarked { machine.http2.giveDeferred($0, to: 1) }
        machine.run()
        #expect(isThere())
        let opened = Frames.windowUpdate(0, 999_999) + Frames.windowUpdate(1, 999_999)
        machine.feed(opened)
        #expect(machine.reader.statuses == [1: 200])
        #expect(!isThere())
    }
}
