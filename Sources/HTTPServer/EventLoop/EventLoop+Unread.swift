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

    /// Likewise who has memory of which others find none.
    private static let holderLookNanoseconds: Int64 = 1_000_000_000

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

    /// Looks once a second at how clients read their answers that have memory of which others find
    /// none: of answers, of bodies, of answers to batches, of starts of lines.
    ///
    /// Of each such budget those who read slowly may have no more than half, by the loops' shares,
    /// and no more than all answers of the loop that are no batch's. Who has lately read least of
    /// what it has is let go first, until half of it is free.
    func lookAtHolders() {
        timers.holderLookAt = .max
        var slow: [SlowHolder] = []
        for connection in connections {
            guard let connection, !connection.isJoined, connection.hasUnreadAnswers else {
                continue
            }
            lookAtHoldersLater()
            // Of little that is not read much may hang, as bodies of streams whose answers wait.
            let short = connection.held.filter(\.budget.isShort)
            let most = short.reduce(connection.unreadByteCount) { max($0, $1.byteCount) }
            let lookCount = connection.http.pace.look(byteCount: most, at: now)
            guard lookCount > 0 else { continue }
            for held in short { slow.append(SlowHolder(connection, held, lookCount)) }
        }
        slow.sort { $0.mayStay < $1.mayStay }
        while let budget = slow.first?.held.budget {
            let holders = slow.filter { $0.held.budget === budget }
            slow.removeAll { $0.held.budget === budget }
            // That of answers is the loop's own.
            let loopCount = budget === context.unread ? 1 : shared.loopCount
            let share = budget.byteCountMax / 2 / loopCount
            letGo(holders, downTo: min(share, shared.limits.answerBytesPendingMax))
        }
    }

    private func letGo(_ holders: [SlowHolder], downTo byteCountMax: Int) {
        let present = holders.filter { isOpen($0.connection) }
        var byteCount = present.reduce(0) { $0 + $1.held.byteCount }
        for holder in present where byteCount > byteCountMax && holder.held.budget.isShort {
            byteCount -= holder.held.byteCount
            if isOpen(holder.connection) { letGo(holder.connection, &holder.connection.http) }
        }
    }

    /// Sees to it that a look comes.
    func lookAtHoldersLater() {
        guard timers.holderLookAt == .max else { return }
        timers.holderLookAt = now + Self.holderLookNanoseconds
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

/// Who has memory of which others find none, and reads slowly.
private struct SlowHolder {
    let connection: Connection
    let held: HeldBytes
    /// Less for who is to go first: what it has read lately of each byte that it has, and then how
    /// long it has been slow.
    let mayStay: (share: Double, newness: Int)

    init(_ connection: Connection, _ held: HeldBytes, _ lookCount: Int) {
        self.connection = connection
        self.held = held
        let recent = Double(connection.http.pace.recentByteCount)
        mayStay = (recent / Double(held.byteCount), -lookCount)
    }
}
