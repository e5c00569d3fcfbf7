// SPDX-License-Identifier: MIT

package import JSON

// drift.json, format 1: docs/drift.md describes it. A key that changes its meaning raises the
// format; new keys do not.
extension DriftReport {
    /// The content of `drift.json`; `machines` names the current machines in their order.
    package func json(machines: [String]) -> JSONObject {
        var object = JSONObject()
        object["format"] = 1
        object["drift"] = .bool(isDrift)
        object["drifted_share"] = .number(share)
        object["plain_drift"] = .bool(isPlainDrift)
        object["plain_share"] = .number(plainShare)
        object["compares_machines"] = .bool(comparesMachines)
        object["rule"] = rule.json
        object["sensor_faults"] = .array(
            faults.map { column, fault in
                [
                    "column": .string(column.name),
                    "sensors": .array(column.sensors.map { .string($0) }),
                    "kind": .string(fault.kind.rawValue),
                    "machine": fault.machine.map { .string(machines[$0]) } ?? .null,
                    "rows": .integer(fault.rows),
                ]
            }
        )
        object["features"] = .array(features.map(\.json))
        return object
    }
}

extension DriftRule {
    var json: JSONValue {
        [
            "significance": .number(significance), "feature_share": .number(featureShare),
            "distance_min": .number(distanceMin), "shift_min": .number(shiftMin),
            "certainty": .number(certainty),
        ]
    }
}

extension DriftReport.Feature {
    fileprivate var json: JSONValue {
        var object = JSONObject()
        object["name"] = .string(drift.column.name)
        object["drifts"] = .bool(drifts)
        object["excluded"] = .bool(isExcluded)
        object["reference"] = drift.reference.json
        object["current"] = drift.current.json
        guard let tests = drift.tests else { return .object(object) }
        func optional(_ value: Double?) -> JSONValue { value.map { .number($0) } ?? .null }
        let isCategory = tests.wasserstein == nil
        object["test"] = isCategory ? "chi_square" : "kolmogorov_smirnov"
        object["distance"] = .number(tests.distance)
        object["wasserstein"] = optional(tests.wasserstein)
        object["stability_index"] = .number(tests.stabilityIndex)
        object["p_value"] = .number(tests.pValue)
        object["effective_p_value"] = .number(tests.effectivePValue)
        object["adjusted_p_value"] = .number(tests.adjustedPValue)
        object["own_shift"] = optional(tests.ownShift)
        object["own_p_value"] = optional(tests.ownPValue)
        object["adjusted_own_p_value"] = optional(tests.adjustedOwnPValue)
        object["histogram"] = drift.histogram.json(drift.column.kind)
        return .object(object)
    }
}

extension ColumnSide {
    fileprivate var json: JSONValue {
        [
            "rows": .integer(rows), "missing": .integer(missing),
            "out_of_range": .integer(outOfRange), "unseen": .integer(unseen),
            "effective_rows": .number(effective),
            "longest_run": longestRun.map { .integer($0.length) } ?? .null,
        ]
    }
}

extension ColumnDrift.Histogram {
    fileprivate func json(_ kind: DriftColumn.Kind) -> JSONValue {
        var object = JSONObject()
        switch kind {
        case .number: object["borders"] = .array(borders.map { .number($0) })
        case .category(let names):
            object["categories"] = .array(names.map { .string($0) } + [.null])
        }
        object["reference"] = .array(reference.map { .integer($0) })
        object["current"] = .array(current.map { .integer($0) })
        return .object(object)
    }
}
