// SPDX-License-Identifier: MIT

internal import Dispatch
internal import Platform

/// Decodes larger gzip bodies beside the loops, a part at a time, in the order of ``DecodingLine``.
///
/// - Note: Thread-safe.
final class DecodingQueue: Sendable {
    private let queue = DispatchQueue(label: "http.decoding", attributes: .concurrent)
    private let clock: MonotonicClock
    private let line: Lock<DecodingLine>

    /// Bytes in or out in a step: 0.4 ms.
    private static let stepBytes = 262_144

    /// `workerCount` is how many bodies are decoded at a time.
    init(workerCount: Int, clock: MonotonicClock) {
        self.clock = clock
        line = Lock(DecodingLine(workerCount: workerCount))
    }

    /// Decodes a body, and calls the closure with what comes out, from any thread.
    ///
    /// Where it waits for too long that is `tooManyDecoders`; of one that is given up, anything.
    func add(_ body: EncodedBody, _ completion: @escaping DecodingLine.Completion) {
        let now = clock.nowNanoseconds
        let (late, needsWorker) = line.withLock { line in
            (line.takeLate(at: now), line.add(body, completion))
        }
        for waiting in late { waiting.completion(.failure(.tooManyDecoders)) }
        if needsWorker { queue.async { self.work() } }
    }

    /// Takes a step of the first body, and comes again until none waits.
    ///
    /// Each time anew, so that whatever else waits for one of Dispatch's threads has its turn.
    private func work() {
        guard let next = line.withLock({ $0.next() }) else { return }
        let step = next.body.step(budget: Self.stepBytes)
        if case .over(let result) = step {
            next.completion(result)
        } else {
            line.withLock { $0.putBack(next) }
        }
        queue.async { self.work() }
    }
}
