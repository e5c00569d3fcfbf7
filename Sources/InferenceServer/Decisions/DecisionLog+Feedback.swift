// SPDX-License-Identifier: MIT

internal import Features

/// What became of machines, kept beside what was predicted of them.
extension DecisionLog {
    /// Keeps events on the disk, then calls `body` with how many were new, off the loops.
    func take(
        _ events: [FeedbackEvent],
        _ body: @escaping @Sendable (Result<Int, ServiceError>) -> Void
    ) {
        onQueue { [self] in
            body(
                Result { () throws(ServiceError) in
                    do throws(FeedbackError) {
                        return try append(events)
                    } catch {
                        logFailure(error)
                        throw .feedbackNotKept
                    }
                }
            )
        }
    }
}
