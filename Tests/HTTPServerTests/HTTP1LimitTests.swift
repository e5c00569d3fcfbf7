// SPDX-License-Identifier: MIT

@testable import HTTPServer
import Testing

struct HTTP1LimitTests {
    private var limits: ServerLimits {
        var limits = ServerLimits()
        limits.headBytesMax = 200
        limits.targetBytesMax = 50
        limits.fieldCountMax = 4
        return limits
    }

    private func statuses(_ input: String, pieces: Int) -> [Int] {
        var machine = Machine(limits: limits)
        machine.feed(input, pieces: pieces)
        return machine.statuses
    }

    @Test(arguments: [1, 7, .max])
    func boundsTheTarget(pieces: Int) {
        func request(_ count: Int) -> String {
            "GET /?\(String(repeating: "a", count: count - 2)) HTTP/1.1\r\nHost: a\r\n\r\n"
        }
        #expect(statuses(request(50), pieces: pieces) == [200])
        #expect(statuses(request(51), pieces: pieces) == [414])
        #expect(statuses(request(500), pieces: pieces) == [414])
    }

    @Test(arguments: [1, 7, .max])
    func boundsTheHead(pieces: Int) {
        func request(_ count: Int) -> String {
            let frame = "GET / HTTP/1.1\r\nHost: a\r\nX: \r\n\r\n"
            let fill = String(repeating: "a", count: count - frame.utf8.count)
            return "GET / HTTP/1.1\r\nHost: a\r\nX: \(fill)\r\n\r\n"
        }
        #expect(statuses(request(200), pieces: pieces) == [200])
        #expect(statuses(request(201), pieces: pieces) == [431])
        #expect(statuses(request(900), pieces: pieces) == [431])
    }

    @Test(arguments: [1, 7, .max])
    func boundsTheFields(pieces: Int) {
        func request(_ count: Int) -> String {
            let fields = String(repeating: "X: y\r\n", count: count - 1)
            return "GET / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n"
        }
        #expect(statuses(request(4), pieces: pieces) == [200])
        #expect(statuses(request(5), pieces: pieces) == [431])
    }

    @Test func saysWhichLimitOfAChunkedBodyWasPassed() {
        func output(_ body: String) -> String {
            var machine = Machine()
            machine.feed(
                "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\(body)"
            )
            return String(decoding: machine.output, as: UTF8.self)
        }
        func fill(_ count: Int) -> String { String(repeating: "x", count: count) }
        // The trailer part with its last line: at the limit of the head, and one past it.
        for (excess, status) in [(0, "200"), (1, "431")] {
            let text = output("1\r\na\r\n0\r\nX: \(fill(16_384 - 7 + excess))\r\n\r\n")
            #expect(text.hasPrefix("HTTP/1.1 \(status)"))
            #expect(text.contains("larger than 16384 bytes") == (excess > 0))
        }
        #expect(output("1;\(fill(300))\r\n").contains("longer than 256 bytes"))
        var limits = ServerLimits()
        limits.chunkOverheadBytesMax = 40
        var machine = Machine(limits: limits)
        machine.feed("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        machine.feed(String(repeating: "1\r\na\r\n", count: 30))
        let text = String(decoding: machine.output, as: UTF8.self)
        #expect(text.hasPrefix("HTTP/1.1 413 ") && text.contains("40 bytes more"))
    }

    @Test func boundsTheCodingAroundChunks() {
        var limits = ServerLimits()
        limits.chunkOverheadBytesMax = 40
        for (count, expected) in [(10, 200), (30, 413)] {
            var machine = Machine(limits: limits)
            machine.feed(
                "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                    + String(repeating: "1\r\na\r\n", count: count) + "0\r\n\r\n"
            )
            #expect(machine.statuses == [expected])
        }
    }

    @Test func refusesWhatEndsInTheMiddle() {
        for input in ["GET", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nab"] {
            var machine = Machine()
            machine.feed(input)
            machine.end()
            #expect(machine.statuses == [400])
            #expect(machine.isClosed)
        }
    }

    @Test func closesSilentlyBetweenRequests() {
        var machine = Machine()
        machine.feed("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        machine.end()
        #expect(machine.statuses == [200])
        #expect(machine.isClosed)
    }

    @Test func answersEveryRequestThatIsHereBeforeADrainCloses() {
        var machine = Machine()
        machine.context.isDraining = true
        machine.feed(String(repeating: "GET / HTTP/1.1\r\nHost: a\r\n\r\n", count: 3))
        #expect(machine.statuses == [200, 200, 200])
        #expect(machine.isClosed)
        #expect(machine.outputText.components(of: "connection: close") == 1)
    }
}

extension String {
    /// How often a text occurs.
    fileprivate func components(of text: String) -> Int {
        indices.count { self[$0...].hasPrefix(text) }
    }
}
