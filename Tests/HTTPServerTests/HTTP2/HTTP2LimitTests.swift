// SPDX-License-Identifier: MIT

@testable import HTTPServer
import Testing

private let get = Frames.request("GET", "/")
private let calm = 11

/// Every bound of HTTP/2, at it and one past it.
struct HTTP2LimitTests {
    @Test func boundsTheStreams() throws {
        var machine = try HTTP2Machine { $0.http2StreamCountMax = 3 }
        machine.defers = true
        for stream: UInt32 in [1, 3, 5] { machine.feed(Frames.headers(stream, get)) }
        #expect(machine.requests.count == 3)
        #expect(machine.reader.resets.isEmpty)
        machine.feed(Frames.headers(7, get))
        // RFC 9113 §8.7: nothing was done, the client may send it again.
        #expect(machine.reader.resets == [7: 7])
        #expect(!machine.isOver)
    }

    @Test func boundsTheHeaderList() throws {
        // RFC 9113 §6.5.2: 32 bytes for each field, besides name and value.
        let others = get.reduce(0) { $0 + $1.0.utf8.count + $1.1.utf8.count + 32 }
        for (excess, status) in [(0, 200), (1, 431)] {
            var machine = try HTTP2Machine { $0.headBytesMax = 512 }
            let fill = String(repeating: "v", count: 512 - others - 33 + excess)
            machine.feed(Frames.headers(1, get + [("x", fill)]))
            #expect(machine.reader.statuses == [1: status])
            // The connection goes on: the table of HPACK is still the same on both sides.
            machine.feed(Frames.headers(3, get))
            #expect(machine.reader.statuses[3] == 200)
        }
    }

    @Test func endsTheConnectionAtManyTimesTheHeaderList() throws {
        for (count, isOver) in [(8, false), (9, true)] {
            var machine = try HTTP2Machine { $0.headBytesMax = 1024 }
            let fields = (1..<count).map { _ in ("x", String(repeating: "v", count: 991)) }
            machine.feed(Frames.headers(1, get + fields))
            #expect(machine.reader.statuses == (isOver ? [:] : [1: 431]))
            #expect(machine.reader.goAways.map(\.code) == (isOver ? [calm] : []))
        }
    }

    @Test func boundsTheFields() throws {
        for (count, status) in [(3, 200), (4, 431)] {
            var machine = try HTTP2Machine { $0.fieldCountMax = 4 }
            machine.feed(Frames.headers(1, get + (0..<count).map { ("x\($0)", "y") }))
            #expect(machine.reader.statuses == [1: status])
        }
    }

    @Test func boundsTheTarget() throws {
        for (count, status) in [(50, 200), (51, 414)] {
            var machine = try HTTP2Machine { $0.targetBytesMax = 50 }
            let target = "/?" + String(repeating: "a", count: count - 2)
            machine.feed(Frames.headers(1, Frames.request("GET", target)))
            #expect(machine.reader.statuses == [1: status])
        }
    }

    @Test func boundsTrailers() throws {
        for (count, codes) in [(1, []), (20, [calm])] {
            var machine = try HTTP2Machine { $0.headBytesMax = 512 }
            machine.feed(Frames.headers(1, Frames.request("POST", "/echo"), flags: 4))
            let fields = (0..<count).map { ("x\($0)", String(repeating: "v", count: 300)) }
            machine.feed(Frames.data(1, "a", flags: 0) + Frames.headers(1, fields))
            #expect(machine.reader.goAways.map(\.code) == codes)
            #expect(machine.requests.count == (codes.isEmpty ? 1 : 0))
        }
    }

    @Test func boundsTheFieldsOfTrailers() throws {
        for (count, status) in [(4, 200), (5, 431)] {
            var machine = try HTTP2Machine { $0.fieldCountMax = 4 }
            machine.feed(Frames.headers(1, Frames.request("POST", "/echo"), flags: 4))
            machine.feed(Frames.data(1, "a", flags: 0))
            machine.feed(Frames.headers(1, (0..<count).map { ("x\($0)", "y") }))
            #expect(machine.reader.statuses == [1: status])
        }
    }

    @Test func aStreamThatIsNotReadHoldsUpNoOthers() throws {
        var machine = try HTTP2Machine { $0.outputBytesMax = 2000 }
        machine.body = Array(repeating: 0x78, count: 9000)
        machine.feed(Frames.settings([(4, 0)]))
        for stream in 0..<UInt32(8) { machine.feed(Frames.headers(2 * stream + 1, get)) }
        // Three fit sixteen times what waits for free, and the next is let in beside them.
        #expect(machine.requests.count == 4)
        #expect(machine.context.unread.byteCount == 16_384)
        machine.feed(Frames.windowUpdate(1, 9000))
        #expect(machine.requests.count == 5)
        machine.feed((1..<8).flatMap { Frames.windowUpdate(2 * $0 + 1, 9000) })
        #expect(machine.requests.count == 8)
        machine.feed(Frames.windowUpdate(0, 100_000))
        #expect(machine.reader.statuses.count == 8 && machine.context.unread.byteCount == 0)
    }

