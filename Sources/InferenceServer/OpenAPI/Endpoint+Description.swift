// SPDX-License-Identifier: MIT

extension Endpoint {
    /// What the API's description says of a route.
    struct Description {
        let summary: String
        let tag: String
        /// Statuses of problems beyond those that any request may come to.
        let problems: [Int]

        init(_ summary: String, _ tag: String, problems: [Int] = []) {
            self.summary = summary
            self.tag = tag
            self.problems = problems
        }
    }

    /// The route in words.
    var description: Description {
        switch self {
        case .predict:
            Description(
                "Predicts from one reading",
                "predictions",
                problems: [411, 412, 415, 421, 422, 501]
            )
        case .batchPredict:
            Description(
                "Predicts from many readings",
                "predictions",
                problems: [411, 412, 415, 421, 422]
            )
        case .health: Description("Tells whether predictions can be had", "probes")
        case .live: Description("Tells that the process works", "probes")
        case .ready: Description("Tells whether requests are wanted", "probes")
        case .startup: Description("Tells whether the first look for a model is over", "probes")
        case .metrics: Description("Metrics for Prometheus", "probes")
        case .modelInfo: Description("The model in service", "model")
        case .drift:
            Description("How readings differ from the training rows", "model", problems: [404])
        case .openAPI: Description("This description", "model")
        case .machine:
            Description("What is kept of a machine", "machines", problems: [404, 421])
        case .maintenance:
            Description(
                "Lets a machine's windows begin anew",
                "machines",
                problems: [404, 412, 415, 421, 422]
            )
        case .forget: Description("Forgets a machine", "machines", problems: [404, 412, 421])
        case .feedback:
            Description(
                "Takes what became of machines",
                "machines",
                problems: [400, 411, 412, 413, 415, 421, 422, 501]
            )
        }
    }
}

/// Statuses in words, for descriptions.
enum StatusText {
    static func text(of status: Int) -> String {
        switch status {
        case 400: "The request or its JSON is malformed."
        case 404: "Nothing is known of the machine, or there is nothing to compare with."
        case 408: "The request took too long to arrive."
        case 411: "The body's length is not told."
        case 412: "An `If-Match` with a tag, or `If-None-Match: *`: nothing here has a tag."
        case 413: "The body, or the number of readings in it, is over the limit."
        case 414: "The path and query are over the limit."
        case 415: "The body is neither JSON nor, for a batch, NDJSON."
        case 421: "The machine belongs to another shard, which `owner` names."
        case 422: "Well-formed JSON of wrong content."
        case 431: "The head is over the limit."
        case 501: "What it needs is not there: background records, or a decision log."
        default: "No model, too much to do, or too late; see Retry-After."
        }
    }
}
