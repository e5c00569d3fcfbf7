// SPDX-License-Identifier: MIT

/// Every feature of a transform, bound, with its scaling.
struct FeaturePlan: Sendable {
    let inputs: InputLayout
    /// The number of inputs, computed ones among them.
    let inputCount: Int
    private let cells: WindowCells
    /// The gauges that have sums since the start.
    private let sinceStart: [RecordLayout.Cell]
    private let panesPerHour: Double
    private let health: [HealthLimits]
    /// The local time's offset from UTC; nil where no feature asks for the calendar.
    private let calendarOffset: Int64?
    /// What is computed, in order of its place among the inputs.
    private let computed: [FeatureOperation]
    private let scaling: RowScaling

    init(_ transform: FeatureTransform, _ records: RecordLayout) {
        let binding = Binding(transform)
        inputs = binding.inputs
        cells = WindowCells(records.cells, windows: transform.windowHours.count)
        sinceStart = records.sinceStart.map { records.cells[$0.gauge] }
        panesPerHour = 3600 / Double(transform.layout.paneSeconds)
        health = transform.schema.sensorsWithHealth.map(binding.health)
        let usesCalendar = transform.features.contains { feature in
            if case .calendar = feature { true } else { false }
        }
        let offset = Int64(transform.schema.time?.offsetMinutes ?? 0)
        calendarOffset = usesCalendar ? offset * 60 * Timestamp.microsecondsPerSecond : nil
        var computed: [FeatureOperation] = []
        let places = transform.features.map { feature in
            let operation = binding.operation(feature)
            if case .input(let place) = operation { return place }
            computed.append(operation)
            return binding.inputs.computed + computed.count - 1
        }
        self.computed = computed
        inputCount = inputs.computed + computed.count
        scaling = RowScaling(transform, places)
    }

    /// Computes the features and the scaled row from what the scratch notes.
    func fill(_ scratch: inout FeatureScratch, _ kernels: FeatureKernels) {
        scratch.statistics.finish(cells, &scratch.inputs, from: inputs.windows, kernels)
        fillTotals(&scratch.inputs, &scratch.statistics.fill, &scratch.sinceStart)
        fillInputs(
            &scratch.inputs,
            &scratch.previous,
            hours: scratch.hoursSincePrevious,
            scratch.timestamp
        )
        kernels.scale(&scratch, scaling)
    }

    /// Each window's fill, and mean and slope since the start of each gauge that has them.
    ///
    /// Here and below all lists are `inout`, so that they are used where they are: what is only
    /// read would be retained.
    private func fillTotals(
        _ inputs: inout [Double],
        _ fill: inout [Double],
        _ totals: inout [SinceStartTotals]
    ) {
        var inputs = inputs.mutableSpan
        let (fill, totals) = (fill.span, totals.span)
        for index in fill.indices { inputs[self.inputs.fill + index] = fill[index] }
        for index in totals.indices {
            let cell = sinceStart[index]
            let isEmpty = totals[index].count == 0
            let place = self.inputs.sinceStart + 2 * index
            inputs[place] = isEmpty ? inputs[cell.sensor] : totals[index].mean(cell)
            inputs[place + 1] = totals[index].slope(cell) * panesPerHour
        }
    }

    /// Health indicators, calendar and computed features.
    private func fillInputs(
        _ inputs: inout [Double],
        _ previous: inout [Double],
        hours: Double,
        _ timestamp: Int64
    ) {
        var values = inputs.mutableSpan
        let previous = previous.span
        let places = self.inputs
        let (health, computed) = (health.span, computed.span)
        for index in health.indices {
            let cleaned = values[health[index].sensor]
            values[places.health + index] = health[index].indicator(cleaned)
        }
        if let calendarOffset {
            let parts = Calendar.parts(timestamp + calendarOffset)
            values[places.calendar] = parts.hour
            values[places.calendar + 1] = parts.dayOfWeek
            values[places.calendar + 2] = parts.isWeekend
        }
        for index in computed.indices {
            values[places.computed + index] =
                computed[index].value(values.span, previous, hours)
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
            .input(inputs.calendar + (Feature.CalendarPart.allCases.firstIndex(of: part) ?? 0))
        case .window(.mean, let sensor, let hours): .input(entry(sensor, hours))
        case .window(.standardDeviation, let sensor, let hours):
            .input(entry(sensor, hours) + inputs.windowStride)
        case .window(.maximum, let sensor, let hours):
            .input(entry(sensor, hours) + 2 * inputs.windowStride)
        case .product(let a, let b): .product(measured(a), measured(b))
        case .ratio(let a, let b): .ratio(measured(a), measured(b))
        case .difference(let a, let b): .difference(measured(a), measured(b))
        case .power(let sensor, let exponent): .power(measured(sensor), exponent: exponent)
        case .rate(let sensor): .rate(sensor)
        case .deviation(let sensor, let hours): .difference(sensor, entry(sensor, hours))
        case .health(let sensor):
            .input(inputs.health + (transform.schema.sensorsWithHealth.firstIndex(of: sensor) ?? 0))
        case .healthComposite:
            .maximum(first: inputs.health, count: inputs.calendar - inputs.health)
        case .sinceStart(.mean, let sensor): .input(sinceStart(sensor))
        case .sinceStart(.slope, let sensor): .input(sinceStart(sensor) + 1)
        case .windowFill(let hours): .input(inputs.fill + (windowHours.firstIndex(of: hours) ?? 0))
        }
    }

    func health(_ sensor: Int) -> HealthLimits {
        let limits = transform.schema.sensors[sensor]
        let warn = limits.warn ?? 0
        let width = (limits.alarm ?? 1) - warn
        return HealthLimits(sensor: measured(sensor), warn: warn, width: width)
    }

    /// The place of a sensor's value as it was measured: what is compared with other sensors, or
    /// with thresholds.
    private func measured(_ sensor: Int) -> Int {
        let gauge = transform.layout.regimes?.gauges.firstIndex { $0.sensor == sensor }
        return gauge.map { inputs.measured + $0 } ?? sensor
    }

    /// The place of a gauge's mean since the start; the slope follows.
    private func sinceStart(_ sensor: Int) -> Int {
        let kept = transform.layout.gauges.filter { $0.sinceStart != nil }
        return inputs.sinceStart + 2 * (kept.firstIndex { $0.sensor == sensor } ?? 0)
    }

    /// The place of a gauge's mean over a window; validation has made sure that it exists.
    private func entry(_ sensor: Int, _ hours: Int) -> Int {
        let gauges = transform.layout.gauges
        let window = windowHours.firstIndex(of: hours) ?? 0
        let gauge = gauges.firstIndex { $0.sensor == sensor } ?? 0
        return inputs.windows + window * gauges.count + gauge
    }
}