    @Test func whatHasAReservationHoldsUpNoOthers() throws {
        var machine = try HTTP2Machine { $0.outputBytesMax = 1000 }
        machine.feed(Frames.settings([(4, 0)]))
        machine.defers = true
        machine.feed(Frames.headers(1, get))
        var response = Response()
        response.body = Array(repeating: 0x78, count: 1_000_000)
        response.reservation = TestReservation()
        machine.http2.giveDeferred(response, to: 1)
        machine.run()
        machine.defers = false
        machine.feed(Frames.headers(3, get))
        #expect(machine.requests.count == 2)
        #expect(machine.context.unread.byteCount == 0)
    }

    @Test func boundsTheBody() throws {
        for (count, status) in [(32, 200), (33, 413)] {
            var machine = try HTTP2Machine { _ in }
            machine.feed(Frames.headers(1, Frames.request("POST", "/echo"), flags: 4))
            machine.feed(Frames.data(1, String(repeating: "x", count: count)))
            #expect(machine.reader.statuses == [1: status])
        }
    }

    @Test func boundsTheBodiesOfAllRequests() throws {
        // Two heads of five bytes and a host field of five each, the bodies, and the streams.
        for (excess, resets) in [(0, [:]), (1, [3: 7])] as [(Int, [UInt32: Int])] {
            var machine = try HTTP2Machine { $0.http2RequestBytesMax = 20 + 40 + 2 * (1024 + 32) }
            let open = Frames.request("POST", "/echo")
            for stream: UInt32 in [1, 3] { machine.feed(Frames.headers(stream, open, flags: 4)) }
            machine.feed(Frames.data(1, String(repeating: "x", count: 20), flags: 0))
            machine.feed(Frames.data(3, String(repeating: "x", count: 20 + excess), flags: 0))
            #expect(machine.reader.resets == resets)
            machine.feed(Frames.data(1, ""))
            #expect(machine.reader.statuses == [1: 200])
        }
    }

    @Test func boundsTheContinuations() throws {
        for (count, codes) in [(3, []), (4, [calm])] {
            var machine = try HTTP2Machine { $0.http2ContinuationCountMax = 3 }
            machine.feed(Frames.headers(1, get, flags: 1))
            for _ in 1..<count { machine.feed(Frames.continuation(1, [], flags: 0)) }
            machine.feed(Frames.continuation(1, []))
            #expect(machine.reader.goAways.map(\.code) == codes)
            #expect(machine.requests.count == (codes.isEmpty ? 1 : 0))
        }
    }

    @Test func boundsTheResetsOfAnInterval() throws {
        var machine = try HTTP2Machine { $0.http2ResetCountMax = 5 }
        machine.defers = true
        func reset(_ streams: Range<UInt32>) -> [UInt8] {
            streams.flatMap { Frames.headers(2 * $0 + 1, get) + Frames.reset(2 * $0 + 1) }
        }
        machine.feed(reset(0..<5))
        #expect(!machine.isOver)
        machine.advance(by: .seconds(10))
        machine.feed(reset(5..<10))
        #expect(!machine.isOver)
        machine.feed(reset(10..<11))
        #expect(machine.reader.goAways.map(\.code) == [calm])
        #expect(machine.isOver)
    }

    @Test func allowsAResetForEveryAnswer() throws {
        var machine = try HTTP2Machine { $0.http2ResetCountMax = 5 }
        machine.defers = true
        func reset(_ streams: Range<UInt32>) -> [UInt8] {
            streams.flatMap { Frames.headers(2 * $0 + 1, get) + Frames.reset(2 * $0 + 1) }
        }
        machine.feed(reset(0..<5))
        machine.defers = false
        for stream: UInt32 in [11, 13] { machine.feed(Frames.headers(stream, get)) }
        machine.defers = true
        machine.feed(reset(7..<9))
        #expect(!machine.isOver)
        machine.feed(reset(9..<10))
        #expect(machine.reader.goAways.map(\.code) == [calm])
    }

    @Test func leavesFramesForTheNextTurn() throws {
        let machine = try HTTP2Machine { _ in }
        let pair = Frames.headers(1, get).count + Frames.reset(1).count
        let bytes = (0..<1000).flatMap { (stream: UInt32) in
            Frames.headers(2 * stream + 1, get) + Frames.reset(2 * stream + 1)
        }
        let count = machine.http2.receive(bytes.span)
        // 64 frames are enough, looked at after every 1024 bytes.
        #expect(count >= 32 * pair && count <= 32 * pair + 1024)
        #expect(!machine.isOver)
    }

