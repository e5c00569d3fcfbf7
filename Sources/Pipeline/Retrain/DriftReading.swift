// SPDX-License-Identifier: MIT

import JSON
import Training

/// What a server's `/drift`, or the report of `pdm drift`, says.
struct DriftReading: Equatable {
    /// Whether data have changed.
    enum State: String {
        /// Too little has come to say.
        case warming
        case stable
        case drift
    }

    let state: State
    /// The version whose reference the data were compared with; nil where the report names none.
    let modelVersion: String?
    /// The share of the features that drift.
    let share: Double
    /// Their names.
    let features: [String]
    /// How far all features with a say are from the reference.
    let extent: DriftExtent
    /// The span of time that was compared, as it was told.
    let window: JSONValue

    /// Reads either form.
    ///
    /// - Throws: `JSONShapeError`.
    init(json: JSONView) throws(JSONShapeError) {
        if let state = try json.optional("state") {
            guard let known = State(rawValue: try state.string) else {
                throw state.refuse("warming, stable or drift")
            }
            self.state = known
            features = try json.optional("drifted_features")?.strings ?? []
        } else {
            state = try json.required("drift").bool ? .drift : .stable
            var names: [String] = []
            for feature in try json.required("features").array
            where try feature.required("drifts").bool {
                names.append(try feature.required("name").string)
            }
            features = names
        }
        modelVersion = try json.optional("model_version")?.string
        share = try json.optional("drifted_share")?.double ?? 0
        extent = try Self.extent(json.optional("features"), drifting: features)
        window = try json.optional("window")?.value ?? .null
    }

    /// What is told of each feature; of one that drifts and of which nothing is told, the most.
    private static func extent(
        _ told: JSONView?,
        drifting names: [String]
    ) throws(JSONShapeError) -> DriftExtent {
        var extent = DriftExtent()
        for name in names { extent.features[name] = DriftExtent.Feature(distance: 1) }
        for feature in try told?.array ?? [] {
            // A server says why a feature has no say, a report that it has none.
            let excluded = try feature.optional("excluded")?.value ?? false
            guard excluded == false, let distance = try feature.optional("distance") else {
                continue
            }
            extent.features[try feature.required("name").string] = DriftExtent.Feature(
                distance: try distance.double,
                rankShift: try feature.optional("rank_shift")?.double
            )
        }
        return extent
    }
}
