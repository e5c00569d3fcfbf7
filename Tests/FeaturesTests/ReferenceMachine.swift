// SPDX-License-Identifier: MIT

import Features

/// The definitions of the features, written down a second time: plain Double arithmetic over the
/// whole history, no panes, no record.
struct ReferenceMachine {
    struct Taken {
        let timestamp: Int64
        let isTimestamped: Bool
        let values: [Double]
        let isInOrder: Bool
    }

    let transform: FeatureTransform
    private(set) var history: [Taken] = []

    init(_ transform: FeatureTransform) { self.transform = transform }

    var paneMicroseconds: Int64 { Int64(transform.layout.paneSeconds) * 1_000_000 }

    func pane(_ timestamp: Int64) -> Int64 {
        let (quotient, rest) = timestamp.quotientAndRemainder(dividingBy: paneMicroseconds)
        return rest < 0 ? quotient - 1 : quotient
    }

    func admission(_ reading: Reading) -> Admission {
        guard let last = history.last(where: { $0.isInOrder })?.timestamp else { return .inOrder }
        let known = history.filter { $0.isTimestamped }.suffix(16).map { $0.timestamp }
        if reading.isTimestamped, known.contains(reading.timestamp) { return .duplicate }
        if reading.timestamp > last { return .inOrder }
        if reading.timestamp == last, !reading.isTimestamped { return .inOrder }
        let oldest = pane(last) - Int64(transform.layout.paneCount)
        return pane(reading.timestamp) > oldest ? .late : .stale
    }

    /// Takes a reading into the history, unless it is stale or a duplicate.
    @discardableResult
    mutating func admit(_ reading: Reading) -> Admission {
        let admission = admission(reading)
        if admission == .inOrder || admission == .late {
            history.append(
                Taken(
                    timestamp: reading.timestamp,
                    isTimestamped: reading.isTimestamped,
                    values: measure(reading.values),
                    isInOrder: admission == .inOrder
                )
            )
        }
        return admission
    }

    /// Takes a reading and returns its admission and features.
    mutating func take(_ reading: Reading) -> (Admission, [Double]) {
        let measured = measure(reading.values)
        let earlier = history.filter { $0.isInOrder }
        let admission = admit(reading)
        let before = admission == .stale ? [] : earlier
        let taken = Taken(
            timestamp: reading.timestamp,
            isTimestamped: reading.isTimestamped,
            values: measured,
            isInOrder: true
        )
        let all = admission == .stale ? [taken] : history
        let seen = (all: all, kept: kept(all))
        let cleaned = measured.indices.map { clean(measured[$0], $0, before: before) }
        let previous = measured.indices.map { sensor in
            clean(before.last?.values[sensor] ?? .nan, sensor, before: before)
        }
        let elapsed = before.last.map { Double(reading.timestamp - $0.timestamp) / 3.6e9 } ?? 0
        let row = Row(
            cleaned: cleaned,
            previous: previous,
            hours: max(elapsed, 0),
            timestamp: reading.timestamp
        )
        return (admission, transform.features.map { value($0, row, seen) })
    }

    private struct Row {
        let cleaned: [Double]
        let previous: [Double]
        let hours: Double
        let timestamp: Int64
    }

    private func measure(_ values: [Double]) -> [Double] {
        zip(transform.schema.sensors, values).map { sensor, value in
            sensor.range?.contains(value) ?? value.isFinite ? value : .nan
        }
    }

    private func clean(_ measured: Double, _ sensor: Int, before: [Taken]) -> Double {
        var value = measured
        if value.isNaN, transform.forwardFill {
            value = before.last { !$0.values[sensor].isNaN }?.values[sensor] ?? .nan
        }
        if value.isNaN { value = transform.cleaning[sensor].imputed }
        guard let clip = transform.cleaning[sensor].clip else { return value }
        return min(max(value, clip.lowerBound), clip.upperBound)
    }

    /// The readings in panes that no newer pane has pushed out of the ring.
    private func kept(_ readings: [Taken]) -> [Taken] {
        let ring = Int64(transform.layout.paneCount)
        let newest = Dictionary(
            readings.map { ((pane($0.timestamp) % ring + ring) % ring, pane($0.timestamp)) },
            uniquingKeysWith: max
        )
        return readings.filter { reading in
            let own = pane(reading.timestamp)
            return newest[(own % ring + ring) % ring] == own
        }
    }

    private func window(_ sensor: Int, _ hours: Int, _ end: Int64, _ seen: [Taken]) -> [Double] {
        let newest = pane(end)
        let first = newest - Int64(hours * 3600 / transform.layout.paneSeconds)
        return seen.filter { taken in
            let own = pane(taken.timestamp)
            return own > first && own <= newest && !taken.values[sensor].isNaN
        }.map { $0.values[sensor] }
    }

