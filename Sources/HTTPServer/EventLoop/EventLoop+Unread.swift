// SPDX-License-Identifier: MIT

/// Answers that clients do not read: what they take is bounded, and where all of that is taken the
/// client that reads slowest is let go, however many bytes it takes in a minute.
extension EventLoop {
    /// Below this many bytes a second a client is let go even where others could wait for it.
    private static let slowBytesPerSecond = 4096.0

    /// Takes memory for what the socket of a connection does not take.
    ///
    /// - Returns: Whether the connection is still there.
    func holdOutput(of connection: Connection, _ http: inout HTTP1Connection) -> Bool {
        http.pace.follow(isWaiting: true, at: now)
        while !http.holdOutput(http.output.count, context) {
            let slowest = slowestReader(besides: connection, http).connection
            guard slowest !== connection else {
                counters.add(1, to: .limitHits)
                drop(connection)
                return false
            }
            letGo(slowest)
        }
        return true
    }

    /// Lets the slowest reader go where it stands in the way of other clients of a connection.
    func makeRoom(for connection: Connection, _ http: inout HTTP1Connection) {
        let slowest = slowestReader(besides: connection, http)
        guard slowest.connection !== connection,
            slowest.bytesPerSecond < EventLoop.slowBytesPerSecond
        else { return }
        letGo(slowest.connection)
    }

    /// The connection whose client reads slowest, by a look at all of the loop; that one, whose
    /// state is lent out, where none is slower.
    private func slowestReader(
        besides connection: Connection,
        _ http: borrowing HTTP1Connection
    ) -> (connection: Connection, bytesPerSecond: Double) {
        var slowest = (connection, http.pace.bytesPerSecond(at: now) ?? .infinity)
        for other in connections {
            guard let other, other !== connection,
                let rate = other.http.pace.bytesPerSecond(at: now), rate < slowest.1
            else { continue }
            slowest = (other, rate)
        }
        return slowest
    }

    /// Drops a connection whose state is not lent out, and frees what it has at once: it may be in
    /// a line yet, which holds it until its turn.
    private func letGo(_ connection: Connection) {
        counters.add(1, to: .limitHits)
        connection.http2 = nil
        connection.http.dropOutput(context)
        drop(connection)
    }
}
