// SPDX-License-Identifier: MIT

extension Feature {
    /// Whether it says what was measured, and not when the row is or how old its machine.
    package func isMeasured(in schema: Schema) -> Bool {
        let sensors = sensors(in: schema)
        return !sensors.isEmpty && sensors.allSatisfy { schema.sensors[$0].kind != .counter }
    }
}

extension FeatureTransform {
    /// The feature that tells how old a row's machine is: the value of the first counter.
    package var ageFeature: Int? {
        features.firstIndex { feature in
            guard case .raw(let sensor) = feature else { return false }
            return schema.sensors[sensor].kind == .counter
        }
    }
}
