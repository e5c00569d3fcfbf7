// SPDX-License-Identifier: MIT

internal import Dispatch
internal import Platform

/// A thread that waits for its sockets and does their work, until told to stop.
///
/// - Note: Thread safety: everything but `queue`, `mailbox` and the counters belongs to the thread
///   that executes ``run()``.
// SAFETY: the mutable state is touched by `run()` alone, which the server calls once, on `queue`.
final class EventLoop: @unchecked Sendable {
    let queue: DispatchQueue
    let mailbox: LoopMailbox
    let counters = LoopCounters()
    let answers: AnswerCounters

    let shared: LoopShared
    let index: Int
    let poller: Poller
    var listeners: [LoopListener]
    /// Connections by descriptor: those are small numbers, used again.
    var connections: [Connection?] = []
    var connectionCount = 0
    private var generation: UInt32 = 0
    /// Connections that have more to do although their sockets say nothing.
    var pending: [Connection] = []
    /// Connections whose requests have come together and are answered one after the other.
    var joined: [Connection] = []
    /// Those of connections whose requests cost much and wait until there is time.
    var costly = Fifo<ConnectionToken>()
    /// Those of them whose clients have ended their side.
    var costlyEnded = Fifo<ConnectionToken>()
    /// Whether requests of this turn may wait for each other.
    private(set) var joinsRequests = false
    /// When it may be looked again who reads too slowly for others.
    var readerLookAt: Int64 = 0
    /// Handshakes that wait for their clients.
    var handshakes = HandshakeLine()
    /// Steps of handshakes taken in this turn.
    var handshakeStepCount = 0
    /// When requests that can wait are to wait for the next turn.
    private var turnEnd = Int64.max
    /// The longest that a connection had waited for this turn.
    private var longestWait: Int64 = 0
    let context: HTTP1Connection.Context
    let buffers = BufferPool()
    var response = Response()
    var overload: OverloadDetector
    var timers = LoopTimers()
    let timeouts: LoopTimeouts
    /// The time at which this turn began.
    var now: Int64
    private var isStopped = false

    /// - Throws: `SystemError`.
    init(index: Int, shared: LoopShared, listeners: [LoopListener]) throws(SystemError) {
        queue = DispatchQueue(label: "http.loop.\(index)")
        mailbox = try LoopMailbox()
        self.index = index
        self.shared = shared
        answers = AnswerCounters(routeCount: shared.routes.routes.count)
        self.listeners = listeners
        poller = try Poller()
        context = HTTP1Connection.Context(
            routes: shared.routes,
            limits: shared.limits,
            handler: shared.handler,
            bodies: shared.bodies
        )
        overload = OverloadDetector(limits: shared.limits)
        timeouts = context.timeouts
        now = shared.clock.nowNanoseconds
        response.destination = DeferredResponse.Destination(
            mailbox: mailbox,
            connection: ConnectionToken(rawValue: 0),
            sequence: 0
        )
        let token = ConnectionToken(descriptor: mailbox.rawDescriptor, generation: 0)
        try poller.add(mailbox.rawDescriptor, .input, token: token)
        for listener in listeners {
            let descriptor = listener.socket.descriptor.rawValue
            try poller.add(descriptor, .input, token: listener.token)
        }
    }

    /// Runs until stopped or drained.
    ///
    /// Never inlined: scripts/check-instructions counts what happens in it.
    @inline(never)
    func run() {
        while !isStopped {
            let sleeps = pending.isEmpty && !overload.isLate
            let wait = sleeps ? timers.waitMilliseconds(from: now) : 0
            // A failure of epoll_wait would be a mistake of ours; the turn is tried again.
            let count = (try? poller.wait(milliseconds: wait)) ?? 0
            now = shared.clock.nowNanoseconds
            if count == 0, pending.isEmpty { overload.noteIdle(now: now) }
            renderDate()
            handshakeStepCount = 0
            turnEnd = now + timeouts.turn
            longestWait = 0
            // One that is alone has nobody to wait for, and some may have to be shed.
            let joins = count > 1 && !overload.isShedding
            joinsRequests = joins
            for event in 0..<count {
                handleEvent(event)
                if joins, isGroupFull { answerJoined() }
            }
            if joins { answerJoined() }
            resumePending()
            if joins { answerJoined() }
            // What a timer brings is answered at once: nobody comes back to it in this turn.
            joinsRequests = false
            let end = shared.clock.nowNanoseconds
            overload.note(delay: longestWait + end - now, turn: end - now, now: end)
            now = end
            fireTimers()
        }
        endAll()
    }

