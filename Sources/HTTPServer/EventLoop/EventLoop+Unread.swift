// SPDX-License-Identifier: MIT

/// Answers that clients do not read: what they take is bounded, and where all of that is taken the
/// client is let go that reads too slowly, or has not read for longest.
extension EventLoop {
    /// Takes memory for what the socket of a connection does not take.
    ///
    /// - Returns: Whether the connection is still there.
    func holdOutput(of connection: Connection, _ http: inout HTTP1Connection) -> Bool {
        http.pace.follow(isWaiting: true, at: now)
        while !http.holdOutput(http.unreservedByteCount, context) {
            let worst = worstReader(besides: connection, http.pace.standing(at: now))
            guard let worst, worst.connection !== connection else {
                letGo(connection, &http)
                return false
            }
            letGo(worst.connection, &worst.connection.http)
        }
        return true
    }

    /// Whether there may be something to do now that the output has gone, though nothing comes in:
    /// the loop did not look for it while there was output.
    func mayGoOn(_ connection: Connection, _ http: borrowing HTTP1Connection) -> Bool {
        let isNext = connection.http2 == nil && (!http.isIdle || http.inputHasEnded)
        return (isNext || connection.readiness == .output) && !http.isDeferred
    }

    /// Nanoseconds after which it is looked again who reads too slowly, which takes a look at all
    /// connections.
    private static let readerLookNanoseconds: Int64 = 100_000_000

    /// Likewise who reads the answers to batches too slowly.
    private static let reservationLookNanoseconds: Int64 = 1_000_000_000

    /// Lets the slowest reader go where others of HTTP/2 would wait for it.
    func makeRoom(for connection: Connection) {
        guard now >= readerLookAt else { return }
        readerLookAt = now + Self.readerLookNanoseconds
        let worst = worstReader(besides: connection, nil)
        if let worst, worst.standing.isSlow {
            letGo(worst.connection, &worst.connection.http)
        }
    }

    /// Who is to be let go first, by a look at all connections of the loop.
    ///
    /// That one's state is lent out, so that its standing comes along where it is one of them.
    private func worstReader(
        besides connection: Connection,
        _ standing: ReadingPace.Standing?
    ) -> (connection: Connection, standing: ReadingPace.Standing)? {
        var worst = standing.map { (connection: connection, standing: $0) }
        for other in connections {
            // One whose request is answered in this turn has read the others.
            guard let other, other !== connection, !other.isJoined, other.holdsAnswers,
                let standing = other.http.pace.standing(at: now)
            else { continue }
            if let found = worst, found.standing <= standing { continue }
            worst = (other, standing)
        }
        return worst
    }

    /// Looks once a second at how clients read the answers to batches.
    ///
    /// Where others are refused for want of their memory, those that are read slowly may have no
    /// more of it than all other answers of the loop together. Who has been slow for longest is let
    /// go first.
    func lookAtReservations() {
        timers.reservationLookAt = .max
        var slow: [(connection: Connection, lookCount: Int, byteCount: Int)] = []
        var slowByteCount = 0
        for connection in connections {
            guard let connection, !connection.isJoined, connection.http.pace.isWaiting,
                connection.hasReservations
            else { continue }
            lookAtReservationsLater()
            let byteCount = connection.reservedByteCount
            let lookCount = connection.http.pace.look(heldByteCount: byteCount)
            // At the first it has not waited for a second yet.
            guard lookCount > 1, connection.isWanted else { continue }
            slow.append((connection, lookCount, byteCount))
            slowByteCount += byteCount
        }
        slow.sort { $0.lookCount > $1.lookCount }
        for (connection, _, byteCount) in slow {
            guard slowByteCount > shared.limits.answerBytesPendingMax else { return }
            slowByteCount -= byteCount
            letGo(connection, &connection.http)
        }
    }

    /// Sees to it that a look comes.
    func lookAtReservationsLater() {
        guard timers.reservationLookAt == .max else { return }
        timers.reservationLookAt = now + Self.reservationLookNanoseconds
    }

    /// Drops a connection and frees what it has at once: it may be in a line yet, which holds it
    /// until its turn.
    func letGo(_ connection: Connection, _ http: inout HTTP1Connection) {
        counters.add(1, to: .limitHits)
        connection.http2 = nil
        http.dropOutput(context)
        drop(connection)
    }
}
