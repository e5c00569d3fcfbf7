// SPDX-License-Identifier: MIT

internal import OTLP
internal import Platform

/// When a traced request was worked on, stage by stage; those that are not traced have none.
///
/// Rows of a batch, and readings that have come together, go through the stages in turns. So a
/// stage reaches from its first beginning to its last end, and says how much of that was its own.
///
/// - Note: Thread-safe: parts of a batch on several cores share one.
final class StageTrace: Sendable {
    /// A part of the work.
    enum Stage: Int, CaseIterable {
        case parse, state, features, forward, explain

        /// The name of its span.
        var name: String {
            switch self {
            case .parse: "parse"
            case .state: "state"
            case .features: "features"
            case .forward: "forward"
            case .explain: "explain"
            }
        }
    }

    /// What is known of a stage, on the monotonic clock.
    struct Times {
        var start = Int64.max
        var end = Int64.min
        var busyNanoseconds: Int64 = 0
    }

    private struct State {
        var times = [Times](repeating: Times(), count: Stage.allCases.count)
        var rowCount = 0
        var latency: PredictionCounts.Latency?
    }

    private let state = Lock(State())

    /// Notes that a stage was worked on.
    func add(_ stage: Stage, from start: Int64, to end: Int64) {
        state.withLock { state in
            state.times[stage.rawValue].start = min(state.times[stage.rawValue].start, start)
            state.times[stage.rawValue].end = max(state.times[stage.rawValue].end, end)
            state.times[stage.rawValue].busyNanoseconds += end - start
        }
    }

    /// Notes that readings were scored together.
    func add(rowCount: Int) { state.withLock { $0.rowCount += rowCount } }

    /// Notes what the answer took; readings that have come together are answered one by one.
    func setLatency(_ latency: PredictionCounts.Latency) {
        state.withLock { $0.latency = latency }
    }

    /// What the last answer took.
    var latency: PredictionCounts.Latency? { state.withLock { $0.latency } }

    /// The spans of the stages that there were, under that of their request, which began at a
    /// moment of the same clock.
    func spans(under request: TelemetrySpan, since received: Int64) -> [TelemetrySpan] {
        let state = state.withLock { $0 }
        return Stage.allCases.compactMap { stage in
            let times = state.times[stage.rawValue]
            guard times.end >= times.start else { return nil }
            return TelemetrySpan(
                request.context.child(),
                name: stage.name,
                kind: .inside,
                start: request.start + times.start - received,
                end: request.start + times.end - received,
                isError: false,
                attributes: [
                    ("batch.size", .integer(state.rowCount)),
                    ("busy_nanoseconds", .integer(Int(times.busyNanoseconds))),
                ]
            )
        }
    }
}
