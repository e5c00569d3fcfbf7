// SPDX-License-Identifier: MIT

internal import Synchronization

/// An event that may come as often as requests do, of which some are written.
enum RepeatedEvent: Int, CaseIterable {
    case requestFailed, requestRefused, readingFlagged, machineAtRisk, decisionsNotLogged

    var name: String {
        switch self {
        case .requestFailed: "request_failed"
        case .requestRefused: "request_refused"
        case .readingFlagged: "reading_flagged"
        case .machineAtRisk: "machine_at_risk"
        case .decisionsNotLogged: "decisions_not_logged"
        }
    }

    var level: LogLevel {
        switch self {
        case .requestFailed, .decisionsNotLogged: .warning
        case .requestRefused, .readingFlagged, .machineAtRisk: .info
        }
    }
}

/// Lets ten lines of an event through in ten seconds, and counts the others.
///
/// - Note: Thread-safe, without a lock; at the turn of an interval a line more may come through.
final class RepeatGate: Sendable {
    static let lineCountMax = 10
    static let intervalMicroseconds: Int64 = 10_000_000

    private let intervalStart = Atomic(Int64.min)
    private let lineCount = Atomic(0)
    private let leftOut = Atomic(0)

    /// How many were left out since the last line, or nil where this one is too.
    func pass(now: Int64) -> Int? {
        let start = intervalStart.load(ordering: .relaxed)
        if start == .min || now - start >= Self.intervalMicroseconds || now < start {
            let (isOurs, _) = intervalStart.compareExchange(
                expected: start,
                desired: now,
                ordering: .relaxed
            )
            if isOurs { lineCount.store(0, ordering: .relaxed) }
        }
        guard lineCount.load(ordering: .relaxed) < Self.lineCountMax,
            lineCount.add(1, ordering: .relaxed).newValue <= Self.lineCountMax
        else {
            leftOut.add(1, ordering: .relaxed)
            return nil
        }
        return leftOut.exchange(0, ordering: .relaxed)
    }
}
