// SPDX-License-Identifier: MIT

internal import HTTPServer
internal import Metrics
internal import ModelRuntime
internal import Platform

/// The metrics of the service's health and of the model in service.
enum ModelMetrics {
    /// Registers them; the service itself makes the page, so it is there when they are asked for.
    ///
    /// A weak reference to it would make every other one of a request slow.
    static func register(_ service: PredictionService, in registry: Registry) {
        registry.function(
            "service_health_status",
            help: "1 with a verified model in service and while not draining, else 0."
        ) { [unowned service] in service.isReady ? 1 : 0 }
        registry.functions(
            "inference_server_build_info",
            help: "1 for the version of the program and the kernels that it uses here.",
            labels: ["version", "kernels"]
        ) { emit in emit([InferenceServerCommand.version, KernelVariant.best.rawValue], 1) }
        let models = service.models
        registry.functions(
            "model_info",
            help: "1 for the model in service.",
            labels: ["model", "model_version"]
        ) { emit in
            if let model = models.current { emit([model.name, model.version], 1) }
        }
        registry.derived(from: { models.standing }, standing)
        registry.function(
            "batch_bytes_pending",
            help: "Bodies that wait or are worked on beside the loops, answers, starts of lines."
        ) { [unowned service] in Double(service.batches.pendingByteCount) }
        registry.function(
            "explanations_pending",
            help: "Explanations that wait or are worked on."
        ) { [unowned service] in Double(service.explanations.pendingCount) }
    }

    private typealias Metric = DerivedMetric<ModelStanding>

    private static let standing: [Metric] = [
        Metric(
            "model_created_timestamp_seconds",
            help: "When the model in service was made, seconds since the epoch."
        ) { Double($0.createdMicroseconds) / 1e6 },
        Metric(
            "model_load_seconds",
            help: "Time that loading and verifying the model in service took."
        ) { $0.loadSeconds },
        Metric(
            "model_versions",
            help: "Bundles that were found at the last look and may serve."
        ) { Double($0.versionCount) },
        Metric(
            "model_preferred_refused",
            help: "1 while the bundle that should serve is refused, else 0."
        ) { $0.isPreferredRefused ? 1 : 0 },
    ]
}
