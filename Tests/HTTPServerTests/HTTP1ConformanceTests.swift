// SPDX-License-Identifier: MIT

@testable import HTTPServer
import Testing

/// A request as it stands on the wire, and what has to become of it.
struct ConformanceCase: Sendable, CustomTestStringConvertible {
    let clause: String
    let input: String
    let statuses: [Int]
    let requests: [String]
    let closes: Bool

    init(
        _ clause: String,
        _ input: String,
        _ statuses: [Int],
        _ requests: [String] = [],
        closes: Bool? = nil
    ) {
        self.clause = clause
        self.input = input
        self.statuses = statuses
        self.requests = requests
        self.closes = closes ?? requests.isEmpty
    }

    var testDescription: String { clause }
}

struct HTTP1ConformanceTests {
    @Test(arguments: conformanceCases)
    func answersAsTheClauseSays(_ example: ConformanceCase) {
        var machine = Machine()
        machine.feed(example.input)
        #expect(machine.statuses == example.statuses, "\(machine.outputText)")
        #expect(machine.requests == example.requests)
        #expect(machine.isClosed == example.closes)
    }

    @Test(arguments: conformanceCases)
    func givesTheSameResultForEverySplit(_ example: ConformanceCase) {
        // Whether 100 (Continue) is sent depends on what has come, as RFC 9110 §10.1.1 has it.
        guard !example.input.contains("100-continue") else { return }
        var whole = Machine()
        whole.feed(example.input)
        for size in 1...min(example.input.utf8.count, 64) {
            var split = Machine()
            split.feed(example.input, pieces: size)
            #expect(split.output == whole.output, "pieces of \(size)")
            #expect(split.requests == whole.requests, "pieces of \(size)")
            #expect(split.isClosed == whole.isClosed, "pieces of \(size)")
        }
    }
}

/// Every case, for the machine alone and for servers on each transport.
let conformanceCases = accepted + refused + answered + furtherConformanceCases

private let host = "Host: a\r\n"