    @Test func countsResetsThatWereProvoked() throws {
        var machine = try HTTP2Machine { $0.http2ResetCountMax = 5 }
        machine.defers = true
        func provoke(_ streams: Range<UInt32>) -> [UInt8] {
            streams.flatMap {
                Frames.headers(2 * $0 + 1, get) + Frames.windowUpdate(2 * $0 + 1, 0x7FFF_FFFF)
            }
        }
        machine.feed(provoke(0..<5))
        #expect(!machine.isOver)
        machine.feed(provoke(5..<6))
        #expect(machine.reader.goAways.map(\.code) == [calm])
    }

    @Test func handsOnNoMoreThanTheStreamsOfWhichTheAnswersAreOwed() throws {
        var machine = try HTTP2Machine { $0.http2StreamCountMax = 2 }
        machine.defers = true
        for stream: UInt32 in [1, 3, 5, 7] {
            machine.feed(Frames.headers(stream, get) + Frames.reset(stream))
        }
        // A stream that is reset before its turn never reaches the handler.
        #expect(machine.requests.isEmpty)
        for stream: UInt32 in [9, 11, 13] {
            machine.feed(Frames.headers(stream, get))
            machine.feed(Frames.reset(stream))
        }
        #expect(machine.requests.count == 2)
        #expect(!machine.http2.awaitsAnswer(to: 9))
        machine.feed(Frames.headers(15, get))
        #expect(machine.requests.count == 3)
    }

    @Test(arguments: [
        ("PING", Frames.ping()), ("PING answer", Frames.ping(flags: 1)),
        ("SETTINGS", Frames.settings()),
        ("PRIORITY", Frames.frame(2, stream: 1, [0, 0, 0, 3, 9])),
        ("WINDOW_UPDATE", Frames.windowUpdate(0, 1)),
        ("PRIORITY_UPDATE", Frames.frame(16, [0, 0, 0, 1, 0x75])),
        ("unknown", Frames.frame(0xBA, stream: 1, [1, 2, 3])),
        ("unknown and empty", Frames.frame(0xFF, [])),
        ("empty DATA", Frames.data(1, "", flags: 0)),
        ("padding", Frames.frame(0, flags: 8, stream: 1, [1, 0])),
        (
            "most padding",
            Frames.frame(0, flags: 8, stream: 1, [255] + [UInt8](repeating: 0, count: 255))
        ),
    ])
    func boundsFramesThatMoveNothing(_ name: String, _ frame: [UInt8]) throws {
        // The SETTINGS after the preface is one of them.
        var machine = try HTTP2Machine { $0.http2ControlFrameCountMax = 6 }
        machine.feed(Frames.headers(1, Frames.request("POST", "/echo"), flags: 4))
        for _ in 0..<5 { machine.feed(frame) }
        #expect(!machine.isOver)
        machine.feed(frame)
        #expect(machine.reader.goAways.map(\.code) == [calm])
        #expect(machine.isOver)
    }

    @Test func creditsFramesThatLetDataFlow() throws {
        var machine = try HTTP2Machine { $0.http2ControlFrameCountMax = 10 }
        machine.body = [UInt8](repeating: 0, count: 2_000_000)
        machine.feed(Frames.headers(1, get))
        // That is 2,000,000 bytes with the 65,535 of the start.
        for _ in 0..<119 {
            machine.feed(Frames.windowUpdate(0, 16_384) + Frames.windowUpdate(1, 16_384))
        }
        #expect(machine.reader.answers[1]?.body.count == 2_000_000)
        #expect(!machine.isOver)
    }

    /// As Go's client does, which gives back both windows for every 4096 bytes that are read.
    @Test func creditsAClientThatReadsLargeAnswersInSmallPieces() throws {
        var machine = try HTTP2Machine { $0.http2ControlFrameCountMax = 100 }
        machine.body = [UInt8](repeating: 0, count: 160_000)
        // SETTINGS_INITIAL_WINDOW_SIZE.
        machine.feed(Frames.settings([(4, 4 << 20)]))
        machine.feed(Frames.windowUpdate(0, 1 << 30))
        let streams = (1...20).map { UInt32($0 * 2 - 1) }
        for stream in streams { machine.feed(Frames.headers(stream, get)) }
        for stream in streams {
            for _ in 0..<39 {
                machine.feed(Frames.windowUpdate(0, 4096) + Frames.windowUpdate(stream, 4096))
            }
            #expect(machine.reader.answers[stream]?.body.count == 160_000)
        }
        #expect(!machine.isOver)
    }

