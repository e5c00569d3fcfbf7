// SPDX-License-Identifier: MIT

private let host = "Host: a\r\n"

private func get(_ fields: String) -> String { "GET / HTTP/1.1\r\n\(host)\(fields)\r\n\r\n" }
private func post(_ fields: String, _ body: String = "abc") -> String {
    "POST /echo HTTP/1.1\r\n\(host)\(fields)\r\n\r\n\(body)"
}
private func chunks(_ body: String) -> String { post("Transfer-Encoding: chunked", body) }
private func target(_ target: String, _ host: String = "a") -> String {
    "GET \(target) HTTP/1.1\r\nHost: \(host)\r\n\r\n"
}

/// What two parsers could read differently, field by field: either side of each rule.
let furtherConformanceCases: [ConformanceCase] =
    codings + lengths + hosts + expectations + conditions + connections + chunkLimits

private let codings: [ConformanceCase] = [
    .init("9112 6.1 unknown, chunked", post("Transfer-Encoding: foo, chunked"), [501]),
    .init("9112 6.1 empty element", post("Transfer-Encoding: , chunked"), [400]),
    .init("9112 6.1 empty element without space", post("Transfer-Encoding: ,chunked"), [400]),
    .init("9112 6.1 empty element between", post("Transfer-Encoding: gzip, , chunked"), [400]),
    .init("9112 6.1 empty element last", post("Transfer-Encoding: chunked,"), [400]),
    .init("9112 6.1 empty elements alone", post("Transfer-Encoding: ,"), [400]),
    .init("9112 6.1 empty element and space", post("Transfer-Encoding: chunked , "), [400]),
    .init("9112 6.1 identity", post("Transfer-Encoding: identity"), [400]),
    .init("9112 6.1 nothing", post("Transfer-Encoding:"), [400]),
    .init("9112 7 chunked has no parameters", post("Transfer-Encoding: chunked;q=1"), [400]),
    .init("9112 6.1 quotes", post("Transfer-Encoding: \"chunked\""), [400]),
    .init("9110 5.5 vertical tab", post("Transfer-Encoding: \u{b}chunked"), [400]),
    .init("9112 5.1 space before colon", post("Transfer-Encoding : chunked"), [400]),
    .init("9112 5.1 tab before colon", post("Transfer-Encoding\t: chunked"), [400]),
    .init("9112 5.2 folded", post("Transfer-Encoding:\r\n chunked"), [400]),
    .init("9110 5.1 underscore is another name", post("Transfer_Encoding: chunked", ""), [411]),
    .init(
        "9110 5.5 white space around a value",
        post("Transfer-Encoding: \t chunked\t ", "1\r\na\r\n0\r\n\r\n"),
        [200],
        ["1 /echo [a]"]
    ),
]

private let lengths: [ConformanceCase] = [
    .init("9110 8.6 two numbers", post("Content-Length: 3 3"), [400]),
    .init("9110 8.6 parameter", post("Content-Length: 3;"), [400]),
    .init("9110 8.6 exponent", post("Content-Length: 1e1"), [400]),
    .init("9110 8.6 fraction", post("Content-Length: 3.0"), [400]),
    .init("9110 8.6 digits of others", post("Content-Length: \u{663}"), [400]),
    .init("9110 8.6 separator", post("Content-Length: 1_0"), [400]),
    .init("9110 8.6 past 64 bits", post("Content-Length: 36893488147419103235"), [413]),
    .init("9112 6.3 two that differ", post("Content-Length: 3\r\nContent-Length: 4"), [400]),
    .init("9112 6.3 twice in any case", post("Content-Length: 3\r\nCONTENT-LENGTH: 3"), [400]),
    .init("9112 5.1 space before colon", post("Content-Length : 3"), [400]),
    .init("9112 6.3 in a GET", get("Content-Length: x"), [400]),
    .init("9110 8.6 none", post("Content-Length: 0", ""), [200], ["1 /echo"]),
    .init("9110 5.5 tab before a value", post("Content-Length:\t3"), [200], ["1 /echo [abc]"]),
    .init(
        "9110 9.3.1 a body of a GET is read",
        get("Content-Length: 3") + "abc" + get("X: y"),
        [200, 200],
        ["0 / [abc]", "0 /"]
    ),
]

