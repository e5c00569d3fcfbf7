// SPDX-License-Identifier: MIT

internal import Integrity
internal import ModelRuntime
internal import Platform

/// The challenger that the registry names computes beside the model in service.
extension ModelWatcher {
    /// Puts the registry's challenger beside the model in service, or takes one away.
    func followChallenger() {
        guard let model = models.current else { return }
        // While the champion is on probation, its challenger waits.
        if let trial = model.trial, !trial.judgesSecond { return }
        let wanted: (location: BundleLocation, mode: ModelRegistry.Challenger.Mode)?
        // What is wrong with the registry was told when the champion was looked for.
        do throws(ModelDirectoryError) { wanted = try directory.challenger() } catch { return }
        guard let wanted, "\(wanted.location.version, default: "")" != model.version else {
            return endTrial(of: model)
        }
        let role = Trial.Role(wanted.mode)
        var trace = ModelLoadTrace(of: wanted.location, telemetry, clock: clock)
        let allowsShift = directory.allowsShift(of: wanted.location.version)
        guard let bundle = load(wanted.location, &trace) else { return endTrial(of: model) }
        if let trial = model.trial, trial.role == role, trial.allowsShift == allowsShift,
            trial.model.digest == bundle.digest.hex
        {
            return
        }
        guard !isQuarantined(bundle) else { return endTrial(of: model) }
        if let refusal = Trial.refusal(of: bundle.manifest, beside: model) {
            refuse(wanted.location, "\(type(of: refusal))", "\(refusal)", trace)
            return endTrial(of: model)
        }
        trace.begin(.swap)
        guard
            let second = prepare(
                bundle,
                wanted.location,
                epoch: model.epoch,
                after: model,
                trace
            )
        else { return endTrial(of: model) }
        let trial = Trial(
            of: second,
            beside: model,
            as: role,
            allowsShift: allowsShift,
            slots: metrics.slots
        )
        if let before = trialBefore.withLock({ $0.take() }), before.mode == role.mode,
            before.second.digest == second.digest
        {
            trial.counts.add(before.comparison)
        }
        models.setTrial(trial)
        trace.succeed(second, as: role.mode)
        log.event(
            .info,
            "challenger_on_trial",
            [
                ("version", .string(second.version)), ("mode", .string(role.mode)),
                ("share", .number(role.share)), ("in_service", .string(model.version)),
                ("allows_shift", allowsShift ? "yes" : "no"),
            ]
        )
    }

    /// Lets the model in service compute alone.
    private func endTrial(of model: ServedModel) {
        guard let trial = model.trial else { return }
        models.setTrial(nil)
        log.event(
            .info,
            "challenger_withdrawn",
            [
                ("version", .string(trial.model.version)),
                ("readings", .integer(trial.counts.comparison.count)),
                ("in_service", .string(model.version)),
            ]
        )
    }
}
