// SPDX-License-Identifier: MIT

@testable import HTTPServer
import Testing

/// Which streamed gzip bodies are decoded where more come than may be at a time.
struct StreamPlaceTests {
    private func limits(places: Int) -> ServerLimits {
        var limits = ServerLimits()
        limits.decodedStreamCountMax = places
        return limits
    }

    private func machine(places: Int) throws -> HTTP2Machine {
        try HTTP2Machine(limits: limits(places: places), handler: StreamHandler())
    }

    private func head(_ stream: UInt32) -> [UInt8] {
        let fields = Frames.request("POST", "/stream/loud", [("content-encoding", "gzip")])
        return Frames.headers(stream, fields, flags: Frames.Flag.endHeaders)
    }

    private func piece(_ stream: UInt32, _ bytes: [UInt8]) -> [UInt8] {
        Frames.frame(0, stream: stream, bytes)
    }

    @Test func theSlowestGivesWay() throws {
        var machine = try machine(places: 2)
        machine.feed(head(1) + piece(1, StreamCase.abc) + head(3) + piece(3, [0x1F]))
        machine.advance(by: .seconds(1))
        // First the one of a byte, then the one of a line; then all have just come.
        machine.feed(head(5))
        #expect(machine.reader.statuses == [1: 200])
        machine.feed(head(7) + head(9))
        #expect(machine.reader.statuses == [1: 200, 9: 503])
        #expect(machine.context.coder.streamPlaces.count == 2)
        // They are told with their next bytes, behind what was answered.
        machine.feed(piece(1, StreamCase.abc) + piece(3, [0x8B]))
        #expect(machine.reader.statuses == [1: 200, 3: 503, 9: 503])
        #expect(machine.reader.answers[3]?.fields["retry-after"] == "1")
        #expect(machine.reader.answers[1]?.text == "ABC!503")
        #expect(machine.reader.answers[1]?.isComplete == true)
        // Those that took the places are read.
        machine.feed(piece(5, StreamCase.abc) + piece(7, StreamCase.abc))
        #expect(machine.reader.answers[5]?.text == "ABC")
        #expect(machine.reader.answers[7]?.text == "ABC")
        #expect(machine.context.coder.streamPlaces.count == 2)
    }

    @Test(arguments: [
        (4095, 1_000_000_000, true), (4096, 1_000_000_000, false), (8191, 2_000_000_000, true),
        (8192, 2_000_000_000, false), (1, 1_000_000_000, true), (1, 999_999_999, false),
    ])
    func whoIsSlowForASecondGivesWay(
        byteCount: Int,
        nanoseconds: Int,
        givesWay: Bool
    ) throws {
        var machine = try machine(places: 1)
        let bytes = ContentCodingTests.emptyBlocks(2000)
        machine.feed(head(1) + piece(1, Array(bytes.prefix(byteCount))))
        machine.context.nowNanoseconds += Int64(nanoseconds)
        machine.feed(head(3))
        #expect(machine.reader.statuses == (givesWay ? [:] : [3: 503]))
        #expect(machine.context.coder.streamPlaces.count == 1)
        machine.feed(piece(1, [bytes[byteCount]]))
        #expect(machine.reader.statuses == (givesWay ? [1: 503] : [3: 503]))
    }

    @Test func whatIsWorkedOnIsAnsweredFirst() throws {
        var machine = try machine(places: 1)
        machine.defers = true
        machine.feed(head(1) + piece(1, StreamCase.abc))
        machine.advance(by: .seconds(30))
        machine.feed(head(3))
        #expect(machine.reader.statuses == [3: 503])
        machine.http2.giveDeferred(CapitalStream.answer(Array("one".utf8)), to: 1)
        machine.run()
        #expect(machine.reader.answers[1]?.text == "one")
        machine.defers = false
        machine.feed(head(5))
        #expect(machine.reader.statuses == [1: 200, 3: 503])
        machine.feed(piece(1, StreamCase.abc))
        #expect(machine.reader.answers[1]?.text == "one!503")
        #expect(machine.reader.answers[1]?.isComplete == true)
    }

    @Test func whoStaysSilentIsToldAtTheEndOfItsTime() throws {
        var machine = try machine(places: 1)
        machine.feed(head(1))
        machine.advance(by: .seconds(1))
        machine.feed(head(3))
        machine.advance(by: .seconds(59))
        #expect(machine.http2.expire().count == 1)
        machine.run()
        #expect(machine.reader.statuses == [1: 503])
    }

    @Test func givesWayOverHTTP1Too() {
        let context = HTTP1Connection.Context(
            routes: Machine.routes,
            limits: limits(places: 1),
            handler: StreamHandler()
        )
        context.nowNanoseconds = 1_000_000_000
        var machines = (0..<3).map { _ in Machine(of: context) }
        let start = StreamCase.chunked("loud", [StreamCase.abc], fields: StreamCase.gzip)
        machines[0].feed(start)
        context.nowNanoseconds += 1_000_000_000
        machines[1].feed(StreamCase.chunked("loud", [[0x1F]], fields: StreamCase.gzip))
        #expect(context.coder.streamPlaces.count == 1)
        machines[0].feed("1\r\n\u{1F}\r\n")
        #expect(ParsedAnswer.all(machines[0].output).map(\.body) == ["ABC!503"])
        #expect(machines[0].isClosed)
        context.nowNanoseconds += 1_000_000_000
        machines[2].feed(start)
        #expect(ParsedAnswer.all(machines[2].output).map(\.status) == [200])
        // One that sends nothing more is told so when its time is over.
        _ = machines[1].http.refuse(.timedOut, context)
        let output = String(decoding: machines[1].http.output, as: UTF8.self)
        #expect(statuses(of: output) == [503])
        #expect(context.coder.streamPlaces.count == 1)
    }
}
