// SPDX-License-Identifier: MIT

@testable import HTTPServer
import Testing

private let get = Frames.request("GET", "/")

struct HTTP2DrainTests {
    @Test func announcesTheEndBeforeItComes() throws {
        var machine = try HTTP2Machine()
        machine.defers = true
        machine.feed(Frames.headers(1, get))
        machine.http2.beginDrain()
        machine.run()
        #expect(machine.reader.goAways.map(\.lastStream) == [0x7FFF_FFFF])
        #expect(machine.reader.pingCount == 1)
        // On its way before the client has read the first GOAWAY: taken in.
        machine.feed(Frames.headers(3, get))
        machine.feed(Frames.ping(flags: Frames.Flag.acknowledgement))
        #expect(machine.reader.goAways.map(\.lastStream) == [0x7FFF_FFFF, 3])
        #expect(machine.reader.goAways.allSatisfy { $0.code == 0 })
        #expect(machine.requests.count == 2)
        // After that nothing is, and nothing is promised.
        machine.feed(Frames.headers(5, get))
        #expect(machine.requests.count == 2)
        #expect(!machine.isOver)
        for sequence: UInt64 in [1, 3] {
            #expect(machine.http2.awaitsAnswer(to: sequence))
            machine.http2.giveDeferred(Response(), to: sequence)
            machine.run()
        }
        #expect(machine.reader.statuses == [1: 200, 3: 200])
        #expect(machine.isOver)
    }

    @Test func announcesItToNewConnections() throws {
        var machine = try HTTP2Machine(isDraining: true)
        #expect(machine.reader.goAways.map(\.lastStream) == [0x7FFF_FFFF])
        machine.feed(
            Frames.headers(1, get) + Frames.ping(flags: Frames.Flag.acknowledgement)
        )
        #expect(machine.reader.statuses == [1: 200])
        #expect(machine.isOver)
    }

    @Test func endsIdleConnectionsOnceTheyHaveRead() throws {
        var machine = try HTTP2Machine()
        machine.http2.beginDrain()
        machine.run()
        #expect(!machine.isOver)
        machine.feed(Frames.ping(flags: Frames.Flag.acknowledgement))
        #expect(machine.isOver)
    }

    @Test func endsWithItsClient() throws {
        var machine = try HTTP2Machine()
        machine.feed(Frames.headers(1, get) + Frames.goAway())
        #expect(machine.reader.statuses == [1: 200])
        #expect(machine.isOver)
        #expect(machine.http2.refusal == nil)
    }

    @Test func drainsWhenAHandlerEndsTheConnection() throws {
        var machine = try HTTP2Machine()
        machine.defers = true
        machine.feed(Frames.headers(1, get))
        var response = Response()
        response.closesConnection = true
        machine.http2.giveDeferred(response, to: 1)
        machine.run()
        #expect(machine.reader.statuses == [1: 200])
        #expect(machine.reader.goAways.count == 1)
    }
}

/// Deadlines of single streams; a connection's own are with the server's tests.
struct HTTP2TimeoutTests {
    private func machine(after start: [UInt8]) throws -> HTTP2Machine {
        var limits = ServerLimits()
        limits.headTimeout = .seconds(10)
        limits.bodyTimeout = .seconds(20)
        limits.writeTimeout = .seconds(30)
        var machine = try HTTP2Machine(limits: limits)
        machine.body = [UInt8](repeating: 0, count: 70_000)
        machine.feed(start)
        return machine
    }

    /// Moves the clock to just before the time-out and to it.
    private func expire(_ machine: inout HTTP2Machine, after timeout: Duration) {
        machine.advance(by: timeout - .milliseconds(1))
        #expect(machine.http2.expire().count == 0)
        machine.advance(by: .milliseconds(1))
        #expect(machine.http2.earliestDeadline == machine.context.nowNanoseconds)
        #expect(machine.http2.expire().count == 1)
        machine.run()
    }

    @Test func endsTheConnectionAtASlowHead() throws {
        var machine = try machine(after: Frames.headers(1, get, flags: 1))
        expire(&machine, after: .seconds(10))
        #expect(machine.reader.goAways.map(\.code) == [11])
        #expect(machine.isOver)
    }

    @Test func answers408ToASlowBody() throws {
        let open = Frames.headers(1, Frames.request("POST", "/echo"), flags: 4)
        var machine = try machine(after: open)
        machine.advance(by: .seconds(10))
        machine.feed(Frames.data(1, "a", flags: 0))
        expire(&machine, after: .seconds(10))
        #expect(machine.reader.statuses == [1: 408])
        #expect(!machine.isOver)
    }

    @Test func forgetsAStreamWhoseWindowStaysShut() throws {
        var machine = try machine(after: Frames.headers(1, get))
        machine.advance(by: .seconds(20))
        // Any progress starts the time anew.
        machine.feed(Frames.windowUpdate(0, 1) + Frames.windowUpdate(1, 1))
        expire(&machine, after: .seconds(30))
        #expect(machine.reader.resets == [1: 8])
        #expect(machine.http2.openCount == 0)
        #expect(machine.http2.answerByteCount == 0)
        #expect(!machine.isOver)
    }

    @Test func answersThatWaitForTheConnectionsWindowHaveItsTime() throws {
        let open = Frames.settings([(4, 1 << 20)])
        let streams: [UInt32] = [1, 3, 5, 7]
        var machine = try machine(after: open + streams.flatMap { Frames.headers($0, get) })
        // A window of one frame lets one of them go on.
        for _ in 0..<8 {
            machine.advance(by: .seconds(20))
            machine.feed(Frames.windowUpdate(0, 100))
            #expect(machine.http2.expire().count == 0)
        }
        machine.advance(by: .seconds(30) - .milliseconds(1))
        #expect(machine.http2.expire().count == 0)
        machine.advance(by: .milliseconds(1))
        #expect(machine.http2.earliestDeadline == machine.context.nowNanoseconds)
        #expect(machine.http2.expire().count == 4)
    }

    @Test func answers503ForASlowHandler() throws {
        var machine = try machine(after: [])
        machine.defers = true
        machine.feed(Frames.headers(1, get))
        expire(&machine, after: machine.context.limits.answerTimeout)
        #expect(machine.reader.statuses == [1: 503])
        #expect(machine.http2.deferredCount == 1)
        #expect(!machine.http2.awaitsAnswer(to: 1))
        #expect(machine.http2.deferredCount == 0)
    }
}
