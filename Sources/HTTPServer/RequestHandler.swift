// SPDX-License-Identifier: MIT

/// What a program does with a request: the one thing that this module asks of its user.
package protocol RequestHandler: AnyObject, Sendable {
    /// Answers one complete request, on the event loop that owns its connection.
    ///
    /// It must take microseconds; longer work calls ``Response/defer()`` and goes elsewhere.
    /// `bytes` holds the request, and every range of `request` points into it; both are gone when
    /// the call returns. `response` comes empty with status 200 and is sent when the call returns.
    ///
    /// - Note: Thread safety: called on several event loops at a time, on each one call at a time;
    ///   scratch memory is kept per ``Request/loopIndex``.
    func respond(to request: borrowing Request, bytes: Span<UInt8>, response: inout Response)

    /// Lets the handler read a request ahead that has come with others, so that it can work on all
    /// at once when the first of them is to be answered.
    ///
    /// It is asked for routes whose ``Route/joinsOthers`` says so. ``respond(to:bytes:response:)``
    /// follows for each request in its turn, before the loop does anything else, and finds what is
    /// returned here in ``Request/joinedIndex``. `isFirst` begins a new group.
    func join(_ request: borrowing Request, bytes: Span<UInt8>, isFirst: Bool) -> Int?

    /// Says who takes the body of a request while it comes, or nil where it is to come whole.
    ///
    /// It is asked for routes whose ``Route/streamsBody`` says so once the head is complete;
    /// `bytes` and `request` hold the head alone.
    func openStream(for request: borrowing Request, bytes: Span<UInt8>) -> (any BodyStream)?
}

extension RequestHandler {
    /// Nil: every request is read when it is answered.
    package func join(
        _ request: borrowing Request,
        bytes: Span<UInt8>,
        isFirst: Bool
    ) -> Int? { nil }

    /// Nil: every body is taken whole.
    package func openStream(
        for request: borrowing Request,
        bytes: Span<UInt8>
    ) -> (any BodyStream)? { nil }
}
