// SPDX-License-Identifier: MIT

internal import Synchronization

/// How many readings a model version has scored as failing and as not.
///
/// - Note: Thread-safe: two atomic counters.
final class PredictionCounts: Sendable {
    private let failureCount = Atomic(0)
    private let otherCount = Atomic(0)

    var failures: Int { failureCount.load(ordering: .relaxed) }
    var others: Int { otherCount.load(ordering: .relaxed) }

    func add(failures: Int, others: Int) {
        if failures > 0 { failureCount.add(failures, ordering: .relaxed) }
        if others > 0 { otherCount.add(others, ordering: .relaxed) }
    }
}
