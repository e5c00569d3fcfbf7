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
        window = try json.optional("window")?.value ?? .null
    }
}
