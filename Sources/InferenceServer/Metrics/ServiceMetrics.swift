// SPDX-License-Identifier: MIT

internal import Features
internal import HTTPServer
internal import Metrics
internal import ModelRuntime
internal import Platform

/// What the service itself counts, each metric with its name and meaning.
///
/// What is kept elsewhere is registered by ``observe(_:)`` and read when the page is made.
///
/// - Note: Thread-safe; updates take no lock.
final class ServiceMetrics: Sendable {
    /// Versions whose counters stay on the page; the oldest that are not in use leave it first.
    private static let versionCountMax = 16
    /// Sensors times flags; what is beyond shares one counter.
    private static let sensorFlagCountMax = 256

    /// Writers of counters: the event loops, and one for all batches.
    let slots: Int
    private let registry = Registry()
    private let predictions: Family<Counter>
    private let latency: Family<Histogram>
    private let sensorFlags: Family<Counter>
    private let counted = Lock<[PredictionCounts]>([])
    /// Confidence where no failure is predicted, and where one is.
    private let sound: Histogram
    private let failing: Histogram
    private let windowFill: Histogram
    private let late: Counter
    private let stale: Counter
    private let duplicate: Counter
    private let unknownFields: Counter
    private let refusedRows: Counter
    private let explained: Counter
    private let unexplained: Counter
    private let stateRefusals: Counter
    private let notFinite: Counter
    private let changes: ModelChanges

    /// Registers what the service counts itself; `slots` is the number of event loops and one more
    /// for the batch queue.
    init(slots: Int) {
        self.slots = slots
        predictions = registry.counters(
            "predictions_total",
            help: "Predictions by model version and predicted class.",
            labels: ["model_version", "prediction"],
            slots: slots
        )
        latency = registry.histograms(
            "prediction_latency_seconds",
            help: "Time from decoding a prediction request to its encoded answer.",
            labels: ["model_version"],
            bounds: Self.latencyBounds,
            slots: slots,
            keepsExemplars: true
        )
        let confidence = registry.histograms(
            "prediction_confidence",
            help: "Predicted probabilities of failure by predicted class.",
            labels: ["prediction"],
            bounds: [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99],
            slots: slots
        )
        (sound, failing) = (confidence.child(["0"]), confidence.child(["1"]))
        windowFill = registry.histogram(
            "window_fill_ratio",
            help: "Share of the longest window that a machine's readings fill.",
            bounds: [0.25, 0.5, 0.75, 0.99, 1],
            slots: slots
        )
        let readings = registry.counters(
            "readings_out_of_order_total",
            help: "Readings whose timestamp was late, stale or a duplicate.",
            labels: ["kind"]
        )
        late = readings.child(["late"])
        stale = readings.child(["stale"])
        duplicate = readings.child(["duplicate"])
        sensorFlags = registry.counters(
            "sensor_flags_total",
            help: "Values of sensors in which something was noticed.",
            labels: ["sensor", "flag"],
            childCountMax: Self.sensorFlagCountMax
        )
        unknownFields = registry.counter(
            "unknown_fields_total",
            help: "Fields of readings that the model's schema does not know."
        )
        refusedRows = registry.counter(
            "batch_rows_refused_total",
            help: "Rows of batches that were answered with an error in their place."
        )
        let explanations = registry.counters(
            "explanations_total",
            help: "Explanations asked for, by whether there was enough time.",
            labels: ["result"]
        )
        explained = explanations.child(["complete"])
        unexplained = explanations.child(["late"])
        stateRefusals = registry.counter(
            "state_refusals_total",
            help: "Readings that were refused because no more machines fit."
        )
        notFinite = registry.counter(
            "predictions_not_finite_total",
            help: "Readings that were refused because no model gave a finite answer."
        )
        changes = ModelChanges(registry)
    }

    // From 5 us, a prediction's usual time, to the 10 s of a huge batch.
    private static let latencyBounds = [
        0.000_005, 0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005,
        0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
    ]