    @Test func resetsARequestThatGoesOnForLongAfterItsAnswer() throws {
        let open = Frames.headers(1, Frames.request("POST", "/echo", [("expect", "x")]), flags: 4)
        var limits = ServerLimits()
        limits.lingerBytesMax = 10
        for (count, resets) in [(10, [:]), (11, [1: 0])] as [(Int, [UInt32: Int])] {
            var machine = try HTTP2Machine(limits: limits)
            machine.feed(open)
            machine.feed(Frames.data(1, String(repeating: "x", count: count), flags: 0))
            #expect(machine.reader.resets == resets)
        }
        var machine = try HTTP2Machine(limits: limits)
        machine.feed(open)
        for _ in 0..<20 {
            machine.advance(by: .milliseconds(1900))
            #expect(machine.http2.expire().count == 0)
            machine.run()
            if machine.reader.resets == [:] { machine.feed(Frames.data(1, "", flags: 0)) }
        }
        // An empty frame is no progress.
        #expect(machine.reader.resets == [1: 0] && machine.http2.openCount == 0)
    }

    @Test func holdsTheNextRequestBackWhileAnswersWait() throws {
        var machine = try HTTP2Machine { $0.outputBytesMax = 100_000 }
        // The first window goes out, and a stream counts with what it has of its own.
        machine.body = [UInt8](repeating: 0, count: 1_600_001 + 65_535 - 1024)
        machine.feed(Frames.headers(1, get))
        machine.feed(Frames.headers(3, get))
        #expect(machine.requests.count == 1)
        machine.feed(Frames.windowUpdate(0, 1) + Frames.windowUpdate(1, 1))
        #expect(machine.requests.count == 2)
    }

    /// A stream takes memory of its own, of which a hundred small requests have ten times theirs.
    @Test func countsTheStreamsThemselves() throws {
        var machine = try HTTP2Machine { $0.bodyBytesPendingMax = 65_536 }
        let post = Frames.request("POST", "/optional")
        for stream in 0..<UInt32(100) {
            machine.feed(Frames.headers(2 * stream + 1, post, flags: 4))
        }
        #expect(machine.http2.requestByteCount > 100 * HTTP2Stream.ownByteCount)
        for stream in 0..<UInt32(100) { machine.feed(Frames.data(2 * stream + 1, "a")) }
        #expect(machine.reader.statuses.values.filter { $0 == 200 }.count == 100)
        #expect(machine.http2.requestByteCount == 0)
        #expect(machine.context.bodies.byteCount == 0)
    }

    @Test func refusesStreamsForWhichThereIsNoMemory() throws {
        var machine = try HTTP2Machine {
            $0.bodyBytesPendingMax = 32_768
            $0.http2ResetCountMax = 10
        }
        // Beside what another has.
        try #require(machine.context.bodies.reserve(1))
        let post = Frames.request("POST", "/optional")
        for stream in 0..<UInt32(100) {
            machine.feed(Frames.headers(2 * stream + 1, post, flags: 4))
        }
        #expect((16..<48).contains(machine.http2.openCount))
        // RFC 9113 §8.7: nothing was done, the client may send it again, and it is no flood of its.
        #expect(Set(machine.reader.resets.values) == [7])
        #expect(!machine.isOver)
    }

    @Test func givesThePlacesOfManyStreamsBack() throws {
        var machine = try HTTP2Machine()
        machine.defers = true
        for stream in 0..<UInt32(100) { machine.feed(Frames.headers(2 * stream + 1, get)) }
        #expect(machine.http2.openCount == 100)
        for stream in 0..<UInt64(100) { machine.http2.giveDeferred(Response(), to: 2 * stream + 1) }
        machine.run()
        #expect(machine.http2.openCount == 0)
        let restsAt = try #require(machine.http2.restsAt)
        machine.context.nowNanoseconds = restsAt - 1
        #expect(!machine.http2.rest())
        machine.context.nowNanoseconds = restsAt
        #expect(machine.http2.rest())
        #expect(machine.http2.slots.isEmpty && machine.http2.restsAt == nil)
        machine.defers = false
        machine.feed(Frames.headers(201, get))
        #expect(machine.reader.statuses[201] == 200)
    }

    @Test func keepsThePlacesWhileThereIsAStream() throws {
        var machine = try HTTP2Machine()
        machine.defers = true
        for stream in 0..<UInt32(20) { machine.feed(Frames.headers(2 * stream + 1, get)) }
        for stream in 0..<UInt64(19) { machine.http2.giveDeferred(Response(), to: 2 * stream + 1) }
        machine.run()
        machine.advance(by: .seconds(5))
        #expect(!machine.http2.rest())
        machine.http2.giveDeferred(Response(), to: 39)
        machine.run()
        #expect(machine.reader.statuses.count == 20)
    }
}
