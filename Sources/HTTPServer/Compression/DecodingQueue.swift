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

    /// Bytes in or out in a step: 0.4 to 0.8 ms.
    private static let stepBytes = 262_144
    /// How many that need no step are passed over at a time.
    private static let passedCountMax = 64
    /// How long bodies wait for their first step at most, in nanoseconds: a core decodes 300 MB in
    /// that time.
    static let waitMax: Int64 = 1_000_000_000

    /// `workerCount` is how many bodies are decoded at a time.
    init(workerCount: Int, clock: MonotonicClock) {
        self.clock = clock
        line = Lock(DecodingLine(workerCount: workerCount))
    }

    /// Decodes a body of a connection, and calls the closure with what comes out, from any thread.
    ///
    /// Where it waits for too long that is `tooManyDecoders`; for one that is given up, nothing.
    func add(
        _ body: EncodedBody,
        of connection: ConnectionToken,
        _ completion: @escaping DecodingLine.Completion
    ) {
        let waiting = DecodingLine.Waiting(
            body: body,
            connection: connection,
            completion: completion
        )
        let needsWorker = line.withLock { $0.add(waiting) }
        if needsWorker { queue.async { self.work() } }
    }

    /// Takes a step of the first body, and comes again until none waits.
    ///
    /// Each time anew, so that whatever else waits for one of Dispatch's threads has its turn.
    private func work() {
        for _ in 0..<Self.passedCountMax {
            guard let next = line.withLock({ $0.next() }) else { return }
            let body = next.body
            if body.isGivenUp { continue }
            if !body.hasBegun, clock.nowNanoseconds - body.since > Self.waitMax {
                next.completion(.failure(.tooManyDecoders))
                continue
            }
            switch body.step(budget: Self.stepBytes) {
            case .more(let hasMoved): line.withLock { $0.putBack(next, hasMoved: hasMoved) }
            case .over(let result): next.completion(result)
            }
            break
        }
        queue.async { self.work() }
    }
}
