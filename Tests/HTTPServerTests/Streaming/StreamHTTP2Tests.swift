// SPDX-License-Identifier: MIT

@testable import HTTPServer
import Testing

/// Bodies that are taken piece by piece, over HTTP/2.
struct StreamHTTP2Tests {
    private func machine(
        limits: ServerLimits = ServerLimits()
    ) throws -> HTTP2Machine {
        var machine = try HTTP2Machine(limits: limits, handler: StreamHandler())
        machine.feed(Frames.windowUpdate(0, 1 << 24))
        return machine
    }

    private func head(
        _ stream: UInt32,
        _ way: String,
        _ fields: [(String, String)] = []
    ) -> [UInt8] {
        Frames.headers(stream, Frames.request("POST", "/stream/\(way)", fields), flags: 4)
    }

    private func piece(_ stream: UInt32, _ text: String, isLast: Bool = false) -> [UInt8] {
        Frames.data(stream, text, flags: isLast ? 1 : 0)
    }

    @Test func boundsTheBodiesThatAreDecodedAtATime() throws {
        var limits = ServerLimits()
        limits.decodedStreamCountMax = 1
        var machine = try machine(limits: limits)
        let gzip = [("content-encoding", "gzip")]
        let last = Frames.frame(0, flags: 1, stream: 1, StreamCase.abc)
        machine.feed(head(1, "loud", gzip) + head(3, "loud", gzip))
        #expect(machine.reader.statuses == [3: 503])
        #expect(machine.reader.answers[3]?.fields["retry-after"] == "1")
        // Others are not bounded by it, and the end of one makes room.
        machine.feed(head(5, "loud") + piece(5, "ab", isLast: true) + last)
        machine.feed(head(7, "loud", gzip))
        #expect(machine.reader.statuses == [1: 200, 3: 503, 5: 200])
        #expect(machine.context.coder.streamPlaces.count == 1)
    }

    /// A client that sends its whole body before it reads can do so after a refusal.
    @Test func theWindowOpensForWhatNobodyTakes() throws {
        var machine = try machine()
        let piece = piece(1, String(repeating: "x", count: 16_000))
        // From here on the window is as large as we have told.
        machine.feed(Frames.settings(flags: Frames.Flag.acknowledgement))
        machine.defers = true
        machine.feed(head(1, "loud") + piece + piece + piece + piece + piece + piece)
        #expect(machine.reader.windows[1] == nil)
        var response = Response()
        response.body = Array("no".utf8)
        response.endsStream = true
        machine.http2.giveDeferred(response, to: 1)
        machine.run()
        #expect(machine.reader.resets == [:] && !machine.isOver)
        #expect(machine.reader.statuses == [1: 200])
        #expect(machine.reader.answers[1]?.text == "no")
        #expect(machine.reader.windows[1] == 96_000)
    }

    @Test func answersAlikeInEverySplit() throws {
        let ping = StreamCase.abc
        let cases: [(input: [UInt8], status: Int, body: String)] = [
            (head(1, "loud") + piece(1, "ab") + piece(1, "c", isLast: true), 200, "ABC."),
            (head(1, "loud") + piece(1, "", isLast: true), 200, "."),
            (head(1, "loud") + piece(1, "ab") + Frames.headers(1, [("x", "y")]), 200, "AB."),
            (head(1, "quiet") + piece(1, "ab") + piece(1, "c", isLast: true), 200, "3"),
            (head(1, "early") + piece(1, "abxc") + piece(1, "d", isLast: true), 200, "AB"),
            (head(1, "refusing") + piece(1, "ab"), 422, "no"),
            (head(1, "whole") + piece(1, "ab", isLast: true), 200, "ok"),
            (
                head(1, "loud", [("content-encoding", "gzip")])
                    + Frames.frame(0, flags: 1, stream: 1, ping + ping), 200, "ABCABC."
            ),
            (
                head(1, "loud", [("content-encoding", "gzip")])
                    + Frames.frame(0, flags: 1, stream: 1, ping + [1, 2, 3]), 200, "ABC!400"
            ),
        ]
        for (number, example) in cases.enumerated() {
            for size in 1...(example.input.count + 1) {
                var machine = try machine()
                machine.feed(example.input, pieces: size)
                let answer = machine.reader.answers[1]
                #expect(answer?.statuses == [example.status], "case \(number), pieces of \(size)")
                #expect(answer?.text == example.body, "case \(number), pieces of \(size)")
                #expect(answer?.isComplete == true, "case \(number), pieces of \(size)")
                let phases = machine.http2.slots.map(\.phase)
                #expect(phases.allSatisfy { $0 == .free || $0 == .lingering })
                #expect(machine.http2.requestByteCount == 0)
                #expect(machine.http2.answerByteCount == 0 && !machine.isOver)
            }
        }
    }

