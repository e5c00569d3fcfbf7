// SPDX-License-Identifier: MIT

internal import HTTPServer
internal import JSON

/// Writes errors as RFC 9457 problem documents.
enum ProblemDocument {
    private static let retryAfter: FieldName = "Retry-After"

    /// Turns the response into the error's answer; header fields that it holds already stay.
    static func write(
        _ error: ServiceError,
        instance: String,
        requestID: String,
        retryAfterSeconds: Int,
        to response: inout Response
    ) {
        response.status = error.status
        response.contentType = .problem
        if error.isTemporary { response.addField(retryAfter, "\(retryAfterSeconds)") }
        response.body.removeAll(keepingCapacity: true)
        var writer = JSONWriter(appendingTo: [])
        writer.beginObject()
        writeMembers(error, to: &writer)
        writer.key("instance")
        writer.string(instance)
        writer.key("request_id")
        writer.string(requestID)
        writer.endObject()
        response.body.append(contentsOf: writer.finish())
        response.body.append(UInt8(ascii: "\n"))
    }

    /// The error as one object in place of a prediction: `{"error":{...}}`.
    ///
    /// `index` is told where it is given: the place among the lines of a streamed answer, from 0.
    static func inPlace(_ error: ServiceError, index: Int? = nil) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("error")
        writer.beginObject()
        if let index {
            writer.key("index")
            writer.integer(index)
        }
        writeMembers(error, to: &writer)
        writer.endObject()
        writer.endObject()
        return writer.finish()
    }

    private static func writeMembers(_ error: ServiceError, to writer: inout JSONWriter) {
        writer.key("title")
        writer.string(error.title)
        writer.key("status")
        writer.integer(error.status)
        writer.key("detail")
        writer.string(error.detail)
        if case .misdirected(_, let owner, _) = error {
            writer.key("owner")
            writer.string("\(owner)")
        }
        guard !error.problems.isEmpty else { return }
        writer.key("errors")
        writer.beginArray()
        for problem in error.problems {
            writer.beginObject()
            writer.key("pointer")
            writer.string(problem.pointer)
            writer.key("detail")
            writer.string(problem.detail)
            writer.endObject()
        }
        writer.endArray()
    }
}