    /// Appends the page.
    func write(_ format: ExpositionFormat, to output: inout [UInt8]) {
        registry.render(format, into: &output)
    }

    /// The counters of a model, those of its version, which go on where it serves again; those of
    /// versions that are in use stay beside them.
    func counts(of manifest: Manifest, besides inUse: [String] = []) -> PredictionCounts {
        let version = manifest.version.description
        let counts = PredictionCounts(
            version: version,
            failures: predictions.child([version, "1"]),
            others: predictions.child([version, "0"]),
            latency: latency.child([version]),
            flags: manifest.transform.schema.sensors.flatMap { sensor in
                PredictionEncoder.Keys.sensorFlags.map { flag in
                    sensorFlags.child([sensor.name, flag.text])
                }
            }
        )
        counted.withLock { counted in
            counted.removeAll { $0.version == version }
            counted.append(counts)
            guard counted.count > Self.versionCountMax,
                let index = counted.firstIndex(where: { !inUse.contains($0.version) })
            else { return }
            let oldest = counted.remove(at: index).version
            for prediction in ["0", "1"] { predictions.remove([oldest, prediction]) }
            latency.remove([oldest])
        }
        return counts
    }

    func observeConfidence(_ probability: Double, prediction: Int, slot: Int) {
        if prediction == 1 {
            failing.observe(probability, slot: slot)
        } else {
            sound.observe(probability, slot: slot)
        }
    }

    func observeWindowFill(_ share: Double, slot: Int) { windowFill.observe(share, slot: slot) }

    func count(_ admissions: AdmissionCounts) {
        if admissions.late > 0 { late.add(UInt64(admissions.late)) }
        if admissions.stale > 0 { stale.add(UInt64(admissions.stale)) }
        if admissions.duplicate > 0 { duplicate.add(UInt64(admissions.duplicate)) }
    }

    /// What was counted of timestamps since the start.
    var admissions: AdmissionCounts {
        AdmissionCounts(
            late: Int(late.value),
            stale: Int(stale.value),
            duplicate: Int(duplicate.value)
        )
    }

    func countUnknownFields(_ count: Int) { unknownFields.add(UInt64(count)) }

    func countExplanation(isComplete: Bool) { (isComplete ? explained : unexplained).add() }

    /// Counts rows that were answered with an error in their place.
    func count(refusedRows errors: some Collection<ServiceError>) {
        refusedRows.add(UInt64(errors.count))
        for error in errors { count(error) }
    }

    /// Counts what the status of the answer does not tell.
    func count(_ error: ServiceError) {
        if case .stateFull = error { stateRefusals.add() }
        if error == .noFiniteAnswer { notFinite.add() }
    }

    func countSwap() { changes.swaps.add() }

    func countRefusal() { changes.refusals.add() }

    func countQuarantine() { changes.quarantines.add() }

    /// Registers what others keep, once they exist.
    func observe(_ application: Application) {
        ModelMetrics.register(application.service, in: registry)
        TrialMetrics.register(application.service.models, in: registry)
        FleetMetrics.register(application.fleet, in: registry)
        StateMetrics.register(application.service.models, application.state, in: registry)
        DriftMetrics.register(application.drift, in: registry)
        ServerMetrics.register(application.server, in: registry)
        TelemetryMetrics.register(application.telemetry, in: registry)
        DecisionMetrics.register(application.decisions, in: registry)
        ProcessMetrics.register(in: registry)
    }
}

/// Counts what became of bundles.
private struct ModelChanges {
    let swaps: Counter
    let refusals: Counter
    let quarantines: Counter

    init(_ registry: Registry) {
        swaps = registry.counter(
            "model_swaps_total",
            help: "Bundles that were put into service."
        )
        refusals = registry.counter(
            "model_refusals_total",
            help: "Bundles that were refused."
        )
        quarantines = registry.counter(
            "model_quarantines_total",
            help: "Versions that were sent back because of what they answered."
        )
    }
}
