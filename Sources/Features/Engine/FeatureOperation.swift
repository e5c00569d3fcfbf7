// SPDX-License-Identifier: MIT

/// A feature bound to places among the inputs, so that a row is computed without a look-up.
///
/// Its cases hold plain numbers only: reading one costs no reference count.
enum FeatureOperation: Sendable {
    /// One of the inputs as it is; most features are.
    case input(Int)
    case isCategory(sensor: Int, index: Double)
    case product(Int, Int)
    case ratio(Int, Int)
    case power(Int, exponent: Int)
    case rate(Int)
    case difference(Int, Int)
    case maximum(first: Int, count: Int)

    /// The feature's value from the inputs, the previous reading and the hours since it.
    @inline(__always)
    func value(_ inputs: Span<Double>, _ previous: Span<Double>, _ hours: Double) -> Double {
        switch self {
        case .input(let place): return inputs[place]
        case .isCategory(let sensor, let index): return inputs[sensor] == index ? 1 : 0
        case .product(let a, let b): return inputs[a] * inputs[b]
        case .ratio(let a, let b): return inputs[b] == 0 ? 0 : inputs[a] / inputs[b]
        case .power(let place, let exponent): return Self.power(inputs[place], exponent)
        case .rate(let sensor):
            return hours == 0 ? 0 : (inputs[sensor] - previous[sensor]) / hours
        case .difference(let a, let b): return inputs[a] - inputs[b]
        case .maximum(let first, let count):
            let indicators = inputs.extracting(first..<first + count)
            var result = 0.0
            for index in indicators.indices { result = max(result, indicators[index]) }
            return result
        }
    }

    /// Multiplied one by one, so that every machine rounds alike.
    private static func power(_ value: Double, _ exponent: Int) -> Double {
        var result = value
        for _ in 1..<exponent { result *= value }
        return result
    }
}

/// Where the numbers stand that features are taken from: cleaned values by sensor, then means,
/// standard deviations and maxima by window and gauge, then health indicators, the calendar's
/// parts, gauges that are standardised in a regime as they were measured, each window's fill, mean
/// and slope since the start by gauge, and what is computed from all these.
struct InputLayout: Sendable {
    let windows: Int
    /// Places for each statistic of the windows.
    let windowStride: Int
    let health: Int
    let calendar: Int
    let measured: Int
    let fill: Int
    let sinceStart: Int
    let computed: Int

    init(_ transform: FeatureTransform) {
        let entries = transform.windowHours.count * transform.layout.gauges.count
        windows = transform.schema.sensors.count
        windowStride = WindowStatistics.stride(entries: entries)
        health = windows + 3 * windowStride
        calendar = health + transform.schema.sensorsWithHealth.count
        measured = calendar + Feature.CalendarPart.allCases.count
        fill = measured + (transform.layout.regimes?.gauges.count ?? 0)
        sinceStart = fill + transform.windowHours.count
        computed = sinceStart + 2 * transform.layout.gauges.count { $0.sinceStart != nil }
    }
}

/// The thresholds between which a sensor's health indicator rises from 0 to 1.
struct HealthLimits: Sendable {
    let sensor: Int
    let warn: Double
    /// From there to the alarm threshold.
    let width: Double

    func indicator(_ cleaned: Double) -> Double {
        min(max((cleaned - warn) / width, 0), 1)
    }
}
