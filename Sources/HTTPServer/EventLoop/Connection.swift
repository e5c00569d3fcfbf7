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
        case none, idle, head, body, write, linger
    }

    let socket: Socket
    let token: ConnectionToken
    var http = HTTP1Connection()
    var ending = Ending.open
    var readiness = Readiness.input
    var deadline = Int64.max
    var deadlineKind = DeadlineKind.none
    var deadlineSequence: UInt64 = 0
    var lingeredByteCount = 0
    /// Whether the loop is to come back to it although its socket says nothing.
    var isQueued = false
    /// Whether input was seen that is not to be read yet.
    var hasUnreadInput = false

    init(_ socket: consuming Socket, generation: UInt32, listener: Listener, loopIndex: Int) {
        token = ConnectionToken(descriptor: socket.rawValue, generation: generation)
        self.socket = socket
        http.reset(listener: listener, loopIndex: loopIndex)
    }
}

/// A listening socket of one event loop.
final class LoopListener {
    let socket: ListeningSocket
    let listener: Listener
    var isWatched = true

    init(_ socket: consuming ListeningSocket, _ listener: Listener) {
        self.socket = socket
        self.listener = listener
    }

    var token: ConnectionToken {
        ConnectionToken(descriptor: socket.descriptor.rawValue, generation: 0)
    }
}
