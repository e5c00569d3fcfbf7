// SPDX-License-Identifier: MIT

internal import Features
internal import HTTPServer
internal import JSON

/// Why a request was not answered as asked.
enum ServiceError: Error, Sendable, Equatable {
    /// There is no body.
    case emptyBody
    /// The body is not JSON.
    case malformedJSON(JSONError)
    /// The Content-Type is neither JSON nor NDJSON.
    case unsupportedMediaType
    /// The body is JSON but not what the schema asks for.
    ///
    /// `isCut` says that more is wrong than the list has.
    case invalidContent([FieldProblem], isCut: Bool = false)
    /// The same of a reading of a batch whose answer lists no more.
    case unlistedContent
    /// A query parameter has a value that it does not take.
    case invalidQuery(name: String, accepted: String)
    /// A line of a streamed batch is longer than one may be.
    case lineTooLong(limit: Int)
    /// There are more bytes of blank lines than one line may have, and readings have earned.
    case blankLines(limit: Int)
    /// A line of a streamed batch that takes memory, with more bytes than are free, took too long.
    case slowLine(byteCount: Int, limit: Duration)
    /// The rest of a streamed batch did not come.
    case interrupted(status: Int, detail: String)
    /// More rows than a request may hold.
    case tooManyRows(limit: Int)
    /// As many machines as may be kept are kept, and none has been idle long enough.
    case stateFull(limit: Int)
    /// Too many bytes of batches and large readings are being worked on.
    case busy
    /// Batches and large readings have waited too long for too long.
    case overloaded
    /// Too many explanations are being worked on.
    case tooManyExplanations
    /// The model's bundle holds nothing to explain by.
    case notExplainable
    /// No bundle has been verified yet.
    case noModel
    /// Readings are compared with no reference: that is off, or the model's bundle has none.
    case noReference(isOff: Bool)
    /// The model's answer to the reading is no finite number.
    case noFiniteAnswer
    /// Nothing is known of the machine that the path names.
    case unknownMachine
    /// The machine belongs to another server; the pointer is empty where the path names it.
    case misdirected(pointer: String, owner: FleetShard, shard: FleetShard)
    /// The server keeps no decision log, so it has no place for events.
    case noDecisionLog
    /// The events could not be written to the disk, or no more may be.
    case feedbackNotKept
    /// The path holds an escape that is none, or no UTF-8.
    case malformedPath
    /// What is asked for is to be done on the condition of an entity tag, or of being the first.
    case preconditionFailed

    /// The HTTP status; the one place where errors become one.
    var status: Int {
        switch self {
        case .emptyBody, .malformedJSON, .invalidQuery, .malformedPath: 400
        case .unknownMachine, .noReference: 404
        case .slowLine: 408
        case .preconditionFailed: 412
        case .tooManyRows, .lineTooLong, .blankLines: 413
        case .interrupted(let status, _): status
        case .unsupportedMediaType: 415
        case .misdirected: 421
        case .invalidContent, .unlistedContent: 422
        case .notExplainable, .noDecisionLog: 501
        case .stateFull, .busy, .overloaded, .tooManyExplanations, .noModel, .feedbackNotKept,
            .noFiniteAnswer:
            503
        }
    }

    /// The status in words (RFC 9110 §15).
    var title: String { StatusLine.reason(of: status) }

    /// A word for the log, which holds nothing that the client sent.
    var reason: String {
        switch self {
        case .emptyBody: "empty_body"
        case .malformedJSON: "malformed_json"
        case .unsupportedMediaType: "unsupported_media_type"
        case .invalidContent, .unlistedContent: "invalid_content"
        case .invalidQuery: "invalid_query"
        case .lineTooLong: "line_too_long"
        case .blankLines: "blank_lines"
        case .slowLine: "slow_line"
        case .interrupted: "interrupted"
        case .tooManyRows: "too_many_rows"
        case .stateFull: "state_full"
        case .busy: "busy"
        case .overloaded: "overloaded"
        case .noModel: "no_model"
        case .noReference: "no_reference"
        case .noFiniteAnswer: "no_finite_answer"
        case .notExplainable: "not_explainable"
        case .tooManyExplanations: "too_many_explanations"
        case .unknownMachine: "unknown_machine"
        case .misdirected: "misdirected"
        case .noDecisionLog: "no_decision_log"
        case .feedbackNotKept: "feedback_not_kept"
        case .malformedPath: "malformed_path"
        case .preconditionFailed: "precondition_failed"
        }
    }

