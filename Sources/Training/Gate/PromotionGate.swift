// SPDX-License-Identifier: MIT

internal import Drift
internal import Features
package import JSON
package import ModelRuntime
internal import Platform

/// Whether a new model may take the champion's place: each reason for and against, in figures.
///
/// Both models judge the same held-out machines, each by features of its own from the same
/// readings.
package struct PromotionGate: Sendable {
    /// What is asked of a candidate.
    package struct Criteria: Sendable {
        /// The gain in PR-AUC that is wanted.
        package var margin = 0.0
        /// How sure the gain has to be, one-sided: this share of the bootstrap rounds is above it.
        package var confidence = 0.9
        /// Bootstrap rounds: 1000, which settle a bound at 0.9 to some per cent of its width.
        package var rounds = 1000
        /// The highest expected calibration error, over 15 bins of equal mass.
        package var calibrationErrorMax = 0.02
        /// Bytes of all files of the bundle.
        package var byteCountMax = 16 << 20
        /// Microseconds of a forward pass of one row, the median.
        package var latencyMicrosecondsMax = 200.0
        /// The largest stability index of the risk levels, against the champion's answers to the
        /// same readings: a server sends a version back from 0.25 on, if it is not told.
        package var shiftMax = 0.25
        /// Differences to the champion that are meant to be.
        package var allowed: [ModelDifference.Kind] = []

        /// Makes the defaults.
        package init() {}
    }

    /// One thing that was asked.
    package struct Check: Equatable, Sendable {
        /// Its name, as it stands in gate.json.
        package let name: String
        /// Whether the candidate has it.
        package let passes: Bool
        /// What was found, and what was wanted.
        package let text: String
    }

    /// What was judged.
    package let candidate: BundleVersion
    /// What it was compared with; nil for the first model of all.
    package let champion: BundleVersion?
    /// Everything that was asked.
    package let checks: [Check]

    /// Whether every check passes.
    package var passes: Bool { checks.allSatisfy(\.passes) }

    /// Judges a candidate on prepared readings, such as test.csv, that neither model has seen.
    ///
    /// - Throws: ``TrainingError`` where the readings fit no model's schema, or hold no failure.
    package init(
        candidate: LoadedModel,
        champion: LoadedModel?,
        readings: String,
        criteria: Criteria
    ) throws(TrainingError) {
        self.candidate = candidate.manifest.version
        self.champion = champion?.manifest.version
        let own = try Scored(candidate, readings)
        let other = try champion.map { model throws(TrainingError) in
            try Scored(model, readings)
        }
        let calibration = Calibration(probabilities: own.probabilities, labels: own.matrix.labels)
        var checks: [Check] = []
        if let champion, let other {
            guard other.matrix.labels == own.matrix.labels else {
                throw .unusable("\(readings): the two models see other failures in it")
            }
            checks.append(Self.meaning(champion.manifest, candidate.manifest, criteria))
            checks.append(try Self.gain(own, other, criteria, readings))
            checks.append(Self.shift(own, other, criteria))
        } else {
            checks.append(try Self.skill(own, criteria, readings))
        }
        checks.append(
            Self.limit(
                "calibration",
                calibration.expectedError,
                criteria.calibrationErrorMax,
                "expected calibration error"
            )
        )
        checks.append(
            Self.limit(
                "size",
                Double(try Self.byteCount(candidate.path)),
                Double(criteria.byteCountMax),
                "bytes"
            )
        )
        checks.append(
            Self.limit(
                "latency",
                own.medianMicroseconds(candidate.network),
                criteria.latencyMicrosecondsMax,
                "us for the forward pass of one row"
            )
        )
        self.checks = checks
    }

    /// No client and no window may come to mean something else unasked.
    private static func meaning(
        _ champion: Manifest,
        _ candidate: Manifest,
        _ criteria: Criteria
    ) -> Check {
        let breaking = ModelDifference.between(champion, candidate).filter {
            $0.kind.isBreaking && !criteria.allowed.contains($0.kind)
        }
        let found = breaking.map { "\($0.kind.rawValue): \($0.text)" }
        return Check(
            name: "meaning",
            passes: breaking.isEmpty,
            text: found.isEmpty
                ? "same sensors, units, ranges, horizon and layout" : found.joined(separator: "; ")
        )
    }

    /// How the same readings fall into risk levels, before and after.
    private static func shift(_ own: Scored, _ other: Scored, _ criteria: Criteria) -> Check {
        let shift = PopulationStability.index(reference: other.risks, current: own.risks)
        let isAllowed = criteria.allowed.contains(.shift)
        return Check(
            name: "shift",
            passes: isAllowed || shift <= criteria.shiftMax,
            text: "\(text(shift)) is the stability index of the risk levels; "
                + (isAllowed ? "allowed" : "at most \(text(criteria.shiftMax)), or --allow shift")
        )
    }

    private static func gain(
        _ own: Scored,
        _ other: Scored,
        _ criteria: Criteria,
        _ readings: String
    ) throws(TrainingError) -> Check {
        let labels = own.matrix.labels
        guard
            let after = RankingMetrics.averagePrecision(scores: own.probabilities, labels: labels),
            let before = RankingMetrics.averagePrecision(
                scores: other.probabilities,
                labels: labels
            )
        else { throw .unusable("\(readings): there is no failure to judge by") }
        let ranked = [own, other].map { RankedRows(scores: $0.probabilities, labels: labels) }
        let bound = own.lowerBound(criteria) { weights in
            guard let after = ranked[0].averagePrecision(weights: weights),
                let before = ranked[1].averagePrecision(weights: weights)
            else { return nil }
            return after - before
        }
        return Check(
            name: "gain",
            passes: bound > criteria.margin,
            text: "PR-AUC \(text(before)) -> \(text(after)), gain above \(text(bound)) with"
                + " confidence \(criteria.confidence); wanted: above \(text(criteria.margin))"
        )
    }

    /// A first model has no rival but chance.
    private static func skill(
        _ own: Scored,
        _ criteria: Criteria,
        _ readings: String
    ) throws(TrainingError) -> Check {
        let labels = own.matrix.labels
        guard let area = RankingMetrics.averagePrecision(scores: own.probabilities, labels: labels)
        else { throw .unusable("\(readings): there is no failure to judge by") }
        let rate = Double(labels.count { $0 == 1 }) / Double(labels.count)
        let ranked = RankedRows(scores: own.probabilities, labels: labels)
        let bound = own.lowerBound(criteria) { ranked.averagePrecision(weights: $0) }
        return Check(
            name: "skill",
            passes: bound > rate + criteria.margin,
            text: "PR-AUC \(text(area)), above \(text(bound)) with confidence"
                + " \(criteria.confidence); chance gives \(text(rate))"
        )
    }

    private static func limit(
        _ name: String,
        _ value: Double,
        _ limit: Double,
        _ what: String
    ) -> Check {
        Check(
            name: name,
            passes: value <= limit,
            text: "\(text(value)) \(what); at most \(text(limit))"
        )
    }

    private static func byteCount(_ path: String) throws(TrainingError) -> Int64 {
        do throws(FileError) {
            var sum: Int64 = 0
            for name in try FileAccess.list(path) {
                sum += try FileAccess.status(of: "\(path)/\(name)")?.byteCount ?? 0
            }
            return sum
        } catch {
            throw .file(error)
        }
    }

    /// A number with at most four decimals.
    private static func text(_ value: Double) -> String {
        let rounded = (value * 1e4).rounded() / 1e4
        return rounded == rounded.rounded() && rounded.magnitude < 1e15
            ? "\(Int64(rounded))" : "\(rounded)"
    }
}

