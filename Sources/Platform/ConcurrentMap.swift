// SPDX-License-Identifier: MIT

internal import Dispatch

/// The results of `body` for 0 to `count` - 1, computed on all usable cores.
///
/// The calling thread works too, and the call returns when all is done. It is for work of
/// milliseconds and more, off the event loops.
package func concurrentMap<Result: Sendable>(
    count: Int,
    _ body: @Sendable (Int) -> Result
) -> [Result] {
    let results = Lock([Result?](repeating: nil, count: count))
    DispatchQueue.concurrentPerform(iterations: count) { index in
        let result = body(index)
        results.withLock { $0[index] = result }
    }
    return results.withLock { $0.compactMap(\.self) }
}