private let hosts: [ConformanceCase] = [
    .init("9110 7.2 port", target("/", "a:80"), [200], ["0 /"]),
    .init("9110 7.2 empty port", target("/", "a:"), [200], ["0 /"]),
    .init("3986 3.2.3 no number", target("/", "a:b"), [400]),
    .init("3986 3.2.3 too long", target("/", "a:123456"), [400]),
    .init("3986 3.2.2 open bracket", target("/", "[::1"), [400]),
    .init("3986 3.2.2 empty brackets", target("/", "[]"), [400]),
    .init("3986 3.2.2 dots in brackets", target("/", "[....]"), [400]),
    .init("3986 3.2.2 a colon in brackets", target("/", "[:]"), [400]),
    .init("3986 3.2.2 IPv4 in brackets", target("/", "[1.2.3.4]"), [400]),
    .init("3986 3.2.2 nine groups", target("/", "[1:2:3:4:5:6:7:8:9]"), [400]),
    .init("3986 3.2.2 five digits", target("/", "[12345::]"), [400]),
    .init("3986 3.2.2 no address in absolute form", target("http://[a]/"), [400]),
    .init("3986 3.2.2 IPv4 within IPv6", target("/", "[::ffff:1.2.3.4]"), [200], ["0 /"]),
    .init("9110 7.2 path", target("/", "a/b"), [400]),
    .init("9110 7.2 user", target("/", "u@a"), [400]),
    .init("9110 7.2 percent", target("/", "%61"), [400]),
    .init("9112 3.2.2 Host is there all the same", "GET http://b/ HTTP/1.1\r\n\r\n", [400]),
    .init("9112 3.2.2 other scheme", target("ftp://b/"), [400]),
    .init("9112 3.2.2 scheme alone", target("http:/"), [400]),
    .init("9112 3.2.2 bad port", target("http://b:x/"), [400]),
    .init("9112 3.2.3 authority form", target("b:80"), [400]),
    .init("9112 3.2.4 asterisk and more", "OPTIONS *a HTTP/1.1\r\n\(host)\r\n", [400]),
    .init(
        "9112 3.2.4 OPTIONS * in 1.0",
        "OPTIONS * HTTP/1.0\r\n\r\n",
        [204],
        closes: true
    ),
    .init(
        "9112 3.2.4 OPTIONS of the server in absolute form",
        "OPTIONS http://a:80 HTTP/1.1\r\n\(host)\r\n",
        [204],
        closes: false
    ),
    .init(
        "9112 3.2.4 OPTIONS of its root",
        "OPTIONS http://a:80/x HTTP/1.1\r\n\(host)\r\n",
        [404],
        closes: false
    ),
    .init("9110 4.2.3 no path", target("http://a"), [200], ["0 /"]),
    .init("9110 4.2.3 a query and no path", target("http://a?b"), [200], ["0 / ?b"]),
    .init(
        "9110 9.3.7 OPTIONS of nothing",
        "OPTIONS /x HTTP/1.1\r\n\(host)\r\n",
        [404],
        closes: false
    ),
]

private let expectations: [ConformanceCase] = [
    .init("9110 10.1.1 list", post("Expect: 100-continue, x\r\nContent-Length: 3"), [417]),
    .init(
        "9110 10.1.1 nothing",
        post("Expect:\r\nContent-Length: 3"),
        [200],
        ["1 /echo [abc]"]
    ),
    .init(
        "9110 10.1.1 the same twice",
        post("Expect: 100-continue, 100-continue\r\nContent-Length: 3"),
        [200],
        ["1 /echo [abc]"]
    ),
    .init("9110 10.1.1 other first", post("Expect: x, 100-continue\r\nContent-Length: 3"), [417]),
    .init("9110 10.1.1 parameter", post("Expect: 100-continue;a\r\nContent-Length: 3"), [417]),
    .init(
        "9110 10.1.1 not in 1.0",
        "POST /echo HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
        [200],
        ["1 /echo [abc]"],
        closes: true
    ),
    .init(
        "9110 10.1.1 no body",
        get("Expect: 100-continue"),
        [200],
        ["0 /"]
    ),
    .init("9110 15.6.6 version 3", "GET / HTTP/3.0\r\n\(host)\r\n", [505]),
    .init("9112 2.3 no digit", "GET / HTTP/1.x\r\n\(host)\r\n", [400]),
    .init("9112 2.3 comma", "GET / HTTP/1,1\r\n\(host)\r\n", [400]),
    .init("9112 2.3 another name", "GET / HTTPS/1.1\r\n\(host)\r\n", [400]),
    .init("9112 3.1 no method", " / HTTP/1.1\r\n\(host)\r\n", [400]),
    .init("9112 2.2 bare CR in the request line", "GET /\r HTTP/1.1\r\n\(host)\r\n", [400]),
    .init("9110 5.5 NUL in the target", "GET /\0 HTTP/1.1\r\n\(host)\r\n", [400]),
    .init("9112 2.2 CR CR LF", "GET / HTTP/1.1\r\r\n\(host)\r\n", [400]),
]

