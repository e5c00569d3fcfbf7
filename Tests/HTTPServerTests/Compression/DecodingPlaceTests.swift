// SPDX-License-Identifier: MIT

@testable import HTTPServer
import Testing

/// The places for decoding larger bodies, of which a loop has four.
struct DecodingPlaceTests {
    /// A coder whose places are taken, by bodies that are let go with the array.
    private func busyCoder() throws -> (coder: ContentCoder, others: [BodyDecoding]) {
        let coder = ContentCoder()
        let large = try ContentCodingTests.gzip([UInt8](repeating: 0, count: 1_000_000))
        var others: [BodyDecoding] = []
        for _ in 0..<4 {
            var decoding = BodyDecoding()
            coder.beginTurn()
            let body = try coder.decode(
                large.span,
                byteCountMax: 1 << 20,
                now: 0,
                with: &decoding
            )
            #expect(body == nil && decoding.hasPlace)
            others.append(decoding)
        }
        coder.beginTurn()
        return (coder, others)
    }

    @Test(arguments: [65_536, 65_537])
    func usualBodiesNeedNoPlace(_ byteCount: Int) throws {
        let (coder, others) = try busyCoder()
        let body = try ContentCodingTests.gzip([UInt8](repeating: 0, count: byteCount))
        var decoding = BodyDecoding()
        let decoded = try coder.decode(
            body.span,
            byteCountMax: 1 << 20,
            now: 0,
            with: &decoding
        )
        #expect(decoded?.count == (byteCount == 65_536 ? byteCount : nil))
        #expect(!decoding.hasPlace && others.count == 4)
    }

    @Test func aLargeBodyWaitsForAPlaceAndNotForEver() throws {
        var (coder, others) = try busyCoder()
        let large = try ContentCodingTests.gzip([UInt8](repeating: 0, count: 1_000_000))
        var decoding = BodyDecoding()
        func decode(at now: Int64) throws(RequestError) -> [UInt8]? {
            coder.beginTurn()
            return try coder.decode(
                large.span,
                byteCountMax: 1 << 20,
                now: now,
                with: &decoding
            )
        }
        #expect(try decode(at: 5) == nil)
        #expect(try decode(at: 5 + ContentCoder.waitMax) == nil)
        #expect(throws: RequestError.tooManyDecoders) {
            try decode(at: 6 + ContentCoder.waitMax)
        }
        others.removeLast()
        for _ in 0..<15 { #expect(try decode(at: 0) == nil && decoding.hasPlace) }
        #expect(try decode(at: 0)?.count == 1_000_000)
    }

    /// As behind a proxy, where the requests are those of many clients.
    @Test func aBodyThatIsDecodedHoldsUpNoOtherStream() throws {
        var machine = try HTTP2Machine()
        let large = try ContentCodingTests.gzip([UInt8](repeating: 0, count: 1_000_000))
        let post = Frames.request("POST", "/optional", [("content-encoding", "gzip")])
        let body = Frames.headers(1, post, flags: 4) + Frames.frame(0, flags: 1, stream: 1, large)
        let get = Frames.headers(3, Frames.request("GET", "/"))
        let count = machine.http2.receive((body + get).span)
        #expect(count == body.count + get.count)
        machine.context.coder.beginTurn()
        let action = machine.http2.next()
        guard case .handle(let slot) = action else {
            Issue.record("\(action)")
            return
        }
        #expect(machine.http2.slots[slot].id == 3 && machine.http2.isDecoding)
        var response = Response()
        machine.http2.answer(slot, with: &response)
        machine.run()
        #expect(machine.reader.statuses == [1: 200, 3: 200])
        #expect(machine.http2.ready.isEmpty && machine.http2.requestByteCount == 0)
    }

    /// A client that does not read its answers goes on having its body decoded, and ends no place.
    @Test func aBodyIsDecodedWhileAnswersWait() throws {
        let machine = try machineWithLargeAnswer()
        let large = try ContentCodingTests.gzip([UInt8](repeating: 0, count: 1_000_000))
        let post = Frames.request("POST", "/optional", [("content-encoding", "gzip")])
        let body = Frames.headers(3, post, flags: 4) + Frames.frame(0, flags: 1, stream: 3, large)
        _ = machine.http2.receive(body.span)
        machine.context.coder.beginTurn()
        #expect(machine.http2.next() == .wait && machine.http2.isDecoding)
        var turnCount = 1
        var action = HTTP2Connection.Action.wait
        while action == .wait {
            machine.context.coder.beginTurn()
            turnCount += 1
            action = try #require(machine.http2.goOnDecoding())
        }
        #expect(turnCount == 16)
        guard case .handle(let slot) = action else {
            Issue.record("\(action)")
            return
        }
        #expect(machine.http2.slots[slot].id == 3)
        #expect(machine.http2.ready.isEmpty && machine.http2.goOnDecoding() == nil)
    }

    private func machineWithLargeAnswer() throws -> HTTP2Machine {
        var machine = try HTTP2Machine()
        machine.body = [UInt8](repeating: 0, count: 200_000)
        machine.feed(Frames.headers(1, Frames.request("GET", "/")))
        #expect(machine.http2.answerByteCount > 0)
        return machine
    }

    /// The time in which a client does not read is no wait for a look, or for a place.
    @Test func aBodyDoesNotWaitWhileAnswersDo() throws {
        var machine = try HTTP2Machine()
        let large = try ContentCodingTests.gzip([UInt8](repeating: 0, count: 1_000_000))
        let small = try ContentCodingTests.gzip([UInt8](repeating: 0x61, count: 60_000))
        let post = Frames.request("POST", "/optional", [("content-encoding", "gzip")])
        let streams: [(UInt32, [UInt8])] = [(1, large), (3, small), (5, small), (7, large)]
        for (stream, body) in streams {
            let frames = Frames.headers(stream, post, flags: 4)
            let data = Frames.frame(0, flags: 1, stream: stream, body)
            _ = machine.http2.receive((frames + data).span)
        }
        machine.context.coder.beginTurn()
        #expect(machine.http2.next() == .wait)
        for _ in 0..<20 {
            machine.advance(by: .milliseconds(500))
            machine.context.coder.beginTurn()
            guard machine.http2.goOnDecoding() == .wait else { break }
        }
        machine.run()
        #expect(machine.reader.statuses.values.filter { $0 == 200 }.count >= 3)
        #expect(!machine.reader.statuses.values.contains(503))
    }

    @Test func whoHasWaitedForLongestGetsThePlace() throws {
        var (coder, others) = try busyCoder()
        let large = try ContentCodingTests.gzip([UInt8](repeating: 0, count: 1_000_000))
        func ask(_ decoding: inout BodyDecoding, at now: Int64) throws(RequestError) {
            _ = try coder.decode(
                large.span,
                byteCountMax: 1 << 20,
                now: now,
                with: &decoding
            )
        }
        var (first, second) = (BodyDecoding(), BodyDecoding())
        try ask(&first, at: 1)
        coder.beginTurn()
        try ask(&second, at: 2)
        coder.beginTurn()
        #expect(!coder.isContended)
        try ask(&second, at: 3)
        try ask(&first, at: 3)
        coder.beginTurn()
        #expect(coder.isContended)
        others.removeLast()
        try ask(&second, at: 4)
        #expect(!second.hasPlace)
        try ask(&first, at: 4)
        #expect(first.hasPlace)
    }
}
