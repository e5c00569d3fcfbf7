// SPDX-License-Identifier: MIT

@testable import HTTPServer
import Platform
import TestSupport
import Testing

struct SmallClientTests {
    private static let interim = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    private static let final = "HTTP/1.1 200 OK\r\n"

    private static func many(_ count: Int) -> String {
        String(repeating: interim, count: count) + final + "Content-Length: 0\r\n\r\n"
    }

    /// What comes of an answer of which each read gets so many bytes more.
    private func read(_ text: String, step: Int, isEnd: Bool) -> SmallAnswerReader.Progress {
        let bytes = Array(text.utf8)
        var reader = SmallAnswerReader()
        var progress = SmallAnswerReader.Progress.more(nil)
        for end in stride(from: 0, to: bytes.count, by: step) {
            guard case .more = progress else { return progress }
            progress = reader.read(Array(bytes[..<end]), isEnd: false)
        }
        guard case .more = progress else { return progress }
        progress = reader.read(bytes, isEnd: false)
        guard isEnd, case .more = progress else { return progress }
        return reader.read(bytes, isEnd: true)
    }

    @Test(arguments: [
        ("\(final)Content-Length: 2\r\n\r\n{}", 200, "{}"),
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 No\r\ncontent-length:0\r\n\r\n", 503, ""),
        ("\(interim)\(final)\r\nall", 200, "all"),
        (
            "\(final)Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n3;x=y\r\ncde\r\n0\r\n\r\n", 200,
            "abcde"
        ),
        ("HTTP/1.1 204 None\r\nContent-Length: 5\r\n\r\n", 204, ""),
        ("HTTP/1.0 404\r\n\r\n", 404, ""),
        ("HTTP/1.1 101 Switching\r\nUpgrade: a\r\n\r\n", 101, ""),
        (many(SmallAnswerReader.interimCountMax), 200, ""),
        ("\(final)Content-Length: 65537\r\n\r\n", 200, ""),
    ])
    func readsTheFinalAnswer(text: String, status: Int, body: String) {
        let answer = SmallAnswer(status: status, body: Array(body.utf8))
        for step in [1, 7, text.utf8.count] {
            #expect(read(text, step: step, isEnd: true) == .done(answer), "\(step)")
        }
    }

    @Test(arguments: [
        "HTTP/2 200\r\n\r\n", "SSH-2.0-x\r\n\r\n", "HTTP/1.1 99 \r\n\r\n", "HTTP/1.1 200 OK\r\n",
        interim, many(SmallAnswerReader.interimCountMax + 1),
        "HTTP/1.1 200 " + String(repeating: "x", count: SmallAnswerReader.headBytesMax + 1),
    ])
    func refusesWhatIsNoAnswer(text: String) {
        #expect(read(text, step: text.utf8.count, isEnd: true) == .refused)
    }

    @Test func mutantsAreReadAlikeInEverySplit() {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SplitMix(seed: seed)
        let texts = [
            "\(Self.interim)\(Self.final)Content-Length: 2\r\n\r\n{}",
            "\(Self.final)Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n3;x=y\r\ncde\r\n0\r\n\r\n",
        ]
        let bytes = Array("\r\n 0129f:;,HTP/.\0\u{7f}".utf8)
        for round in 0..<2000 {
            var text = Array(texts[round % texts.count].utf8)
            for _ in 0...(random.next() % 4) {
                let index = Int(random.next() % UInt64(text.count))
                let byte = bytes[Int(random.next() % UInt64(bytes.count))]
                switch random.next() % 3 {
                case 0: text[index] = byte
                case 1: text.insert(byte, at: index)
                default: text.remove(at: index)
                }
            }
            let mutant = String(decoding: text, as: UTF8.self)
            let whole = read(mutant, step: mutant.utf8.count, isEnd: true)
            let split = read(mutant, step: 1 + Int(random.next() % 9), isEnd: true)
            #expect(whole == split, "seed \(seed) round \(round): \(mutant)")
        }
    }

    @Test func knowsTheStatusWhereTheBodyStaysAway() {
        let text = "\(Self.final)Content-Length: 5\r\n\r\nab"
        #expect(read(text, step: 1, isEnd: false) == .more(SmallAnswer(status: 200)))
    }

    /// A listener whose connections the system takes and nobody answers.
    @Test func waitsForNobodyLongerThanItIsTold() throws {
        let address = try #require(SocketAddress(host: "127.0.0.1", port: 0))
        let listener = try ListeningSocket(address, backlog: 8)
        let port = try listener.port()
        let clock = MonotonicClock.system
        let start = clock.nowNanoseconds
        var askedCount = 0
        let error = #expect(throws: SystemError.self) {
            try SmallClient.answer(host: "127.0.0.1", port: port, path: "/", body: [1, 2]) {
                askedCount += 1
                // It is over once that is found by asking again.
                return askedCount > 4 ? 0 : 60_000
            }
        }
        #expect(error?.errno == 110)
        #expect(clock.nowNanoseconds - start < 30_000_000_000)
    }
}
