// SPDX-License-Identifier: MIT

/// A feature bound to places among the inputs, so that a row is computed without a look-up.
///
/// Its cases hold plain numbers only: reading one costs no reference count.
enum FeatureOperation: Sendable {
    /// One of the inputs as it is; most features are.
    case input(Int)
    case isCategory(sensor: Int, index: Double)
    case calendar(Feature.CalendarPart, offsetMicroseconds: Int64)
    case product(Int, Int)
    case ratio(Int, Int)
    case rate(Int)
    case difference(Int, Int)
    case maximum(first: Int, count: Int)
}

/// The thresholds between which a sensor's health indicator rises from 0 to 1.
struct HealthLimits: Sendable {
    let sensor: Int
    let warn: Double
    let alarm: Double

    func indicator(_ cleaned: Double) -> Double {
        min(max((cleaned - warn) / (alarm - warn), 0), 1)
    }
}

/// Where the numbers stand that features are computed from: cleaned values by sensor, then mean,
/// standard deviation and maximum by window and gauge, then health indicators.
struct InputLayout: Sendable {
    let windows: Int
    let health: Int
    let count: Int

    init(_ transform: FeatureTransform) {
        let entries = transform.windowHours.count * transform.layout.gauges.count
        windows = transform.schema.sensors.count
        health = windows + entries * WindowStatistics.statisticsPerEntry
        count = health + transform.schema.sensorsWithHealth.count
    }
}

/// Every feature of a transform, bound, with its scaling.
struct FeaturePlan: Sendable {
    let inputs: InputLayout
    /// The input that each feature is, 0 for one that is computed.
    private let sources: [Int]
    /// The features that are computed.
    private let computed: [(feature: Int, operation: FeatureOperation)]
    private let health: [HealthLimits]
    private let centers: [Double]
    private let scales: [Double]
    private let scaledClip: Double

    init(_ transform: FeatureTransform) {
        let binding = Binding(transform)
        inputs = binding.inputs
        let operations = transform.features.map(binding.operation)
        sources = operations.map { if case .input(let place) = $0 { place } else { 0 } }
        computed = operations.enumerated().compactMap { feature, operation in
            if case .input = operation { nil } else { (feature, operation) }
        }
        health = transform.schema.sensorsWithHealth.map(binding.health)
        centers = transform.scaling.map(\.center)
        scales = transform.scaling.map(\.scale)
        scaledClip = transform.scaledClip ?? .infinity
    }

    /// Computes the features and the scaled row from what the scratch notes.
    func fill(_ scratch: inout FeatureScratch, _ records: RecordLayout) {
        let moment = (scratch.hoursSincePrevious, scratch.timestamp)
        fillInputs(&scratch.inputs, scratch.statistics, records.cells)
        compute(&scratch.features, scratch.inputs, scratch.previous, moment)
        scale(&scratch.row, scratch.features)
    }

    private func fillInputs(
        _ inputs: inout [Double],
        _ statistics: WindowStatistics,
        _ cells: [RecordLayout.Cell]
    ) {
        var values = inputs.mutableSpan
        statistics.finish(cells, &values, from: self.inputs.windows)
        for index in health.indices {
            let cleaned = values[health[index].sensor]
            values[self.inputs.health + index] = health[index].indicator(cleaned)
        }
    }

    private func compute(
        _ features: inout [Double],
        _ inputs: [Double],
        _ previous: [Double],
        _ moment: (hours: Double, timestamp: Int64)
    ) {
        let inputs = inputs.span
        let previous = previous.span
        var output = features.mutableSpan
        for index in sources.indices { output[index] = inputs[sources[index]] }
        for index in computed.indices {
            output[computed[index].feature] =
                switch computed[index].operation {
                case .input(let place): inputs[place]
                case .isCategory(let sensor, let index): inputs[sensor] == index ? 1 : 0
                case .calendar(let part, let offset):
                    Calendar.value(part, moment.timestamp + offset)
                case .product(let a, let b): inputs[a] * inputs[b]
                case .ratio(let a, let b): inputs[b] == 0 ? 0 : inputs[a] / inputs[b]
                case .rate(let sensor):
                    moment.hours == 0 ? 0 : (inputs[sensor] - previous[sensor]) / moment.hours
                case .difference(let a, let b): inputs[a] - inputs[b]
                case .maximum(let first, let count):
                    Self.maximum(inputs.extracting(first..<first + count))
                }
        }
    }

    private static func maximum(_ indicators: Span<Double>) -> Double {
        var result = 0.0
        for index in indicators.indices { result = max(result, indicators[index]) }
        return result
    }

    private func scale(_ row: inout [Float], _ features: [Double]) {
        var output = row.mutableSpan
        let (features, centers, scales) = (features.span, centers.span, scales.span)
        let count = features.count
        precondition(output.count == count && centers.count == count && scales.count == count)
        for index in 0..<count {
            let scaled = (features[index] - centers[index]) / scales[index]
            output[index] = Float(min(max(scaled, -scaledClip), scaledClip))
        }
    }
}

/// What it takes to bind features to places: the transform and the order of its gauges' panes.
private struct Binding {
    let inputs: InputLayout
    private let transform: FeatureTransform
    private let windowHours: [Int]

    init(_ transform: FeatureTransform) {
        self.transform = transform
        inputs = InputLayout(transform)
        windowHours = transform.windowHours
    }

    func operation(_ feature: Feature) -> FeatureOperation {
        switch feature {
        case .raw(let sensor): .input(sensor)
        case .category(let sensor, let index): .isCategory(sensor: sensor, index: Double(index))
        case .calendar(let part):
            .calendar(
                part,
                offsetMicroseconds: Int64(transform.schema.time?.offsetMinutes ?? 0) * 60_000_000
            )
        case .window(.mean, let sensor, let hours): .input(entry(sensor, hours))
        case .window(.standardDeviation, let sensor, let hours): .input(entry(sensor, hours) + 1)
        case .window(.maximum, let sensor, let hours): .input(entry(sensor, hours) + 2)
        case .product(let a, let b): .product(a, b)
        case .ratio(let a, let b): .ratio(a, b)
        case .rate(let sensor): .rate(sensor)
        case .deviation(let sensor, let hours): .difference(sensor, entry(sensor, hours))
        case .health(let sensor):
            .input(inputs.health + (transform.schema.sensorsWithHealth.firstIndex(of: sensor) ?? 0))
        case .healthComposite: .maximum(first: inputs.health, count: inputs.count - inputs.health)
        }
    }

    func health(_ sensor: Int) -> HealthLimits {
        HealthLimits(
            sensor: sensor,
            warn: transform.schema.sensors[sensor].warn ?? 0,
            alarm: transform.schema.sensors[sensor].alarm ?? 1
        )
    }

    /// The place of a gauge's window among the inputs; validation has made sure that it exists.
    private func entry(_ sensor: Int, _ hours: Int) -> Int {
        let gauges = transform.layout.gauges
        let window = windowHours.firstIndex(of: hours) ?? 0
        let entry = window * gauges.count + (gauges.firstIndex { $0.sensor == sensor } ?? 0)
        return inputs.windows + entry * WindowStatistics.statisticsPerEntry
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