    /// The next generation; 0 is for what is no connection.
    func nextGeneration() -> UInt32 {
        generation = generation == .max ? 1 : generation + 1
        return generation
    }

    /// Ends ``run()`` after this turn.
    func stop() {
        isStopped = true
    }

    private func handleEvent(_ index: Int) {
        let (token, readiness) = poller.event(at: index)
        let descriptor = token.descriptor
        if descriptor < connections.count, let connection = connections[descriptor] {
            // An event of a connection that this turn has closed finds another token or none.
            guard connection.token == token else { return }
            // All wait in one line, so that those who have just come do not pass the others.
            if connection.isEncrypted, connection.security == .handshake {
                // Who has gone before we have said a word needs no answer, which costs 0.4 ms.
                if readiness.contains(.peerEnd), !connection.hasBegunHandshake {
                    counters.add(1, to: .tlsFailures)
                    return drop(connection)
                }
                return queue(connection)
            }
            if connection.isJoined {
                noteEvent(readiness, of: connection)
            } else if readiness.contains(.input) {
                receive(connection, &connection.http)
            } else if readiness.contains(.output) {
                resume(connection, &connection.http)
            } else {
                close(connection)
            }
            return
        }
        if descriptor == Int(mailbox.rawDescriptor) {
            // Like those that are queued, what comes here has a time of its own.
            beginPart()
            mailbox.take(handle)
        } else if let listener = listeners.first(where: { $0.token == token }) {
            accept(from: listener)
        }
    }

    /// - Returns: Whether the next one may come in this turn.
    private func handle(_ message: LoopMessage) -> Bool {
        switch message {
        case .answer(let token, let sequence, let response, let isEncoded):
            giveDeferred(response, to: token, sequence: sequence, isEncoded: isEncoded)
        case .unanswered(let token, let sequence):
            var response = Response()
            Problem.internalError.render(into: &response, &context.requestIDs)
            giveDeferred(response, to: token, sequence: sequence, isEncoded: true)
        case .decoded(let token, let sequence, let result):
            takeDecoded(result, of: token, sequence: sequence)
            // Its request has been handled.
            return !isTurnOver
        case .drain(let closeAt, let stopAt):
            context.isDraining = true
            timers.drain = .accepting(closeAt: closeAt, stopAt: stopAt)
            announceDrain()
        case .stop:
            stop()
        case .wake:
            break
        }
        return true
    }

    /// Begins a part of the turn that has a time of its own.
    func beginPart() { turnEnd = shared.clock.nowNanoseconds + timeouts.turn }

    /// Whether requests that can wait are to wait for the next turn.
    var isTurnOver: Bool { shared.clock.nowNanoseconds >= turnEnd }

    private func resumePending() {
        guard !pending.isEmpty else { return }
        // They have a time of their own, so that sockets with news cannot keep them waiting.
        beginPart()
        let connections = pending
        pending.removeAll(keepingCapacity: true)
        for (index, connection) in connections.enumerated() {
            if index > 0, isTurnOver {
                pending.insert(contentsOf: connections[index...], at: 0)
                return
            }
            connection.isQueued = false
            guard isOpen(connection) else { continue }
            if connection.security == .handshake {
                shakeHands(connection)
            } else {
                longestWait = max(longestWait, now - connection.waitsSince)
                resume(connection, &connection.http)
            }
            if !connection.isQueued { connection.waitsSince = .max }
        }
    }

    private func renderDate() {
        guard now >= timers.dateExpiry else { return }
        let microseconds = shared.wallClock.nowMicroseconds
        // Moved out and back, so that every request reads the field without a check.
        var date: [UInt8] = []
        swap(&date, &context.date)
        DateField.render(secondsSinceEpoch: microseconds / 1_000_000, into: &date)
        swap(&date, &context.date)
        timers.dateExpiry = now + (1_000_000 - microseconds % 1_000_000) * 1000
    }
}