    @Test func answersBeforeTheBodyHasEnded() throws {
        var machine = try machine()
        machine.feed(head(1, "loud") + piece(1, "abc"))
        #expect(machine.reader.answers[1]?.text == "ABC")
        #expect(machine.reader.answers[1]?.isComplete == false)
        #expect(machine.reader.answers[1]?.fields["content-length"] == nil)
        // Others go on meanwhile.
        machine.feed(Frames.headers(3, Frames.request("GET", "/")))
        #expect(machine.reader.answers[3]?.text == "ok")
        machine.feed(piece(1, "d", isLast: true))
        #expect(machine.reader.answers[1]?.text == "ABCD.")
        #expect(machine.reader.answers[1]?.isComplete == true)
    }

    @Test func letsAClientSendNoMoreThanItReads() throws {
        var limits = ServerLimits()
        limits.http2WindowBytes = 65_535
        var machine = try HTTP2Machine(limits: limits, handler: StreamHandler())
        machine.feed(head(1, "loud"))
        let text = String(repeating: "a", count: 10_000)
        // The client's own windows hold 65,535 bytes of the answer; then nothing is taken.
        for _ in 0..<10 { machine.feed(piece(1, text)) }
        #expect(machine.reader.answers[1]?.body.count == 65_535)
        // Others may send what is held back here.
        #expect(machine.reader.windows[0, default: 0] > machine.reader.windows[1, default: 0])
        #expect(machine.reader.windows[1, default: 0] <= 70_000)
        #expect(machine.http2.requestByteCount < 65_535)
        let before = machine.reader.windows[1, default: 0]
        machine.feed(Frames.windowUpdate(1, 1 << 20) + Frames.windowUpdate(0, 1 << 20))
        #expect(machine.reader.answers[1]?.body.count == 100_000)
        #expect(machine.reader.windows[1, default: 0] > before)
        machine.feed(piece(1, "", isLast: true))
        #expect(machine.reader.answers[1]?.isComplete == true)
    }

    @Test func boundsWhatAConnectionHolds() throws {
        for (bytesMax, resets) in [(12_114, [:]), (12_064, [UInt32(1): 11])] {
            var limits = ServerLimits()
            limits.http2RequestBytesMax = bytesMax
            var machine = try machine(limits: limits)
            machine.defers = true
            machine.feed(head(1, "loud"))
            for _ in 0..<2 { machine.feed(piece(1, String(repeating: "a", count: 10_000))) }
            #expect(machine.reader.resets == resets)
        }
    }

    /// A client that finds no memory is told so, behind the answers to what it has found some for.
    @Test(arguments: [0, 1])
    func tellsThatThereIsNoRoom(pieces: Int) throws {
        var limits = ServerLimits()
        limits.bodyBytesPendingMax = 65_536
        var machine = try machine(limits: limits)
        machine.feed(head(1, "loud"))
        for _ in 0..<pieces { machine.feed(piece(1, "abc")) }
        try #require(machine.context.bodies.reserve(65_536))
        // Both at once: the first is not taken before the second has come.
        let text = String(repeating: "a", count: 9000)
        machine.feed(piece(1, text) + piece(1, text, isLast: true))
        let answer = machine.reader.answers[1]
        #expect(answer?.isComplete == true && machine.reader.resets == [:])
        #expect(answer?.statuses == [200])
        let taken = (pieces > 0 ? "ABC" : "") + text.uppercased()
        #expect(answer?.text.hasPrefix(taken) == true)
        #expect(answer?.text.dropFirst(taken.count).contains("503") == true)
    }

