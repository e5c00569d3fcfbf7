// SPDX-License-Identifier: MIT

internal import HTTPServer

extension Setting {
    static let transport: [Setting] = [
        .port(
            "tls-port",
            \.tlsPort,
            "The port for clients that speak TLS, beside the one in the clear, on the same host."
        ),
        .optionalText(
            "tls-certificate",
            \.tlsCertificate,
            none: "none",
            "The server's certificate and those above it, in PEM; followed for changes."
        ),
        .optionalText(
            "tls-key",
            \.tlsKey,
            none: "none",
            "The certificate's private key, in PEM and not encrypted; followed for changes."
        ),
        .optionalText(
            "tls-client-ca",
            \.tlsClientAuthority,
            none: "none",
            "Authorities, in PEM, one of which must have signed a client's certificate."
        ),
        .duration(
            "tls-handshake-timeout",
            \.http.handshakeTimeout,
            in: .milliseconds(10) ... .seconds(3600),
            "For a TLS handshake."
        ),
        .count(
            "tls-handshakes-max",
            \.http.handshakesPerTurnMax,
            in: 1...10_000,
            "handshakes",
            "TLS handshakes that go on in one turn of a loop: one costs hundreds of requests."
        ),
        .count(
            "tls-handshakes-open-max",
            \.http.handshakesOpenMax,
            in: 1...1_000_000,
            "handshakes",
            "TLS handshakes of a loop that wait for their clients; one more drops the oldest."
        ),
        .choice(
            "reuse-port",
            \.reusesPort,
            "Whether the ports may be another process's, which hands over to this one: on for "
                + "restarts without a gap; off tells by an error that the port is taken."
        ),
        .count(
            "encoded-bytes-min",
            \.http.encodedBytesMin,
            in: 1...(1 << 30),
            "bytes",
            "Answers from this size on go out as gzip to clients that take it; below it is no gain."
        ),
        .count(
            "decoded-streams-max",
            \.http.decodedStreamCountMax,
            in: 1...100_000,
            "bodies",
            "Streamed gzip bodies that a loop reads at a time, 60 KB each by measurement; one more "
                + "takes the place of one of a connection that has more, of which nothing has come "
                + "for 5 s, or is answered 503."
        ),
        .duration(
            "answer-timeout",
            \.http.answerTimeout,
            in: .milliseconds(10) ... .seconds(3600),
            "For the answer to a batch; then it is 503: what clients and proxies wait."
        ),
    ]
    static let http2: [Setting] = [
        .count(
            "http2-streams-max",
            \.http.http2StreamCountMax,
            in: 1...10_000,
            "streams",
            "Open streams of an HTTP/2 connection: the least that RFC 9113 section 6.5.2 advises."
        ),
        .count(
            "http2-continuations-max",
            \.http.http2ContinuationCountMax,
            in: 0...1000,
            "frames",
            "CONTINUATION frames of a header block: they hold the default head several times."
        ),
        .count(
            "http2-resets-max",
            \.http.http2ResetCountMax,
            in: 1...1_000_000,
            "streams",
            "Streams of a connection reset in an interval, beyond one an answer; then it ends."
        ),
        .count(
            "http2-control-frames-max",
            \.http.http2ControlFrameCountMax,
            in: 10...1_000_000,
            "frames",
            "Frames of a connection that move nothing, in an interval; then it is closed."
        ),
        .duration(
            "http2-flood-interval",
            \.http.http2FloodInterval,
            in: .milliseconds(10) ... .seconds(3600),
            "The interval of these two."
        ),
        .count(
            "http2-request-bytes-max",
            \.http.http2RequestBytesMax,
            in: 65_536...(1 << 34),
            "bytes",
            "Requests that a connection may have under way, in memory: two batches."
        ),
        .count(
            "http2-window-bytes",
            \.http.http2WindowBytes,
            in: 65_535...0x7FFF_FFFF,
            "bytes",
            "Flow-control window of a connection: a gigabit at 8 ms. A stream's is no more than "
                + "half its share of the bytes of requests."
        ),
    ]
}
