// SPDX-License-Identifier: MIT

/// One column of the feature row: a rule bound to sensors by name.
package enum Feature: Equatable, Hashable, Sendable {
    /// A part of the calendar.
    package enum CalendarPart: String, Sendable, CaseIterable {
        /// 0 to 23.
        case hour
        /// Monday 0 to Sunday 6, as pandas counts.
        case dayOfWeek = "day_of_week"
        /// 1 on Saturday and Sunday, else 0.
        case isWeekend = "is_weekend"
    }

    /// The sensor's cleaned value.
    case raw(sensor: Int)
    /// 1 where the sensor reports the category with this index, else 0.
    case category(sensor: Int, index: Int)
    /// A part of the calendar.
    case calendar(CalendarPart)
    /// A statistic over the last so many hours.
    case window(FeatureSpec.Statistic, sensor: Int, hours: Int)
    /// One sensor times another.
    case product(Int, Int)
    /// One sensor divided by another.
    case ratio(Int, Int)
    /// One sensor minus another.
    case difference(Int, Int)
    /// A sensor's value times itself, so many factors in all.
    case power(sensor: Int, exponent: Int)
    /// Change per hour.
    case rate(sensor: Int)
    /// Difference from the mean of the last so many hours.
    case deviation(sensor: Int, hours: Int)
    /// Health indicator of a sensor.
    case health(sensor: Int)
    /// The largest health indicator.
    case healthComposite
    /// A statistic since the machine's start or last maintenance.
    case sinceStart(FeatureSpec.SinceStartStatistic, sensor: Int)
    /// The share of a window's panes that hold a reading.
    case windowFill(hours: Int)

    /// The sensors whose readings it is computed from.
    package func sensors(in schema: Schema) -> [Int] {
        switch self {
        case .raw(let sensor), .category(let sensor, _), .window(_, let sensor, _),
            .rate(let sensor), .deviation(let sensor, _), .health(let sensor),
            .power(let sensor, _), .sinceStart(_, let sensor):
            [sensor]
        case .calendar, .windowFill: []
        case .product(let a, let b), .ratio(let a, let b), .difference(let a, let b): [a, b]
        case .healthComposite: schema.sensorsWithHealth
        }
    }

    /// The column's name in files and in `/model/info`.
    package func name(in schema: Schema) -> String {
        func sensor(_ index: Int) -> String { schema.sensors[index].name }
        return switch self {
        case .raw(let index): sensor(index)
        case .category(let index, let category):
            "\(sensor(index))_\(schema.sensors[index].categories[category])"
        case .calendar(let part): part.rawValue
        case .window(let statistic, let index, let hours):
            "\(sensor(index))_\(statistic.rawValue)_\(hours)h"
        case .product(let a, let b): "\(sensor(a))_x_\(sensor(b))"
        case .ratio(let a, let b): "\(sensor(a))_per_\(sensor(b))"
        case .difference(let a, let b): "\(sensor(a))_minus_\(sensor(b))"
        case .power(let index, let exponent): "\(sensor(index))_pow_\(exponent)"
        case .rate(let index): "\(sensor(index))_rate"
        case .deviation(let index, let hours): "\(sensor(index))_deviation_\(hours)h"
        case .health(let index): "\(sensor(index))_health"
        case .healthComposite: "health_composite"
        case .sinceStart(let statistic, let index):
            "\(sensor(index))_\(statistic.rawValue)_since_start"
        case .windowFill(let hours): "window_fill_\(hours)h"
        }
    }

    /// The length of the window that the feature looks at.
    var windowHours: Int? {
        switch self {
        case .window(_, _, let hours), .deviation(_, let hours), .windowFill(let hours): hours
        default: nil
        }
    }
}

extension FeatureSpec {
    /// The single columns that the spec's elements stand for, in order.
    ///
    /// - Throws: ``SpecError`` for a sensor that the schema lacks, a window that is no whole number
    ///   of panes or too long, a feature that stands twice, or windows without state.
    package func resolved(for schema: Schema) throws(SpecError) -> [Feature] {
        guard (1...SpecLimits.paneSecondsMax).contains(paneSeconds) else {
            throw .count(
                what: "seconds of a pane",
                count: paneSeconds,
                limit: SpecLimits.paneSecondsMax
            )
        }
        var features: [Feature] = []
        for element in elements {
            features += try resolve(element, schema)
        }
        guard !features.isEmpty, features.count <= SpecLimits.featuresMax else {
            throw .count(what: "features", count: features.count, limit: SpecLimits.featuresMax)
        }
        // By name: a sensor "hour" and the hour of the calendar are two features, one column.
        var seen: Set<String> = []
        for feature in features where !seen.insert(feature.name(in: schema)).inserted {
            throw .duplicate(feature.name(in: schema))
        }
        return features
    }

