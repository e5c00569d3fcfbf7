// SPDX-License-Identifier: MIT

internal import Dispatch
internal import HTTPServer
internal import OTLP
internal import Platform
internal import Synchronization

/// Sends spans and events to an OpenTelemetry collector, beside the requests that they are about.
///
/// What is sampled goes into a bounded queue, which is sent every second on a queue of its own;
/// what finds no room, or no collector, is dropped and counted.
///
/// - Note: Thread-safe: the queue is under a mutex, held while a record is added or all are taken.
final class Telemetry: Sendable {
    /// Records that wait: some 4 MB.
    static let recordsMax = 8192
    /// Records of one POST, some 300 KB, which collectors take by default.
    private static let postRecordsMax = 512
    private static let interval = DispatchTimeInterval.seconds(1)
    /// What a POST may take, however slowly its answer comes.
    private static let timeoutNanoseconds: Int64 = 5_000_000_000
    /// What ``stop(within:)`` may take at most.
    static let flushTimeMax = Duration.seconds(5)

    private let collector: CollectorAddress
    private let tracePercent: Int
    private let eventPercent: Int
    private let log: Log
    private let clock: MonotonicClock
    private let wallClock: WallClock
    private let writer = OTLPWriter(
        service: "predictive-maintenance",
        program: "inference-server",
        version: InferenceServerCommand.version
    )
    private let queue = DispatchQueue(label: "telemetry", qos: .utility)
    private let waiting = Lock(TelemetryBatch())
    private let traceCount = Atomic(0)
    private let eventCount = Atomic(0)
    private let sent = Atomic(0)
    private let dropped = Atomic(0)
    private let isFailing = Atomic(false)
    private let isStopped = Atomic(false)
    /// When nothing is sent any more, on ``network``.
    private let end = Atomic(Int64.max)
    /// What waits for the network goes by the machine's clock.
    private let network = MonotonicClock.system

    /// Nil where the settings name no collector.
    init?(
        _ settings: Settings,
        log: Log,
        clock: MonotonicClock,
        wallClock: WallClock
    ) {
        guard let collector = settings.collector else { return nil }
        self.collector = collector
        tracePercent = settings.tracePercent
        eventPercent = settings.eventPercent
        self.log = log
        self.clock = clock
        self.wallClock = wallClock
    }

    /// Records that a collector has taken.
    var sentCount: Int { sent.load(ordering: .relaxed) }

    /// Records that found no room or no collector.
    var droppedCount: Int { dropped.load(ordering: .relaxed) }

    /// Whether a request becomes a span: as its caller says, else by the setting.
    func takesTrace(_ wish: Bool?) -> Bool { wish ?? takes(tracePercent, of: traceCount) }

    /// Whether a prediction becomes an event.
    func takesEvent() -> Bool { takes(eventPercent, of: eventCount) }

    /// Whether the next of many is among so many in a hundred, evenly.
    private func takes(_ percent: Int, of counter: borrowing Atomic<Int>) -> Bool {
        let place = counter.wrappingAdd(percent, ordering: .relaxed).oldValue
        return (place % 100 + 100) % 100 < percent
    }

    /// Nanoseconds since the epoch.
    var now: Int64 { wallClock.nowMicroseconds * 1000 }

    /// Nanoseconds since the epoch at a moment of the monotonic clock.
    func time(ofMonotonic moment: Int64) -> Int64 {
        wallClock.nowMicroseconds * 1000 - (clock.nowNanoseconds - moment)
    }

    /// Queues the spans of a request.
    func add(_ request: TelemetryRequest) { add { $0.requests.append(request) } }

    /// Queues a span.
    func add(_ span: TelemetrySpan) { add { $0.spans.append(span) } }

    /// Queues an event.
    func add(_ event: TelemetryEvent) { add { $0.events.append(event) } }

    private func add(_ append: (inout TelemetryBatch) -> Void) {
        let isTaken = waiting.withLock { waiting in
            guard waiting.count < Self.recordsMax else { return false }
            append(&waiting)
            return true
        }
        if !isTaken { dropped.add(1, ordering: .relaxed) }
    }

    /// Sends from now on.
    func start() {
        queue.asyncAfter(deadline: .now() + Self.interval) { [weak self] in
            guard let self, !isStopped.load(ordering: .acquiring) else { return }
            send()
            start()
        }
    }

    /// Sends what waits, and ends; what has not gone out within that time is dropped.
    func stop(within time: Duration = flushTimeMax) {
        isStopped.store(true, ordering: .releasing)
        let before = droppedCount
        let nanoseconds = Int64(min(time, Self.flushTimeMax) / .nanoseconds(1))
        // A POST that is under way sees it too.
        end.store(network.nowNanoseconds + nanoseconds, ordering: .relaxed)
        queue.sync { send() }
        let count = droppedCount - before
        guard count > 0 else { return }
        log.event(
            .warning,
            "telemetry_abandoned",
            [("collector", .string("\(collector)")), ("dropped", .integer(count))]
        )
    }

    /// Sends what waits.
    func sendNow() { queue.sync { send() } }

    private func send() {
        let batch = waiting.withLock { waiting in
            defer { waiting = TelemetryBatch() }
            return waiting
        }
        let spans = batch.spans + batch.requests.flatMap(\.spans)
        for spans in spans.pieces(of: Self.postRecordsMax) {
            post(writer.traces(spans), to: OTLPWriter.tracesPath, spans.count)
        }
        for events in batch.events.pieces(of: Self.postRecordsMax) {
            post(writer.logs(events), to: OTLPWriter.logsPath, events.count)
        }
    }

    private func post(_ body: [UInt8], to path: String, _ count: Int) {
        var reason = "no answer"
        var taken = 0
        let timeout = network.nowNanoseconds + Self.timeoutNanoseconds
        do throws(SystemError) {
            let answer = try SmallClient.answer(
                host: collector.host,
                port: collector.port,
                path: path,
                body: body,
                millisecondsLeft: {
                    let left = min(timeout, end.load(ordering: .relaxed)) - network.nowNanoseconds
                    return Int(left / 1_000_000)
                }
            )
            if let answer, (200..<300).contains(answer.status) {
                let refusal = OTLPRefusal(answer: answer.body)
                taken = max(0, count - (refusal?.count ?? 0))
                if let refusal { reason = refusal.reason }
            } else if let answer {
                reason = "status \(answer.status)"
            }
        } catch {
            reason = "\(error)"
        }
        sent.add(taken, ordering: .relaxed)
        guard taken < count else { return isFailing.store(false, ordering: .relaxed) }
        dropped.add(count - taken, ordering: .relaxed)
        guard !isFailing.exchange(true, ordering: .relaxed) else { return }
        log.event(
            .warning,
            "telemetry_not_sent",
            [("collector", .string("\(collector)")), ("reason", .string(reason))]
        )
    }
}

/// What waits to be sent.
private struct TelemetryBatch: Sendable {
    var requests: [TelemetryRequest] = []
    var spans: [TelemetrySpan] = []
    var events: [TelemetryEvent] = []

    var count: Int { requests.count + spans.count + events.count }
}

extension Array {
    /// The array in pieces of so many elements, the last one shorter.
    fileprivate func pieces(of size: Int) -> [[Element]] {
        stride(from: 0, to: count, by: size).map { Array(self[$0..<Swift.min($0 + size, count)]) }
    }
}
