// SPDX-License-Identifier: MIT

internal import Platform

/// A connection of one event loop: its socket, its protocol state and its deadline.
final class Connection {
    /// How a connection ends.
    enum Ending {
        case open
        /// Close once the output is sent.
        case closeAfterOutput
        /// Once the output is sent, say so and read until the client closes.
        case lingerAfterOutput
        case lingering
    }

    /// What a deadline is for.
    enum DeadlineKind {
        case none, handshake, idle, head, body, piece, answer, write, linger, streams
    }

    /// Where a request that costs much waits for others.
    enum Line {
        case none
        case open
        /// The client has ended its side.
        case ended
    }

    /// How far TLS has come.
    enum Security {
        case none
        case handshake
        case established
        /// It was ended, or could not begin.
        case ended
    }

    let socket: Socket
    private let tls: TLSSession
    private let bodies: ByteBudget
    private let unread: ByteBudget
    /// A constant, which costs those in the clear one load where a variable would cost a call.
    let isEncrypted: Bool
    var security: Security
    /// Whether a step of the handshake has been taken.
    private(set) var hasBegunHandshake = false
    let token: ConnectionToken
    /// The buffers, and the protocol state while it is HTTP/1.1.
    var http = HTTP1Connection()
    /// The protocol state of HTTP/2.
    var http2: HTTP2Connection?
    var ending = Ending.open
    var readiness = Readiness.input
    var deadline = Int64.max
    var deadlineKind = DeadlineKind.none
    var deadlineSequence: UInt64 = 0
    /// When the client of HTTP/2 has to have taken, or sent, some bytes at the latest.
    var socketDeadline = Int64.max
    /// When its socket has last not taken all that there was for it.
    var blockedAt = Int64.min / 2
    var lingeredByteCount = 0
    /// When reading what follows a refusal ends at the latest, on the monotonic clock.
    var lingerEnd = Int64.max
    /// Whether the loop is to come back to it although its socket says nothing.
    var isQueued = false
    /// Whether its request waits for those that have come with it.
    var isJoined = false
    /// Where it waits for them if it costs much.
    var line = Line.none
    /// Since when it waits for that, over turns in which it could not do all.
    var waitsSince = Int64.max
    /// Whether input was seen that is not to be read yet.
    var hasUnreadInput = false
    /// Whether input has been read off the socket that the protocol has not been given.
    private(set) var hasBufferedInput = false
    /// Whether TLS has to say something before it gives more input, and the socket has no room.
    private(set) var readsWhenWritable = false

    init(
        _ socket: consuming Socket,
        tls: consuming TLSSession,
        generation: UInt32,
        listener: Listener,
        loopIndex: Int,
        bodies: ByteBudget,
        unread: ByteBudget
    ) {
        token = ConnectionToken(descriptor: socket.rawValue, generation: generation)
        self.socket = socket
        isEncrypted = !tls.isPlain
        security = tls.isPlain ? .none : .handshake
        self.tls = tls
        self.bodies = bodies
        self.unread = unread
        http.reset(listener: listener, loopIndex: loopIndex)
        http.isEncrypted = isEncrypted
    }

    deinit {
        bodies.release(http.heldByteCount)
        unread.release(http.heldOutputByteCount)
    }

    /// Goes on with the handshake, at a time in seconds since the epoch; afterwards bytes are
    /// encrypted.
    ///
    /// One that takes up a session of a client whose certificate has ended since then fails.
    func shakeHands(at seconds: Int64) -> TLSSession.Progress {
        hasBegunHandshake = true
        let progress = tls.shakeHands()
        if progress == .failed || progress == .isPlainHTTP { tls.abandon() }
        if progress == .complete {
            guard !tls.isResumed || tls.isPeerCurrent(at: seconds) else {
                tls.shutDownSending()
                return .failed
            }
            security = .established
        }
        return progress
    }

    /// Whether the handshake took an earlier session up again.
    var isResumed: Bool { tls.isResumed }

    /// The protocol that the client speaks, known once the handshake is complete.
    var applicationProtocol: ApplicationProtocol { tls.applicationProtocol }

    /// Receives what the protocol is to see, as ``Socket/receive(into:from:atMost:)`` does; of
    /// what is encrypted, all that there is room for.
    ///
    /// - Throws: `SystemError`.
    @inline(__always)
    func receive(
        into buffer: inout [UInt8],
        from offset: Int,
        atMost byteCount: Int
    ) throws(SystemError) -> Int? {
        if !isEncrypted {
            return try socket.receive(into: &buffer, from: offset, atMost: byteCount)
        }
        return try receiveEncrypted(into: &buffer, from: offset)
    }

