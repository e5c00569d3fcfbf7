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
        object["drifted_share"] = .finite(share)
        object["plain_drift"] = .bool(isPlainDrift)
        object["plain_share"] = .finite(plainShare)
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
            "significance": .finite(significance), "feature_share": .finite(featureShare),
            "distance_min": .finite(distanceMin), "shift_min": .finite(shiftMin),
            "certainty": .finite(certainty),
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
        func optional(_ value: Double?) -> JSONValue { value.map { .finite($0) } ?? .null }
        let isCategory = tests.wasserstein == nil
        object["test"] = isCategory ? "chi_square" : "kolmogorov_smirnov"
        object["distance"] = .finite(tests.distance)
        object["wasserstein"] = optional(tests.wasserstein)
        object["stability_index"] = .finite(tests.stabilityIndex)
        object["p_value"] = .finite(tests.pValue)
        object["effective_p_value"] = .finite(tests.effectivePValue)
        object["adjusted_p_value"] = .finite(tests.adjustedPValue)
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
            "effective_rows": .finite(effective),
            "longest_run": longestRun.map { .integer($0.length) } ?? .null,
        ]
    }
}

extension ColumnDrift.Histogram {
    fileprivate func json(_ kind: DriftColumn.Kind) -> JSONValue {
        var object = JSONObject()
        switch kind {
        case .number: object["borders"] = .array(borders.map { .finite($0) })
        case .category(let names):
            object["categories"] = .array(names.map { .string($0) } + [.null])
        }
        object["reference"] = .array(reference.map { .integer($0) })
        object["current"] = .array(current.map { .integer($0) })
        return .object(object)
    }
}
