// SPDX-License-Identifier: MIT

internal import Dispatch
internal import Platform
internal import Synchronization

/// Gives back what a peak of load has left with the allocator.
///
/// The allocator keeps freed memory for the next peak, at its end and below whatever is still in
/// use: after an attack 15 MB of 36, after bodies that stalled 30 of 50, measured.
///
/// - Note: Thread-safe.
final class MemoryKeeper: Sendable {
    /// When memory is given back: bytes in RAM that were not allocated tell it.
    struct Rule {
        /// The least of them since the last time.
        private var floor = Int.max

        /// Growth that is worth the walk through the allocator's lists.
        static let growthMin = 2 << 20

        /// Takes note of them; whether the allocator is to give back what it can.
        mutating func isDue(_ unallocatedByteCount: Int) -> Bool {
            floor = min(floor, unallocatedByteCount)
            return unallocatedByteCount - floor >= Rule.growthMin
        }

        /// Takes note of what is left after that: code and mapped files are in RAM too.
        mutating func didGiveBack(_ unallocatedByteCount: Int) {
            floor = unallocatedByteCount
        }
    }

    private let queue = DispatchQueue(label: "memory")
    private let rule = Lock(Rule())
    private let hasStopped = Atomic(false)

    /// How often is looked: a page of /proc and the allocator's sums, some 20 us.
    private static let interval = DispatchTimeInterval.seconds(1)

    /// Sets the allocator up for this, before the process has a second thread.
    ///
    /// One arena for eight loops: the way of a reading allocates nothing, a batch some ten times.
    static func prepare(loopCount: Int) {
        ProcessMemory.keepUntilAsked(arenaCount: 1 + loopCount / 8)
    }

    /// Looks from now on.
    func start() {
        queue.asyncAfter(deadline: .now() + MemoryKeeper.interval) { [weak self] in
            guard let self, !hasStopped.load(ordering: .relaxed) else { return }
            look()
            start()
        }
    }

    /// Ends that.
    func stop() {
        hasStopped.store(true, ordering: .relaxed)
    }

    private func look() {
        rule.withLock { rule in
            guard rule.isDue(unallocatedByteCount) else { return }
            ProcessMemory.giveBack()
            rule.didGiveBack(unallocatedByteCount)
        }
    }

    private var unallocatedByteCount: Int {
        ProcessMemory.residentByteCount - ProcessMemory.allocatedByteCount
    }
}
