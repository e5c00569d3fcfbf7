// SPDX-License-Identifier: MIT

import JSON

/// How far each feature was from the reference, to tell a drift that goes on from one that grows.
///
/// A model that was trained when the world had changed has a reference of both worlds, so that its
/// own windows drift from it as well: the same features to the same side, and less far. That alone
/// is no reason to train again.
struct DriftExtent: Equatable {
    /// How far a feature was.
    struct Feature: Equatable {
        /// The Kolmogorov-Smirnov distance.
        var distance: Double
        /// To which side, by rank, -0.5 to 0.5; nil where nobody says.
        var rankShift: Double?
    }

    /// Distances, and twice the shifts of rank, that differ by no more count as the same: it is the
    /// least distance that live drift calls one.
    static let margin = 0.1
    /// The share of the drifting features that has to be further than before.
    private static let grownShare = 0.1

    /// Those with a say, by their names.
    var features: [String: Feature] = [:]

    /// Which of the drifting features are further than they were then.
    ///
    /// By the margin, or on the other side. One that had no say then counts as not shifted.
    func grown(since before: DriftExtent, among drifting: [String]) -> [String] {
        drifting.filter { name in
            guard let now = features[name] else { return true }
            let then = before.features[name] ?? Feature(distance: 0, rankShift: nil)
            if now.distance > then.distance + Self.margin { return true }
            guard let shift = now.rankShift, let old = then.rankShift else { return false }
            return shift < min(0, old) - Self.margin / 2 || shift > max(0, old) + Self.margin / 2
        }
    }

    /// Whether so many of the drifting features make it another drift; single ones come and go.
    static func isGrown(_ grown: [String], among drifting: [String]) -> Bool {
        Double(grown.count) > grownShare * Double(drifting.count)
    }
}

extension DriftExtent {
    /// Reads what a line of retrain.jsonl has.
    init(json: JSONView) throws(JSONShapeError) {
        for (name, value) in try json.members {
            let shift = try value.optional("rank_shift")?.double
            let distance = try value.required("distance").double
            features[name] = Feature(distance: distance, rankShift: shift)
        }
    }

    /// The object of a line.
    var json: JSONValue {
        var object = JSONObject()
        for (name, feature) in features.sorted(by: { $0.key < $1.key }) {
            var entry = JSONObject()
            entry["distance"] = .number(feature.distance)
            entry["rank_shift"] = feature.rankShift.map { .number($0) }
            object[name] = .object(entry)
        }
        return .object(object)
    }
}
