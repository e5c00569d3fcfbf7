// SPDX-License-Identifier: MIT

internal import Features
internal import Integrity
internal import ModelRuntime
internal import Platform
internal import Synchronization

/// A version that misbehaves in service gives way to the one before, and is not taken again.
///
/// What is judged is a new champion beside its predecessor, or a challenger that answers machines.
/// A shadow harms nobody: its figures are shown, and that is all.
extension ModelWatcher {
    /// Answers that are not finite, in a hundred, above which a version is sent back.
    private static let faultPercentMax = 1

    /// Judges the version on trial, and ends a probation that is over.
    func review() {
        guard let model = models.current else { return }
        if let trial = model.trial, trial.role != .shadow {
            let comparison = trial.counts.comparison
            if let reason = fault(comparison, trial, beside: model) {
                return trial.judgesSecond
                    ? sendBack(challenger: trial, from: model, reason)
                    : sendBack(model, to: trial.model, reason)
            }
            if case .predecessor(let until) = trial.role {
                endProbation(of: model, comparison, until: until)
                return
            }
        }
        if let reason = fault(of: model) { goBack(from: model, reason) }
    }

    /// Keeps the version before beside a newer one, so that the two can be compared.
    ///
    /// Nobody who goes back to an older version wants it judged by the newer one.
    func onProbation(
        _ model: ServedModel,
        after previous: ServedModel?,
        allowsShift: Bool
    ) -> ServedModel {
        guard limits.quarantineShift != nil, let previous, model.version > previous.version,
            Trial.refusal(of: model.manifest, beside: previous) == nil
        else { return model }
        var known = ServedModel(previous, trial: nil)
        // Where that one was on probation itself, its own predecessor is better known.
        if let trial = previous.trial, !trial.judgesSecond { known = trial.model }
        let until = clock.nowNanoseconds + Int64(limits.probation / .nanoseconds(1))
        let trial = Trial(
            of: known,
            beside: model,
            as: .predecessor(until: until),
            allowsShift: allowsShift,
            slots: metrics.slots
        )
        return ServedModel(model, trial: trial)
    }

    /// Whether a bundle is in quarantine, which is noted.
    func isQuarantined(_ bundle: LoadedModel) -> Bool {
        guard let entry = models.quarantine.entry(ofDigest: bundle.digest.hex) else { return false }
        let since = Timestamp.text(entry.time)
        let reason = "in quarantine since \(since): \(entry.reason)"
        models.note(ModelRefusal(version: entry.version, reason: reason, time: entry.time))
        return true
    }

    /// The candidates, behind one in quarantine first the version that it gave way to.
    func ordered(_ candidates: [BundleLocation]) -> [BundleLocation] {
        let first = candidates.first?.version.map { "\($0)" }
        let entry = models.quarantine.entries.last { $0.version == first }
        guard let previous = entry?.previous,
            let place = candidates.firstIndex(where: { $0.version.map { "\($0)" } == previous })
        else { return candidates }
        var ordered = candidates
        let preferred = ordered.remove(at: place)
        ordered.insert(preferred, at: min(1, place))
        return ordered
    }

    private func endProbation(
        of model: ServedModel,
        _ comparison: TrialComparison,
        until: Int64
    ) {
        guard clock.nowNanoseconds >= until, comparison.count >= limits.quarantineReadings else {
            return
        }
        models.setTrial(nil)
        log.event(
            .info,
            "probation_over",
            [
                ("version", .string(model.version)), ("readings", .integer(comparison.count)),
                ("shift", .number(comparison.shift)),
            ]
        )
        followChallenger()
    }

    /// What speaks against the version on trial; nil for nothing.
    private func fault(
        _ comparison: TrialComparison,
        _ trial: Trial,
        beside model: ServedModel
    ) -> String? {
        let all = comparison.count + comparison.failures
        if comparison.failures * 100 > all * Self.faultPercentMax {
            return "\(comparison.failures) of \(all) answers were no finite number"
        }
        guard let limit = limits.quarantineShift, !trial.allowsShift,
            comparison.count >= limits.quarantineReadings, comparison.shift > limit
        else { return nil }
        let other = trial.versions(beside: model).other
        let shift = (comparison.shift * 1000).rounded() / 1000
        return "its risk levels are shifted by \(shift), more than \(limit),"
            + " from those that \(other) gave the same \(comparison.count) readings"
    }

    /// What speaks against a version that nothing is compared with; nil for nothing.
    private func fault(of model: ServedModel) -> String? {
        let faults = model.faults.load(ordering: .relaxed)
        let all = faults + model.answerCount
        guard faults * 100 > all * Self.faultPercentMax else { return nil }
        return "\(faults) of \(all) answers were no finite number"
    }

    private func sendBack(challenger trial: Trial, from model: ServedModel, _ reason: String) {
        quarantine(trial.model, previous: nil, reason, inService: model.version)
        models.setTrial(nil)
    }

    private func sendBack(_ model: ServedModel, to previous: ServedModel, _ reason: String) {
        models.install(previous, loadSeconds: 0)
        models.note(versionCount: models.standing.versionCount, isPreferredRefused: true)
        quarantine(model, previous: previous.version, reason, inService: previous.version)
        followChallenger()
    }

    /// Takes an older version from the disk, where there is one that may serve.
    private func goBack(from model: ServedModel, _ reason: String) {
        // Without an older one it is told once, and the model goes on with what it can answer.
        guard lastFaulty.exchange(model.epoch, ordering: .relaxed) != model.epoch else { return }
        let candidates = (try? directory.candidates()) ?? []
        for candidate in candidates {
            guard let version = candidate.version.map({ "\($0)" }), version < model.version,
                take(candidate) == .taken
            else { continue }
            models.note(versionCount: candidates.count, isPreferredRefused: true)
            quarantine(model, previous: version, reason, inService: version)
            return followChallenger()
        }
        log.event(
            .error,
            "model_faulty",
            [("version", .string(model.version)), ("reason", .string(reason))]
        )
    }

    private func quarantine(
        _ model: ServedModel,
        previous: String?,
        _ reason: String,
        inService: String
    ) {
        let time = wallClock.nowMicroseconds
        let problem = models.quarantine.add(
            Quarantine.Entry(
                version: model.version,
                digest: model.digest,
                reason: reason,
                time: time,
                previous: previous
            )
        )
        models.note(ModelRefusal(version: model.version, reason: reason, time: time))
        // Who deletes the file at once is seen, too.
        forgetFingerprint()
        metrics.countQuarantine()
        log.event(
            .error,
            "model_quarantined",
            [
                ("version", .string(model.version)), ("reason", .string(reason)),
                ("in_service", .string(inService)),
                ("kept", .string(problem ?? models.quarantine.path ?? "in memory only")),
            ]
        )
    }
}
