// SPDX-License-Identifier: MIT

internal import Metrics

/// How many readings a model version has scored as failing and as not.
///
/// - Note: Thread-safe: counters with a share for each event loop.
final class PredictionCounts: Sendable {
    private let failureCounter: Counter
    private let otherCounter: Counter

    init(slots: Int) {
        failureCounter = Counter(slots: slots)
        otherCounter = Counter(slots: slots)
    }

    var failures: UInt64 { failureCounter.value }
    var others: UInt64 { otherCounter.value }

    func add(failures: Int, others: Int, slot: Int) {
        if failures > 0 { failureCounter.add(UInt64(failures), slot: slot) }
        if others > 0 { otherCounter.add(UInt64(others), slot: slot) }
    }
}
