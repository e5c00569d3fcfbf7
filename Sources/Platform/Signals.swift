// SPDX-License-Identifier: MIT

internal import CLinux
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

    /// Makes writing to a pipe or socket that no one reads, and beyond a limit on the size of files
    /// (setrlimit(2)), an error instead of the process's end.
    package static func ignoreFailedWrites() {
        _ = signal(SIGPIPE, SIG_IGN)
        _ = signal(SIGXFSZ, SIG_IGN)
    }

    /// Ends the process with a status, waiting for nothing and running nothing.
    package static func endProcess(status: Int32) -> Never { _exit(status) }

    /// Signals that wait until they are taken, and then come one by one.
    ///
    /// They are blocked, and read from a descriptor (signalfd(2)): one that comes before anybody
    /// takes it waits. Where a signal is ignored and a Dispatch source listens to it, it is lost
    /// until the source's registration, which other threads do some time later.
    package final class Receiver {
        private let descriptor: Int32
        private let queue = DispatchQueue(label: "signals")
        private var source: (any DispatchSourceRead)?

        /// Keeps signals back from here on, in this thread and in those that it makes afterwards:
        /// to be called before there are others.
        ///
        /// - Throws: ``SystemError``.
        package init(_ kinds: [Kind]) throws(SystemError) {
            var mask = sigset_t()
            // SAFETY: the set lives for the calls, here and below.
            unsafe sigemptyset(&mask)
            for kind in kinds { unsafe sigaddset(&mask, kind.number) }
            unsafe pthread_sigmask(SIG_BLOCK, &mask, nil)
            let flags = Int32(SFD_NONBLOCK | SFD_CLOEXEC)
            let raw = try systemCall("signalfd") { unsafe signalfd(-1, &mask, flags) }
            guard let raw else { throw SystemError(call: "signalfd", errno: EAGAIN) }
            descriptor = raw
        }

        /// Gives `body` those that wait and all that come, one call at a time; to be called once.
        package func deliver(_ body: @escaping @Sendable (Kind) -> Void) {
            precondition(source == nil, "signals are delivered to one")
            let source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: queue)
            source.setEventHandler { [descriptor] in
                while let number = Receiver.next(descriptor) {
                    if let kind = Kind.allCases.first(where: { $0.number == number }) { body(kind) }
                }
            }
            // Dispatch watches the descriptor until then.
            source.setCancelHandler { [descriptor] in close(descriptor) }
            source.resume()
            self.source = source
        }

        private static func next(_ descriptor: Int32) -> Int32? {
            var info = signalfd_siginfo()
            let size = MemoryLayout<signalfd_siginfo>.size
            // SAFETY: the structure lives for the call, and its size is given.
            let count = try? systemCall("read") { unsafe read(descriptor, &info, size) }
            return count == size ? Int32(info.ssi_signo) : nil
        }

        deinit {
            if let source { source.cancel() } else { close(descriptor) }
        }
    }
}
