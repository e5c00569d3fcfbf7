// SPDX-License-Identifier: MIT

@testable import HTTPServer
import Synchronization
import Testing

/// A request whose body is taken piece by piece, and what comes of it.
struct StreamCase: CustomStringConvertible, Sendable {
    let description: String
    let input: [UInt8]
    /// The answers, as ``ParsedAnswer`` describes them; whether in chunks depends on the pieces.
    let answers: [String]
    /// Whether the connection ends though the client would send more.
    var isClosed = false
    /// Whether the client ends after this.
    var ends = false

    init(
        _ description: String,
        _ input: [UInt8],
        _ answers: [String],
        isClosed: Bool = false,
        ends: Bool = false
    ) {
        self.description = description
        self.input = input
        self.answers = answers
        self.isClosed = isClosed || ends
        self.ends = ends
    }

    static let get = Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8)

    static func head(_ way: String, _ fields: String, version: String = "1.1") -> [UInt8] {
        Array("POST /stream/\(way) HTTP/\(version)\r\nHost: a\r\n\(fields)\r\n".utf8)
    }

    static func whole(_ way: String, _ body: [UInt8], fields: String = "") -> [UInt8] {
        head(way, "Content-Length: \(body.count)\r\n\(fields)") + body
    }

    static func chunked(_ way: String, _ chunks: [[UInt8]], fields: String = "") -> [UInt8] {
        var bytes = head(way, "Transfer-Encoding: chunked\r\n\(fields)")
        for chunk in chunks {
            bytes += Array("\(String(chunk.count, radix: 16))\r\n".utf8) + chunk
            bytes += Array("\r\n".utf8)
        }
        return bytes
    }

    static let lastChunk = Array("0\r\n\r\n".utf8)
    static let long = Array(repeatElement("0123456789", count: 4).joined().utf8)
    static let gzip = "Content-Encoding: gzip\r\n"
    /// What the program gzip makes of `abc`.
    static let abc: [UInt8] = [
        0x1F, 0x8B, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0x4B, 0x4C, 0x4A, 0x06, 0x00,
        0xC2, 0x41, 0x24, 0x35, 0x03, 0x00, 0x00, 0x00,
    ]

    private static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    static let all: [StreamCase] = [
        .init("a body of known length", whole("loud", bytes("abc")) + get, ["200 ABC.", "200 ok"]),
        .init("an empty body", whole("loud", []) + get, ["200 .", "200 ok"]),
        .init(
            "a body over the route's limit",
            whole("loud", long) + get,
            ["200 \(String(decoding: long, as: UTF8.self)).", "200 ok"]
        ),
        .init(
            "chunks",
            chunked("loud", [bytes("ab"), bytes("c"), long]) + lastChunk + get,
            ["200 ABC\(String(decoding: long, as: UTF8.self)).", "200 ok"]
        ),
        .init("chunks without data", chunked("loud", []) + lastChunk + get, ["200 .", "200 ok"]),
        .init(
            "a trailer",
            chunked("loud", [bytes("ab")]) + bytes("0\r\nX: y\r\n\r\n") + get,
            ["200 AB.", "200 ok"]
        ),
        .init("gzip", whole("loud", abc, fields: gzip) + get, ["200 ABC.", "200 ok"]),
        .init(
            "members of gzip in chunks",
            chunked("loud", [abc, abc], fields: gzip) + lastChunk + get,
            ["200 ABCABC.", "200 ok"]
        ),
        .init("an empty body in gzip", whole("loud", [], fields: gzip) + get, ["200 .", "200 ok"]),
        .init("an answer at the end", whole("quiet", long) + get, ["200 40", "200 ok"]),
        .init(
            "a refusal at once",
            head("refusing", "Content-Length: 9\r\n") + bytes("a"),
            ["422 no"],
            isClosed: true
        ),
        .init(
            "a refusal behind the body",
            whole("refusing", bytes("a")) + get,
            ["422 no"],
            isClosed: true
        ),
        .init(
            "an end before that of the body",
            chunked("early", [bytes("abxc"), bytes("d")]) + lastChunk + get,
            ["200 AB"],
            isClosed: true
        ),
        .init(
            "a handler that takes it whole",
            whole("whole", bytes("abc")) + get,
            ["200 ok", "200 ok"]
        ),
        .init(
            "a body that is too large to be taken whole",
            whole("whole", long) + get,
            ["413"],
            isClosed: true
        ),
        .init(
            "a malformed chunk after a good one",
            chunked("loud", [bytes("abc")]) + bytes("x\r\n") + get,
            ["200 ABC!400"],
            isClosed: true
        ),
        .init(
            "a malformed chunk at the start",
            chunked("loud", []) + bytes("x\r\n"),
            ["400"],
            isClosed: true
        ),
        .init(
            "a fault before anything was said",
            chunked("quiet", [bytes("abc")]) + bytes("x\r\n"),
            ["400"],
            isClosed: true
        ),
        .init(
            "gzip that is damaged after a good member",
            whole("loud", abc + [1, 2, 3], fields: gzip) + get,
            ["200 ABC!400"],
            isClosed: true
        ),
        .init(
            "gzip that ends too early",
            whole("loud", abc.dropLast(), fields: gzip) + get,
            ["200 ABC!400"],
            isClosed: true
        ),
        .init(
            "a client that ends within the body",
            head("loud", "Content-Length: 9\r\n") + bytes("abc"),
            ["200 ABC!400"],
            ends: true
        ),
        .init(
            "a client that ends behind the body",
            chunked("loud", [bytes("abc")]) + lastChunk,
            ["200 ABC."],
            ends: true
        ),
        .init(
            "version 1.0",
            head("loud", "Content-Length: 3\r\n", version: "1.0") + bytes("abc"),
            ["200 ABC."],
            isClosed: true
        ),
    ]
}

