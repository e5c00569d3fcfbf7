// SPDX-License-Identifier: MIT

internal import HTTPServer

/// The routes of the service; the raw value is the route's id.
enum Endpoint: Int, CaseIterable {
    case predict, batchPredict, health, live, ready, startup, metrics, modelInfo
    case machine, maintenance, forget

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
        case .machine, .forget: "/equipment/{id}"
        case .maintenance: "/equipment/{id}/maintenance"
        }
    }

    /// Whether it may be answered 503 under overload: a probe that was would have a server that is
    /// merely busy replaced, and metrics are what tells that it is.
    var isSheddable: Bool {
        switch self {
        case .predict, .batchPredict, .modelInfo, .machine, .maintenance, .forget: true
        case .health, .live, .ready, .startup, .metrics: false
        }
    }

    /// The table for a server; probes, metrics and descriptions are on both listeners, what changes
    /// a machine's state on the operators' only.
    static func routes(_ limits: ServiceLimits) -> RouteTable {
        RouteTable(
            allCases.map { endpoint in
                switch endpoint {
                case .predict:
                    Route(.post, endpoint.path, id: endpoint.rawValue, listeners: [.main])
                case .batchPredict:
                    Route(
                        .post,
                        endpoint.path,
                        id: endpoint.rawValue,
                        listeners: [.main],
                        bodyBytesMax: limits.batchBytesMax,
                        streamsBody: true
                    )
                case .health, .live, .ready, .startup, .metrics, .modelInfo, .machine:
                    Route(
                        .get,
                        endpoint.path,
                        id: endpoint.rawValue,
                        isSheddable: endpoint.isSheddable
                    )
                case .maintenance:
                    Route(.post, endpoint.path, id: endpoint.rawValue, listeners: [.admin])
                case .forget:
                    Route(.delete, endpoint.path, id: endpoint.rawValue, listeners: [.admin])
                }
            }
        )
    }
}
