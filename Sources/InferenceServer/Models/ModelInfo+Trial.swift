// SPDX-License-Identifier: MIT

internal import JSON

extension ModelInfo {
    /// What `/model/info` says of the challenger beside the model in service; null without one.
    static func challenger(_ trial: Trial?) -> JSONValue {
        guard let trial, trial.judgesSecond else { return .null }
        var info = JSONObject()
        info["version"] = .string(trial.model.version)
        info["sha256sums_digest"] = .string(trial.model.digest)
        info["mode"] = .string(trial.role.mode)
        info["share"] = .number(trial.role.share)
        info["allows_shift"] = .bool(trial.allowsShift)
        add(trial.counts.comparison, to: &info)
        return .object(info)
    }

    /// What it says of the probation that the model in service is on; null where that is over.
    static func probation(
        _ trial: Trial?,
        limits: ServiceLimits,
        nowNanoseconds: Int64
    ) -> JSONValue {
        guard let trial, case .predecessor(let until) = trial.role else { return .null }
        var info = JSONObject()
        info["previous"] = .string(trial.model.version)
        info["remaining_seconds"] = .integer(Int(max(0, until - nowNanoseconds) / 1_000_000_000))
        info["readings_needed"] = .integer(limits.quarantineReadings)
        info["allows_shift"] = .bool(trial.allowsShift)
        info["shift_max"] = limits.quarantineShift.map(JSONValue.number) ?? .null
        add(trial.counts.comparison, to: &info)
        return .object(info)
    }

    private static func add(_ comparison: TrialComparison, to info: inout JSONObject) {
        let count = Double(comparison.count)
        func share(_ sum: Double) -> JSONValue { count > 0 ? .number(sum / count) : .null }
        info["readings"] = .integer(comparison.count)
        info["disagreement"] = share(Double(comparison.disagreements))
        info["mean_difference"] = share(comparison.difference)
        info["shift"] = count > 0 ? .number(comparison.shift) : .null
        info["failures"] = .integer(comparison.failures)
    }
}
