// SPDX-License-Identifier: MIT

internal import Features
package import JSON
package import ModelRuntime
internal import Platform

/// What raised each alarm of an evaluation: the explanation of the reading that it began with.
package struct AlarmExplanations: Sendable {
    /// The most alarms that are explained, the first by machine and time.
    package static let countMax = 1000

    private let explainer: Explainer
    private let alarms: [(alarm: LeadTime.Alarm, explanation: Explanation)]
    private let entities: CategoryColumn
    private let timestamps: [Int64]

    /// Explains the alarms of a table's own rows; nil where the model explains nothing or rows have
    /// no machine or time.
    package init?(_ leadTime: LeadTime, of table: ReadingTable, model: LoadedModel) {
        guard let explainer = model.explainer, let entities = table.entities,
            let timestamps = table.timestamps
        else { return nil }
        let own = table.ownRows
        let found = leadTime.alarms.prefix(Self.countMax)
        let readings = FeatureReplay(engine: model.engine, table: table).observed(found.map(\.row))
        let explanations = concurrentMap(count: found.count) { explainer.explain(readings[$0]) }
        self.explainer = explainer
        alarms = zip(found, explanations).compactMap { alarm, explanation in
            explanation.flatMap { $0.isFinite ? (alarm, $0) : nil }
        }
        self.entities = CategoryColumn(
            categories: entities.categories,
            codes: alarms.map { entities.codes[own[$0.alarm.row]] }
        )
        self.timestamps = alarms.map { timestamps[own[$0.alarm.row]] }
    }

    /// The part of `evaluation.json`.
    package func json(probabilities: [Double]) -> JSONValue {
        [
            "method": .string(alarms.first?.explanation.method.name ?? "exact"),
            "background_records": .integer(explainer.backgroundCount),
            "alarms": .array(
                alarms.indices.map { index in
                    let (alarm, explanation) = alarms[index]
                    var contributions = JSONObject()
                    for (group, value) in zip(explainer.groups, explanation.contributions) {
                        contributions[group.name] = .number(value)
                    }
                    return [
                        "equipment_id": .string(
                            entities.categories[Int(entities.codes[index])]
                        ),
                        "timestamp": .string(Timestamp.text(timestamps[index])),
                        "probability": .number(probabilities[alarm.row]),
                        "is_true": .bool(alarm.isTrue),
                        "log_odds": .number(explanation.logOdds),
                        "base_log_odds": .number(explanation.baseLogOdds),
                        "contributions": .object(contributions),
                    ]
                }
            ),
        ]
    }
}
