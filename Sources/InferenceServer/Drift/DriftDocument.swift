// SPDX-License-Identifier: MIT

internal import Drift
internal import Features
internal import JSON

/// What `GET /drift` answers.
struct DriftDocument {
    let standing: DriftStanding
    let model: ServedModel
    let settings: DriftSettings

    /// The document.
    var json: JSONValue {
        var document = JSONObject()
        document["format"] = 1
        document["model"] = .string(model.name)
        document["model_version"] = .string(model.version)
        document["state"] = .string(standing.state.rawValue)
        document["drifted_share"] = .number(standing.verdict?.share ?? 0)
        document["drifted_features"] = .array(standing.driftedFeatures.map(JSONValue.string))
        document["window"] = standing.window.map(window) ?? .null
        document["gathering"] = [
            "start": .string(Timestamp.text(standing.gatheredSince)),
            "readings": .integer(standing.gatheredCount),
            "seconds": .integer(Int(settings.window / .seconds(1))),
            "readings_min": .integer(settings.readingsMin),
        ]
        document["windows"] = [
            "compared": .integer(standing.windowCount),
            "needed": .integer(settings.windowsNeeded),
            "of": .integer(settings.windowCount),
        ]
        document["rule"] = rule
        document["sensor_faults"] = .array(faults)
        document["sensors"] = .array(standing.sensors.map(sensor))
        document["features"] = .array(standing.verdict?.features.map(feature) ?? [])
        document["score"] = standing.verdict.map { score($0.score) } ?? .null
        return .object(document)
    }

    private func window(_ window: DriftStanding.Window) -> JSONValue {
        let counts = window.counts
        return [
            "start": .string(Timestamp.text(window.start)),
            "end": .string(Timestamp.text(window.end)),
            "readings": .integer(counts.readings),
            "compared": .integer(window.comparedCount),
            "machines": .integer(window.machineCount),
            "late": .integer(counts.late),
            "stale": .integer(counts.stale),
            "duplicate": .integer(counts.duplicate),
            "drifts": standing.verdict.map { JSONValue.bool($0.drifts) } ?? .null,
        ]
    }

    private var rule: JSONValue {
        let rule = settings.rule
        return [
            "significance": .number(rule.significance),
            "feature_share": .number(rule.featureShare),
            "distance_min": .number(rule.distanceMin),
            "shift_min": .number(rule.shiftMin),
            "share_certainty": .number(WindowVerdict.shareCertainty),
            "own_certainty": .number(WindowVerdict.ownCertainty),
            "missing_share": .number(rule.missingShare),
            "fault_share": .number(rule.outsideShare),
        ]
    }

    private var faults: [JSONValue] {
        standing.sensors.flatMap { sensor in
            sensor.faults.map { kind -> JSONValue in
                ["sensor": .string(sensor.name), "kind": .string(kind.rawValue)]
            }
        }
    }

    private func sensor(_ sensor: SensorQuality) -> JSONValue {
        [
            "name": .string(sensor.name),
            "missing": .number(sensor.missing),
            "out_of_range": .number(sensor.outOfRange),
            "stuck": .number(sensor.stuck),
            "faults": .array(sensor.faults.map { .string($0.rawValue) }),
        ]
    }

    private func feature(_ drift: LiveDrift) -> JSONValue {
        var object = distribution(drift)
        object["drifts"] = .bool(drift.drifts)
        object["excluded"] = drift.exclusion.map { JSONValue.string($0.rawValue) } ?? .null
        object["rank_shift"] = .number(drift.rankShift)
        object["p_value"] = .number(drift.pValue)
        object["adjusted_p_value"] = .number(drift.adjustedPValue)
        object["own_shift"] = drift.ownShift.map(JSONValue.number) ?? .null
        object["own_p_value"] = drift.ownPValue.map(JSONValue.number) ?? .null
        object["adjusted_own_p_value"] = drift.adjustedOwnPValue.map(JSONValue.number) ?? .null
        return .object(object)
    }

    private func score(_ drift: LiveDrift) -> JSONValue {
        var object = distribution(drift)
        // Calibration never turns the order of logits around, so that these part the same rows.
        let borders = model.drift?.scoreBorders ?? []
        object["borders"] = .array(
            borders.map { JSONValue.number(model.decision(ofLogit: $0).probability) }
        )
        object["expected"] = .array(drift.expected.map(JSONValue.number))
        object["observed"] = .array(drift.observed.map(JSONValue.number))
        return .object(object)
    }

    private func distribution(_ drift: LiveDrift) -> JSONObject {
        var object = JSONObject()
        object["name"] = .string(drift.column.name)
        object["distance"] = .number(drift.distance)
        object["stability_index"] = .number(drift.stabilityIndex)
        return object
    }
}
