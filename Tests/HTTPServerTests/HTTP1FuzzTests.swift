// SPDX-License-Identifier: MIT

@testable import HTTPServer
import TestSupport
import Testing

struct HTTP1FuzzTests {
    private static let seeds = [
        "GET /equipment/7?a=%20 HTTP/1.1\r\nHost: a\r\nX-Request-ID: 1\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
            + "3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nT: 1\r\n\r\n",
        "OPTIONS * HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    ]
    private static let words = [
        "\r\n", "\n", "\r", "\0", " ", "\t", ":", ",", "0", "99999999999999999999", "-1",
        "Content-Length: 4\r\n", "Transfer-Encoding: chunked\r\n", "Host: b\r\n", "chunked",
        "HTTP/1.0", "\r\n\r\n", "GET / HTTP/1.1\r\n", "\u{ff}",
    ]

    @Test func mutantsAreReadAlikeInEverySplit() {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SplitMix(seed: seed)
        for round in 0..<3000 {
            let input = HTTP1FuzzTests.mutant(&random)
            var whole = Machine()
            whole.feed(input)
            var split = Machine()
            split.feed(input, pieces: 1 + Int(random.next() % 9))
            let isSame =
                whole.output == split.output && whole.requests == split.requests
                && whole.isClosed == split.isClosed
            // 100 (Continue) depends on what has come.
            if !isSame && whole.statuses.contains(100) == split.statuses.contains(100) {
                Issue.record("seed \(seed) round \(round): \(input)")
                return
            }
            #expect(whole.statuses.allSatisfy { 100..<600 ~= $0 })
        }
    }

    private static func mutant(_ random: inout SplitMix) -> [UInt8] {
        var bytes: [UInt8] = []
        for _ in 0...(random.next() % 3) {
            bytes += Array(seeds[Int(random.next() % UInt64(seeds.count))].utf8)
        }
        for _ in 0...(random.next() % 4) {
            let position = Int(random.next() % UInt64(bytes.count))
            switch random.next() % 4 {
            case 0: bytes[position] = UInt8(truncatingIfNeeded: random.next())
            case 1: bytes.remove(at: position)
            case 2:
                let word = words[Int(random.next() % UInt64(words.count))]
                bytes.insert(contentsOf: Array(word.utf8), at: position)
            default: bytes.removeLast(min(bytes.count - 1, Int(random.next() % 16)))
            }
        }
        return bytes
    }
}
