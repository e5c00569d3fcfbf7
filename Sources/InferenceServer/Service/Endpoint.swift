// SPDX-License-Identifier: MIT

internal import HTTPServer

/// The routes of the service; the raw value is the route's id.
enum Endpoint: Int, CaseIterable {
    case predict, batchPredict, health, live, ready, startup, metrics, modelInfo, openAPI
    case machine, maintenance, forget, drift, feedback

    var path: String {
        switch self {
        case .predict: "/predict"
        case .batchPredict: "/batch_predict"
        case .health: "/health"
        case .live: "/livez"
        case .ready: "/readyz"
        case .startup: "/startupz"
        case .metrics: "/metrics"
        case .modelInfo: "/model/info"
        case .openAPI: "/openapi.json"
        case .drift: "/drift"
        case .machine, .forget: "/equipment/{id}"
        case .maintenance: "/equipment/{id}/maintenance"
        case .feedback: "/feedback"
        }
    }

    var method: RequestMethod {
        switch self {
        case .predict, .batchPredict, .maintenance, .feedback: .post
        case .forget: .delete
        case .health, .live, .ready, .startup, .metrics, .modelInfo, .openAPI, .machine, .drift:
            .get
        }
    }

    /// Whether a request says nothing without a body.
    private var requiresBody: Bool {
        switch self {
        case .predict, .batchPredict, .feedback: true
        default: false
        }
    }

    /// Whether it may be answered 503 under overload: a probe that was would have a server that is
    /// merely busy replaced, and metrics and drift are seldom asked for and tell how it is.
    var isSheddable: Bool {
        switch self {
        case .predict, .batchPredict, .modelInfo, .openAPI, .machine, .maintenance, .forget,
            .feedback:
            true
        case .health, .live, .ready, .startup, .metrics, .drift: false
        }
    }

    /// Whether it takes up to some 0.3 ms, in gzip, and nobody asks for it often.
    private var isCostly: Bool {
        switch self {
        case .metrics, .drift, .modelInfo, .openAPI: true
        default: false
        }
    }

    /// The table for a server; probes, metrics and descriptions are on both listeners, what changes
    /// a machine's state on the operators' only.
    static func routes(_ settings: Settings) -> RouteTable {
        RouteTable(
            allCases.map { $0.route($0.path, settings.service) }
                + settings.contract.all.map { $0.endpoint.route($0.path, settings.service) }
        )
    }

    private func route(_ path: String, _ limits: ServiceLimits) -> Route {
        Route(
            method,
            path,
            id: rawValue,
            listeners: listeners,
            bodyBytesMax: bodyBytesMax(limits),
            requiresBody: requiresBody,
            isSheddable: isSheddable,
            streamsBody: self == .batchPredict,
            isCostly: isCostly,
            joinsOthers: self == .predict
        )
    }

    /// Above what a body is 413; nil for the limit of all.
    private func bodyBytesMax(_ limits: ServiceLimits) -> Int? {
        switch self {
        case .batchPredict: limits.batchBytesMax
        case .maintenance: PredictionService.maintenanceBytesMax
        default: nil
        }
    }

    /// Where the route is: predictions for clients, changes of a machine for operators, all else
    /// for both.
    var listeners: Set<Listener> {
        switch self {
        case .predict, .batchPredict: [.main]
        case .maintenance, .forget, .feedback: [.admin]
        default: [.main, .admin]
        }
    }
}
