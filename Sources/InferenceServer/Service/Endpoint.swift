// SPDX-License-Identifier: MIT

internal import HTTPServer

/// The routes of the service; the raw value is the route's id.
enum Endpoint: Int, CaseIterable {
    case predict, batchPredict, health, live, ready, startup, metrics, modelInfo

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
        }
    }

    /// The table for a server; probes, metrics and the model's description are on both listeners.
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
                        bodyBytesMax: limits.batchBytesMax
                    )
                case .health, .live, .ready, .startup, .metrics, .modelInfo:
                    Route(.get, endpoint.path, id: endpoint.rawValue)
                }
            }
        )
    }
}
