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

        /// Describes what is kept of a gauge.
        package init(
            sensor: Int,
            range: ClosedRange<Double>,
            keepsSquares: Bool,
            keepsMaximum: Bool
        ) {
            self.sensor = sensor
            self.range = range
            self.keepsSquares = keepsSquares
            self.keepsMaximum = keepsMaximum
        }
    }

    /// The length of a pane in seconds.
    package var paneSeconds: Int
    /// How many panes are kept: those of the longest window.
    package var paneCount: Int
    /// The gauges that have panes, by sensor.
    package var gauges: [Gauge]

    /// Describes a layout.
    package init(paneSeconds: Int, paneCount: Int, gauges: [Gauge]) {
        self.paneSeconds = paneSeconds
        self.paneCount = paneCount
        self.gauges = gauges
    }

    /// The lateness horizon in microseconds: the longest window.
    package var horizonMicroseconds: Int64 {
        Int64(paneSeconds) * Int64(paneCount) * Timestamp.microsecondsPerSecond
    }

    /// The layout that the features need; `ranges` gives each sensor's range.
    package init(features: [Feature], paneSeconds: Int, ranges: [ClosedRange<Double>?]) {
        var needs: [Int: (squares: Bool, maximum: Bool)] = [:]
        var hoursMax = 0
        for feature in features {
            switch feature {
            case .window(let statistic, let sensor, let hours):
                var need = needs[sensor] ?? (false, false)
                if statistic == .standardDeviation { need.squares = true }
                if statistic == .maximum { need.maximum = true }
                needs[sensor] = need
                hoursMax = max(hoursMax, hours)
            case .deviation(let sensor, let hours):
                needs[sensor] = needs[sensor] ?? (false, false)
                hoursMax = max(hoursMax, hours)
            default: break
            }
        }
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
                keepsMaximum: need.maximum
            )
        }
    }

    /// Checks that the layout serves a transform's features.
    ///
    /// - Throws: ``SpecError`` naming the part that does not fit.
    package func validate(for transform: FeatureTransform) throws(SpecError) {
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
            guard transform.schema.sensors.indices.contains(gauge.sensor),
                index == 0 || gauges[index - 1].sensor < gauge.sensor
            else { throw .invalid(what: "layout", why: "its gauges are not in the schema's order") }
            let width = gauge.range.upperBound - gauge.range.lowerBound
            // Outside these bounds a step of the range, or its inverse, would overflow.
            guard width.isFinite, width >= 1e-250 else {
                throw .invalid(what: "layout", why: "gauge \(index) has an empty or endless range")
            }
        }
        for feature in transform.features {
            let name = feature.name(in: transform.schema)
            switch feature {
            case .window(let statistic, let sensor, let hours):
                try require(sensor: sensor, hours: hours, statistic: statistic, name)
            case .deviation(let sensor, let hours):
                try require(sensor: sensor, hours: hours, statistic: .mean, name)
            default: break
            }
        }
    }

    private func require(
        sensor: Int,
        hours: Int,
        statistic: FeatureSpec.Statistic,
        _ name: String
    ) throws(SpecError) {
        guard let gauge = gauges.first(where: { $0.sensor == sensor }) else {
            throw .invalid(what: name, why: "the layout has no panes for its sensor")
        }
        let isKept =
            switch statistic {
            case .mean: true
            case .standardDeviation: gauge.keepsSquares
            case .maximum: gauge.keepsMaximum
            }
        guard isKept else { throw .invalid(what: name, why: "the layout does not keep it") }
        guard hours > 0, hours <= paneCount * paneSeconds / 3600, hours * 3600 % paneSeconds == 0
        else { throw .invalid(what: name, why: "its window is longer than the layout's panes") }
    }
}
