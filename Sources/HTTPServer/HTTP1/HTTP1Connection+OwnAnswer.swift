// SPDX-License-Identifier: MIT

extension HTTP1Connection {
    /// An answer that the server gave without a handler.
    struct OwnAnswer: Equatable {
        let status: Int
        /// Why the request was refused; nil where it was not.
        let refusal: Refusal?
        /// The route that it was for, by its index in the table; nil for none.
        let routeIndex: Int?
    }

    /// Why the server itself refused a request.
    enum Refusal: Equatable {
        /// A rule of the protocol was broken.
        case rule
        /// A limit was passed.
        case limit
    }
}
