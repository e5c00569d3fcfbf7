// SPDX-License-Identifier: MIT

internal import Synchronization

/// What a server has counted since its start, over all its loops.
package struct ServerCounters: Sendable, Equatable {
    /// Connections accepted.
    package var connectionsAccepted = 0
    /// Connections open now.
    package var connectionsOpen = 0
    /// Connections turned away at the connection limit.
    package var connectionsRefused = 0
    /// Times that accepting paused for want of descriptors or memory.
    package var acceptPauses = 0
    /// Complete requests taken in, those answered by the server itself included.
    package var requests = 0
    /// Bytes received.
    package var bytesIn = 0
    /// Bytes sent.
    package var bytesOut = 0
    /// Requests answered 503 because the loop, or what works beside it, was late.
    package var requestsShed = 0
    /// Requests refused because they broke the protocol.
    package var parseErrors = 0
    /// Requests refused because they passed a limit.
    package var limitHits = 0
    /// Connections closed because a time-out passed.
    package var timeouts = 0
    /// Deferred answers whose connection had gone.
    package var answersDropped = 0
    /// Requests in the hands of a handler that has deferred its answer, now.
    package var requestsDeferred = 0
    /// Bytes of bodies that are coming or wait for their answers, beyond 16 KiB of each connection,
    /// now.
    package var bodyBytesPending = 0
    /// Bytes of answers that are not read, beyond 16 KiB of each connection, now.
    package var answerBytesPending = 0
    /// Connections with an unfinished request or answer when a drain ran out of time.
    package var connectionsCutOff = 0
    /// TLS handshakes that came to an end.
    package var tlsHandshakes = 0
    /// TLS handshakes that took an earlier session up again.
    package var tlsResumptions = 0
    /// TLS handshakes that failed or timed out.
    package var tlsFailures = 0
    /// Times that new certificate files were put into use.
    package var certificateReloads = 0
    /// Times that new certificate files could not be used.
    package var certificateRefusals = 0
    /// When the certificate in use ends, in seconds since the epoch; 0 without TLS.
    package var certificateExpirySeconds = 0

    /// Makes counters that have counted nothing.
    package init() {}
}

/// The counters of one loop: written by the loop alone, read by anyone.
final class LoopCounters: Sendable {
    enum Key: Int, CaseIterable {
        case connectionsAccepted, connectionsOpen, connectionsRefused, acceptPauses
        case requests, bytesIn, bytesOut, requestsShed, parseErrors, limitHits, timeouts
        case answersDropped, requestsDeferred, connectionsCutOff
        case tlsHandshakes, tlsResumptions, tlsFailures
    }

    private let values: InlineArray<17, AtomicBox>

    init() {
        values = InlineArray { _ in AtomicBox() }
    }

    /// Adds to a counter; only the owning loop calls it, so that a load and a store suffice.
    @inline(__always)
    func add(_ amount: Int, to key: Key) {
        let index = key.rawValue
        let old = values[index].value.load(ordering: .relaxed)
        values[index].value.store(old &+ amount, ordering: .relaxed)
    }

    func value(of key: Key) -> Int {
        values[key.rawValue].value.load(ordering: .relaxed)
    }

    func add(to sum: inout ServerCounters) {
        sum.connectionsAccepted += value(of: .connectionsAccepted)
        sum.connectionsOpen += value(of: .connectionsOpen)
        sum.connectionsRefused += value(of: .connectionsRefused)
        sum.acceptPauses += value(of: .acceptPauses)
        sum.requests += value(of: .requests)
        sum.bytesIn += value(of: .bytesIn)
        sum.bytesOut += value(of: .bytesOut)
        sum.requestsShed += value(of: .requestsShed)
        sum.parseErrors += value(of: .parseErrors)
        sum.limitHits += value(of: .limitHits)
        sum.timeouts += value(of: .timeouts)
        sum.answersDropped += value(of: .answersDropped)
        sum.requestsDeferred += value(of: .requestsDeferred)
        sum.connectionsCutOff += value(of: .connectionsCutOff)
        sum.tlsHandshakes += value(of: .tlsHandshakes)
        sum.tlsResumptions += value(of: .tlsResumptions)
        sum.tlsFailures += value(of: .tlsFailures)
    }
}

/// A count that is an element of an `InlineArray`, which an `Atomic` itself cannot be.
struct AtomicBox: ~Copyable, Sendable {
    let value = Atomic(0)
}
