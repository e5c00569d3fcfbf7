// SPDX-License-Identifier: MIT

internal import Dispatch
internal import Glibc

/// Signals of the process, taken on a Dispatch queue instead of in a handler.
package enum Signals {
    /// The signals that a service takes.
    package enum Kind: Sendable, CaseIterable {
        /// Asks the service to stop (SIGTERM).
        case terminate
        /// Asks it to stop from the keyboard (SIGINT).
        case interrupt
        /// Asks it to look for changes (SIGHUP).
        case hangUp

        var number: Int32 {
            switch self {
            case .terminate: SIGTERM
            case .interrupt: SIGINT
            case .hangUp: SIGHUP
            }
        }
    }

    /// Makes writing to a pipe or socket that no one reads an error instead of the process's end.
    package static func ignoreBrokenPipes() {
        _ = signal(SIGPIPE, SIG_IGN)
    }

    /// Delivers a signal to `body`, one call at a time, until ``Subscription`` goes away.
    package static func onReceipt(
        of kinds: [Kind],
        _ body: @escaping @Sendable (Kind) -> Void
    ) -> Subscription {
        let queue = DispatchQueue(label: "signals")
        return Subscription(
            sources: kinds.map { kind in
                _ = signal(kind.number, SIG_IGN)
                let source = DispatchSource.makeSignalSource(signal: kind.number, queue: queue)
                source.setEventHandler { body(kind) }
                source.resume()
                return source
            }
        )
    }

    /// What keeps signals coming.
    package final class Subscription {
        private let sources: [any DispatchSourceSignal]

        init(sources: [any DispatchSourceSignal]) { self.sources = sources }

        deinit { for source in sources { source.cancel() } }
    }
}
