// SPDX-License-Identifier: MIT

internal import Dispatch
internal import Synchronization

/// What a batch asks for, apart from its body.
struct BatchJob: Sendable {
    let moment: RequestMoment
    /// Whether body and answer are lines of JSON.
    let isLines: Bool
    /// Whether a row that does not fit is answered in its place and does not fail the batch.
    let skipsErrors: Bool
}

/// Works on batches beside the event loops, with a bound on the bytes that wait.
///
/// - Note: Thread-safe.
final class BatchQueue: Sendable {
    private let queue = DispatchQueue(label: "batches", attributes: .concurrent)
    private let byteCountMax: Int
    private let byteCount = Atomic(0)

    init(byteCountMax: Int) {
        self.byteCountMax = byteCountMax
    }

    /// Bytes of the batches that wait or are worked on.
    var pendingByteCount: Int { byteCount.load(ordering: .relaxed) }

    /// Takes room for a body; false where there is none.
    func reserve(_ count: Int) -> Bool {
        let after = byteCount.add(count, ordering: .relaxed).newValue
        // One batch alone always finds room, however large the route lets it be.
        if after <= byteCountMax || after == count { return true }
        byteCount.subtract(count, ordering: .relaxed)
        return false
    }

    /// Runs a batch for which room was taken, and gives the room back after it.
    func run(_ count: Int, _ body: @escaping @Sendable () -> Void) {
        queue.async { [self] in
            body()
            byteCount.subtract(count, ordering: .relaxed)
        }
    }
}
