// SPDX-License-Identifier: MIT

@testable import HTTPServer
import Testing

private func fields(_ method: String, _ scheme: String) -> [(String, String)] {
    // Before the method, which a refusal knows all the same.
    [(":scheme", scheme), (":method", method), (":path", "/"), (":authority", "a")]
}

private func get(_ scheme: String) -> [UInt8] { Frames.headers(1, fields("GET", scheme)) }

/// Targets by their scheme.
let schemeCases: [HTTP2Case] = [
    .init("9110 4.2 scheme in any case", get("HTTP"), .status(200), ["0 /"]),
    .init("9110 7.4 https, as gateways leave it", get("https"), .status(200), ["0 /"]),
    .init("9110 7.4 https in any case", get("HttpS"), .status(200), ["0 /"]),
    .init("9113 8.3.1 other scheme", get("ftp"), .status(400)),
    .init("9113 8.3.1 start of a scheme", get("htt"), .status(400)),
    .init("9113 8.3.1 more than a scheme", get("httpsx"), .status(400)),
]

struct HTTP2SchemeTests {
    @Test func sendsNoBodyToHead() throws {
        var machine = try HTTP2Machine()
        machine.feed(Frames.headers(1, fields("HEAD", "ftp")))
        let answer = try #require(machine.reader.answers[1])
        #expect(answer.statuses == [400] && answer.body.isEmpty && answer.isComplete)
    }
}
