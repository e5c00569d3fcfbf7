// SPDX-License-Identifier: MIT

/// What a machine's record keeps: the length and number of panes, and each gauge's exact range.
///
/// The layout is all that changes a pane's content. Models whose layouts are equal share state,
/// however their features differ.
package struct StateLayout: Equatable, Sendable {
    /// What is kept of one gauge.
    package struct Gauge: Equatable, Sendable {
        /// The sensor's index in the schema.
        package var sensor: Int
        /// The range that is cut into 2^32 - 1 steps: the physical one, or one taken from training
        /// rows and widened.
        package var range: ClosedRange<Double>
        /// Whether sums of squares are kept (standard deviation).
        package var keepsSquares: Bool
        /// Whether maxima are kept.
        package var keepsMaximum: Bool
        /// What the sums since the start serve: the mean alone, or mean and slope; nil for none.
        package var sinceStart: FeatureSpec.SinceStartStatistic?

        /// Describes what is kept of a gauge.
        package init(
            sensor: Int,
            range: ClosedRange<Double>,
            keepsSquares: Bool,
            keepsMaximum: Bool,
            sinceStart: FeatureSpec.SinceStartStatistic? = nil
        ) {
            self.sensor = sensor
            self.range = range
            self.keepsSquares = keepsSquares
            self.keepsMaximum = keepsMaximum
            self.sinceStart = sinceStart
        }
    }

    /// The length of a pane in seconds.
    package var paneSeconds: Int
    /// How many panes are kept: those of the longest window.
    package var paneCount: Int
    /// The gauges that have panes, by sensor.
    package var gauges: [Gauge]
    /// The operating regimes in which gauges are standardised before anything is kept of them.
    package var regimes: Regimes?

    /// Describes a layout.
    package init(paneSeconds: Int, paneCount: Int, gauges: [Gauge], regimes: Regimes? = nil) {
        self.paneSeconds = paneSeconds
        self.paneCount = paneCount
        self.gauges = gauges
        self.regimes = regimes
    }

    /// The lateness horizon in microseconds: the longest window.
    package var horizonMicroseconds: Int64 {
        Int64(paneSeconds) * Int64(paneCount) * Timestamp.microsecondsPerSecond
    }

    /// The layout that the features need; `ranges` gives each sensor's range.
    package init(
        features: [Feature],
        paneSeconds: Int,
        ranges: [ClosedRange<Double>?],
        regimes: Regimes? = nil
    ) {
        var needs: [Int: Need] = [:]
        for feature in features {
            switch feature {
            case .window(let statistic, let sensor, _):
                needs[sensor, default: Need()].add(statistic)
            case .deviation(let sensor, _): needs[sensor] = needs[sensor] ?? Need()
            case .sinceStart(let statistic, let sensor):
                needs[sensor, default: Need()].add(statistic)
            default: break
            }
        }
        let hoursMax = features.compactMap(\.windowHours).max() ?? 0
        self.regimes = regimes
        self.paneSeconds = paneSeconds
        // A model without windows still orders readings and finds duplicates within a day.
        paneCount =
            hoursMax == 0
            ? min(max(1, 86_400 / paneSeconds), SpecLimits.panesMax)
            : hoursMax * 3600 / paneSeconds
        gauges = needs.keys.sorted().compactMap { sensor in
            guard let range = ranges[sensor], let need = needs[sensor] else { return nil }
            return Gauge(
                sensor: sensor,
                range: range,
                keepsSquares: need.squares,
                keepsMaximum: need.maximum,
                sinceStart: need.sinceStart
            )
        }
    }

    /// What features need to be kept of one gauge.
    private struct Need {
        var squares = false
        var maximum = false
        var sinceStart: FeatureSpec.SinceStartStatistic?

        mutating func add(_ statistic: FeatureSpec.Statistic) {
            if statistic == .standardDeviation { squares = true }
            if statistic == .maximum { maximum = true }
        }

        mutating func add(_ statistic: FeatureSpec.SinceStartStatistic) {
            if sinceStart != .slope { sinceStart = statistic }
        }
    }

    /// Checks that the layout serves a transform's features.
    ///
    /// - Throws: ``SpecError`` naming the part that does not fit.
    package func validate(for transform: FeatureTransform) throws(SpecError) {
        try validate(for: transform.schema)
        for feature in transform.features {
            let name = feature.name(in: transform.schema)
            if let hours = feature.windowHours { try require(hours: hours, name) }
            switch feature {
            case .window(let statistic, let sensor, _):
                let gauge = try require(sensor: sensor, name)
                let isKept =
                    switch statistic {
                    case .mean: true
                    case .standardDeviation: gauge.keepsSquares
                    case .maximum: gauge.keepsMaximum
                    }
                guard isKept else { throw .invalid(what: name, why: Self.isNotKept) }
            case .deviation(let sensor, _): _ = try require(sensor: sensor, name)
            case .sinceStart(let statistic, let sensor):
                let kept = try require(sensor: sensor, name).sinceStart
                guard kept == .slope || kept == statistic else {
                    throw .invalid(what: name, why: Self.isNotKept)
                }
            default: break
            }
        }
    }

    /// Checks that the layout keeps gauges of a schema, each once, in numbers that records have.
    ///
    /// - Throws: ``SpecError`` naming the part that does not fit.
    func validate(for schema: Schema) throws(SpecError) {
        guard (1...SpecLimits.paneSecondsMax).contains(paneSeconds) else {
            throw .count(
                what: "seconds of a pane",
                count: paneSeconds,
                limit: SpecLimits.paneSecondsMax
            )
        }
        guard (1...SpecLimits.panesMax).contains(paneCount) else {
            throw .count(what: "panes", count: paneCount, limit: SpecLimits.panesMax)
        }
        for (index, gauge) in gauges.enumerated() {
            guard schema.sensors.indices.contains(gauge.sensor),
                index == 0 || gauges[index - 1].sensor < gauge.sensor
            else { throw .invalid(what: "layout", why: "its gauges are not in the schema's order") }
            let width = gauge.range.upperBound - gauge.range.lowerBound
            // Outside these bounds a step of the range, or its inverse, would overflow.
            guard width.isFinite, width >= 1e-250 else {
                throw .invalid(what: "layout", why: "gauge \(index) has an empty or endless range")
            }
        }
        try regimes?.validate(for: schema)
    }

    private static let isNotKept = "the layout does not keep it"

    private func require(sensor: Int, _ name: String) throws(SpecError) -> Gauge {
        guard let gauge = gauges.first(where: { $0.sensor == sensor }) else {
            throw .invalid(what: name, why: "the layout has no panes for its sensor")
        }
        return gauge
    }

    private func require(hours: Int, _ name: String) throws(SpecError) {
        guard hours > 0, hours <= paneCount * paneSeconds / 3600, hours * 3600 % paneSeconds == 0
        else { throw .invalid(what: name, why: "its window is longer than the layout's panes") }
    }
}
