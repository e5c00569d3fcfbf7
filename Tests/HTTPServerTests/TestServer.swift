// SPDX-License-Identifier: MIT

import Dispatch
import Glibc
@testable import HTTPServer
import Platform
import Synchronization
import Testing

/// A clock that stands still until a test moves it.
final class TestClock: Sendable {
    private let nanoseconds = Atomic<Int64>(1_000_000_000)

    var clock: MonotonicClock { MonotonicClock { self.nanoseconds.load(ordering: .acquiring) } }

    func advance(by duration: Duration) {
        nanoseconds.wrappingAdd(duration.nanoseconds, ordering: .acquiringAndReleasing)
    }
}

/// Memory for an answer.
final class TestReservation: AnswerReservation {
    private let budget: ByteBudget
    private let byteCount: Atomic<Int>

    init(_ count: Int = 0, of budget: ByteBudget = ByteBudget(byteCountMax: 1 << 30)) {
        self.budget = budget
        byteCount = Atomic(budget.reserve(count) ? count : 0)
    }

    deinit { shrink(to: 0) }

    var held: HeldBytes { HeldBytes(byteCount.load(ordering: .relaxed), of: budget) }

    func shrink(to count: Int) {
        budget.release(byteCount.exchange(count, ordering: .relaxed) - count)
    }
}

extension ByteBudget {
    /// Finds no room.
    func want() { #expect(!reserve(1 << 40)) }
}

/// Answers with the request's body or path; `/later` answers from another thread, `/held` when the
/// test says so, and `/stopping` stops its loop until then.
final class TestHandler: RequestHandler {
    let held = Lock<[DeferredResponse]>([])
    let time = TestClock()
    let streams = StreamHandler()
    let isStopping = DispatchSemaphore(value: 0)
    let goesOn = DispatchSemaphore(value: 0)
    /// The CPU clock of the loop that has called last.
    let loopClock = Lock<clockid_t>(0)
    private let worker = DispatchQueue(label: "test.worker")

    static let routes = RouteTable([
        Route(.get, "/", id: 0),
        Route(.post, "/echo", id: 1),
        Route(.get, "/later", id: 2),
        Route(.get, "/held", id: 3),
        Route(.get, "/dropped", id: 4),
        Route(.get, "/large", id: 5),
        Route(.get, "/admin", id: 6, listeners: [.admin]),
        Route(.get, "/large/later", id: 7),
        Route(.get, "/slow", id: 8),
        Route(.get, "/stopping", id: 9),
        StreamHandler.route,
    ])

    func openStream(for request: borrowing Request, bytes: Span<UInt8>) -> (any BodyStream)? {
        streams.openStream(for: request, bytes: bytes)
    }

    func respond(to request: borrowing Request, bytes: Span<UInt8>, response: inout Response) {
        loopClock.withLock { clock in
            // SAFETY: the clock is valid for the call, and this thread is alive.
            _ = unsafe pthread_getcpuclockid(pthread_self(), &clock)
        }
        switch request.routeID {
        case 1:
            for index in request.body { response.body.append(bytes[index]) }
            response.body.append(UInt8(ascii: ";"))
        case 2:
            let later = response.defer()
            worker.async { later.complete(TestHandler.answer("later;")) }
        case 3:
            let later = response.defer()
            held.withLock { $0.append(later) }
        case 4:
            _ = response.defer()
        case 5:
            response.body = [UInt8](repeating: UInt8(ascii: "x"), count: 8_000_000)
            response.body.append(UInt8(ascii: ";"))
        case 7:
            let later = response.defer()
            let text = String(repeating: "0123456789", count: 100_000)
            worker.async { later.complete(TestHandler.answer(text)) }
        case 8:
            time.advance(by: .milliseconds(6))
            response.body = Array("slow;".utf8)
        case 9:
            isStopping.signal()
            goesOn.wait()
        default:
            response.body = Array("now;".utf8)
        }
    }

    static func answer(_ text: String) -> Response {
        var response = Response()
        response.contentType = .text
        response.body = Array(text.utf8)
        return response
    }

    /// Answers what `/held` has kept.
    func release(_ answer: Response = TestHandler.answer("held;")) {
        let all = held.withLock { kept in
            let all = kept
            kept = []
            return all
        }
        for later in all { later.complete(answer) }
    }
}

/// A server on free ports of loopback.
final class TestServer: Sendable {
    let server: Server
    let handler = TestHandler()

    init(
        loops: Int = 2,
        limits: ServerLimits = ServerLimits(),
        hasTestClock: Bool = false,
        tls: TLSConfiguration? = nil,
        wallClock: WallClock = .system
    ) throws {
        var configuration = ServerConfiguration(listeners: [
            ListenerConfiguration(.main, port: 0), ListenerConfiguration(.admin, port: 0),
        ])
        if let tls {
            configuration.listeners.append(ListenerConfiguration(.main, port: 0, tls: tls))
        }
        configuration.eventLoopCount = loops
        configuration.limits = limits
        if !hasTestClock {
            // The tests share the machine with others: a late turn is no overload.
            configuration.limits.queueDelayInterval = .seconds(3600)
        }
        server = Server(
            configuration: configuration,
            routes: TestHandler.routes,
            handler: handler,
            clock: hasTestClock ? handler.time.clock : .system,
            wallClock: wallClock
        )
        try server.start()
    }

    deinit { server.stopNow() }

    var port: UInt16 { server.port(of: .main) ?? 0 }
    var tlsPort: UInt16 { server.port(of: .main, isEncrypted: true) ?? 0 }

    /// Whether the loop that has called the handler last sleeps while nobody asks for anything.
    var isIdle: Bool {
        let before = loopNanoseconds
        usleep(200_000)
        return loopNanoseconds - before < 50_000_000
    }

    private var loopNanoseconds: Int64 {
        var time = timespec()
        // SAFETY: the time is valid for the call.
        _ = handler.loopClock.withLock { unsafe clock_gettime($0, &time) }
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// Moves the clock and lets the loops look at it.
    func advance(by duration: Duration) {
        handler.time.advance(by: duration)
        server.wakeLoops()
    }

    /// Waits for a counter to get somewhere; every look wakes the loops.
    ///
    /// Not without a pause: a loop takes so many messages in a turn and no more, and all others
    /// would come to stand behind those that wake it.
    func wait(until isReached: (ServerCounters) -> Bool) -> Bool {
        let start = MonotonicClock.system.nowNanoseconds
        while !isReached(server.counters) {
            guard MonotonicClock.system.nowNanoseconds - start < 10_000_000_000 else {
                return false
            }
            server.wakeLoops()
            usleep(200)
        }
        return true
    }
}
