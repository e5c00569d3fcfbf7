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

    /// Whether a client that reads too slowly has memory for want of which others are refused.
    func holdsUpOthers(_ connection: Connection, _ http: borrowing HTTP1Connection) -> Bool {
        let http2 = connection.http2
        guard http2?.isWanted ?? http.reservations.contains(where: \.isWanted) else {
            return false
        }
        var unsentByteCount = http.output.count - http.outputSent
        if let http2 {
            for slot in http2.slots.indices { unsentByteCount += http2.slots[slot].answerLeft }
        }
        return http.pace.isSlow(
            at: now,
            // A client of HTTP/2 may read one answer fast and leave others.
            answerCount: max(1, http2?.reservationCount ?? 1),
            unsentByteCount: unsentByteCount
        )
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