private let conditions: [ConformanceCase] = [
    .init(
        "9110 13.1.1 If-Match",
        post("If-Match: \"a\"\r\nContent-Length: 3"),
        [200],
        ["1 /echo [abc] unmet"]
    ),
    .init(
        "9110 13.1.1 If-Match in each of several requests",
        post("If-Match: \"a\"\r\nContent-Length: 3")
            + post("If-Match: \"a\"\r\nContent-Length: 3") + post("Content-Length: 3"),
        [200, 200, 200],
        ["1 /echo [abc] unmet", "1 /echo [abc] unmet", "1 /echo [abc]"]
    ),
    .init(
        "9110 13.1.1 If-Match: *",
        post("If-Match: *\r\nContent-Length: 3"),
        [200],
        ["1 /echo [abc]"]
    ),
    .init(
        "9110 13.1.1 If-Match, then another condition",
        post("If-Match: \"a\"\r\nIf-Match: *\r\nContent-Length: 3"),
        [200],
        ["1 /echo [abc] unmet"]
    ),
    .init("9110 13.2.1 411 without conditions", post("If-Match: \"a\"", ""), [411]),
    .init(
        "9110 13.2.1 404 without conditions",
        "DELETE /x HTTP/1.1\r\n\(host)If-Match: \"a\"\r\n\r\n",
        [404],
        closes: false
    ),
    .init(
        "9110 13.2.1 405 without conditions",
        "DELETE / HTTP/1.1\r\n\(host)If-None-Match: *\r\n\r\n",
        [405],
        closes: false
    ),
    .init(
        "9110 13.1.2 If-None-Match: *",
        post("If-None-Match: *\r\nContent-Length: 3"),
        [200],
        ["1 /echo [abc] unmet"]
    ),
    .init(
        "9110 13.1.2 If-None-Match with a tag",
        post("If-None-Match: \"a\"\r\nContent-Length: 3"),
        [200],
        ["1 /echo [abc]"]
    ),
    .init("9110 13.1.2 If-None-Match of a safe method", get("If-None-Match: *"), [200], ["0 /"]),
    .init("9110 13.1.1 If-Match of a safe method", get("If-Match: \"a\""), [200], ["0 /"]),
]

private let connections: [ConformanceCase] = [
    .init(
        "9110 5.3 Content-Type twice",
        post("Content-Type: a/b\r\ncontent-type: c/d\r\nContent-Length: 3"),
        [400]
    ),
    .init(
        "9112 9.6 close beside keep-alive",
        get("Connection: keep-alive, close"),
        [200],
        ["0 /"],
        closes: true
    ),
    .init(
        "9112 9.6 close in a second field",
        get("Connection: x\r\nConnection: close"),
        [200],
        ["0 /"],
        closes: true
    ),
    .init(
        "9112 9.6 nothing after close",
        get("Connection: close") + get("X: y"),
        [200],
        ["0 /"],
        closes: true
    ),
    .init(
        "9112 9.3 1.0 keeps, then closes",
        "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\nGET / HTTP/1.0\r\n\r\n",
        [200, 200],
        ["0 /", "0 /"],
        closes: true
    ),
    .init(
        "9110 7.8 upgrade is ignored",
        get("Upgrade: h2c\r\nConnection: upgrade"),
        [200],
        ["0 /"]
    ),
    .init(
        "9112 9.3.2 answers in order",
        get("X: y") + target("/x") + post("Content-Length: 1", "a") + target("/"),
        [200, 404, 200, 200],
        ["0 /", "1 /echo [a]", "0 /"]
    ),
    .init(
        "9112 9.3.2 nothing after a refusal",
        target("/") + get("X : y") + target("/"),
        [200, 400],
        ["0 /"],
        closes: true
    ),
]

