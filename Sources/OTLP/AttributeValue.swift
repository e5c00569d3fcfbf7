// SPDX-License-Identifier: MIT

/// A named value of a span or an event.
package typealias Attribute = (name: String, value: AttributeValue)

/// What an attribute may be: the scalars of OTLP's `AnyValue`.
package enum AttributeValue: Sendable, Equatable, ExpressibleByStringLiteral {
    case string(String)
    case integer(Int)
    case number(Double)
    case bool(Bool)

    /// A text.
    package init(stringLiteral value: String) { self = .string(value) }
}
