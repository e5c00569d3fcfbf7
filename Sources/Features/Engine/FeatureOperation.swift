// SPDX-License-Identifier: MIT

/// A feature bound to places in the scratch, so that a row is computed without a look-up.
///
/// Its cases hold plain numbers only: reading one costs no reference count.
enum FeatureOperation: Sendable {
    case cleaned(Int)
    case isCategory(sensor: Int, index: Double)
    case calendar(Feature.CalendarPart, offsetMicroseconds: Int64)
    case mean(entry: Int, imputed: Double)
    case standardDeviation(entry: Int)
    case maximum(entry: Int, imputed: Double)
    case product(Int, Int)
    case ratio(Int, Int)
    case rate(Int)
    case deviation(entry: Int, sensor: Int, imputed: Double)
    case health(HealthLimits)
    case healthComposite
}

/// The thresholds between which a sensor's health indicator rises from 0 to 1.
struct HealthLimits: Sendable {
    let sensor: Int
    let warn: Double
    let alarm: Double

    func indicator(_ cleaned: Span<Double>) -> Double {
        min(max((cleaned[sensor] - warn) / (alarm - warn), 0), 1)
    }
}

/// Every feature of a transform, bound, with its scaling.
struct FeaturePlan: Sendable {
    private let operations: [FeatureOperation]
    private let scaling: [FeatureTransform.Scaling]
    private let health: [HealthLimits]
    private let scaledClip: Double

    init(_ transform: FeatureTransform) {
        let schema = transform.schema
        let binding = Binding(transform)
        health = schema.sensorsWithHealth.map(binding.health)
        operations = transform.features.map(binding.operation)
        scaling = transform.scaling
        scaledClip = transform.scaledClip ?? .infinity
    }

    /// Computes the features and the scaled row from what the scratch notes.
    func fill(_ scratch: inout FeatureScratch) {
        let moment = (scratch.hoursSincePrevious, scratch.timestamp)
        let windows = scratch.statistics.entries
        compute(&scratch.features, scratch.cleaned, scratch.previous, windows, moment)
        scale(&scratch.row, scratch.features)
    }

    private func compute(
        _ features: inout [Double],
        _ cleaned: [Double],
        _ previous: [Double],
        _ windows: [WindowStatistics.Entry],
        _ moment: (hours: Double, timestamp: Int64)
    ) {
        var output = features.mutableSpan
        for index in operations.indices {
            output[index] = value(
                operations[index],
                cleaned.span,
                previous.span,
                windows.span,
                moment
            )
        }
    }

    private func scale(_ row: inout [Float], _ features: [Double]) {
        var output = row.mutableSpan
        for index in scaling.indices {
            let scaled = (features[index] - scaling[index].center) / scaling[index].scale
            output[index] = Float(min(max(scaled, -scaledClip), scaledClip))
        }
    }

    private func value(
        _ operation: FeatureOperation,
        _ cleaned: Span<Double>,
        _ previous: Span<Double>,
        _ windows: Span<WindowStatistics.Entry>,
        _ moment: (hours: Double, timestamp: Int64)
    ) -> Double {
        switch operation {
        case .cleaned(let sensor): return cleaned[sensor]
        case .isCategory(let sensor, let index): return cleaned[sensor] == index ? 1 : 0
        case .calendar(let part, let offset): return Calendar.value(part, moment.timestamp + offset)
        case .mean(let entry, let imputed):
            return windows[entry].count == 0 ? imputed : windows[entry].mean
        case .standardDeviation(let entry): return windows[entry].standardDeviation
        case .maximum(let entry, let imputed):
            return windows[entry].count == 0 ? imputed : windows[entry].maximum
        case .product(let a, let b): return cleaned[a] * cleaned[b]
        case .ratio(let a, let b): return cleaned[b] == 0 ? 0 : cleaned[a] / cleaned[b]
        case .rate(let sensor):
            let change = cleaned[sensor] - previous[sensor]
            return moment.hours == 0 ? 0 : change / moment.hours
        case .deviation(let entry, let sensor, let imputed):
            let mean = windows[entry].count == 0 ? imputed : windows[entry].mean
            return cleaned[sensor] - mean
        case .health(let limits): return limits.indicator(cleaned)
        case .healthComposite:
            var composite = 0.0
            for limits in health { composite = max(composite, limits.indicator(cleaned)) }
            return composite
        }
    }
}

/// What it takes to bind features to places: the transform and the order of its gauges' panes.
private struct Binding {
    private let transform: FeatureTransform
    private let windowHours: [Int]

    init(_ transform: FeatureTransform) {
        self.transform = transform
        windowHours = transform.windowHours
    }

    func operation(_ feature: Feature) -> FeatureOperation {
        switch feature {
        case .raw(let sensor): .cleaned(sensor)
        case .category(let sensor, let index): .isCategory(sensor: sensor, index: Double(index))
        case .calendar(let part):
            .calendar(
                part,
                offsetMicroseconds: Int64(transform.schema.time?.offsetMinutes ?? 0) * 60_000_000
            )
        case .window(.mean, let sensor, let hours):
            .mean(entry: entry(sensor, hours), imputed: transform.cleaning[sensor].imputed)
        case .window(.standardDeviation, let sensor, let hours):
            .standardDeviation(entry: entry(sensor, hours))
        case .window(.maximum, let sensor, let hours):
            .maximum(entry: entry(sensor, hours), imputed: transform.cleaning[sensor].imputed)
        case .product(let a, let b): .product(a, b)
        case .ratio(let a, let b): .ratio(a, b)
        case .rate(let sensor): .rate(sensor)
        case .deviation(let sensor, let hours):
            .deviation(
                entry: entry(sensor, hours),
                sensor: sensor,
                imputed: transform.cleaning[sensor].imputed
            )
        case .health(let sensor): .health(health(sensor))
        case .healthComposite: .healthComposite
        }
    }

    func health(_ sensor: Int) -> HealthLimits {
        HealthLimits(
            sensor: sensor,
            warn: transform.schema.sensors[sensor].warn ?? 0,
            alarm: transform.schema.sensors[sensor].alarm ?? 1
        )
    }

    /// The place of a gauge's window among the statistics; validation has made sure that it exists.
    private func entry(_ sensor: Int, _ hours: Int) -> Int {
        let gauges = transform.layout.gauges
        let window = windowHours.firstIndex(of: hours) ?? 0
        return window * gauges.count + (gauges.firstIndex { $0.sensor == sensor } ?? 0)
    }
}

/// Parts of the calendar of a local time in microseconds since the epoch.
package enum Calendar {
    /// Hour of day, day of week (Monday 0) or weekend of a local time.
    package static func value(_ part: Feature.CalendarPart, _ local: Int64) -> Double {
        let (day, ofDay) = Timestamp.floorDivide(local, 24 * Timestamp.microsecondsPerHour)
        // 1970-01-01 was a Thursday.
        let dayOfWeek = Timestamp.floorDivide(day + 3, 7).rest
        return switch part {
        case .hour: Double(ofDay / Timestamp.microsecondsPerHour)
        case .dayOfWeek: Double(dayOfWeek)
        case .isWeekend: dayOfWeek >= 5 ? 1 : 0
        }
    }
}
