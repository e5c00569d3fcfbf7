// SPDX-License-Identifier: MIT

@testable import HTTPServer
import Testing

private let host = "Host: a\r\n"

/// Refusals whose whole answer counts, not the status alone.
struct HTTP1RefusalTests {
    /// RFC 9110 §9.3.2: the answer to HEAD has no body, whatever it is.
    @Test(arguments: [
        ("HEAD / HTTP/1.1\r\n\(host)Expect: x\r\n\r\n", 417),
        ("HEAD / HTTP/1.1\r\n\(host)Transfer-Encoding: gzip, chunked\r\n\r\n", 501),
        ("HEAD / HTTP/1.1\r\n\(host)Content-Encoding: br\r\n\r\n", 415),
        ("HEAD / HTTP/1.1\r\n\(host)Content-Length: x\r\n\r\n", 400),
        ("HEAD / HTTP/1.1\r\n\r\n", 400),
        ("HEAD / HTTP/1.1\r\n\(host)X : y\r\n\r\n", 400),
        ("HEAD * HTTP/1.1\r\n\(host)\r\n", 400),
        ("HEAD / HTTP/2.1\r\n\(host)\r\n", 505),
        ("HEAD /\(String(repeating: "a", count: 8000)) HTTP/1.1\r\n\(host)\r\n", 414),
        ("HEAD /x HTTP/1.1\r\n\(host)\r\n", 404),
        ("HEAD /echo HTTP/1.1\r\n\(host)\r\n", 405),
    ])
    func sendsNoBodyToHead(_ input: String, _ status: Int) {
        var machine = Machine()
        machine.feed(input)
        #expect(machine.statuses == [status])
        #expect(machine.outputText.hasSuffix("\r\n\r\n"))
        #expect(!machine.outputText.contains("content-length: 0\r\n"))
        // The method is that of this request alone.
        var next = Machine()
        next.feed("HEAD / HTTP/1.1\r\n\(host)\r\nGET / HTTP/1.1\r\nX : y\r\n\r\n")
        #expect(next.statuses == [200, 400])
        #expect(next.outputText.hasSuffix("}\n"))
    }

    /// A connection that was refused speaks no other protocol afterwards.
    @Test func endsWhereThePrefaceOfHTTP2DoesNotComeInTime() {
        var machine = Machine()
        machine.feed("PRI * HTTP/2.0\r\n\r\n")
        _ = machine.http.refuse(.timedOut, machine.context)
        machine.feed("SM\r\n\r\n")
        #expect(machine.statuses == [408])
        #expect(machine.isClosed && !machine.speaksHTTP2)
    }

    /// RFC 9110 §7.4.
    @Test func rejectsATargetOfHTTPSInTheClear() {
        var machine = Machine()
        machine.feed("GET https://a/ HTTP/1.1\r\n\(host)\r\n")
        #expect(machine.statuses == [421])
        #expect(machine.requests.isEmpty && machine.isClosed)
        var encrypted = Machine()
        encrypted.http.isEncrypted = true
        encrypted.feed("GET https://a/ HTTP/1.1\r\n\(host)\r\n")
        #expect(encrypted.statuses == [200])
    }

    @Test(arguments: [
        (String(repeating: "A", count: 17_000) + " / HTTP/1.1\r\n", 501, "method"),
        (String(repeating: "\u{1}", count: 17_000), 400, "control"),
        (String(repeating: "\"", count: 17_000), 400, "request line"),
        (String(repeating: "\r\n", count: 9000) + "GET / HTTP/1.1\r\n", 400, "request line"),
        ("GET /\(String(repeating: "a", count: 17_000))", 414, "8000"),
        ("GET / \(String(repeating: "a", count: 17_000))", 400, "request line"),
    ])
    func saysWhatOfALongLineIsWrong(_ input: String, _ status: Int, _ words: String) {
        for size in [1, 1000, Int.max] {
            var machine = Machine()
            machine.feed(input, pieces: size)
            #expect(machine.statuses == [status])
            #expect(machine.outputText.contains(words))
        }
    }

    /// RFC 9112 §2.2.
    @Test func takesEmptyLinesBehindARequestForNothing() {
        for lines in ["\r\n", "\r\n\r\n"] {
            var machine = Machine()
            machine.feed("GET / HTTP/1.1\r\n\(host)\r\n\(lines)")
            machine.end()
            #expect(machine.statuses == [200])
            #expect(machine.isClosed)
        }
    }

    @Test func sendsTheIDsOfEveryAnswer() {
        for target in ["*", "/"] {
            var machine = Machine()
            machine.feed("OPTIONS \(target) HTTP/1.1\r\n\(host)X-Request-ID: i\r\n\r\n")
            #expect(machine.statuses == [204])
            #expect(machine.outputText.contains("x-request-id: i\r\n"))
        }
    }

    /// W3C Trace Context §3.2.2 and §4: later versions are read as far as they are known, and
    /// nothing unknown is sent on.
    @Test(arguments: [
        ("00-\(trace)-01", "01"), ("00-\(trace)-00", "00"), ("00-\(trace)-ff", "01"),
        ("00-\(trace)-02", "00"), ("cc-\(trace)-01", "01"), ("cc-\(trace)-01-what", "01"),
        ("cc-\(trace)-01.what", nil), ("00-\(trace)-01-what", nil), ("ff-\(trace)-01", nil),
    ])
    func sendsAKnownTraceparent(_ sent: String, _ flags: String?) {
        var machine = Machine()
        machine.feed("GET /x HTTP/1.1\r\n\(host)traceparent: \(sent)\r\n\r\n")
        let lines = machine.outputText.split(separator: "\r\n")
        let own = lines.first { $0.hasPrefix("traceparent: ") }?.dropFirst(13)
        #expect((own == nil) == (flags == nil))
        if let own, let flags {
            #expect(own.hasPrefix("00-\(trace.prefix(32))-") && own.hasSuffix("-\(flags)"))
            #expect(own.utf8.count == 55 && !own.contains(trace.suffix(16)))
        }
    }
}

private let trace = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331"