    /// `seen` holds all readings, and those of them that the panes have.
    private func value(
        _ feature: Feature,
        _ row: Row,
        _ seen: (all: [Taken], kept: [Taken])
    ) -> Double {
        func health(_ sensor: Int) -> Double? {
            let limits = transform.schema.sensors[sensor]
            guard let warn = limits.warn, let alarm = limits.alarm else { return nil }
            return min(max((row.cleaned[sensor] - warn) / (alarm - warn), 0), 1)
        }
        func mean(_ sensor: Int, _ hours: Int) -> Double {
            let values = window(sensor, hours, row.timestamp, seen.kept)
            if values.isEmpty { return row.cleaned[sensor] }
            return values.reduce(0, +) / Double(values.count)
        }
        switch feature {
        case .raw(let sensor): return row.cleaned[sensor]
        case .category(let sensor, let index): return row.cleaned[sensor] == Double(index) ? 1 : 0
        case .calendar(let part): return calendar(part, row.timestamp)
        case .window(.mean, let sensor, let hours): return mean(sensor, hours)
        case .window(.maximum, let sensor, let hours):
            let values = window(sensor, hours, row.timestamp, seen.kept)
            return values.max() ?? row.cleaned[sensor]
        case .window(.standardDeviation, let sensor, let hours):
            let values = window(sensor, hours, row.timestamp, seen.kept)
            let average = mean(sensor, hours)
            let squares = values.map { ($0 - average) * ($0 - average) }.reduce(0, +)
            return values.count < 2 ? 0 : (squares / Double(values.count - 1)).squareRoot()
        case .product(let a, let b): return row.cleaned[a] * row.cleaned[b]
        case .ratio(let a, let b):
            return row.cleaned[b] == 0 ? 0 : row.cleaned[a] / row.cleaned[b]
        case .difference(let a, let b): return row.cleaned[a] - row.cleaned[b]
        case .power(let sensor, let exponent):
            return (1..<exponent).reduce(row.cleaned[sensor]) { power, _ in
                power * row.cleaned[sensor]
            }
        case .sinceStart(.mean, let sensor):
            let values = seen.all.map { $0.values[sensor] }.filter { !$0.isNaN }
            if values.isEmpty { return row.cleaned[sensor] }
            return values.reduce(0, +) / Double(values.count)
        case .sinceStart(.slope, let sensor): return slope(sensor, seen.all)
        case .windowFill(let hours):
            let count = hours * 3600 / transform.layout.paneSeconds
            let newest = pane(row.timestamp)
            let panes = Set(seen.kept.map { pane($0.timestamp) })
            return Double(panes.count { $0 > newest - Int64(count) && $0 <= newest })
                / Double(count)
        case .rate(let sensor):
            return row.hours == 0 ? 0 : (row.cleaned[sensor] - row.previous[sensor]) / row.hours
        case .deviation(let sensor, let hours): return row.cleaned[sensor] - mean(sensor, hours)
        case .health(let sensor): return health(sensor) ?? 0
        case .healthComposite:
            return row.cleaned.indices.compactMap(health).max() ?? 0
        }
    }

    /// The least-squares slope per hour over the panes' times, from centered sums.
    private func slope(_ sensor: Int, _ seen: [Taken]) -> Double {
        let known = seen.filter { !$0.values[sensor].isNaN }
        guard !known.isEmpty else { return 0 }
        let hours = known.map { Double(pane($0.timestamp) * paneMicroseconds) / 3.6e9 }
        let values = known.map { $0.values[sensor] }
        let hour = hours.reduce(0, +) / Double(hours.count)
        let value = values.reduce(0, +) / Double(values.count)
        let spread = hours.reduce(0) { $0 + ($1 - hour) * ($1 - hour) }
        let covariance = zip(hours, values).reduce(0) { $0 + ($1.0 - hour) * ($1.1 - value) }
        return spread == 0 ? 0 : covariance / spread
    }

    /// Counts days from Thursday, 1 January 1970, one by one.
    private func calendar(_ part: Feature.CalendarPart, _ timestamp: Int64) -> Double {
        let local =
            Double(timestamp) / 3.6e9 + Double(transform.schema.time?.offsetMinutes ?? 0) / 60
        let day = (local / 24).rounded(.down)
        let dayOfWeek = (day + 3) - ((day + 3) / 7).rounded(.down) * 7
        return switch part {
        case .hour: (local - day * 24).rounded(.down)
        case .dayOfWeek: dayOfWeek
        case .isWeekend: dayOfWeek == 5 || dayOfWeek == 6 ? 1 : 0
        }
    }
}
