// SPDX-License-Identifier: MIT

internal import Drift
internal import Platform

/// What a restart goes on with.
extension DriftMonitor {
    /// What is to be kept of windows that have ended.
    func kept(_ state: State) -> DriftMemory.Kept {
        var kept = DriftMemory.Kept(raised: state.raised, windowCount: state.standing.windowCount)
        if let window = state.standing.window, let sketch = state.sketch {
            kept.last = DriftMemory.Kept.Window(
                start: window.start,
                end: window.end,
                seconds: Double(window.end - window.start) * 1e-6,
                counts: window.counts,
                sketch: sketch
            )
        }
        return kept
    }

    /// What was kept of a model; nil where that is nothing, or cannot be read, which is told.
    func kept(of model: ServedModel, flagCount: Int) -> DriftMemory.Kept? {
        guard let shape = model.drift?.sketches.shape else { return nil }
        do {
            return try memory.read(digest: model.digest, shape: shape, flagCount: flagCount)
        } catch {
            log.event(
                .warning,
                "drift_not_resumed",
                [("path", .string(memory.path ?? "")), ("reason", "\(error)")]
            )
            return nil
        }
    }

    /// Writes down what is known; where that cannot be, it is told and forgotten.
    func keep(_ kept: DriftMemory.Kept, of model: ServedModel) {
        do throws(FileError) {
            try memory.write(kept, digest: model.digest)
        } catch {
            log.event(.error, "drift_not_kept", [("reason", "\(error)")])
        }
    }

    /// Goes on with what was kept of the state's model.
    func resume(_ kept: DriftMemory.Kept, _ state: inout State) {
        guard let model = state.standing.model, let drift = model.drift else { return }
        state.raised = kept.raised
        state.standing.windowCount = kept.windowCount
        if kept.windowCount > 0 { state.standing.state = kept.raised.isRaised ? .drift : .stable }
        if let last = kept.last {
            let (sensors, verdict) = judge(drift, last.counts, last.sketch)
            state.sketch = last.sketch
            state.standing.sensors = sensors
            state.standing.verdict = verdict
            state.standing.window = DriftStanding.Window(
                start: last.start,
                end: last.end,
                counts: last.counts,
                comparedCount: last.sketch.rowCount,
                machineCount: Int(last.sketch.machineCount.rounded())
            )
        }
        if let gathered = kept.gathered {
            drift.sketches.add(gathered.sketch)
            // As if it had been counted here.
            state.before = state.before.since(gathered.counts)
            state.startNanoseconds -= Int64(gathered.seconds * 1e9)
            state.standing.gatheredSince = gathered.start
        }
        log.event(
            .info,
            "drift_resumed",
            [
                ("model_version", .string(model.version)),
                ("state", .string(state.standing.state.rawValue)),
                ("windows", .integer(kept.windowCount)),
                ("gathered", .integer(kept.gathered?.counts.readings ?? 0)),
            ]
        )
    }
}
