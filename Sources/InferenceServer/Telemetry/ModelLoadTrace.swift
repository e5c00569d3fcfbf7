// SPDX-License-Identifier: MIT

internal import ModelRuntime
internal import OTLP
internal import Platform

/// What one attempt to take a bundle went through, for a trace of its own.
///
/// Nothing of it is sent before the attempt has come to something: looks at bundles that are in
/// service already leave no trace.
struct ModelLoadTrace {
    /// A part of the attempt.
    enum Step: String {
        case load
        case selfTest = "self-test"
        case swap
    }

    private let telemetry: Telemetry?
    private let clock: MonotonicClock
    private let location: BundleLocation
    /// The steps begun, with the moments when they were.
    private var steps: [(step: Step, start: Int64)]

    /// Begins with the first step.
    init(of location: BundleLocation, _ telemetry: Telemetry?, clock: MonotonicClock) {
        self.telemetry = telemetry
        self.clock = clock
        self.location = location
        steps = [(.load, clock.nowNanoseconds)]
    }

    /// When the attempt began, on the monotonic clock.
    var began: Int64 { steps[0].start }

    /// Ends the step before and begins another.
    mutating func begin(_ step: Step) { steps.append((step, clock.nowNanoseconds)) }

    /// Sends an attempt whose bundle computes now.
    func succeed(_ model: ServedModel, as role: String) {
        send(version: model.version, outcome: role, failure: nil)
    }

    /// Sends an attempt whose last step failed.
    func fail(version: String, type: String, reason: String) {
        send(version: version, outcome: "refused", failure: (type, reason))
    }

    private func send(
        version: String,
        outcome: String,
        failure: (type: String, reason: String)?
    ) {
        guard let telemetry else { return }
        let context = TraceContext()
        let end = telemetry.now
        let starts = steps.map { telemetry.time(ofMonotonic: $0.start) }
        let attributes: [Attribute] = [
            ("model_version", .string(version)), ("bundle.path", .string(location.path)),
            ("outcome", .string(outcome)),
        ]
        telemetry.add(
            TelemetrySpan(
                context,
                name: "model load",
                kind: .inside,
                start: starts[0],
                end: end,
                isError: failure != nil,
                attributes: attributes
            )
        )
        var last = context
        for (index, step) in steps.enumerated() {
            last = context.child()
            telemetry.add(
                TelemetrySpan(
                    last,
                    name: step.step.rawValue,
                    kind: .inside,
                    start: starts[index],
                    end: index + 1 < steps.count ? starts[index + 1] : end,
                    isError: failure != nil && index + 1 == steps.count,
                    attributes: []
                )
            )
        }
        guard let failure else { return }
        telemetry.add(
            .exception(
                type: failure.type,
                message: failure.reason,
                time: end,
                traceID: last.traceID,
                spanID: last.spanID,
                attributes: attributes
            )
        )
    }
}
