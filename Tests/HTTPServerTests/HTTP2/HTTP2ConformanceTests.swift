// SPDX-License-Identifier: MIT

@testable import HTTPServer
import Testing

/// What a client sends after its preface, and what has to become of stream 1.
struct HTTP2Case: Sendable, CustomTestStringConvertible {
    /// How a stream or its connection ends.
    enum Outcome: Equatable {
        case status(Int)
        /// RST_STREAM with that code.
        case reset(Int)
        /// GOAWAY with that code, and the end of the connection.
        case goAway(Int)
    }

    let clause: String
    let input: [UInt8]
    let outcome: Outcome
    let requests: [String]

    init(_ clause: String, _ input: [UInt8], _ outcome: Outcome, _ requests: [String] = []) {
        self.clause = clause
        self.input = input
        self.outcome = outcome
        self.requests = requests
    }

    var testDescription: String { clause }
}

struct HTTP2ConformanceTests {
    private func check(_ example: HTTP2Case, pieces: Int = .max) throws -> HTTP2Machine {
        var machine = try HTTP2Machine()
        machine.feed(example.input, pieces: pieces)
        let answer = machine.reader.answers[1]
        switch example.outcome {
        case .status(let status):
            #expect(answer?.statuses.last == status)
            #expect(answer?.isComplete == true)
            #expect(!machine.isOver)
        case .reset(let code):
            #expect(answer?.reset == code)
            #expect(!machine.isOver)
        case .goAway(let code):
            #expect(machine.reader.goAways.last?.code == code)
            #expect(machine.isOver)
        }
        #expect(machine.requests == example.requests)
        return machine
    }

    @Test(arguments: cases)
    func endsTheStreamAsTheClauseSays(_ example: HTTP2Case) throws {
        _ = try check(example)
    }

    @Test(arguments: cases)
    func givesTheSameResultForEverySplit(_ example: HTTP2Case) throws {
        let whole = try check(example)
        for size in [1, 2, 3, 7, 9, 10, 16, 33] {
            let split = try check(example, pieces: size)
            // How far an answer has gone when its connection breaks depends on what has come.
            if case .goAway = example.outcome { continue }
            #expect(split.reader.statuses == whole.reader.statuses, "pieces of \(size)")
        }
    }

    @Test func refusesAnotherPreface() throws {
        var machine = try HTTP2Machine(sendsPreface: false)
        machine.feed(Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8))
        #expect(machine.reader.goAways.last?.code == 1)
        #expect(machine.isOver)
    }

    @Test func tellsItsLimits() throws {
        let machine = try HTTP2Machine()
        let limits = ServerLimits()
        #expect(machine.reader.settings[3] == UInt32(limits.http2StreamCountMax))
        #expect(machine.reader.settings[4] == UInt32(HTTP2Stream.windowBytes(limits)))
        #expect(machine.reader.settings[6] == UInt32(limits.headBytesMax))
        #expect(machine.reader.settingsAnswerCount == 1)
    }

    @Test func sendsTheFieldsOfHTTP1() throws {
        var machine = try HTTP2Machine()
        machine.context.date = Array("date: Sun, 06 Nov 1994 08:49:37 GMT\r\n".utf8)
        machine.feed(Frames.headers(1, Frames.request("GET", "/")))
        let answer = try #require(machine.reader.answers[1])
        #expect(
            answer.fields == [
                "date": "Sun, 06 Nov 1994 08:49:37 GMT", "content-type": "application/json",
                "content-length": "2",
            ]
        )
        #expect(answer.text == "ok")
    }

    @Test func sendsHeadWithoutBody() throws {
        var machine = try HTTP2Machine()
        machine.feed(Frames.headers(1, Frames.request("HEAD", "/")))
        let answer = try #require(machine.reader.answers[1])
        #expect(answer.fields["content-length"] == "2")
        #expect(answer.body.isEmpty && answer.isComplete)
        machine.feed(Frames.headers(3, Frames.request("HEAD", "/", [("expect", "x")])))
        let refused = try #require(machine.reader.answers[3])
        #expect(refused.statuses == [417] && refused.body.isEmpty && refused.isComplete)
    }

    @Test func continuesWhenAsked() throws {
        var machine = try HTTP2Machine()
        let fields = Frames.request("POST", "/echo", [("expect", "100-continue")])
        machine.feed(Frames.headers(1, fields, flags: Frames.Flag.endHeaders))
        #expect(machine.reader.answers[1]?.statuses == [100])
        machine.feed(Frames.data(1, "ab"))
        #expect(machine.reader.answers[1]?.statuses == [100, 200])
    }

    @Test func answersStreamsOutOfOrder() throws {
        var machine = try HTTP2Machine()
        let open = Frames.headers(1, Frames.request("POST", "/echo"), flags: 4)
        machine.feed(open + Frames.headers(3, Frames.request("GET", "/")))
        #expect(machine.reader.statuses == [3: 200])
        machine.feed(Frames.data(1, "a"))
        #expect(machine.reader.statuses == [1: 200, 3: 200])
        #expect(machine.requests == ["0 /", "1 /echo [a]"])
    }

    @Test func endsARequestThatWasAnsweredEarlyWithoutAnError() throws {
        var machine = try HTTP2Machine()
        let open = Frames.headers(1, Frames.request("POST", "/echo", [("expect", "x")]), flags: 4)
        machine.feed(open)
        #expect(machine.reader.statuses == [1: 417])
        // A client that reads only when it has sent all is let do so, and then it is over.
        machine.feed(Frames.data(1, "a", flags: 0) + Frames.headers(3, Frames.request("GET", "/")))
        #expect(machine.http2.openCount == 1)
        machine.feed(Frames.data(1, "a"))
        #expect(machine.reader.statuses == [1: 417, 3: 200])
        #expect(machine.reader.resets == [:] && machine.http2.openCount == 0)
    }

    @Test func keepsAdminRoutesOnTheirListener() throws {
        let request = Frames.headers(
            1,
            Frames.request("POST", "/equipment/7/maintenance", [("content-length", "0")])
        )
        for (listener, status) in [(Listener.main, 404), (.admin, 200)] {
            var machine = try HTTP2Machine(listener: listener)
            machine.feed(request)
            #expect(machine.reader.statuses == [1: status])
        }
    }

    @Test func givesProblemsThePathAndTheRequestID() throws {
        var machine = try HTTP2Machine()
        machine.feed(
            Frames.headers(1, Frames.request("GET", "/x", [("x-request-id", "id-1")]))
        )
        let answer = try #require(machine.reader.answers[1])
        #expect(answer.fields["x-request-id"] == "id-1")
        #expect(answer.text.contains(#""instance":"/x","request_id":"id-1"}"#))
    }
}

