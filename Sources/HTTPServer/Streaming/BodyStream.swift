// SPDX-License-Identifier: MIT

/// What a ``BodyStream`` is told.
package enum StreamEvent: Sendable, Equatable {
    /// The next part of the body; more may follow.
    case piece
    /// The last part of the body, which may be empty.
    case last
    /// The rest of the body does not come, for the reason that an answer of that status would give.
    case failed(status: Int, detail: String)
}

/// Takes the body of one request piece by piece and answers while it comes.
package protocol BodyStream: AnyObject, Sendable {
    /// Answers the next part of the body, on the event loop that owns the connection.
    ///
    /// `response` comes empty. What its body holds on return goes out; then the next event comes,
    /// and until then no more of the request is read than fits a buffer. Status and fields count in
    /// the first response that has a body or is the last. ``Response/endsStream`` makes it the
    /// last; so do the events `last` and `failed`, after which there are no others. A connection
    /// that goes away ends the events without a word.
    ///
    /// `bytes` are gone when the call returns. It must take microseconds; longer work calls
    /// ``Response/defer()`` and goes elsewhere.
    ///
    /// - Note: Thread safety: one call at a time, the next one after the last was answered.
    func receive(_ bytes: Span<UInt8>, _ event: StreamEvent, response: inout Response)

    /// When the next part has to come at the latest, on the server's monotonic clock, where that is
    /// sooner than the server lets any take; asked when nothing but the client is waited for.
    ///
    /// Once it is over the stream is told `failed`, even if it has answered nothing yet.
    func pieceDeadline(at now: Int64) -> Int64?

    /// What it has of memory that all such streams have in common, as an ``AnswerReservation``;
    /// asked when nothing but the client is waited for.
    var held: HeldBytes? { get }
}

extension BodyStream {
    /// Nil: it may take as long as any.
    package func pieceDeadline(at now: Int64) -> Int64? { nil }

    /// Nothing.
    package var held: HeldBytes? { nil }
}
