// SPDX-License-Identifier: MIT

internal import Dispatch
internal import HTTPServer
internal import Platform
internal import Synchronization

/// What a batch asks for, apart from its body.
struct BatchJob: Sendable {
    let moment: RequestMoment
    /// Whether a row that does not fit is answered in its place and does not fail the batch.
    let skipsErrors: Bool
    /// What is reserved for it; nil where a loop works on it, which bounds it by itself.
    var room: BatchRoom?
}

/// The bytes that one batch has reserved.
///
/// They are those of its body and, once its rows are known, of its answer until that has been sent,
/// and are given back with the last reference.
///
/// - Note: Thread-safe.
final class BatchRoom: AnswerReservation {
    private let budget: ByteBudget
    private let byteCount: Atomic<Int>

    /// Holds so many bytes that were reserved.
    fileprivate init(_ budget: ByteBudget, _ count: Int) {
        self.budget = budget
        byteCount = Atomic(count)
    }

    var held: HeldBytes { HeldBytes(byteCount.load(ordering: .relaxed), of: budget) }

    deinit {
        budget.release(byteCount.load(ordering: .relaxed))
    }

    /// Reserves as much more.
    ///
    /// - Throws: ``ServiceError/busy``; the batch keeps what it had.
    func grow(by count: Int) throws(ServiceError) {
        let held = byteCount.load(ordering: .relaxed)
        guard budget.reserve(count, besides: held) else { throw .busy }
        byteCount.add(count, ordering: .relaxed)
    }

    /// Gives back what it has beyond so many bytes.
    func shrink(to count: Int) {
        let excess = byteCount.load(ordering: .relaxed) - count
        guard excess > 0 else { return }
        byteCount.subtract(excess, ordering: .relaxed)
        budget.release(excess)
    }

    /// Goes with an answer until that has been sent, and gives back what that does not take.
    func go(with answer: inout Response) {
        shrink(to: answer.body.count)
        answer.reservation = self
    }
}

/// Works on batches beside the event loops, with bounds on the bytes that wait and on the time.
///
/// - Note: Thread-safe.
final class BatchQueue: Sendable {
    private let queue = DispatchQueue(label: "batches", attributes: .concurrent)
    /// Smaller batches are not worth dealing out, which costs a tenth of their time: some 1,700
    /// rows, or four milliseconds.
    private static let splitBytesMin = 256 << 10

    /// The bytes of the batches that wait or are worked on, and of their answers until these have
    /// been sent.
    let budget: ByteBudget
    /// The bytes of starts of lines that wait for their ends, in streamed batches: a quarter as
    /// many beside those, so that batches never lack what clients hold that send no line end.
    let lineStarts: ByteBudget
    private let workerCount: Int
    private let clock: MonotonicClock
    private let line: Lock<BatchLine>
    /// Scorers that wait for the next batch; their memory has been touched already.
    private let idle = Lock<[BatchScorer]>([])
    /// Scorers that were made.
    private let scorerCount = Atomic(0)

    /// `workerCount` is how many batches are worked on at a time.
    init(
        byteCountMax: Int,
        workerCount: Int,
        limits: ServerLimits = ServerLimits(),
        clock: MonotonicClock = .system
    ) {
        budget = ByteBudget(byteCountMax: byteCountMax)
        lineStarts = ByteBudget(byteCountMax: byteCountMax / 4)
        self.workerCount = workerCount
        self.clock = clock
        line = Lock(BatchLine(workerCount: workerCount, limits: limits))
    }

    /// Bytes that batches and starts of lines take now.
    var pendingByteCount: Int { budget.byteCount + lineStarts.byteCount }

    /// In how many parts a batch of so many bytes is worked on: on as many cores as other batches
    /// leave free.
    func partCount(byteCount: Int) -> Int {
        guard byteCount >= Self.splitBytesMin else { return 1 }
        return max(1, workerCount / max(1, line.withLock(\.workingCount)))
    }

    /// Calls `body` with a scorer of the model that no one else has, made where none waits.
    ///
    /// From `slot` on the metrics have one more slots than there are workers, which scorers take in
    /// turn: two that counted in one would hold each other up.
    func withScorer(
        _ model: ServedModel,
        metrics: ServiceMetrics,
        log: Log,
        telemetry: Telemetry?,
        slot: Int,
        _ body: (inout Scorer) throws(ServiceError) -> Void
    ) throws(ServiceError) {
        let waiting = idle.withLock { idle in
            idle.removeAll { $0.model !== model }
            return idle.popLast()
        }
        let taken =
            waiting
            ?? BatchScorer(
                Scorer(
                    model: model,
                    metrics: metrics,
                    log: log,
                    telemetry: telemetry,
                    slot: slot + nextNumber() % (workerCount + 1)
                )
            )
        defer {
            idle.withLock { idle in
                // A batch in parts has one more than there are cores.
                if idle.count <= workerCount { idle.append(taken) }
            }
        }
        try taken.scorer.withLock { scorer throws(ServiceError) in
            defer { scorer.rest() }
            try body(&scorer)
        }
    }

    private func nextNumber() -> Int { scorerCount.add(1, ordering: .relaxed).oldValue }

    /// Runs a batch for which room was taken, which it has until `body` lets go of it.
    ///
    /// `body` is told whether the batch has waited too long and is to be refused; a piece, which
    /// goes on with an answer that has begun, never is.
    func run(
        _ count: Int,
        _ kind: BatchLine.Kind = .batch,
        _ body: @escaping @Sendable (BatchRoom, _ isLate: Bool) -> Void
    ) {
        let room = BatchRoom(budget, count)
        enqueue(kind) { body(room, $0) }
    }

    /// Runs the next part of a batch that others are to have their turns between.
    func goOn(_ body: @escaping @Sendable () -> Void) {
        enqueue(.piece) { _ in body() }
    }

    private func enqueue(_ kind: BatchLine.Kind, _ batch: @escaping BatchLine.Batch) {
        let now = clock.nowNanoseconds
        let needsWorker = line.withLock { $0.add(at: now, kind, batch) }
        if needsWorker { queue.async { self.work() } }
    }

    /// Works on the next batch, and comes again until none waits.
    ///
    /// Each time anew, so that whatever else waits for one of Dispatch's threads has its turn:
    /// answers are encoded there.
    private func work() {
        let next = line.withLock { $0.next(at: clock.nowNanoseconds) }
        guard let (batch, kind, isLate) = next else { return }
        let began = clock.nowNanoseconds
        batch(isLate)
        let cost = clock.nowNanoseconds - began
        if !isLate { line.withLock { $0.note(cost: cost, kind) } }
        queue.async { self.work() }
    }
}

/// A scorer that goes from batch to batch.
///
/// - Note: Thread-safe by its lock, which is never waited for: one batch has it at a time.
private final class BatchScorer: Sendable {
    let model: ServedModel
    let scorer: Lock<Scorer>

    init(_ scorer: consuming sending Scorer) {
        model = scorer.model
        self.scorer = Lock(scorer)
    }
}