    @Test func waitsForTheAnswerToAPiece() throws {
        var machine = try machine()
        machine.defers = true
        machine.feed(head(1, "held") + piece(1, "abc"))
        machine.feed(piece(1, "def", isLast: true))
        #expect(machine.reader.answers[1] == nil)
        #expect(machine.http2.awaitsAnswer(to: 1))
        machine.http2.giveDeferred(CapitalStream.answer(Array("one".utf8)), to: 1)
        machine.run()
        #expect(machine.reader.answers[1]?.text == "one")
        machine.http2.giveDeferred(CapitalStream.answer(Array("two".utf8)), to: 1)
        machine.run()
        #expect(machine.reader.answers[1]?.text == "onetwo")
        #expect(machine.reader.answers[1]?.isComplete == true)
        #expect(machine.http2.deferredCount == 0)
    }

    @Test func forgetsAStreamThatIsReset() throws {
        var machine = try machine()
        machine.feed(head(1, "loud") + piece(1, "abc") + Frames.reset(1))
        machine.defers = true
        machine.feed(head(3, "loud") + piece(3, "abc"))
        machine.feed(Frames.reset(3))
        #expect(machine.http2.openCount == 0 && machine.http2.requestByteCount == 0)
        #expect(!machine.http2.awaitsAnswer(to: 3))
        #expect(machine.http2.deferredCount == 0)
    }

    /// Ends what is late; how much that was, and how much of it was answered 503.
    private func expired(_ machine: HTTP2Machine) -> (count: Int, answeredCount: Int) {
        let expired = machine.http2.expire()
        return (expired.count, expired.answeredRoutes.count)
    }

    @Test func boundsTheTimeOfAStream() throws {
        var machine = try machine()
        machine.feed(head(1, "loud") + piece(1, "abc") + head(3, "quiet") + piece(3, "abc"))
        machine.advance(by: .seconds(59))
        #expect(expired(machine) == (0, 0))
        machine.feed(piece(1, "d"))
        machine.advance(by: .seconds(2))
        #expect(expired(machine) == (1, 0))
        machine.run()
        #expect(machine.reader.statuses == [1: 200, 3: 408])
        machine.advance(by: .seconds(59))
        #expect(expired(machine) == (1, 0))
        machine.run()
        #expect(machine.reader.answers[1]?.text == "ABCD!408")
    }

    /// Its stream says what that comes to, even if it has said nothing yet.
    @Test func aStreamMayGiveAPieceLessTime() throws {
        var machine = try machine()
        machine.feed(head(1, "hurried") + piece(1, "abc"))
        machine.advance(by: .seconds(9))
        machine.feed(piece(1, "d"))
        machine.advance(by: .milliseconds(9_999))
        #expect(expired(machine) == (0, 0))
        machine.advance(by: .milliseconds(1))
        #expect(expired(machine) == (1, 0))
        machine.run()
        #expect(machine.reader.statuses == [1: 200])
        #expect(machine.reader.answers[1]?.text == "4")
    }

    @Test func boundsTheTimeForTheAnswerToAPiece() throws {
        var machine = try machine()
        machine.defers = true
        machine.feed(head(1, "held") + piece(1, "abc") + head(3, "held") + piece(3, "abc"))
        machine.http2.giveDeferred(CapitalStream.answer(Array("one".utf8)), to: 3)
        machine.run()
        machine.feed(piece(3, "d"))
        machine.advance(by: .seconds(61))
        #expect(expired(machine) == (2, 1))
        machine.run()
        #expect(machine.reader.statuses == [1: 503, 3: 200])
        // One that has begun to speak can only be reset.
        #expect(machine.reader.resets[3] == 8)
    }

    @Test func finishesAStreamWhileDraining() throws {
        var machine = try machine()
        machine.feed(head(1, "loud") + piece(1, "abc"))
        machine.http2.beginDrain()
        machine.run()
        machine.feed(Frames.ping(flags: 1) + piece(1, "d", isLast: true))
        #expect(machine.reader.answers[1]?.text == "ABCD.")
        #expect(machine.isOver)
    }
}
