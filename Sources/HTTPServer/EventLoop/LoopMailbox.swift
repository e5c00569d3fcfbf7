// SPDX-License-Identifier: MIT

internal import Platform

/// What other threads tell a loop.
enum LoopMessage: Sendable {
    /// A deferred answer, which may have to be encoded yet.
    case answer(
        connection: ConnectionToken,
        sequence: UInt64,
        Response,
        isEncoded: Bool = false
    )
    /// No answer will come: the handler has let go of its handle.
    case unanswered(connection: ConnectionToken, sequence: UInt64)
    /// What has come out of a request's gzip body.
    case decoded(connection: ConnectionToken, sequence: UInt64, Result<[UInt8], RequestError>)
    /// Stop accepting at one time and end at another, on the monotonic clock.
    case drain(closeAt: Int64, stopAt: Int64)
    /// End at once.
    case stop
    /// Look at the clock.
    case wake
}

/// The way into a loop from other threads.
///
/// - Note: Thread safety: any thread may post; the loop alone takes.
final class LoopMailbox: Sendable {
    private struct Line {
        var messages = Fifo<LoopMessage>()
        /// What has been decoded comes after the others: its requests are yet to be handled.
        var decoded = TurnLine<LoopMessage>()

        var isEmpty: Bool { messages.isEmpty && decoded.isEmpty }

        mutating func append(_ message: LoopMessage) {
            if case .decoded(let connection, _, _) = message {
                decoded.append(message, of: connection)
            } else {
                messages.append(message)
            }
        }

        mutating func popFirst() -> LoopMessage? {
            messages.popFirst() ?? decoded.popFirst()
        }
    }

    private let line = Lock(Line())
    private let wakeup: Wakeup

    /// Messages that are taken at a time, so that others have their turn: a millisecond's.
    private static let takenCountMax = 64

    /// - Throws: `SystemError`.
    init() throws(SystemError) {
        wakeup = try Wakeup()
    }

    /// The descriptor that the loop watches.
    var rawDescriptor: Int32 { wakeup.rawValue }

    /// Adds a message and wakes the loop if it has not been woken.
    func post(_ message: LoopMessage) {
        let wasEmpty = line.withLock { line in
            defer { line.append(message) }
            return line.isEmpty
        }
        if wasEmpty { wakeup.signal() }
    }

    /// Takes the oldest messages while the closure wants more; where there are some yet, the loop
    /// is woken again.
    func take(_ handle: (LoopMessage) -> Bool) {
        wakeup.clear()
        for _ in 0..<Self.takenCountMax {
            guard let message = line.withLock({ $0.popFirst() }) else { return }
            guard handle(message) else { break }
        }
        if !line.withLock(\.isEmpty) { wakeup.signal() }
    }
}