/// A model's answers to readings.
private struct Scored {
    let matrix: FeatureMatrix
    let probabilities: [Double]
    /// Rows of each risk level, from the lowest.
    let risks: [Int]

    init(_ model: LoadedModel, _ readings: String) throws(TrainingError) {
        let table = try ReadingTable.loadPrepared(readings, schema: model.manifest.transform.schema)
        matrix = FeatureMatrix(table, engine: model.engine)
        guard matrix.rowCount > 0 else {
            throw .unusable("\(readings): there are no rows to score")
        }
        probabilities = try TrainingRun.probabilities(
            matrix,
            network: model.network,
            calibrator: model.manifest.calibration
        )
        let levels = probabilities.map { model.riskLevel(probability: $0) }
        risks = RiskLevel.allCases.map { level in levels.count { $0 == level } }
    }

    /// What a figure is above in the wanted share of the rounds; minus infinity where none has it.
    func lowerBound(
        _ criteria: PromotionGate.Criteria,
        _ figure: @Sendable ([Int32]) -> Double?
    ) -> Double {
        let bootstrap = MachineBootstrap(entities: matrix.entities, rowCount: matrix.rowCount)
        let figures = concurrentMap(count: criteria.rounds) { figure(bootstrap.weights(round: $0)) }
            .compactMap(\.self).sorted()
        guard !figures.isEmpty else { return -.infinity }
        let index = Int(Double(figures.count) * (1 - criteria.confidence))
        return figures[min(index, figures.count - 1)]
    }

    /// The median time of a forward pass of one row, over at most a thousand rows.
    func medianMicroseconds(_ network: Network) -> Double {
        let width = matrix.names.count
        let scratch = ForwardScratch(for: network)
        var logit: [Float] = [0]
        var times: [Int64] = []
        for row in 0..<min(matrix.rowCount, 1000) {
            let values = matrix.values.span.extracting(row * width..<(row + 1) * width)
            let start = MonotonicClock.system.nowNanoseconds
            var output = logit.mutableSpan
            network.forward(rows: values, into: &output, scratch: scratch)
            times.append(MonotonicClock.system.nowNanoseconds - start)
        }
        times.sort()
        return Double(times[times.count / 2]) / 1000
    }
}

extension PromotionGate {
    /// The number that gate.json carries as `format`.
    private static let format = 1

    /// The content of gate.json.
    package var json: JSONValue {
        var object = JSONObject()
        object["format"] = .integer(Self.format)
        object["candidate"] = .string("\(candidate)")
        object["champion"] = champion.map { .string("\($0)") } ?? .null
        object["passes"] = .bool(passes)
        object["checks"] = .array(
            checks.map { check in
                [
                    "name": .string(check.name),
                    "passes": .bool(check.passes),
                    "text": .string(check.text),
                ]
            }
        )
        return .object(object)
    }
}
