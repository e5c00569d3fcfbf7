// SPDX-License-Identifier: MIT

internal import Synchronization

/// A handle by which an answer is given later, from any thread, once.
///
/// A handle that goes away without an answer answers 500 itself, so that no client waits in vain.
/// If the connection has gone by then, the answer is dropped and counted.
///
/// - Note: Thread safety: ``complete(_:)`` may be called on any thread; the first call counts.
package final class DeferredResponse: Sendable {
    /// Which request of which connection of which loop an answer belongs to.
    struct Destination: Sendable {
        let mailbox: LoopMailbox
        var connection: ConnectionToken
        var sequence: UInt64
    }

    private let destination: Destination
    private let isCompleted = Atomic(false)

    init(_ destination: Destination) {
        self.destination = destination
    }

    deinit {
        guard !isCompleted.load(ordering: .acquiring) else { return }
        destination.mailbox.post(
            .unanswered(connection: destination.connection, sequence: destination.sequence)
        )
    }

    /// Sends the answer by way of the loop that owns the connection; later calls do nothing.
    package func complete(_ response: Response) {
        guard !isCompleted.exchange(true, ordering: .acquiringAndReleasing) else { return }
        destination.mailbox.post(
            .answer(
                connection: destination.connection,
                sequence: destination.sequence,
                response
            )
        )
    }
}
