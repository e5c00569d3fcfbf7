// SPDX-License-Identifier: MIT

@testable import HTTPServer
import Testing

private func fields(_ method: String, _ scheme: String) -> [(String, String)] {
    // Before the method, which a refusal knows all the same.
    [(":scheme", scheme), (":method", method), (":path", "/"), (":authority", "a")]
}

private func get(_ scheme: String) -> [UInt8] { Frames.headers(1, fields("GET", scheme)) }

/// Targets by their scheme over a connection in the clear.
let schemeCases: [HTTP2Case] = [
    .init("9110 4.2 scheme in any case", get("HTTP"), .status(200), ["0 /"]),
    .init("9110 7.4 https in the clear", get("https"), .status(421)),
    .init("9110 7.4 https in any case", get("HttpS"), .status(421)),
    .init(
        "9110 7.4 https in the clear, with a body",
        Frames.headers(1, Frames.request("POST", "/echo", scheme: "https"), flags: 4)
            + Frames.data(1, "abc"),
        .status(421)
    ),
    .init("9113 8.3.1 other scheme", get("ftp"), .status(400)),
    .init("9113 8.3.1 start of a scheme", get("htt"), .status(400)),
    .init("9113 8.3.1 more than a scheme", get("httpsx"), .status(400)),
]

struct HTTP2SchemeTests {
    /// As over HTTP/1.1, where the target seldom has a scheme.
    @Test(arguments: [("http", 200), ("https", 200), ("HTTPS", 200), ("ftp", 400)])
    func takesBothOverTLS(_ scheme: String, _ status: Int) throws {
        var machine = try HTTP2Machine(isEncrypted: true)
        machine.feed(get(scheme))
        #expect(machine.reader.statuses == [1: status])
    }

    @Test(arguments: [("https", 421), ("ftp", 400)])
    func sendsNoBodyToHead(_ scheme: String, _ status: Int) throws {
        var machine = try HTTP2Machine()
        machine.feed(Frames.headers(1, fields("HEAD", scheme)))
        let answer = try #require(machine.reader.answers[1])
        #expect(answer.statuses == [status] && answer.body.isEmpty && answer.isComplete)
    }
}
