// SPDX-License-Identifier: MIT

internal import Integrity
internal import ModelRuntime
internal import Platform

/// What a restart goes on with.
extension ModelWatcher {
    /// What the process before has written down; nil where that is nothing, or cannot be read,
    /// which is told.
    func recall() -> ServingMemory.Content? {
        do {
            return try memory.read()
        } catch {
            log.event(
                .warning,
                "trial_not_resumed",
                [("path", .string(memory.path ?? "")), ("reason", "\(error)")]
            )
            return nil
        }
    }

    /// Writes down what serves and what is tried.
    func keep(isForced: Bool = false) {
        guard memory.path != nil, let model = models.current,
            let version = BundleVersion(model.version)
        else { return }
        let content = ServingMemory.Content(
            served: ServingMemory.Version(name: "\(version)", digest: model.digest),
            trial: model.trial.map(kept)
        )
        do throws(FileError) {
            try memory.write(content, now: clock.nowNanoseconds, isForced: isForced)
        } catch {
            log.event(.error, "trial_not_kept", [("reason", "\(error)")])
        }
    }

    private func kept(_ trial: Trial) -> ServingMemory.Trial {
        var remaining = 0.0
        if case .predecessor(let until) = trial.role {
            remaining = Double(max(0, until - clock.nowNanoseconds)) * 1e-9
        }
        return ServingMemory.Trial(
            second: ServingMemory.Version(name: trial.model.version, digest: trial.model.digest),
            mode: trial.role.mode,
            remainingSeconds: remaining,
            comparison: trial.counts.comparison
        )
    }

    /// The first model after a start on the probation that it was on before, or, where it has come
    /// with the start, on one beside the version that served then.
    func resumed(_ model: ServedModel, allowsShift: Bool) -> ServedModel {
        guard let content = recall() else { return model }
        guard content.served.digest == model.digest else {
            let previous = second(content.served, beside: model)
            return onProbation(model, after: previous, allowsShift: allowsShift)
        }
        trialBefore.withLock { $0 = content.trial }
        guard let kept = content.trial, kept.mode == Trial.Role.predecessor(until: 0).mode,
            limits.quarantineShift != nil, let known = second(kept.second, beside: model)
        else { return model }
        let until = clock.nowNanoseconds + Int64(kept.remainingSeconds * 1e9)
        let trial = Trial(
            of: known,
            beside: model,
            as: .predecessor(until: until),
            allowsShift: allowsShift,
            slots: metrics.slots
        )
        trial.counts.add(kept.comparison)
        log.event(
            .info,
            "probation_resumed",
            [
                ("version", .string(model.version)), ("previous", .string(known.version)),
                ("readings", .integer(kept.comparison.count)),
            ]
        )
        return ServedModel(model, trial: trial)
    }

    /// A version that was there before, made ready to compute beside a model; nil where it is not
    /// there any more or another one.
    private func second(
        _ version: ServingMemory.Version,
        beside model: ServedModel
    ) -> ServedModel? {
        guard let name = BundleVersion(version.name), let folder = try? directory.modelFolder()
        else { return nil }
        let location = folder.location(of: name)
        var trace = ModelLoadTrace(of: location, telemetry, clock: clock)
        guard let bundle = try? loaded(location, willTest: { trace.begin(.selfTest) }),
            bundle.digest.hex == version.digest, !isQuarantined(bundle),
            Trial.refusal(of: bundle.manifest, beside: model) == nil
        else { return nil }
        trace.begin(.swap)
        let second = prepare(bundle, location, epoch: model.epoch, after: model, trace)
        if let second { trace.succeed(second, as: "on_trial") }
        return second
    }
}
