// SPDX-License-Identifier: MIT

internal import Dispatch
internal import Synchronization

/// Works on explanations beside the event loops, one at a time: they take one core at most.
///
/// - Note: Thread-safe.
final class ExplanationQueue: Sendable {
    private let queue = DispatchQueue(label: "explanations")
    private let countMax: Int
    private let count = Atomic(0)

    init(countMax: Int) { self.countMax = countMax }

    /// Explanations that wait or are worked on.
    var pendingCount: Int { count.load(ordering: .relaxed) }

    /// Takes a place; false where there is none.
    func reserve() -> Bool {
        if count.add(1, ordering: .relaxed).newValue <= countMax { return true }
        giveBack()
        return false
    }

    /// Gives a place back.
    func giveBack() { count.subtract(1, ordering: .relaxed) }

    /// Runs what a place was taken for, which gives it back.
    func run(_ body: @escaping @Sendable () -> Void) { queue.async { body() } }
}
