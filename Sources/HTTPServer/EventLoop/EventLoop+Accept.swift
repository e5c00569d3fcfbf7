// SPDX-License-Identifier: MIT

internal import Glibc
internal import Platform
internal import Synchronization

extension EventLoop {
    /// How long accepting pauses when descriptors or memory have run out.
    private static let acceptPauseNanoseconds: Int64 = 100_000_000

    /// Takes the connections that wait.
    ///
    /// - Returns: Whether there may be more.
    @discardableResult
    func accept(from listener: LoopListener) -> Bool {
        for _ in 0..<shared.limits.acceptsPerTurnMax {
            do throws(SystemError) {
                guard let descriptor = try listener.socket.accept() else { return false }
                try open(Socket(descriptor), listener)
            } catch {
                switch error.errno {
                case EMFILE, ENFILE, ENOBUFS, ENOMEM, ENOSPC:
                    pauseAccepting()
                    return false
                default:
                    // The connection has failed on its way (accept(2)); the next may be well.
                    continue
                }
            }
        }
        return true
    }

    /// Watches the listeners again after a pause.
    func resumeAccepting() {
        timers.acceptResume = .max
        for listener in listeners where !listener.isWatched {
            watch(listener, true)
        }
    }

    private func pauseAccepting() {
        counters.add(1, to: .acceptPauses)
        timers.acceptResume = now + EventLoop.acceptPauseNanoseconds
        for listener in listeners { watch(listener, false) }
    }

    private func watch(_ listener: LoopListener, _ isWatched: Bool) {
        let descriptor = listener.socket.descriptor.rawValue
        // Changing a registration that exists cannot fail but by our mistake.
        try? poller.change(descriptor, isWatched ? .input : [], token: listener.token)
        listener.isWatched = isWatched
    }

    private func open(
        _ socket: consuming Socket,
        _ listener: LoopListener
    ) throws(SystemError) {
        let count = shared.connectionCount.wrappingAdd(1, ordering: .relaxed).newValue
        var countMax = shared.connectionCountMax.load(ordering: .relaxed)
        if listener.listener == .admin { countMax += LoopShared.operatorConnectionCountMax }
        guard count <= countMax else {
            shared.connectionCount.wrappingSubtract(1, ordering: .relaxed)
            return refuse(socket, isEncrypted: listener.identity != nil)
        }
        let connection: Connection
        do {
            let tls = try listener.makeSession(on: socket)
            connection = Connection(
                socket,
                tls: tls,
                generation: nextGeneration(),
                listener: listener.listener,
                loopIndex: index,
                bodies: shared.bodies,
                unread: context.unread
            )
            let watched: Readiness = connection.isEncrypted ? [.input, .peerEnd] : .input
            connection.readiness = watched
            try poller.add(connection.socket.rawValue, watched, token: connection.token)
        } catch {
            shared.connectionCount.wrappingSubtract(1, ordering: .relaxed)
            throw error
        }
        let slot = connection.token.descriptor
        while connections.count <= slot { connections.append(nil) }
        connections[slot] = connection
        connectionCount += 1
        counters.add(1, to: .connectionsAccepted)
        counters.add(1, to: .connectionsOpen)
        setDeadline(of: connection, &connection.http)
    }

    /// Sends an answer in the clear where there is no connection that could, if the socket takes
    /// it.
    func sendPlain(_ answer: Response, to socket: borrowing Socket) {
        var output: [UInt8] = []
        ResponseWriter.write(
            answer,
            to: &output,
            date: context.date,
            persistence: .close,
            omitsBody: false
        )
        _ = try? socket.send(output, from: 0)
    }

    /// Tells a client that there is no room for it, if its buffer takes that, and closes.
    ///
    /// One that would speak TLS is closed without a word: a handshake is what there is no room for.
    private func refuse(_ socket: consuming Socket, isEncrypted: Bool) {
        counters.add(1, to: .connectionsRefused)
        counters.add(1, to: .limitHits)
        if isEncrypted { return }
        var answer = Response()
        Problem.tooManyConnections.render(into: &answer, &context.requestIDs)
        answer.addField("retry-after", "\(shared.limits.retryAfterSeconds)")
        answers.count(status: answer.status, routeIndex: nil)
        sendPlain(answer, to: socket)
        socket.shutDownSending()
        // What has come is taken in: closing with unread bytes would reset the answer away.
        var rest = [UInt8](repeating: 0, count: 4096)
        _ = try? socket.receive(into: &rest, from: 0)
    }
}
