// SPDX-License-Identifier: MIT

@testable import HTTPServer
import Testing

/// A head that equals the last one is not read again; nothing may tell.
struct KnownHeadTests {
    private static let heads = [
        "GET /equipment/7?a=b HTTP/1.1\r\nHost: a\r\nX-Request-ID: 1\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 03\r\nAccept: */*\r\n\r\nabc",
        "POST /optional HTTP/1.1\r\nHost: a:1\r\ncontent-length:3\r\n\r\nabc",
        "HEAD / HTTP/1.1\r\nHost: [::1]\r\nConnection: keep-alive\r\n\r\n",
    ]

    /// What a machine makes of a request after others, of which nothing may be left.
    private func result(_ input: String, after first: String?) -> [String] {
        var machine = Machine()
        if let first { machine.feed(first) }
        let before = (machine.requests.count, machine.statuses.count)
        machine.feed(input)
        machine.end()
        return machine.requests.dropFirst(before.0)
            + machine.statuses.dropFirst(before.1).map(String.init) + ["\(machine.isClosed)"]
    }

    @Test func requestsAreAnsweredAlikeWhateverCameBefore() {
        let open = conformanceCases.filter { !$0.closes && $0.statuses.allSatisfy { $0 == 200 } }
        // A few, since every one takes a while.
        let firsts = stride(from: 0, to: open.count, by: 13).map { open[$0] }
        #expect(firsts.count > 2)
        for example in conformanceCases {
            var machine = Machine()
            machine.feed(example.input)
            // RFC 9113 §3.4: the preface stands at the start of a connection.
            if machine.speaksHTTP2 { continue }
            let alone = result(example.input, after: nil)
            for first in firsts {
                let found = result(example.input, after: first.input)
                #expect(found == alone, "\(example.clause) after \(first.clause)")
            }
        }
    }

    @Test(arguments: heads)
    func everyByteThatDiffersIsSeen(_ head: String) {
        let bytes = Array(head.utf8)
        for index in bytes.indices {
            for byte in [UInt8](arrayLiteral: 0x0D, 0x20, 0x39, 0x61)
            where byte != bytes[index] {
                var changed = bytes
                changed[index] = byte
                let input = String(decoding: changed, as: Unicode.ASCII.self)
                #expect(result(input, after: head) == result(input, after: nil), "\(index) \(byte)")
            }
        }
    }

    @Test(arguments: heads)
    func sameHeadIsTakenForReadAndMeansTheSame(_ head: String) {
        var machine = Machine()
        machine.feed(head)
        #expect(machine.http.isHeadUnread)
        var copy = machine.http
        let isTaken = copy.takeKnownHead(of: head.utf8.span)
        #expect(isTaken)
        machine.feed(head + head)
        machine.feed(head, pieces: 1)
        #expect(machine.requests == [String](repeating: machine.requests[0], count: 4))
        let answers = machine.outputText.split(separator: "HTTP/1.1 ").map(String.init)
        #expect(answers.count == 4)
        #expect(Set(answers.map(withoutRequestID)).count == 1)
    }

    @Test func onlyTheNumberOfALengthMayDiffer() {
        func request(_ length: String) -> String {
            "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: \(length)\r\n\r\n"
        }
        var machine = Machine()
        machine.feed(request("12") + String(repeating: "a", count: 12))
        machine.feed(request("10") + String(repeating: "b", count: 10))
        machine.feed(request("32") + String(repeating: "c", count: 32))
        machine.feed(request("5") + "ddddd")
        #expect(machine.statuses == [200, 200, 200, 200])
        #expect(machine.requests.map(\.utf8.count) == [22, 20, 42, 15])
        machine.feed(request("33"))
        #expect(machine.statuses.last == 413)
        #expect(machine.outputText.contains(#""instance":"/echo""#))
        for length in ["+1", "1 ", " 1", "1x", "-1", "0x"] {
            #expect(
                result(request(length) + "a", after: request("10") + "0123456789")
                    == result(request(length) + "a", after: nil)
            )
        }
    }

    @Test func refusalOfWhatHasNotBeenLookedAtKnowsNothingOfTheRequestBefore() {
        var machine = Machine()
        machine.feed(Self.heads[3])
        let before = machine.http.output.count
        let action = machine.http.refuse(.timedOut, machine.context)
        let text = String(decoding: machine.http.output.dropFirst(before), as: UTF8.self)
        #expect(action == .answered(.init(status: 408, refusal: .limit, routeIndex: nil)))
        // The last one was a HEAD request; this answer has a body, and names no path.
        #expect(text.contains("\r\n\r\n{") && !text.contains("instance"))
    }

    @Test func keepsHeadsUpToTheLimit() {
        for (count, isKept) in [(511, true), (512, true), (513, false)] {
            let head = [UInt8](repeating: 0x61, count: count)
            var known = KnownHead()
            known.keep(head.span, digits: 0..<0)
            #expect(known.isEmpty != isKept)
            #expect(known.contentLength(of: head.span) == (isKept ? 0 : nil))
            #expect(known.contentLength(of: head.span.extracting(0..<count - 1)) == nil)
        }
        for (count, isKept) in [(18, true), (19, false)] {
            let head = Array(String(repeating: "9", count: count).utf8)
            var known = KnownHead()
            known.keep(head.span, digits: 0..<count)
            #expect(known.contentLength(of: head.span) == (isKept ? 999_999_999_999_999_999 : nil))
        }
    }

    private func withoutRequestID(_ answer: String) -> String {
        answer.split(separator: "\r\n").filter { !$0.hasPrefix("x-request-id") }.joined()
    }
}
