// SPDX-License-Identifier: MIT

internal import JSON

/// Operating regimes, found on training rows, and what gauges usually show in each of them.
///
/// A reading belongs to the regime whose settings are nearest; its gauges are standardised with
/// that regime's centers and scales before anything is computed or kept of them. What a reading
/// lacks plays no part, so that its regime does not depend on the readings before it.
package struct Regimes: Equatable, Sendable {
    /// A setting, and how its values are made comparable with those of the others.
    package struct Setting: Equatable, Sendable {
        /// The sensor's index in the schema.
        package var sensor: Int
        /// The training rows' mean.
        package var center: Double
        /// Their standard deviation, 1 where that is 0.
        package var scale: Double

        /// Describes a setting.
        package init(sensor: Int, center: Double, scale: Double) {
            self.sensor = sensor
            self.center = center
            self.scale = scale
        }
    }

    /// A gauge that is standardised.
    package struct Gauge: Equatable, Sendable {
        /// The sensor's index in the schema.
        package var sensor: Int
        /// Its mean, by regime.
        package var centers: [Double]
        /// Its standard deviation, by regime; 1 where it stands still.
        package var scales: [Double]

        /// Describes a gauge.
        package init(sensor: Int, centers: [Double], scales: [Double]) {
            self.sensor = sensor
            self.centers = centers
            self.scales = scales
        }
    }

    /// What a standardised reading is kept within, in standard deviations.
    package static let limits = -64.0...64.0

    /// The settings that tell regimes apart.
    package var settings: [Setting]
    /// The standardised settings of each regime, by regime and setting.
    package var centers: [[Double]]
    /// The gauges that are standardised, by sensor.
    package var gauges: [Gauge]

    /// Puts the parts together; ``validate(for:)`` says whether they fit.
    package init(settings: [Setting], centers: [[Double]], gauges: [Gauge]) {
        self.settings = settings
        self.centers = centers
        self.gauges = gauges
    }

    /// The regime of a reading, the first of those that are equally near; nil without a setting.
    package func regime(of values: Span<Double>) -> Int? {
        guard settings.contains(where: { !values[$0.sensor].isNaN }) else { return nil }
        var nearest = (regime: 0, distance: Double.infinity)
        for regime in centers.indices {
            var distance = 0.0
            for index in settings.indices {
                let value = values[settings[index].sensor]
                if value.isNaN { continue }
                let scaled = (value - settings[index].center) / settings[index].scale
                let difference = scaled - centers[regime][index]
                distance += difference * difference
            }
            if distance < nearest.distance { nearest = (regime, distance) }
        }
        return nearest.regime
    }

    /// A reading of a gauge in standard deviations from what is usual in a regime; NaN stays.
    package func standardised(_ value: Double, gauge: Int, regime: Int) -> Double {
        guard !value.isNaN else { return value }
        let scaled = (value - gauges[gauge].centers[regime]) / gauges[gauge].scales[regime]
        return min(max(scaled, Self.limits.lowerBound), Self.limits.upperBound)
    }

    /// What the gauge would show in a regime where it lies so many standard deviations off.
    func measured(_ standardised: Double, gauge: Int, regime: Int) -> Double {
        gauges[gauge].centers[regime] + standardised * gauges[gauge].scales[regime]
    }

    /// Checks that the parts belong together and to the schema.
    ///
    /// - Throws: ``SpecError`` naming the first part that does not fit.
    func validate(for schema: Schema) throws(SpecError) {
        func refusal(_ why: String) -> SpecError { .invalid(what: "regimes", why: why) }
        guard (1...SpecLimits.regimesMax).contains(centers.count) else {
            throw .count(what: "regimes", count: centers.count, limit: SpecLimits.regimesMax)
        }
        guard !settings.isEmpty, centers.allSatisfy({ $0.count == settings.count }) else {
            throw refusal("a regime has not one number per setting")
        }
        let kinds =
            (settings.map { ($0.sensor, Sensor.Kind.setting) })
            + gauges.map { ($0.sensor, .gauge) }
        for (sensor, kind) in kinds {
            guard schema.sensors.indices.contains(sensor), schema.sensors[sensor].kind == kind
            else { throw refusal("a sensor is no \(kind.rawValue)") }
        }
        for (index, gauge) in gauges.enumerated() {
            guard index == 0 || gauges[index - 1].sensor < gauge.sensor else {
                throw refusal("its gauges are not in the schema's order")
            }
            guard gauge.centers.count == centers.count, gauge.scales.count == centers.count else {
                throw refusal("a gauge has not one center and scale per regime")
            }
        }
        let scales = settings.map(\.scale) + gauges.flatMap(\.scales)
        let numbers = settings.map(\.center) + centers.joined() + gauges.flatMap(\.centers)
        guard numbers.allSatisfy(\.isFinite), scales.allSatisfy({ $0.isFinite && $0 > 0 }) else {
            throw refusal("a number is not finite, or a scale not positive")
        }
    }
}

extension Regimes {
    /// Reads the JSON form; whether it fits a schema says ``validate(for:)``.
    init(decoding json: JSONView, schema: Schema) throws(JSONShapeError) {
        var settings: [Setting] = []
        for view in try json.required("settings").array {
            settings.append(
                Setting(
                    sensor: try view.required("sensor").sensor(in: schema),
                    center: try view.required("center").double,
                    scale: try view.required("scale").double
                )
            )
        }
        var centers: [[Double]] = []
        for view in try json.required("centers").array { centers.append(try view.doubles) }
        var gauges: [Gauge] = []
        for view in try json.required("gauges").array {
            gauges.append(
                Gauge(
                    sensor: try view.required("sensor").sensor(in: schema),
                    centers: try view.required("centers").doubles,
                    scales: try view.required("scales").doubles
                )
            )
        }
        self.init(settings: settings, centers: centers, gauges: gauges)
    }

    /// The JSON form; equal regimes have equal bytes.
    func json(_ schema: Schema) -> JSONValue {
        func numbers(_ values: [Double]) -> JSONValue { .array(values.map { .number($0) }) }
        func name(_ sensor: Int) -> JSONValue { .string(schema.sensors[sensor].name) }
        return [
            "settings": .array(
                settings.map { setting in
                    [
                        "sensor": name(setting.sensor), "center": .number(setting.center),
                        "scale": .number(setting.scale),
                    ]
                }
            ),
            "centers": .array(centers.map(numbers)),
            "gauges": .array(
                gauges.map { gauge in
                    [
                        "sensor": name(gauge.sensor), "centers": numbers(gauge.centers),
                        "scales": numbers(gauge.scales),
                    ]
                }
            ),
        ]
    }
}
