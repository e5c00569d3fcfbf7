// SPDX-License-Identifier: MIT

/// One thing that is wrong with a request's content, and where.
struct FieldProblem: Sendable, Equatable {
    /// The place as a JSON pointer (RFC 6901); empty for the whole body.
    let pointer: String
    /// What is wrong there.
    let detail: String
}