private let cases: [HTTP2Case] = accepted + refused + malformed + broken + schemeCases

private func get(_ fields: [(String, String)] = [], path: String = "/") -> [UInt8] {
    Frames.headers(1, Frames.request("GET", path, fields))
}

private func post(_ body: String, _ fields: [(String, String)] = []) -> [UInt8] {
    Frames.headers(1, Frames.request("POST", "/echo", fields), flags: 4) + Frames.data(1, body)
}

private func raw(_ fields: [(String, String)]) -> [UInt8] { Frames.headers(1, fields) }

private let accepted: [HTTP2Case] = [
    .init("9113 8.1 request", get(path: "/?a=1"), .status(200), ["0 / ?a=1"]),
    .init("a path parameter", get(path: "/equipment/7"), .status(200), ["2 /equipment/7 {7}"]),
    .init("9113 8.1 body", post("abc"), .status(200), ["1 /echo [abc]"]),
    .init(
        "9113 6.1 body of several frames",
        Frames.headers(1, Frames.request("POST", "/echo"), flags: 4)
            + Frames.data(1, "ab", flags: 0) + Frames.data(1, "", flags: 0)
            + Frames.data(1, "cd"),
        .status(200),
        ["1 /echo [abcd]"]
    ),
    .init(
        "9113 8.1.1 length that is right",
        post("abc", [("content-length", "3")]),
        .status(200),
        ["1 /echo [abc]"]
    ),
    .init(
        "9113 8.1 trailers",
        Frames.headers(1, Frames.request("POST", "/echo"), flags: 4)
            + Frames.data(1, "abc", flags: 0) + Frames.headers(1, [("x-sum", "1")]),
        .status(200),
        ["1 /echo [abc]"]
    ),
    .init(
        "9113 6.10 continuation",
        Frames.headers(1, Frames.request("GET", "/"), flags: 1)
            + Frames.continuation(1, [("x", "y")], flags: 0)
            + Frames.continuation(1, [("x", "z")]),
        .status(200),
        ["0 /"]
    ),
    .init(
        "9113 6.1 padding",
        Frames.headers(1, Frames.request("POST", "/echo"), flags: 4)
            + Frames.frame(0, flags: 9, stream: 1, [2, 97, 0, 0]),
        .status(200),
        ["1 /echo [a]"]
    ),
    .init(
        "9110 13.1.1 If-Match",
        post("abc", [("if-match", "\"a\"")]),
        .status(200),
        ["1 /echo [abc] unmet"]
    ),
    .init("9113 8.2.2 te: trailers", get([("te", "trailers")]), .status(200), ["0 /"]),
    .init("9113 8.3.1 host that says the same", get([("host", "a")]), .status(200), ["0 /"]),
    .init("9113 5.5 unknown frame", Frames.frame(99, [1]) + get(), .status(200), ["0 /"]),
    .init(
        "9113 5.3 priority",
        Frames.frame(2, stream: 3, [0, 0, 0, 0, 9]) + get(),
        .status(200),
        ["0 /"]
    ),
    .init("9113 6.5.2 unknown setting", Frames.settings([(99, 1)]) + get(), .status(200), ["0 /"]),
    .init(
        "9113 6.2 priority in HEADERS",
        Frames.frame(
            1,
            flags: 0x25,
            stream: 1,
            [0, 0, 0, 0, 9] + Frames.block(Frames.request("GET", "/"))
        ),
        .status(200),
        ["0 /"]
    ),
]