struct StreamedBodyTests {
    /// There is no limit to such a body, but a length that cannot be added to is none.
    @Test(arguments: ["1152921504606846977", "9223372036854775807", "18446744073709551616"])
    func refusesALengthThatOverflows(_ length: String) {
        var machine = Machine(handler: StreamHandler())
        machine.feed(StreamCase.head("echo", "Content-Length: \(length)\r\n") + Array("ab".utf8))
        #expect(machine.statuses == [413] && machine.isClosed)
        var chunked = Machine(handler: StreamHandler())
        chunked.feed(StreamCase.head("echo", "Transfer-Encoding: chunked\r\n"))
        chunked.feed("FFFFFFFFFFFFFFFF\r\n")
        #expect(chunked.statuses == [413] && chunked.isClosed)
    }

    private func run(
        _ example: StreamCase,
        pieces size: Int
    ) -> (answers: [String], isClosed: Bool) {
        var machine = Machine(handler: StreamHandler())
        machine.feed(example.input, pieces: size)
        if example.ends { machine.end() }
        let answers = ParsedAnswer.all(machine.output).map { answer in
            answer.body.hasPrefix("{") ? "\(answer.status)" : "\(answer.status) \(answer.body)"
        }
        return (answers, machine.isClosed)
    }

    @Test(arguments: StreamCase.all)
    func answersAlikeInEverySplit(_ example: StreamCase) {
        for size in 1...(example.input.count + 1) {
            let (answers, isClosed) = run(example, pieces: size)
            #expect(answers == example.answers, "pieces of \(size)")
            #expect(isClosed == example.isClosed, "pieces of \(size)")
        }
    }

    @Test func answersBeforeTheBodyHasEnded() {
        var machine = Machine(handler: StreamHandler())
        machine.feed(StreamCase.head("loud", "Content-Length: 6\r\n"))
        #expect(machine.output.isEmpty)
        machine.feed("abc")
        #expect(machine.outputText.hasSuffix("\r\n\r\n3\r\nABC\r\n"))
        #expect(machine.outputText.contains("transfer-encoding: chunked\r\n"))
        #expect(!machine.outputText.contains("content-length"))
        machine.feed("def")
        #expect(machine.outputText.hasSuffix("3\r\nABC\r\n4\r\nDEF.\r\n0\r\n\r\n"))
    }

    @Test func asksForTheBody() {
        var machine = Machine(handler: StreamHandler())
        machine.feed(StreamCase.head("loud", "Content-Length: 3\r\nExpect: 100-continue\r\n"))
        #expect(machine.statuses == [100])
        machine.feed("abc")
        #expect(machine.statuses == [100, 200])
    }

    @Test func waitsForTheAnswerToAPiece() {
        var machine = Machine(handler: StreamHandler())
        machine.defersPieces = true
        machine.feed(StreamCase.whole("loud", Array("abc".utf8)).dropLast())
        #expect(machine.http.isDeferred && !machine.http.takesInput)
        machine.feed("c")
        #expect(machine.output.isEmpty)
        machine.defersPieces = false
        machine.answerHeldPiece()
        #expect(ParsedAnswer.all(machine.output).map(\.body) == ["ABC."])
        #expect(machine.http.isIdle)
    }

    @Test func keepsMemoryConstant() {
        var machine = Machine(handler: StreamHandler())
        machine.feed(StreamCase.head("loud", "Transfer-Encoding: chunked\r\n"))
        let chunk = Array("10000\r\n".utf8) + [UInt8](repeating: 97, count: 65_536) + [13, 10]
        for _ in 0..<40 {
            machine.feed(chunk)
            machine.output.removeAll(keepingCapacity: true)
        }
        #expect(machine.http.input.count <= StreamedBody.pieceBytesMax)
    }

    @Test func inflatesNoMoreThanAPieceAtATime() throws {
        var response = Response()
        response.body = [UInt8](repeating: 97, count: 1_000_000)
        ContentCoder().encode(&response)
        let handler = StreamHandler()
        var machine = Machine(handler: handler)
        machine.feed(StreamCase.whole("quiet", response.body, fields: StreamCase.gzip))
        #expect(ParsedAnswer.all(machine.output).map(\.body) == ["1000000"])
        #expect(handler.pieceBytesMax.load(ordering: .relaxed) <= StreamedBody.pieceBytesMax)
    }

    @Test func endsTheConnectionWhileDraining() {
        var machine = Machine(handler: StreamHandler())
        machine.feed(StreamCase.chunked("loud", [Array("abc".utf8)]))
        machine.context.isDraining = true
        machine.feed(StreamCase.lastChunk)
        #expect(ParsedAnswer.all(machine.output).map(\.description) == ["200 chunked ABC."])
        // The head has not said so: what the client sends next is answered, and that says it.
        #expect(!machine.isClosed)
        machine.feed("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(ParsedAnswer.all(machine.output).map(\.closes) == [false, true])
        #expect(machine.isClosed)
        machine = Machine(handler: StreamHandler())
        machine.context.isDraining = true
        machine.feed(StreamCase.chunked("loud", [Array("abc".utf8)]) + StreamCase.lastChunk)
        #expect(ParsedAnswer.all(machine.output).map(\.closes) == [true])
    }
}
