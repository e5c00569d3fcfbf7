// SPDX-License-Identifier: MIT

/// Every bound of the server, each with its default, unit and reason.
package struct ServerLimits: Sendable {
    /// Bytes of request line and header fields together: 16 KiB, what proxies in front allow.
    package var headBytesMax = 16_384
    /// Bytes of the request target: 8000, the least that RFC 9110 §4.1 recommends to support.
    package var targetBytesMax = 8000
    /// Header fields in a request, and trailer fields: 100, ten times what clients send.
    package var fieldCountMax = 100
    /// Bytes of a body after decoding: 1 MiB; a route may set its own.
    package var bodyBytesMax = 1 << 20
    /// Bytes of all bodies that have not come to their end or have not been answered, beyond the
    /// 16 KiB that each connection has: 256 MiB, sixteen batches.
    package var bodyBytesPendingMax = 256 << 20
    /// Bytes of the answers of a loop that are not read, beyond 16 KiB of each connection: 32 MiB,
    /// a thousand of the largest that is no batch's.
    package var answerBytesPendingMax = 32 << 20
    /// Bytes of one chunk's size line with its extensions: 256; nobody uses extensions.
    package var chunkLineBytesMax = 256
    /// Bytes of coding around a chunked body: 64 KiB and the body's size again, so that one-byte
    /// chunks cost a bounded factor.
    package var chunkOverheadBytesMax = 65_536
    /// Open connections of all loops: 10,000; one costs some 400 bytes when idle, and a descriptor.
    package var connectionCountMax = 10_000
    /// Connections taken from one listener in one turn of a loop: 16, some 0.2 ms.
    package var acceptsPerTurnMax = 16
    /// Steps of TLS handshakes in one turn of a loop: 1, which holds requests up for 0.4 ms.
    package var handshakesPerTurnMax = 1
    /// TLS handshakes of a loop that have begun and wait for their clients: 512, a second's of one
    /// loop at 200 ms to the client and back, in 36 MB, or 104 at most.
    package var handshakesOpenMax = 512
    /// Requests of one connection answered in one turn: 64, so that others get theirs.
    package var pipelinedRequestCountMax = 64
    /// Requests of a loop that cost much and wait though their clients have ended their side: 256,
    /// some 80 ms; most of such clients have gone, and of more the oldest is dropped.
    package var endedRequestCountMax = 256
    /// Time in a turn of a loop after which requests that come with others of their connection wait
    /// for the next: 300 us, which others do not notice.
    package var turnTime = Duration.microseconds(300)
    /// Bytes of answers waiting for a slow reader before its next request is looked at: 64 KiB, and
    /// as much again in the socket's buffer.
    package var outputBytesMax = 65_536
    /// Bytes of an answer from which it is encoded for clients that take gzip: 1 KiB, which goes
    /// out in one packet either way.
    package var encodedBytesMin = 1024
    /// Streamed gzip bodies that a loop decodes at a time: 1024, of 60 KB each by measurement, so
    /// that who takes all places of a thousand connections could as well take all connections.
    ///
    /// One more takes the place of one of which nothing has come for 5 s, of a connection that has
    /// more.
    package var decodedStreamCountMax = 1024
    /// Bytes read and thrown away after a refusal: 256 MiB, since a client that writes a whole body
    /// before it reads sees the refusal only then.
    package var lingerBytesMax = 256 << 20
    /// Open streams of an HTTP/2 connection: 100, the least that RFC 9113 §6.5.2 recommends.
    package var http2StreamCountMax = 100
    /// CONTINUATION frames of a header block: 4 of 16 KiB hold the default head several times.
    package var http2ContinuationCountMax = 4
    /// Streams of a connection reset before their answer, by either side, in an interval: 100, all
    /// that may be open, and one more for every answer sent; rapid reset waits for none.
    package var http2ResetCountMax = 100
    /// Frames of a connection that move nothing (PING, SETTINGS, PRIORITY, WINDOW_UPDATE and empty
    /// DATA) in an interval: 1000, four more for every DATA frame sent and one for each KiB in it.
    package var http2ControlFrameCountMax = 1000
    /// The interval of these two: 10 s.
    package var http2FloodInterval = Duration.seconds(10)
    /// Bytes of requests that one connection may have under way: 32 MiB, two batches.
    package var http2RequestBytesMax = 32 << 20
    /// Flow-control window of a connection: 1 MiB, a gigabit at 8 ms.
    ///
    /// That of a stream is as large where all that may be open fit ``http2RequestBytesMax`` with
    /// two each, which by default they do with 160 KiB.
    package var http2WindowBytes = 1 << 20
    /// Time for a TLS handshake: 10 s.
    package var handshakeTimeout = Duration.seconds(10)
    /// Time from the first byte of a request to the end of its head: 10 s, against slow senders.
    package var headTimeout = Duration.seconds(10)
    /// Time from the end of the head to the end of the body: 30 s.
    package var bodyTimeout = Duration.seconds(30)
    /// Time of a streamed request in which nothing of its body comes: 60 s, so that a gateway may
    /// send a reading a minute.
    package var streamIdleTimeout = Duration.seconds(60)
    /// Time from the head of a streamed request to the end of its answer: an hour, in which a
    /// client of 2 MB/s sends 7 GB.
    package var streamTimeout = Duration.seconds(3600)
    /// Time for an answer that a handler gives later: 60 s, what clients and proxies wait.
    package var answerTimeout = Duration.seconds(60)
    /// Time between two requests: 75 s, above the 60 s of the usual load balancer, so that it is
    /// the balancer that closes.
    package var idleTimeout = Duration.seconds(75)
    /// Time in which a waiting answer makes no progress: 30 s.
    package var writeTimeout = Duration.seconds(30)
    /// Time in which a client that was refused neither goes on sending nor closes: 2 s.
    package var lingerTimeout = Duration.seconds(2)
    /// Time for such a client to send the rest: 30 s, that of a body.
    package var lingerTotalTimeout = Duration.seconds(30)
    /// Queueing delay above which the server counts as late: 5 ms, ten times that of a busy one.
    package var queueDelayMax = Duration.milliseconds(5)
    /// Time of being late without a break before requests are shed: 100 ms, so that a burst passes.
    package var queueDelayInterval = Duration.milliseconds(100)
    /// Mean cost of a request from which shedding helps: 50 us, by estimate five refusals.
    package var shedCostMin = Duration.microseconds(50)
    /// Seconds that a shed client is asked to wait: 1.
    package var retryAfterSeconds = 1

    /// Makes the defaults.
    package init() {}
}
