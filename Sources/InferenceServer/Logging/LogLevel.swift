// SPDX-License-Identifier: MIT

/// How much a log line matters.
enum LogLevel: String, Sendable, CaseIterable, Comparable {
    case debug, info, warning, error

    private var rank: Int {
        switch self {
        case .debug: 0
        case .info: 1
        case .warning: 2
        case .error: 3
        }
    }

    static func < (left: LogLevel, right: LogLevel) -> Bool { left.rank < right.rank }
}

/// How a log line looks.
enum LogFormat: String, Sendable, CaseIterable {
    /// One JSON object per line.
    case json
    /// `time LEVEL event name=value`, for eyes.
    case text
}

/// The value of a log line's field.
enum LogValue: Sendable, Equatable, ExpressibleByStringLiteral, ExpressibleByStringInterpolation,
    ExpressibleByIntegerLiteral
{
    case string(String)
    case integer(Int)
    case number(Double)
    case bool(Bool)

    init(stringLiteral value: String) { self = .string(value) }

    init(integerLiteral value: Int) { self = .integer(value) }
}