private func extended(_ lineBytes: Int) -> String {
    chunks("1;\(String(repeating: "x", count: lineBytes - 4))\r\na\r\n0\r\n\r\n")
}

private func trailers(_ count: Int) -> String {
    chunks("1\r\na\r\n0\r\n" + String(repeating: "X: y\r\n", count: count) + "\r\n")
}

private let chunkLimits: [ConformanceCase] = [
    .init("9112 7.1.1 extension at its limit", extended(256), [200], ["1 /echo [a]"]),
    .init("9112 7.1.1 extension one past it", extended(257), [400]),
    .init("9112 7.1.2 trailers at their limit", trailers(100), [200], ["1 /echo [a]"]),
    .init("9112 7.1.2 trailers one past it", trailers(101), [431]),
    .init("9112 7.1.2 folded trailer", chunks("0\r\nX: y\r\n z\r\n\r\n"), [400]),
    .init("9112 7.1.2 bare LF", chunks("0\r\nX: y\n\r\n"), [400]),
    .init(
        "9112 7.1 leading zeros",
        chunks("00000000000000000001\r\na\r\n0\r\n\r\n"),
        [200],
        ["1 /echo [a]"]
    ),
    .init("9112 7.1 fifteen digits", chunks("100000000000000\r\na\r\n0\r\n\r\n"), [413]),
    .init("9112 7.1 seventeen digits", chunks("10000000000000001\r\na\r\n0\r\n\r\n"), [413]),
    .init(
        "9112 7.1.1 extensions",
        chunks("1;a;b=c ; d = \"e \\\" ;f\";g\r\na\r\n0;h=\"\"\r\n\r\n"),
        [200],
        ["1 /echo [a]"]
    ),
    .init("9112 7.1.1 no name", chunks("1;\r\na\r\n0\r\n\r\n"), [400]),
    .init("9112 7.1.1 no name before a value", chunks("1;=b\r\na\r\n0\r\n\r\n"), [400]),
    .init("9112 7.1.1 no value", chunks("1;a=\r\na\r\n0\r\n\r\n"), [400]),
    .init("9112 7.1.1 two names", chunks("1;a b\r\na\r\n0\r\n\r\n"), [400]),
    .init("9112 7.1.1 open quote", chunks("1;a=\"b\r\na\r\n0\r\n\r\n"), [400]),
    .init("9112 7.1.1 quote escaped", chunks("1;a=\"b\\\"\r\na\r\n0\r\n\r\n"), [400]),
    .init("9112 7.1.1 more after a quote", chunks("1;a=\"b\"c\r\na\r\n0\r\n\r\n"), [400]),
    .init("9112 7.1.1 bytes above ASCII", chunks("1;\u{e9}\r\na\r\n0\r\n\r\n"), [400]),
    .init("9112 7.1.1 space at the end", chunks("1;a \r\na\r\n0\r\n\r\n"), [400]),
    .init(
        "9110 6.5.1 fields that may not be trailers change nothing",
        chunks("1\r\na\r\n0\r\nContent-Length: 9\r\nTransfer-Encoding: x\r\nHost: b\r\n\r\n")
            + get("X: y"),
        [200, 200],
        ["1 /echo [a]", "0 /"]
    ),
    .init("9112 7.1 no CRLF after data", chunks("1\r\na0\r\n\r\n"), [400]),
    .init("9112 7.1 semicolon alone", chunks(";x\r\na\r\n0\r\n\r\n"), [400]),
    .init("9112 7.1 negative", chunks("-1\r\na\r\n0\r\n\r\n"), [400]),
    .init("9112 7.1 separator", chunks("1_0\r\na\r\n0\r\n\r\n"), [400]),
    .init("9112 7.1.1 CR in extension", chunks("1;\rx\r\na\r\n0\r\n\r\n"), [400]),
]
