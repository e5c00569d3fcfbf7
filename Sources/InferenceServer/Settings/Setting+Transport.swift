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
        .duration(
            "answer-timeout",
            \.http.answerTimeout,
            in: .milliseconds(10) ... .seconds(3600),
            "For the answer to a batch; then it is 503: what clients and proxies wait."
        ),
    ]
}
