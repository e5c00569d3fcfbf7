// SPDX-License-Identifier: MIT

/// Every feature of a transform, bound, with its scaling.
struct FeaturePlan: Sendable {
    let inputs: InputLayout
    /// The number of inputs, computed ones among them.
    let inputCount: Int
    private let cells: WindowCells
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
        fillInputs(
            &scratch.inputs,
            scratch.previous,
            hours: scratch.hoursSincePrevious,
            scratch.timestamp
        )
        kernels.scale(
            scratch.inputs,
            scaling,
            features: &scratch.features,
            row: &scratch.row
        )
    }

    /// Health indicators, calendar and computed features.
    private func fillInputs(
        _ inputs: inout [Double],
        _ previous: [Double],
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
        case .product(let a, let b): .product(a, b)
        case .ratio(let a, let b): .ratio(a, b)
        case .rate(let sensor): .rate(sensor)
        case .deviation(let sensor, let hours): .difference(sensor, entry(sensor, hours))
        case .health(let sensor):
            .input(inputs.health + (transform.schema.sensorsWithHealth.firstIndex(of: sensor) ?? 0))
        case .healthComposite:
            .maximum(first: inputs.health, count: inputs.calendar - inputs.health)
        }
    }

    func health(_ sensor: Int) -> HealthLimits {
        let limits = transform.schema.sensors[sensor]
        let warn = limits.warn ?? 0
        return HealthLimits(sensor: sensor, warn: warn, width: (limits.alarm ?? 1) - warn)
    }

    /// The place of a gauge's mean over a window; validation has made sure that it exists.
    private func entry(_ sensor: Int, _ hours: Int) -> Int {
        let gauges = transform.layout.gauges
        let window = windowHours.firstIndex(of: hours) ?? 0
        let gauge = gauges.firstIndex { $0.sensor == sensor } ?? 0
        return inputs.windows + window * gauges.count + gauge
    }
}