private let refused: [HTTP2Case] = [
    .init("9110 15.5.5 not found", get(path: "/x"), .status(404)),
    .init(
        "9110 15.5.5 body is skipped",
        Frames.headers(1, Frames.request("POST", "/x"), flags: 4) + Frames.data(1, "abc"),
        .status(404)
    ),
    .init(
        "9110 10.1.1 no 100 for what is refused",
        Frames.headers(1, Frames.request("POST", "/x", [("expect", "100-continue")]), flags: 4),
        .status(404)
    ),
    .init("9110 15.5.6 not allowed", raw(Frames.request("PUT", "/")), .status(405)),
    .init("9110 9.3.7 OPTIONS", raw(Frames.request("OPTIONS", "/")), .status(204)),
    .init("9113 8.3.1 OPTIONS *", raw(Frames.request("OPTIONS", "*")), .status(204)),
    .init("9110 15.6.2 method", raw(Frames.request("BREW", "/")), .status(501)),
    .init(
        "9113 8.5 CONNECT",
        raw([(":method", "CONNECT"), (":authority", "a:1")]),
        .status(501)
    ),
    .init("9110 7.1 fragment", get(path: "/#a"), .status(400)),
    .init("3986 2.1 bad percent", get(path: "/%zz"), .status(400)),
    .init(
        "9113 8.1 an empty body by END_STREAM",
        raw(Frames.request("POST", "/echo")),
        .status(200),
        ["1 /echo"]
    ),
    .init(
        "9110 15.5.14 body over its limit",
        post(String(repeating: "x", count: 33)),
        .status(413)
    ),
    .init(
        "9110 15.5.14 length over the limit",
        Frames.headers(
            1,
            Frames.request("POST", "/echo", [("content-length", "33")]),
            flags: 4
        ),
        .status(413)
    ),
    .init("9110 15.5.16 content coding", post("abc", [("content-encoding", "br")]), .status(415)),
    .init("9110 10.1.1 other expectation", post("abc", [("expect", "x")]), .status(417)),
    .init(
        "9113 8.3.1 bad authority",
        raw([(":method", "GET"), (":path", "/"), (":scheme", "http"), (":authority", "u@a")]),
        .status(400)
    ),
    .init("9113 8.3.1 host that says otherwise", get([("host", "b")]), .status(400)),
]