    private func receiveEncrypted(
        into buffer: inout [UInt8],
        from offset: Int
    ) throws(SystemError) -> Int? {
        hasBufferedInput = false
        readsWhenWritable = false
        guard let count = try tls.receive(into: &buffer, from: offset) else {
            readsWhenWritable = tls.wantsOutput
            return nil
        }
        // What stands behind the end of the stream is nobody's.
        hasBufferedInput = count > 0 && tls.hasBufferedInput
        return count
    }

    /// Sends what the protocol says, as ``Socket/send(_:from:)`` does.
    ///
    /// - Throws: `SystemError`.
    @inline(__always)
    func send(_ buffer: borrowing [UInt8], from offset: Int) throws(SystemError) -> Int? {
        if !isEncrypted { return try socket.send(buffer, from: offset) }
        return try tls.send(buffer, from: offset)
    }

    /// Tells the client that nothing more comes, in the words of TLS; once.
    func shutDownSession() {
        guard isEncrypted, security == .established else { return }
        tls.shutDownSending()
        security = .ended
    }

    /// Whether the request of a deferred answer still waits for it.
    func awaitsAnswer(to sequence: UInt64) -> Bool {
        if let http2 { return http2.awaitsAnswer(to: sequence) }
        return http.isDeferred && http.sequence == sequence
    }

    /// The body of the request of a deferred answer where it is taken piece by piece.
    func streamed(for sequence: UInt64) -> StreamedBody? {
        if let http2 { return http2.streamed(for: sequence) }
        return http.streamed
    }

    /// The route of a request whose answer was deferred and is awaited.
    func routeIndex(for sequence: UInt64) -> Int? {
        if let http2 { return http2.routeIndex(for: sequence) }
        return http.routing.routeIndex
    }

    /// Whether the client of that request takes gzip.
    func acceptsGzip(for sequence: UInt64) -> Bool {
        if let http2 { return http2.acceptsGzip(for: sequence) }
        // A reference of its own: a span of a class's member cannot be handed on.
        let http = http
        return ContentCoder.accepts(http.request, http.input.span.extracting(http.requestBytes))
    }

    /// Gives a deferred answer to the request that waits for it.
    func answer(_ answer: Response, to sequence: UInt64, _ context: HTTP1Connection.Context) {
        if let http2 {
            http2.giveDeferred(answer, to: sequence)
        } else {
            http.answer(answer, context)
        }
    }

    /// Whether answers that wait have some of the memory that all have in common.
    var holdsAnswers: Bool { http.heldOutputByteCount > 0 || http2?.hasHeldAnswers == true }

    /// Whether its client has not read all that there is for it.
    var hasUnreadAnswers: Bool { http.hasOutput || http2?.hasAnswers == true }

    /// Its bytes, or those of its memory, which goes when the last one has been sent.
    var unreadByteCount: Int { http.output.count + (http2?.unreadByteCount ?? 0) }

    /// What it has of memory that others may find none of.
    var held: [HeldBytes] {
        var held = http2?.held ?? []
        held.add(HeldBytes(http.heldOutputByteCount, of: unread))
        if http2 != nil { return held }
        held.add(HeldBytes(http.heldByteCount, of: bodies))
        for reservation in http.reservations { held.add(reservation.held) }
        if let stream = http.streamed?.held { held.add(stream) }
        return held
    }

    /// Whether a request or an answer is under way.
    var isBusy: Bool {
        http.hasOutput || !(http.isIdle || http.isSkipping) || (http2?.openCount ?? 0) > 0
    }
}

/// A listening socket of one event loop.
final class LoopListener {
    let socket: ListeningSocket
    let listener: Listener
    /// What is shown to clients; nil where they speak in the clear.
    let identity: TLSIdentity?
    var isWatched = true

    init(_ socket: consuming ListeningSocket, _ listener: Listener, _ identity: TLSIdentity?) {
        self.socket = socket
        self.listener = listener
        self.identity = identity
    }

    /// What a connection of this listener speaks.
    ///
    /// - Throws: `SystemError` where there is no memory.
    func makeSession(on socket: borrowing Socket) throws(SystemError) -> TLSSession {
        guard let identity else { return TLSSession() }
        return try identity.makeSession(on: socket.rawValue)
    }

    var token: ConnectionToken {
        ConnectionToken(descriptor: socket.descriptor.rawValue, generation: 0)
    }
}