private let accepted: [ConformanceCase] = [
    .init("9112 3.2.1 origin form", "GET /?a=1 HTTP/1.1\r\n\(host)\r\n", [200], ["0 / ?a=1"]),
    .init("9112 2.2 an empty line first", "\r\nGET / HTTP/1.1\r\n\(host)\r\n", [200], ["0 /"]),
    .init(
        "9112 9.3 pipelining in order",
        "GET / HTTP/1.1\r\n\(host)\r\nGET /equipment/7 HTTP/1.1\r\n\(host)\r\n",
        [200, 200],
        ["0 /", "2 /equipment/7 {7}"]
    ),
    .init("9112 3.2.2 absolute form", "GET http://b:80/ HTTP/1.1\r\n\(host)\r\n", [200], ["0 /"]),
    .init(
        "9110 4.2 scheme in any case",
        "GET HTTP://b/equipment/1 HTTP/1.1\r\n\(host)\r\n",
        [200],
        ["2 /equipment/1 {1}"]
    ),
    .init(
        "9112 9.3 close",
        "GET / HTTP/1.1\r\n\(host)Connection: x, Close\r\n\r\n",
        [200],
        ["0 /"],
        closes: true
    ),
    .init("9112 9.3 1.0 closes", "GET / HTTP/1.0\r\n\r\n", [200], ["0 /"], closes: true),
    .init("9112 9.3 1.0 keeps", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", [200], ["0 /"]),
    .init("9110 2.5 higher minor version", "GET / HTTP/1.2\r\n\(host)\r\n", [200], ["0 /"]),
    .init(
        "9112 5.1 no space after colon",
        "GET / HTTP/1.1\r\nhost:a\r\nX:\r\n\r\n",
        [200],
        ["0 /"]
    ),
    .init("9110 5.5 obs-text", "GET / HTTP/1.1\r\n\(host)X: \u{e9}\t y \r\n\r\n", [200], ["0 /"]),
    .init("9110 7.2 IPv6 host", "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", [200], ["0 /"]),
    .init(
        "9112 6.2 length",
        "POST /echo HTTP/1.1\r\n\(host)Content-Length: 3\r\n\r\nabc",
        [200],
        ["1 /echo [abc]"]
    ),
    .init(
        "9110 8.6 leading zeros",
        "POST /echo HTTP/1.1\r\n\(host)Content-Length: 003\r\n\r\nabc",
        [200],
        ["1 /echo [abc]"]
    ),
    .init(
        "9112 6.3 no length is no body",
        "POST /optional HTTP/1.1\r\n\(host)\r\n",
        [200],
        ["4 /optional"]
    ),
    .init(
        "9112 6.2 body at its limit",
        "POST /echo HTTP/1.1\r\n\(host)Content-Length: 32\r\n\r\n"
            + String(repeating: "x", count: 32),
        [200],
        ["1 /echo [\(String(repeating: "x", count: 32))]"]
    ),
    .init(
        "9112 7.1 chunks",
        "POST /echo HTTP/1.1\r\n\(host)Transfer-Encoding: Chunked\r\n\r\n"
            + "3\r\nabc\r\n0A\r\n0123456789\r\n"
            + "0\r\n\r\nGET / HTTP/1.1\r\n\(host)\r\n",
        [200, 200],
        ["1 /echo [abc0123456789]", "0 /"]
    ),
    .init(
        "9112 7.1.1 extensions, 7.1.2 trailers",
        "POST /echo HTTP/1.1\r\n\(host)Transfer-Encoding: chunked\r\n\r\n3 ;a=\"b\"\r\nabc\r\n"
            + "000;x\r\nX-T: 1\r\n\r\n",
        [200],
        ["1 /echo [abc]"]
    ),
    .init(
        "9112 7.1 empty",
        "POST /echo HTTP/1.1\r\n\(host)Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        [200],
        ["1 /echo"]
    ),
    .init(
        "9110 10.1.1 expectation",
        "POST /echo HTTP/1.1\r\n\(host)Expect: 100-Continue\r\nContent-Length: 3\r\n\r\n",
        [100],
        closes: false
    ),
    .init(
        "9110 10.1.1 body is coming",
        "POST /echo HTTP/1.1\r\n\(host)Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
        [200],
        ["1 /echo [abc]"]
    ),
]

private let answered: [ConformanceCase] = [
    .init("9110 15.5.5 not found", "GET /x HTTP/1.1\r\n\(host)\r\n", [404], closes: false),
    .init(
        "9110 15.5.5 body is skipped",
        "POST /x HTTP/1.1\r\n\(host)Content-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\n\(host)\r\n",
        [404, 200],
        ["0 /"]
    ),
    .init("9110 15.5.6 not allowed", "PUT / HTTP/1.1\r\n\(host)\r\n", [405], closes: false),
    .init("9110 9.3.8 TRACE", "TRACE / HTTP/1.1\r\n\(host)\r\n", [405], closes: false),
    .init("9110 9.3.7 OPTIONS", "OPTIONS / HTTP/1.1\r\n\(host)\r\n", [204], closes: false),
    .init("9112 3.2.4 OPTIONS *", "OPTIONS * HTTP/1.1\r\n\(host)\r\n", [204], closes: false),
    .init(
        "9110 4.2.3 no need to be encoded",
        "GET /%65quip%6Den%74/%37 HTTP/1.1\r\n\(host)\r\n",
        [200],
        ["2 /%65quip%6Den%74/%37 {%37}"]
    ),
    .init("a slash", "GET /equipment%2F7 HTTP/1.1\r\n\(host)\r\n", [404], closes: false),
    .init("encoded twice", "GET /%2565quipment/7 HTTP/1.1\r\n\(host)\r\n", [404], closes: false),
    .init("another letter", "GET /%66quipment/7 HTTP/1.1\r\n\(host)\r\n", [404], closes: false),
    .init("no dot segment is removed", "GET /x/../ HTTP/1.1\r\n\(host)\r\n", [404], closes: false),
    .init(
        "routes of the admin listener are not here",
        "POST /equipment/7/maintenance HTTP/1.1\r\n\(host)Content-Length: 0\r\n\r\n",
        [404],
        closes: false
    ),
    .init(
        "9110 10.1.1 no 100 for what is refused",
        "POST /x HTTP/1.1\r\n\(host)Expect: 100-continue\r\nContent-Length: 3\r\n\r\n",
        [404],
        closes: true
    ),
]

private func get(_ fields: String) -> String { "GET / HTTP/1.1\r\n\(host)\(fields)\r\n\r\n" }
private func post(_ fields: String, _ body: String = "abc") -> String {
    "POST /echo HTTP/1.1\r\n\(host)\(fields)\r\n\r\n\(body)"
}
private func chunks(_ body: String) -> String { post("Transfer-Encoding: chunked", body) }

private let refused: [ConformanceCase] = [
    .init("9112 3 bare LF", "GET / HTTP/1.1\n\(host)\r\n", [400]),
    .init("9112 2.2 bare CR", get("X: a\rb"), [400]),
    .init("9110 5.5 NUL", get("X: a\0b"), [400]),
    .init("9110 5.5 control", get("X: a\u{1}b"), [400]),
    .init("9110 5.5 DEL", get("X: a\u{7f}b"), [400]),
    .init("9112 5.1 space before colon", get("X : a"), [400]),
    .init("9112 5.2 obs-fold", get("X: a\r\n b"), [400]),
    .init("9112 2.2 space before the first field", "GET / HTTP/1.1\r\n \(host)\r\n", [400]),
    .init("9112 5 no colon", get("X"), [400]),
    .init("9112 5 empty name", get(": a"), [400]),
    .init("9110 5.6.2 no token", get("X(y): a"), [400]),
    .init("9112 3.2 no Host", "GET / HTTP/1.1\r\n\r\n", [400]),
    .init("9112 3.2 two Hosts", get("host: a"), [400]),
    .init("9112 3.2 bad Host", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", [400]),
    .init("9112 3.2 Host list", "GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", [400]),
    .init("9112 3.2 empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", [400]),
    .init("9110 4.2.4 user in host", "GET http://u@h/ HTTP/1.1\r\n\(host)\r\n", [400]),
    .init("9110 4.2.1 empty authority", "GET http:/// HTTP/1.1\r\n\(host)\r\n", [400]),
    .init("9112 3 two spaces", "GET  / HTTP/1.1\r\n\(host)\r\n", [400]),
    .init("9112 3 space at the end", "GET / HTTP/1.1 \r\n\(host)\r\n", [400]),
    .init("9112 3 tab", "GET\t/ HTTP/1.1\r\n\(host)\r\n", [400]),
    .init("9112 3 no version", "GET /\r\n\(host)\r\n", [400]),
    .init("9112 2.3 lower case", "GET / http/1.1\r\n\(host)\r\n", [400]),
    .init("9112 2.3 two digits", "GET / HTTP/1.10\r\n\(host)\r\n", [400]),
    .init("9110 15.6.6 version 2", "GET / HTTP/2.0\r\n\(host)\r\n", [505]),
    .init("9110 15.6.6 version 0.9", "GET / HTTP/0.9\r\n\(host)\r\n", [505]),
    .init("9110 15.6.2 method", "BREW / HTTP/1.1\r\n\(host)\r\n", [501]),
    .init("9110 9.1 method in lower case", "get / HTTP/1.1\r\n\(host)\r\n", [501]),
    .init("9110 9.3.6 CONNECT", "CONNECT a:1 HTTP/1.1\r\n\(host)\r\n", [501]),
    .init("9112 3.2.4 * is for OPTIONS", "GET * HTTP/1.1\r\n\(host)\r\n", [400]),
    .init("9112 3.2 no form", "GET a HTTP/1.1\r\n\(host)\r\n", [400]),
    .init("9110 7.1 fragment", "GET /#a HTTP/1.1\r\n\(host)\r\n", [400]),
    .init("3986 2.1 bad percent", "GET /%zz HTTP/1.1\r\n\(host)\r\n", [400]),
    .init("3986 3.3 bytes above ASCII", "GET /\u{e9} HTTP/1.1\r\n\(host)\r\n", [400]),
    .init("9110 8.6 sign", post("Content-Length: +3"), [400]),
    .init("9110 8.6 negative", post("Content-Length: -3"), [400]),
    .init("9110 8.6 list", post("Content-Length: 3, 3"), [400]),
    .init("9110 8.6 hexadecimal", post("Content-Length: 0x3"), [400]),
    .init("9110 8.6 empty", post("Content-Length:"), [400]),
    .init("9112 6.3 twice", post("Content-Length: 3\r\nContent-Length: 3"), [400]),
    .init("9110 8.6 overflow", post("Content-Length: 18446744073709551619"), [413]),
    .init("9110 15.5.14 over the limit", post("Content-Length: 33"), [413]),
    .init("9110 15.5.12 no length", post("X: y", ""), [411]),
    .init(
        "9112 6.3 length and coding",
        post("Content-Length: 3\r\nTransfer-Encoding: chunked"),
        [400]
    ),
    .init(
        "9112 6.3 coding and length",
        post("Transfer-Encoding: chunked\r\nContent-Length: 3"),
        [400]
    ),
    .init("9112 6.1 twice chunked", post("Transfer-Encoding: chunked, chunked"), [400]),
    .init(
        "9112 6.1 two fields",
        post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
        [400]
    ),
    .init("9112 6.3 chunked not last", post("Transfer-Encoding: chunked, gzip"), [400]),
    .init("9112 6.3 unknown last", post("Transfer-Encoding: xchunked"), [400]),
    .init("9112 6.1 gzip, chunked", post("Transfer-Encoding: gzip, chunked"), [501]),
    .init(
        "9112 6.1 coding in 1.0",
        "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        [400]
    ),
    .init("9110 8.4.1.3 no gzip", post("Content-Encoding: gzip\r\nContent-Length: 3"), [400]),
    .init(
        "9110 15.5.16 content coding",
        post("Content-Encoding: br\r\nContent-Length: 3"),
        [415]
    ),
    .init("9110 10.1.1 other expectation", post("Expect: x\r\nContent-Length: 3"), [417]),
    .init("9112 7.1 no size", chunks("\r\nabc\r\n0\r\n\r\n"), [400]),
    .init("9112 7.1 sign", chunks("+3\r\nabc\r\n0\r\n\r\n"), [400]),
    .init("9112 7.1 prefix", chunks("0x3\r\nabc\r\n0\r\n\r\n"), [400]),
    .init("9112 7.1 space first", chunks(" 3\r\nabc\r\n0\r\n\r\n"), [400]),
    .init("9112 7.1 space last", chunks("3 \r\nabc\r\n0\r\n\r\n"), [400]),
    .init("9112 7.1 bare LF", chunks("3\nabc\r\n0\r\n\r\n"), [400]),
    .init("9112 7.1 LF in extension", chunks("3;a\nb\r\nabc\r\n0\r\n\r\n"), [400]),
    .init("9112 7.1 data too long", chunks("3\r\nabcd\r\n0\r\n\r\n"), [400]),
    .init("9112 7.1 size overflow", chunks("FFFFFFFFFFFFFFFFF\r\nabc\r\n0\r\n\r\n"), [413]),
    .init(
        "9112 7.1 sum over the limit",
        chunks("10\r\n0123456789abcdef\r\n11\r\n0123456789abcdefg\r\n0\r\n\r\n"),
        [413]
    ),
    .init(
        "9112 7.1.1 extension over its limit",
        chunks("3;\(String(repeating: "x", count: 300))\r\nabc\r\n0\r\n\r\n"),
        [400]
    ),
    .init("9112 7.1.2 malformed trailer", chunks("0\r\nX : y\r\n\r\n"), [400]),
]
