// SPDX-License-Identifier: MIT

internal import Dispatch
package import Platform
internal import Synchronization

/// Why a server could not start.
package enum ServerError: Error, Equatable, CustomStringConvertible {
    /// A host that is no numeric address.
    case invalidHost(String)
    /// The system refused to listen.
    case listen(host: String, port: UInt16, SystemError)
    /// Certificate, key or authorities cannot be used.
    case tls(TLSError)
    /// The system refused a poller or an eventfd.
    case system(SystemError)
    /// The system lets the process have so many threads only.
    case threads(count: Int, wanted: Int)

    package var description: String {
        switch self {
        case .invalidHost(let host): "\(host) is no numeric address"
        case .listen(let host, let port, let error): "cannot listen on \(host):\(port): \(error)"
        case .tls(let error): "\(error)"
        case .system(let error): "cannot start an event loop: \(error)"
        case .threads(let count, let wanted):
            "only \(count) of \(wanted) threads can be had: see ulimit -u and pids.max"
        }
    }
}

/// An HTTP/1.1 server on event loops of its own.
///
/// - Note: Thread safety: every method may be called on any thread.
package final class Server: Sendable {
    private struct State {
        var loops: [EventLoop] = []
        var ports: [UInt16] = []
        var identities: [TLSIdentity] = []
        /// How the loops were told to end, before they began perhaps.
        var ending: LoopMessage?
    }

    private let configuration: ServerConfiguration
    private let shared: LoopShared
    private let state = Lock(State())
    private let running = DispatchGroup()
    private let certificates = DispatchQueue(label: "http.certificates")
    private let onCertificateReload: @Sendable (CertificateReload) -> Void

    /// How often certificate files are looked at; volumes send no events.
    private static let certificateInterval = DispatchTimeInterval.seconds(2)
    /// Threads for what is not done by loops, nor by as many workers beside them: each queue of the
    /// process may have work at the same time.
    private static let otherThreadCount = 16

    /// Makes a server that does nothing before ``start()``.
    ///
    /// `onCertificateReload` is told when certificate files have changed.
    package init(
        configuration: ServerConfiguration,
        routes: RouteTable,
        handler: any RequestHandler,
        clock: MonotonicClock = .system,
        wallClock: WallClock = .system,
        onCertificateReload: @escaping @Sendable (CertificateReload) -> Void = { _ in }
    ) {
        self.onCertificateReload = onCertificateReload
        self.configuration = configuration
        shared = LoopShared(
            limits: configuration.limits,
            loopCount: configuration.eventLoopCount,
            routes: routes,
            handler: handler,
            clock: clock,
            wallClock: wallClock
        )
    }

    /// Binds all listeners and starts the loops; when it returns, connections are accepted.
    ///
    /// - Throws: ``ServerError``; then nothing runs.
    package func start() throws(ServerError) {
        boundConnections()
        let threadsWanted = 2 * configuration.eventLoopCount + Self.otherThreadCount
        let threadCount = Threads.available(of: threadsWanted)
        guard threadCount == threadsWanted else {
            throw .threads(count: threadCount, wanted: threadsWanted)
        }
        let loops = try makeLoops()
        // Rendered before the first request waits for it.
        _ = StatusLine.all.count
        let ending = state.withLock { state in
            state.loops = loops
            return state.ending
        }
        if let ending {
            for loop in loops { loop.mailbox.post(ending) }
        }
        run(loops)
        followCertificates()
    }

    private func run(_ loops: [EventLoop]) {
        for loop in loops {
            running.enter()
            let running = running
            loop.queue.async {
                loop.run()
                running.leave()
            }
        }
    }

    /// Makes room for the connections that there may be, or lets there be no more than there is
    /// room for.
    private func boundConnections() {
        let loopCount = configuration.eventLoopCount
        let wanted = shared.limits.connectionCountMax
        let descriptorCount = DescriptorLimit.raise(
            to: wanted + DescriptorLimit.reserve(loopCount: loopCount)
        )
        let room = DescriptorLimit.connections(of: descriptorCount, loopCount: loopCount)
        shared.connectionCountMax.store(min(wanted, room), ordering: .relaxed)
    }

    /// The port that a listener is bound to, or nil where there is none.
    package func port(of listener: Listener, isEncrypted: Bool = false) -> UInt16? {
        state.withLock { state in
            zip(configuration.listeners, state.ports).first { wanted, _ in
                wanted.listener == listener && (wanted.tls != nil) == isEncrypted
            }?.1
        }
    }

    /// Looks at the certificate files and takes new ones into use.
    package func reloadCertificates() {
        let now = shared.clock.nowNanoseconds
        let wallSeconds = shared.wallClock.nowMicroseconds / 1_000_000
        for identity in state.withLock({ $0.identities }) {
            if let outcome = identity.reloadIfChanged(now: now, wallSeconds: wallSeconds) {
                onCertificateReload(outcome)
            }
        }
    }

    /// The number of event loops; ``Request/loopIndex`` is below it.
    package var loopCount: Int { configuration.eventLoopCount }

    /// Whether the server is on its way to stop, so that it should no longer say ready.
    package var isDraining: Bool { shared.isDraining.load(ordering: .acquiring) }

    /// Ends the server without losing a request: from now on every answer closes its connection,
    /// after `delay` no connection is accepted any more, and the server stops when the last one has
    /// closed or `timeout` has passed after that.
    ///
    /// A second call stops at once.
    package func beginDrain(delay: Duration, timeout: Duration) {
        if shared.isDraining.exchange(true, ordering: .acquiringAndReleasing) {
            return stopNow()
        }
        let now = shared.clock.nowNanoseconds
        let closing = now + delay.nanoseconds
        end(by: .drain(closeAt: closing, stopAt: closing + timeout.nanoseconds))
    }

    /// Closes everything at once.
    package func stopNow() {
        shared.isDraining.store(true, ordering: .releasing)
        end(by: .stop)
    }

    /// Blocks the calling thread until every loop has ended.
    package func waitUntilStopped() {
        running.wait()
    }

    /// The sum of all loops' counters.
    package var counters: ServerCounters {
        var sum = ServerCounters()
        let (loops, identities) = state.withLock { ($0.loops, $0.identities) }
        for loop in loops {
            loop.counters.add(to: &sum)
            sum.answerBytesPending += loop.context.unread.byteCount
        }
        sum.bodyBytesPending = shared.bodies.byteCount
        for identity in identities {
            sum.certificateReloads += identity.reloadCount.load(ordering: .relaxed)
            sum.certificateRefusals += identity.refusalCount.load(ordering: .relaxed)
            sum.certificateExpirySeconds = Int(identity.expirySeconds)
        }
        return sum
    }

    /// The answers by route and status, over all loops; those that have not occurred are left out.
    package var answerCounts: [AnswerCount] {
        let loops = state.withLock { $0.loops }
        return AnswerCounters.sum(loops.map(\.answers), routes: shared.routes.routes)
    }

    /// Makes every loop look at its clock, for tests that set it.
    package func wakeLoops() {
        post(.wake)
    }

    /// Looks at the certificate files from now on, until the server stops.
    private func followCertificates() {
        guard state.withLock({ !$0.identities.isEmpty }) else { return }
        certificates.asyncAfter(deadline: .now() + Server.certificateInterval) { [weak self] in
            guard let self, !isDraining else { return }
            reloadCertificates()
            followCertificates()
        }
    }

    private func makeIdentities() throws(ServerError) -> [TLSIdentity?] {
        var identities: [TLSIdentity?] = []
        for wanted in configuration.listeners {
            guard let tls = wanted.tls else {
                identities.append(nil)
                continue
            }
            // OpenSSL writes to sockets in a way that signals when the client has gone.
            Signals.ignoreFailedWrites()
            do throws(TLSError) {
                identities.append(try TLSIdentity(tls, now: shared.clock.nowNanoseconds))
            } catch {
                throw .tls(error)
            }
        }
        return identities
    }

    private func makeLoops() throws(ServerError) -> [EventLoop] {
        let identities = try makeIdentities()
        var ports = configuration.listeners.map(\.port)
        var loops: [EventLoop] = []
        for index in 0..<max(1, configuration.eventLoopCount) {
            var listeners: [LoopListener] = []
            for (position, wanted) in configuration.listeners.enumerated() {
                let socket = try Server.listen(
                    wanted,
                    port: &ports[position],
                    requiresFree: index == 0 && !configuration.sharesPorts
                )
                listeners.append(LoopListener(socket, wanted.listener, identities[position]))
            }
            do throws(SystemError) {
                loops.append(try EventLoop(index: index, shared: shared, listeners: listeners))
            } catch {
                throw .system(error)
            }
        }
        state.withLock { state in
            state.ports = ports
            state.identities = identities.compactMap(\.self)
        }
        return loops
    }

    /// Listens on the port, or on a free one, which is then the port of the other loops too.
    private static func listen(
        _ wanted: ListenerConfiguration,
        port: inout UInt16,
        requiresFree: Bool
    ) throws(ServerError) -> ListeningSocket {
        guard let address = SocketAddress(host: wanted.host, port: port) else {
            throw .invalidHost(wanted.host)
        }
        do throws(SystemError) {
            if requiresFree, port != 0 { try ListeningSocket.requireFree(address) }
            let socket = try ListeningSocket(address, backlog: listenBacklog)
            port = try socket.port()
            return socket
        } catch {
            throw .listen(host: wanted.host, port: port, error)
        }
    }

    /// Connections that wait to be accepted: the system's own bound (`somaxconn`) is below it.
    private static let listenBacklog: Int32 = 65_535

    /// Tells the loops to end, also those that are yet to begin.
    private func end(by message: LoopMessage) {
        let loops = state.withLock { state in
            state.ending = message
            return state.loops
        }
        for loop in loops { loop.mailbox.post(message) }
    }

    private func post(_ message: LoopMessage) {
        for loop in state.withLock({ $0.loops }) { loop.mailbox.post(message) }
    }
}