    private func resolve(_ element: Element, _ schema: Schema) throws(SpecError) -> [Feature] {
        switch element {
        case .raw(let selection):
            return try select(selection, schema, gaugesOnly: false).flatMap { sensor in
                schema.sensors[sensor].kind == .category
                    ? schema.sensors[sensor].categories.indices.map {
                        Feature.category(sensor: sensor, index: $0)
                    } : [.raw(sensor: sensor)]
            }
        case .calendar:
            guard schema.time != nil else {
                throw .invalid(what: "calendar", why: "the schema has no timestamp")
            }
            return Feature.CalendarPart.allCases.map { .calendar($0) }
        case .window(let statistics, let hours, let selection):
            for hour in hours { try checkWindow(hour, schema) }
            let sensors = try select(selection, schema, gaugesOnly: true)
            return statistics.flatMap { statistic in
                hours.flatMap { hour in
                    sensors.map { .window(statistic, sensor: $0, hours: hour) }
                }
            }
        case .product(let a, let b): return [.product(try number(a, schema), try number(b, schema))]
        case .ratio(let a, let b): return [.ratio(try number(a, schema), try number(b, schema))]
        case .difference(let a, let b):
            return [.difference(try number(a, schema), try number(b, schema))]
        case .power(let name, let exponent):
            guard SpecLimits.exponents.contains(exponent) else {
                let (low, high) = (SpecLimits.exponents.lowerBound, SpecLimits.exponents.upperBound)
                throw .invalid(what: "exponent \(exponent)", why: "it must be \(low) to \(high)")
            }
            return [.power(sensor: try number(name, schema), exponent: exponent)]
        case .sinceStart(let statistics, let selection):
            try requireState("since_start", schema)
            let sensors = try select(selection, schema, gaugesOnly: true)
            return statistics.flatMap { statistic in
                sensors.map { .sinceStart(statistic, sensor: $0) }
            }
        case .windowFill(let hours):
            for hour in hours { try checkWindow(hour, schema) }
            return hours.map { .windowFill(hours: $0) }
        case .rate(let selection):
            try requireState("rate", schema)
            return try select(selection, schema, gaugesOnly: true).map { .rate(sensor: $0) }
        case .deviation(let hours, let selection):
            try checkWindow(hours, schema)
            return try select(selection, schema, gaugesOnly: true).map {
                .deviation(sensor: $0, hours: hours)
            }
        case .health: return schema.sensorsWithHealth.map { .health(sensor: $0) }
        case .healthComposite: return schema.sensorsWithHealth.isEmpty ? [] : [.healthComposite]
        }
    }

    /// The gauges that the spec's regimes standardise, none where it has no regimes.
    ///
    /// - Throws: ``SpecError`` where the schema has no setting, or no state, or lacks a gauge.
    package func regimeGauges(in schema: Schema) throws(SpecError) -> [Int] {
        guard let regimes else { return [] }
        guard schema.sensors.contains(where: { $0.kind == .setting }) else {
            throw .invalid(what: "regimes", why: "the schema has no setting")
        }
        guard (1...SpecLimits.regimesMax).contains(regimes.countMax) else {
            throw .count(what: "regimes", count: regimes.countMax, limit: SpecLimits.regimesMax)
        }
        let gauges = try select(regimes.gauges, schema, gaugesOnly: true)
        guard !gauges.isEmpty else { throw .invalid(what: "regimes", why: "there is no gauge") }
        return gauges.sorted()
    }

    private func select(
        _ selection: Selection,
        _ schema: Schema,
        gaugesOnly: Bool
    ) throws(SpecError) -> [Int] {
        switch selection {
        case .all: return Array(schema.sensors.indices)
        case .gauges: return schema.sensors.indices.filter { schema.sensors[$0].kind == .gauge }
        case .named(let names):
            var sensors: [Int] = []
            for name in names {
                guard let index = schema.sensorIndex(name) else { throw .unknownSensor(name) }
                guard !gaugesOnly || schema.sensors[index].kind == .gauge else {
                    throw .invalid(what: name, why: "only a gauge has windows and rates")
                }
                sensors.append(index)
            }
            return sensors
        }
    }

    private func number(_ name: String, _ schema: Schema) throws(SpecError) -> Int {
        guard let index = schema.sensorIndex(name) else { throw .unknownSensor(name) }
        guard schema.sensors[index].kind != .category else {
            throw .invalid(what: name, why: "a category is no number")
        }
        return index
    }

    private func requireState(_ what: String, _ schema: Schema) throws(SpecError) {
        guard schema.hasState else {
            throw .invalid(what: what, why: "the schema has no entity or no timestamp")
        }
    }

    private func checkWindow(_ hours: Int, _ schema: Schema) throws(SpecError) {
        try requireState("a window of \(hours) h", schema)
        guard hours > 0, hours <= SpecLimits.panesMax * paneSeconds / 3600,
            hours * 3600 % paneSeconds == 0
        else {
            throw .invalid(
                what: "a window of \(hours) h",
                why: "it must be 1 to \(SpecLimits.panesMax) panes of \(paneSeconds) s"
            )
        }
    }
}

extension Schema {
    /// The sensors that have both thresholds of the health indicator.
    var sensorsWithHealth: [Int] {
        sensors.indices.filter { sensors[$0].warn != nil && sensors[$0].alarm != nil }
    }
}
