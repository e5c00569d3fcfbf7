// SPDX-License-Identifier: MIT

internal import HTTPServer

extension Setting {
    static let limits: [Setting] = [
        .count(
            "batch-rows-max",
            \.service.batchRowsMax,
            in: 1...1_000_000,
            "rows",
            "Rows of a batch: ten times what a gateway collects in a minute."
        ),
        .count(
            "batch-bytes-max",
            \.service.batchBytesMax,
            in: 1024...(1 << 30),
            "bytes",
            "Body of a batch: 10,000 rows of 1600 bytes."
        ),
        .count(
            "batch-bytes-pending-max",
            \.service.batchBytesPendingMax,
            in: 1024...(1 << 34),
            "bytes",
            "Bodies worked on beside the loops, and answers; for starts of lines a quarter more."
        ),
        .count(
            "inline-batch-bytes-max",
            \.service.inlineBatchBytesMax,
            in: 0...(1 << 20),
            "bytes",
            "Batches and readings up to this, a row for each 128 bytes, stay on the loop: 0.3 ms."
        ),
        .count(
            "history-rows-max",
            \.service.historyRowsMax,
            in: 1...1_000_000,
            "rows",
            "Readings that a request's history may hold: a week of minutes."
        ),
        .count(
            "body-bytes-max",
            \.http.bodyBytesMax,
            in: 1024...(1 << 30),
            "bytes",
            "Body of a request other than a batch: a reading takes 200, a day's history 200,000."
        ),
        .count(
            "body-bytes-pending-max",
            \.http.bodyBytesPendingMax,
            in: 65_536...(1 << 34),
            "bytes",
            "Bodies still coming or unanswered, beyond 16 KiB of each connection; more are 503."
        ),
        .count(
            "answer-bytes-pending-max",
            \.http.answerBytesPendingMax,
            in: 65_536...(1 << 34),
            "bytes",
            "Answers of a loop that are not read, beyond 16 KiB each; then the slowest is dropped."
        ),
        .count(
            "head-bytes-max",
            \.http.headBytesMax,
            in: 512...(1 << 20),
            "bytes",
            "Request line and header fields: what proxies in front allow."
        ),
        .count(
            "target-bytes-max",
            \.http.targetBytesMax,
            in: 64...65_536,
            "bytes",
            "Request target: the least that RFC 9110 section 4.1 recommends."
        ),
        .count(
            "fields-max",
            \.http.fieldCountMax,
            in: 8...10_000,
            "fields",
            "Header fields of a request, and trailer fields: ten times what clients send."
        ),
        .count(
            "unknown-fields-max",
            \.service.unknownFieldsMax,
            in: 0...1000,
            "fields",
            "Fields of an object that the schema lacks: more than any schema has sensors by far."
        ),
        .count(
            "problems-listed-max",
            \.service.problemsListedMax,
            in: 1...10_000,
            "errors",
            "Errors of a request that its answer lists: more than a person corrects at a time."
        ),
        .count(
            "chunk-line-bytes-max",
            \.http.chunkLineBytesMax,
            in: 16...65_536,
            "bytes",
            "Size line of a chunk with its extensions, which nobody uses."
        ),
        .count(
            "chunk-overhead-bytes-max",
            \.http.chunkOverheadBytesMax,
            in: 1024...(1 << 30),
            "bytes",
            "Coding around a chunked body, and its own size again: chunks of a byte cost no more."
        ),
        .count(
            "connections-max",
            \.http.connectionCountMax,
            in: 1...1_000_000,
            "connections",
            "Open connections of all loops; an idle one takes some 400 bytes and a descriptor."
        ),
        .count(
            "pipelined-requests-max",
            \.http.pipelinedRequestCountMax,
            in: 1...10_000,
            "requests",
            "Requests of one connection answered in one turn, so that others get theirs."
        ),
        .duration(
            "turn-time",
            \.http.turnTime,
            in: .zero ... .seconds(1),
            "In a turn of a loop; then requests that come with others wait for the next."
        ),
        .count(
            "accepts-per-turn-max",
            \.http.acceptsPerTurnMax,
            in: 1...10_000,
            "connections",
            "Connections that a loop takes in one turn from each listener: some 0.2 ms."
        ),
        .count(
            "output-bytes-max",
            \.http.outputBytesMax,
            in: 4096...(1 << 30),
            "bytes",
            "Answers waiting for a slow reader before its next request is looked at."
        ),
        .count(
            "linger-bytes-max",
            \.http.lingerBytesMax,
            in: 1024...(1 << 40),
            "bytes",
            "Read away after a refusal: who writes a whole body first sees the refusal only then."
        ),
        .count(
            "retry-after",
            \.http.retryAfterSeconds,
            in: 1...3600,
            "seconds",
            "What a client is asked to wait when its request was turned away."
        ),
    ]

    static let timeouts: [Setting] = [
        .duration(
            "head-timeout",
            \.http.headTimeout,
            in: .milliseconds(10) ... .seconds(3600),
            "From the first byte of a request to the end of its head, against slow senders."
        ),
        .duration(
            "body-timeout",
            \.http.bodyTimeout,
            in: .milliseconds(10) ... .seconds(3600),
            "From a head's end to the body's; in a streamed batch, for a line of more than 16 KiB."
        ),
        .duration(
            "idle-timeout",
            \.http.idleTimeout,
            in: .milliseconds(10) ... .seconds(86_400),
            "Between two requests: above the 60s of the usual balancer, which is to close first."
        ),
        .duration(
            "write-timeout",
            \.http.writeTimeout,
            in: .milliseconds(10) ... .seconds(3600),
            "For a waiting answer that makes no progress."
        ),
        .duration(
            "linger-timeout",
            \.http.lingerTimeout,
            in: .milliseconds(10) ... .seconds(3600),
            "For a client that was refused and neither goes on sending nor closes."
        ),
        .duration(
            "linger-total-timeout",
            \.http.lingerTotalTimeout,
            in: .milliseconds(10) ... .seconds(3600),
            "For such a client in all: what a body has."
        ),
        .duration(
            "queue-delay-max",
            \.http.queueDelayMax,
            in: .milliseconds(1) ... .seconds(60),
            "Queueing delay above which the server is late: ten times that of a busy one."
        ),
        .duration(
            "queue-delay-interval",
            \.http.queueDelayInterval,
            in: .milliseconds(1) ... .seconds(60),
            "Time of being late without a break before requests are turned away; a burst passes."
        ),
        .duration(
            "shed-cost-min",
            \.http.shedCostMin,
            in: .zero ... .seconds(60),
            "Mean time of a request from which turning away helps: a refusal costs some 10us."
        ),
    ]

    /// Batches that come line by line.
    static let streams: [Setting] = [
        .count(
            "line-bytes-max",
            \.service.lineBytesMax,
            in: 1024...(1 << 30),
            "bytes",
            "A line of a streamed batch, which as a whole has no limit: as one reading may take."
        ),
        .count(
            "inline-line-bytes-max",
            \.service.inlineLineBytesMax,
            in: 0...(1 << 20),
            "bytes",
            "Lines of a streamed batch up to this are worked on by the loop: ten rows, or 30 us."
        ),
        .duration(
            "stream-idle-timeout",
            \.http.streamIdleTimeout,
            in: .milliseconds(10) ... .seconds(3600),
            "Within a streamed batch, for its next bytes: a gateway may send a reading a minute."
        ),
        .duration(
            "stream-timeout",
            \.http.streamTimeout,
            in: .milliseconds(10) ... .seconds(86_400),
            "For the whole of a streamed batch and its answer."
        ),
    ]
}
