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

    private func machine(
        places: Int,
        of loop: HTTP1Connection.Context? = nil
    ) throws -> HTTP2Machine {
        try HTTP2Machine(limits: limits(places: places), of: loop, handler: StreamHandler())
    }

    private func head(_ stream: UInt32) -> [UInt8] {
        let fields = Frames.request("POST", "/stream/loud", [("content-encoding", "gzip")])
        return Frames.headers(stream, fields, flags: Frames.Flag.endHeaders)
    }

    private func piece(_ stream: UInt32, _ bytes: [UInt8]) -> [UInt8] {
        Frames.frame(0, stream: stream, bytes)
    }

    @Test func whoHasMostGivesOne() throws {
        var greedy = try machine(places: 3)
        let places = greedy.context.coder.streamPlaces
        greedy.feed(head(1) + piece(1, StreamCase.abc) + head(3) + piece(3, [0x1F]) + head(5))
        // A connection takes none of its own.
        greedy.feed(head(7))
        #expect(greedy.reader.statuses == [1: 200, 7: 503] && places.count == 3)
        // First the one of which nothing has come; then both have as many as they may.
        var other = try machine(places: 3, of: greedy.context)
        other.feed(head(1) + piece(1, StreamCase.abc))
        #expect(other.reader.answers[1]?.text == "ABC" && places.count == 3)
        other.feed(head(3))
        #expect(other.reader.statuses == [1: 200, 3: 503])
        // A third has a right to one, of whoever has two.
        var third = try machine(places: 3, of: greedy.context)
        third.feed(head(1) + piece(1, StreamCase.abc))
        #expect(third.reader.answers[1]?.text == "ABC" && places.count == 3)
        var fourth = try machine(places: 3, of: greedy.context)
        fourth.feed(head(1))
        #expect(fourth.reader.statuses == [1: 503])
        // They are told with their next bytes, behind what was answered.
        greedy.feed(piece(1, StreamCase.abc) + piece(3, [0x8B]) + piece(5, [0x1F]))
        #expect(greedy.reader.statuses == [1: 200, 3: 503, 5: 503, 7: 503])
        #expect(greedy.reader.answers[3]?.fields["retry-after"] == "1")
        #expect(greedy.reader.answers[1]?.text == "ABCABC")
    }

    /// One that has been answered in part is told where its answer ends.
    @Test func whatWasAnsweredStandsBeforeTheError() throws {
        var greedy = try machine(places: 2)
        greedy.feed(head(1) + piece(1, StreamCase.abc) + head(3) + piece(3, StreamCase.abc))
        var other = try machine(places: 2, of: greedy.context)
        other.feed(head(1) + piece(1, StreamCase.abc))
        greedy.feed(piece(1, StreamCase.abc) + piece(3, StreamCase.abc))
        let texts = [1, 3].compactMap { greedy.reader.answers[$0]?.text }
        #expect(texts == ["ABC!503", "ABCABC"])
        #expect(greedy.reader.answers[1]?.isComplete == true)
    }

    @Test func whatIsWorkedOnIsAnsweredFirst() throws {
        var greedy = try machine(places: 2)
        greedy.defers = true
        greedy.feed(head(1) + piece(1, StreamCase.abc) + head(3) + piece(3, StreamCase.abc))
        var other = try machine(places: 2, of: greedy.context)
        other.feed(head(1))
        #expect(other.reader.statuses == [1: 503])
        greedy.http2.giveDeferred(CapitalStream.answer(Array("one".utf8)), to: 1)
        greedy.run()
        #expect(greedy.reader.answers[1]?.text == "one")
        other.feed(head(3) + piece(3, StreamCase.abc))
        #expect(other.reader.answers[3]?.text == "ABC")
        greedy.defers = false
        greedy.feed(piece(1, StreamCase.abc))
        #expect(greedy.reader.answers[1]?.text == "one!503")
    }

    @Test func whoStaysSilentIsToldAtTheEndOfItsTime() throws {
        var greedy = try machine(places: 2)
        greedy.feed(head(1) + head(3))
        var other = try machine(places: 2, of: greedy.context)
        other.feed(head(1) + piece(1, StreamCase.abc))
        greedy.advance(by: .seconds(60))
        #expect(greedy.http2.expire().count == 2)
        greedy.run()
        #expect(greedy.reader.statuses == [1: 503, 3: 408])
    }

    /// A connection of HTTP/1.1 has one, and keeps it.
    @Test func ofHTTP1NoneGivesWay() {
        let context = HTTP1Connection.Context(
            routes: Machine.routes,
            limits: limits(places: 2),
            handler: StreamHandler()
        )
        var machines = (0..<3).map { _ in Machine(of: context) }
        let start = StreamCase.chunked("loud", [StreamCase.abc], fields: StreamCase.gzip)
        for index in machines.indices { machines[index].feed(start) }
        let statuses = machines.map { ParsedAnswer.all($0.output).map(\.status) }
        #expect(statuses == [[200], [200], [503]])
        #expect(context.coder.streamPlaces.count == 2)
    }
}
