// SPDX-License-Identifier: MIT

internal import Features

/// What became of machines, kept beside what was predicted of them.
extension DecisionLog {
    /// Keeps events on the disk, which may take its time: to be called on the queue.
    ///
    /// - Returns: How many were new.
    /// - Throws: ``ServiceError/feedbackNotKept``.
    func keep(_ events: [FeedbackEvent]) throws(ServiceError) -> Int {
        do throws(FeedbackError) {
            return try append(events)
        } catch {
            logFailure(error)
            throw .feedbackNotKept
        }
    }
}
