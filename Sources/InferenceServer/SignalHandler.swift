// SPDX-License-Identifier: MIT

internal import Dispatch
internal import Platform
internal import Synchronization

/// Does what signals ask for: the first that ends the service lets it finish what it has accepted,
/// the second ends the process.
///
/// - Note: Thread-safe: what a signal leads to happens on one serial queue, and only the second end
///   waits for nothing, that queue included.
final class SignalHandler: Sendable {
    private struct State {
        var application: Application?
        /// What came before there was an application.
        var waiting: [Signals.Kind] = []
    }

    private let endCount = Atomic(0)
    private let state = Lock(State())
    private let queue = DispatchQueue(label: "signals.work")
    /// Writes what standard error takes at once.
    private let log: Log

    init(level: LogLevel, format: LogFormat) {
        log = Log(level: level, format: format, write: StandardError.offer)
    }

    /// Takes a signal, at any time.
    func take(_ kind: Signals.Kind) {
        switch kind {
        case .terminate, .interrupt:
            if endCount.add(1, ordering: .relaxed).newValue > 1 { endProcess() }
        case .hangUp: break
        }
        queue.async { [self] in
            let application = state.withLock { state in
                if state.application == nil { state.waiting.append(kind) }
                return state.application
            }
            if let application { Self.act(on: kind, application) }
        }
    }

    /// Passes signals on from now on, those before too.
    func begin(_ application: Application) {
        queue.async { [self] in
            let waiting = state.withLock { state in
                state.application = application
                return state.waiting
            }
            for kind in waiting { Self.act(on: kind, application) }
        }
    }

    private static func act(on kind: Signals.Kind, _ application: Application) {
        switch kind {
        case .terminate, .interrupt: application.stop()
        case .hangUp: application.watcher.rescan()
        }
    }

    /// Ends wherever the process is.
    ///
    /// Records of the state file are in the system's memory already; what else waits to be written
    /// or sent is lost.
    private func endProcess() -> Never {
        log.event(.warning, "stopping_at_once")
        Signals.endProcess(status: 0)
    }
}