private let malformed: [HTTP2Case] = [
    .init("9113 8.2.1 capital", get([("X", "y")]), .reset(1)),
    .init("9113 8.2.1 CR LF in a value", get([("x", "a\r\nb: c")]), .reset(1)),
    .init("9113 8.2.1 NUL in a value", get([("x", "a\0b")]), .reset(1)),
    .init("9113 8.2.1 space in a name", get([("x y", "a")]), .reset(1)),
    .init("9113 8.2.1 colon in a name", get([("x:y", "a")]), .reset(1)),
    .init("9113 8.2.1 space around a value", get([("x", " a")]), .reset(1)),
    .init("9113 8.2.2 connection", get([("connection", "close")]), .reset(1)),
    .init("9113 8.2.2 keep-alive", get([("keep-alive", "1")]), .reset(1)),
    .init("9113 8.2.2 transfer-encoding", get([("transfer-encoding", "chunked")]), .reset(1)),
    .init("9113 8.2.2 upgrade", get([("upgrade", "h2c")]), .reset(1)),
    .init("9113 8.2.2 te", get([("te", "gzip")]), .reset(1)),
    .init("9113 8.3 unknown pseudo-field", get([(":x", "y")]), .reset(1)),
    .init("9113 8.3 of an answer", get([(":status", "200")]), .reset(1)),
    .init("9113 8.3 twice", get([(":method", "GET")]), .reset(1)),
    .init(
        "9113 8.3 after a field",
        raw([("x", "y")] + Frames.request("GET", "/")),
        .reset(1)
    ),
    .init("9113 8.3.1 no method", raw(Array(Frames.request("GET", "/")[1...])), .reset(1)),
    .init(
        "9113 8.3.1 no path",
        raw([(":method", "GET"), (":scheme", "http"), (":authority", "a")]),
        .reset(1)
    ),
    .init("9113 8.3.1 empty path", get(path: ""), .reset(1)),
    .init("9113 8.3.1 path without slash", get(path: "a"), .reset(1)),
    .init("9113 8.3.1 * is for OPTIONS", get(path: "*"), .reset(1)),
    .init(
        "9113 8.3.1 no scheme",
        raw([(":method", "GET"), (":path", "/"), (":authority", "a")]),
        .reset(1)
    ),
    .init(
        "9113 8.1 pseudo-field in trailers",
        Frames.headers(1, Frames.request("POST", "/echo"), flags: 4) + raw([(":path", "/")]),
        .reset(1)
    ),
    .init("9113 8.1.1 length too small", post("abc", [("content-length", "2")]), .reset(1)),
    .init("9113 8.1.1 length too large", post("abc", [("content-length", "4")]), .reset(1)),
    .init("9113 8.1.1 length with sign", post("abc", [("content-length", "+3")]), .reset(1)),
    .init(
        "9113 8.1.1 length twice",
        post("abc", [("content-length", "3"), ("content-length", "3")]),
        .reset(1)
    ),
]

private let broken: [HTTP2Case] = [
    .init(
        "9113 4.2 frame too large",
        Frames.frame(1, [UInt8](repeating: 0, count: 16_385)),
        .goAway(6)
    ),
    .init("9113 5.1 DATA on an idle stream", Frames.data(1, "a"), .goAway(1)),
    .init(
        "9113 5.1.1 stream that was jumped over",
        Frames.headers(5, Frames.request("POST", "/echo"), flags: 4)
            + Frames.headers(3, Frames.request("GET", "/")),
        .goAway(1)
    ),
    .init(
        "9113 5.1 HEADERS on a closed stream",
        get() + get(),
        .goAway(5),
        ["0 /"]
    ),
    .init(
        "9113 5.3.1 stream that depends on itself",
        Frames.frame(2, stream: 3, [0, 0, 0, 3, 9]),
        .goAway(1)
    ),
    .init("9113 5.1.1 even stream", Frames.headers(2, Frames.request("GET", "/")), .goAway(1)),
    .init("9113 6.1 DATA on stream 0", Frames.data(0, "a"), .goAway(1)),
    .init(
        "9113 6.2 HEADERS on stream 0",
        Frames.headers(0, Frames.request("GET", "/")),
        .goAway(1)
    ),
    .init("9113 6.4 RST_STREAM of an idle stream", Frames.reset(1), .goAway(1)),
    .init("9113 6.5 SETTINGS of odd length", Frames.frame(4, [0]), .goAway(6)),
    .init("9113 6.5.2 push", Frames.settings([(2, 2)]), .goAway(1)),
    .init("9113 6.5.2 window", Frames.settings([(4, 1 << 31)]), .goAway(3)),
    .init("9113 6.6 PUSH_PROMISE", Frames.frame(5, flags: 4, stream: 1, [0, 0, 0, 2]), .goAway(1)),
    .init("9113 6.7 PING of odd length", Frames.frame(6, [0]), .goAway(6)),
    .init("9113 6.9 no increment", Frames.windowUpdate(0, 0), .goAway(1)),
    .init("9113 6.9.1 window overflow", Frames.windowUpdate(0, 0x7FFF_FFFF), .goAway(3)),
    .init("9113 6.10 CONTINUATION alone", Frames.continuation(1, []), .goAway(1)),
    .init(
        "9113 6.10 another frame within a header block",
        Frames.headers(1, Frames.request("GET", "/"), flags: 1) + Frames.ping(),
        .goAway(1)
    ),
    .init(
        "7541 6.1 index that is not",
        Frames.frame(1, flags: 5, stream: 1, [0xFF, 0xFF, 0x7F]),
        .goAway(9)
    ),
]
