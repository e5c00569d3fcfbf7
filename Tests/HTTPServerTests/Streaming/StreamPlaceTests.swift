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
        var other = try machine(places: 3, of: greedy.context)
        var third = try machine(places: 3, of: greedy.context)
        var fourth = try machine(places: 3, of: greedy.context)
        greedy.feed(head(1) + piece(1, StreamCase.abc) + head(3) + piece(3, [0x1F]) + head(5))
        // A connection takes none of its own.
        greedy.advance(by: .seconds(5))
        greedy.feed(head(7))
        #expect(greedy.reader.statuses == [1: 200, 7: 503] && places.count == 3)
        // Of those of which nothing has come for long, that for which this is longest.
        greedy.feed(piece(1, StreamCase.abc))
        greedy.advance(by: .seconds(1))
        greedy.feed(piece(5, [0x1F]))
        greedy.advance(by: .seconds(5))
        other.feed(head(1) + piece(1, StreamCase.abc))
        #expect(other.reader.answers[1]?.text == "ABC" && places.count == 3)
        // It has as many as it may; a third has a right to one, of whoever has two.
        greedy.advance(by: .seconds(1))
        other.feed(head(3))
        #expect(other.reader.statuses == [1: 200, 3: 503])
        greedy.advance(by: .seconds(1))
        third.feed(head(1) + piece(1, StreamCase.abc))
        #expect(third.reader.answers[1]?.text == "ABC" && places.count == 3)
        greedy.advance(by: .seconds(20))
        fourth.feed(head(1))
        #expect(fourth.reader.statuses == [1: 503])
        // They are told with their next bytes, behind what was answered.
        greedy.feed(piece(1, StreamCase.abc) + piece(3, [0x8B]))
        greedy.feed(piece(5, Array(StreamCase.abc.dropFirst())))
        #expect(greedy.reader.statuses == [1: 200, 3: 503, 5: 200, 7: 503])
        #expect(greedy.reader.answers[3]?.fields["retry-after"] == "1")
        #expect(greedy.reader.answers[1]?.text == "ABCABC!503")
        #expect(greedy.reader.answers[5]?.text == "ABC")
    }

    /// However many another has, and whoever wants a place.
    @Test func whoGoesOnSendingKeepsItsPlaces() throws {
        var gateway = try machine(places: 3)
        var other = try machine(places: 3, of: gateway.context)
        let streams: [UInt32] = [1, 3, 5]
        gateway.feed(Array(streams.map { head($0) + piece($0, StreamCase.abc) }.joined()))
        for turn in 1...9 {
            gateway.advance(by: .milliseconds(4999))
            other.feed(head(UInt32(2 * turn - 1)))
            gateway.feed(Array(streams.map { piece($0, StreamCase.abc) }.joined()))
        }
        #expect(other.reader.statuses.count == 9)
        #expect(other.reader.statuses.values.allSatisfy { $0 == 503 })
        let text = String(repeating: "ABC", count: 10)
        #expect(streams.allSatisfy { gateway.reader.answers[$0]?.text == text })
        gateway.advance(by: .seconds(5))
        other.feed(head(19) + piece(19, StreamCase.abc))
        #expect(other.reader.answers[19]?.text == "ABC")
    }

    /// A look at all places takes longer than an answer.
    @Test func looksAtAllPlacesNowAndThen() throws {
        var greedy = try machine(places: 2)
        var others = try (0..<3).map { _ in try machine(places: 2, of: greedy.context) }
        greedy.feed(head(1) + head(3))
        greedy.advance(by: .milliseconds(4995))
        others[0].feed(head(1))
        #expect(others[0].reader.statuses == [1: 503])
        // By now they could give way.
        greedy.advance(by: .milliseconds(10) - .nanoseconds(1))
        others[1].feed(head(1))
        #expect(others[1].reader.statuses == [1: 503])
        greedy.advance(by: .nanoseconds(1))
        others[2].feed(head(1) + piece(1, StreamCase.abc))
        #expect(others[2].reader.answers[1]?.text == "ABC")
    }

    /// One that has been answered in part is told where its answer ends.
    @Test func whatWasAnsweredStandsBeforeTheError() throws {
        var greedy = try machine(places: 2)
        var other = try machine(places: 2, of: greedy.context)
        greedy.feed(head(1) + piece(1, StreamCase.abc) + head(3) + piece(3, StreamCase.abc))
        greedy.advance(by: .seconds(5))
        other.feed(head(1) + piece(1, StreamCase.abc))
        greedy.feed(piece(1, StreamCase.abc) + piece(3, StreamCase.abc))
        let texts = [1, 3].compactMap { greedy.reader.answers[$0]?.text }
        #expect(texts == ["ABC!503", "ABCABC"])
        #expect(greedy.reader.answers[1]?.isComplete == true)
    }

    /// The time in which it waits for us is not counted.
    @Test func whatIsWorkedOnIsAnsweredFirst() throws {
        var greedy = try machine(places: 2)
        var other = try machine(places: 2, of: greedy.context)
        greedy.defers = true
        greedy.feed(head(1) + piece(1, StreamCase.abc) + head(3) + piece(3, StreamCase.abc))
        greedy.advance(by: .seconds(10))
        other.feed(head(1))
        greedy.http2.giveDeferred(CapitalStream.answer(Array("one".utf8)), to: 1)
        greedy.run()
        #expect(greedy.reader.answers[1]?.text == "one")
        greedy.advance(by: .milliseconds(4999))
        other.feed(head(3))
        #expect(other.reader.statuses == [1: 503, 3: 503])
        greedy.advance(by: .seconds(1))
        other.feed(head(5) + piece(5, StreamCase.abc))
        #expect(other.reader.answers[5]?.text == "ABC")
        greedy.defers = false
        greedy.feed(piece(1, StreamCase.abc))
        #expect(greedy.reader.answers[1]?.text == "one!503")
    }

    @Test func whoStaysSilentIsToldAtTheEndOfItsTime() throws {
        var greedy = try machine(places: 2)
        var other = try machine(places: 2, of: greedy.context)
        greedy.feed(head(1) + head(3))
        greedy.advance(by: .seconds(5))
        other.feed(head(1) + piece(1, StreamCase.abc))
        greedy.advance(by: .seconds(55))
        #expect(greedy.http2.expire().count == 2)
        greedy.run()
        #expect(greedy.reader.statuses == [1: 503, 3: 408])
    }

    /// Where nobody had one to give, who asks costs little for a while.
    @Test func looksAtAllOnceInAWhile() throws {
        var greedy = try machine(places: 2)
        var other = try machine(places: 2, of: greedy.context)
        greedy.feed(head(1) + head(3))
        greedy.advance(by: .milliseconds(4995))
        other.feed(head(1))
        greedy.advance(by: .milliseconds(9))
        other.feed(head(3))
        #expect(other.reader.statuses == [1: 503, 3: 503])
        greedy.advance(by: .milliseconds(1))
        other.feed(head(5) + piece(5, StreamCase.abc))
        #expect(other.reader.answers[5]?.text == "ABC")
    }

    /// Who has most places and wants more keeps out nobody who has fewer.
    @Test func whoIsRefusedRefusesNoOthers() throws {
        var greedy = try machine(places: 2)
        var other = try machine(places: 2, of: greedy.context)
        greedy.feed(head(1) + head(3))
        greedy.advance(by: .seconds(5))
        greedy.feed(head(5))
        #expect(greedy.reader.statuses == [5: 503])
        other.feed(head(1) + piece(1, StreamCase.abc))
        #expect(other.reader.answers[1]?.text == "ABC")
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
        for index in machines.indices {
            machines[index].feed(start)
            context.nowNanoseconds += 100_000_000_000
        }
        let statuses = machines.map { ParsedAnswer.all($0.output).map(\.status) }
        #expect(statuses == [[200], [200], [503]])
        #expect(context.coder.streamPlaces.count == 2)
    }
}
