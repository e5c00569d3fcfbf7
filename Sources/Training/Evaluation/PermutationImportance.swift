// SPDX-License-Identifier: MIT

internal import Features
package import JSON
package import ModelRuntime
internal import Platform

/// How much worse a model ranks, and how much surer it errs, where one group of sensors tells of
/// another row.
///
/// A row takes the group's sensors, with their windows, from a row drawn at random, and every
/// feature is computed anew: a product of two sensors is one of values that a machine could show,
/// and what the machine's other sensors say stays as it is.
package struct PermutationImportance: Sendable {
    /// What a group's absence costs, by repeat.
    package struct Group: Equatable, Sendable {
        /// The group's name.
        package let name: String
        /// How much lower the PR-AUC is.
        package let prAUCDrops: [Double]
        /// How much higher the log loss is.
        package let logLossRises: [Double]
    }

    /// The most rows that are scored; they are evenly spread where there are more.
    package static let rowsMax = 20_000
    private static let repeats = 5
    private static let seed: UInt64 = 1
    private static let blockRows = 48

    /// The groups of the schema, the one whose absence costs most PR-AUC first.
    package private(set) var groups: [Group] = []
    /// The number of rows that were scored.
    package let rowCount: Int
    /// The PR-AUC of these rows as they are.
    package let prAUC: Double
    /// Their log loss.
    package let logLoss: Double

    /// Scores the own rows of a table again and again; nil where none of them is before a failure.
    ///
    /// - Complexity: O(rows x groups x repeats), on all usable cores.
    package init?(_ table: ReadingTable, model: LoadedModel) {
        let own = table.ownRows
        let count = min(Self.rowsMax, own.count)
        let places = (0..<count).map { $0 * own.count / count }
        let labels = places.map { table.labels[own[$0]] }
        let readings = FeatureReplay(engine: model.engine, table: table).observed(places)
        let all = Explainer.groups(of: table.schema)
        let plain = Self.score(readings, nil, labels, model)
        guard let prAUC = plain.prAUC else { return nil }
        rowCount = count
        self.prAUC = prAUC
        logLoss = plain.logLoss
        let scores = concurrentMap(count: all.count * Self.repeats) { index in
            let (group, round) = index.quotientAndRemainder(dividingBy: Self.repeats)
            var generator = SeededGenerator(seed: Self.seed, stream: UInt64(round))
            var lenders = Array(readings.indices)
            generator.shuffle(&lenders)
            return Self.score(readings, (all[group].sensors, lenders), labels, model)
        }
        groups = all.enumerated().map { index, group in
            let own = scores[index * Self.repeats..<(index + 1) * Self.repeats]
            return Group(
                name: group.name,
                prAUCDrops: own.map { prAUC - ($0.prAUC ?? 0) },
                logLossRises: own.map { $0.logLoss - plain.logLoss }
            )
        }
        .sorted { Self.mean($0.prAUCDrops) > Self.mean($1.prAUCDrops) }
    }

    /// Scores the rows, some of whose sensors other rows lend.
    private static func score(
        _ readings: [ObservedReading],
        _ lent: (sensors: [Int], lenders: [Int])?,
        _ labels: [UInt8],
        _ model: LoadedModel
    ) -> (prAUC: Double?, logLoss: Double) {
        var composer = ReadingComposer(engine: model.engine)
        let scratch = ForwardScratch(for: model.network)
        var probabilities: [Double] = []
        for first in stride(from: 0, to: readings.count, by: blockRows) {
            let block = first..<min(first + blockRows, readings.count)
            var rows: [Float] = []
            for index in block {
                composer.begin(with: readings[index])
                if let lent {
                    let lender = readings[lent.lenders[index]].paced(as: readings[index])
                    composer.take(lent.sensors, from: lender)
                }
                composer.appendRow(to: &rows)
            }
            var logits = [Float](repeating: 0, count: block.count)
            var output = logits.mutableSpan
            model.network.forward(rows: rows.span, into: &output, scratch: scratch)
            probabilities += logits.map { model.probability(ofLogit: $0) }
        }
        let metrics = ClassificationMetrics(
            probabilities: probabilities,
            labels: labels,
            threshold: model.manifest.threshold
        )
        return (metrics?.prAUC, metrics?.logLoss ?? 0)
    }

    /// The part of `evaluation.json`.
    package var json: JSONValue {
        [
            "method": "permutation of rows by group, features recomputed",
            "rows": .integer(rowCount),
            "repeats": .integer(Self.repeats),
            "pr_auc": .number(prAUC),
            "log_loss": .number(logLoss),
            "groups": .array(
                groups.map { group in
                    [
                        "group": .string(group.name),
                        "pr_auc_drop": .number(Self.mean(group.prAUCDrops)),
                        "pr_auc_drop_sd": .number(Self.deviation(group.prAUCDrops)),
                        "log_loss_rise": .number(Self.mean(group.logLossRises)),
                        "log_loss_rise_sd": .number(Self.deviation(group.logLossRises)),
                    ]
                }
            ),
        ]
    }

    /// The lines of the printed report.
    package var lines: [String] {
        let name = "importance (PR-AUC lost where a group tells of another row)"
        return [name]
            + groups.map { group in
                let drop = Self.mean(group.prAUCDrops)
                let text = (drop < 0 ? "-" : "") + ClassificationMetrics.fixed(drop.magnitude)
                return ClassificationMetrics.line("  \(group.name)", [text])
            }
    }

    private static func mean(_ values: [Double]) -> Double {
        values.reduce(0, +) / Double(values.count)
    }

    private static func deviation(_ values: [Double]) -> Double {
        let mean = mean(values)
        let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        return (squares / Double(values.count - 1)).squareRoot()
    }
}