    /// Whether the same request may succeed a little later.
    var isTemporary: Bool { status == 503 }

    /// What went wrong, for the client.
    var detail: String {
        switch self {
        case .emptyBody: "The request has no body; a JSON document is needed."
        case .malformedJSON(let error):
            error.isLimit
                ? "The body is over a limit: \(error)." : "The body is not valid JSON: \(error)."
        case .unsupportedMediaType:
            "The Content-Type has to be application/json, or application/x-ndjson for batches."
        case .invalidContent(let problems, let isCut): summary(problems, isCut: isCut)
        // Short: a batch of three bytes a reading has 10,000 of them.
        case .unlistedContent: "The reading does not fit."
        case .invalidQuery(let name, let accepted):
            "The query parameter \(name) takes \(accepted)."
        case .lineTooLong(let limit): "The line is longer than \(limit) bytes."
        case .blankLines(let limit): "There are more than \(limit) bytes of blank lines."
        case .slowLine(let byteCount, let limit):
            "The line took too long: one of more than \(byteCount) bytes has to end within"
                + " \(Setting.text(of: limit))."
        case .interrupted(_, let detail): detail
        case .tooManyRows(let limit): "The request holds more than \(limit) rows."
        case .stateFull(let limit):
            "The windows of \(limit) machines are kept and no more fit; try again later."
        case .busy:
            "Too many batches and large readings are being worked on; try again later."
        case .overloaded:
            "Batches and large readings wait too long at the server; try again after the time in"
                + " Retry-After."
        case .tooManyExplanations: "Too many explanations are being worked on; try again later."
        case .notExplainable:
            "The model's bundle has no background records, so it explains nothing; train it again."
        case .noModel: "No verified model is loaded."
        case .noReference(let isOff):
            isOff
                ? "Readings are not compared with the training rows: --drift is off."
                : "The model's bundle has no reference for live drift; train it again."
        case .noFiniteAnswer:
            "The model in service has no answer to this reading; it was taken in."
        case .unknownMachine: "No windows are kept for this machine."
        case .misdirected(let pointer, let owner, let shard):
            "\(pointer.isEmpty ? "" : "\(pointer): ")The machine belongs to shard"
                + " \(owner); this is \(shard)."
        case .noDecisionLog: "Events are kept where the server runs with --decision-log."
        case .feedbackNotKept: "The events were not kept: the disk, or what may be kept, is full."
        case .malformedPath: "The path is not percent-encoded UTF-8."
        case .preconditionFailed:
            "What is here has no entity tag: If-Match holds for * alone, If-None-Match not for *."
        }
    }

    /// The only problem, or how many there are.
    private func summary(_ problems: [FieldProblem], isCut: Bool) -> String {
        let count = problems.count
        if isCut {
            let fields = count == 1 ? "field does" : "fields do"
            return "More than \(count) \(fields) not fit; errors lists the first \(count)."
        }
        guard count == 1 else { return "\(count) fields do not fit; see errors." }
        return "\(place(problems[0])): \(sentence(problems[0].detail))"
    }

    /// The text with a full stop, unless it is a question.
    private func sentence(_ text: String) -> String {
        text.hasSuffix("?") ? text : text + "."
    }

    private func place(_ problem: FieldProblem) -> String {
        problem.pointer.isEmpty ? "The body" : problem.pointer
    }

    /// What is wrong where, for `errors`.
    var problems: [FieldProblem] {
        if case .invalidContent(let problems, _) = self { problems } else { [] }
    }
}
