// SPDX-License-Identifier: MIT

internal import HTTPServer

/// One setting: its flag, variables, form and reason.
///
/// The table ``all`` is the one place where settings are described; the command line, the
/// environment and docs/configuration.md are made from it.
struct Setting: Sendable {
    typealias Path<Value> = any WritableKeyPath<Settings, Value> & Sendable

    /// The flag without its hyphens.
    let flag: String
    /// What a text has to be, for messages.
    let accepted: String
    /// What the setting does and why its default is what it is.
    let reason: String
    /// Variables beside the one made from the flag, which wins over these; earlier ones win too.
    let otherVariables: [String]
    /// The setting's value as text.
    let render: @Sendable (Settings) -> String
    /// Sets the value of a text; false where the text is not accepted.
    let assign: @Sendable (inout Settings, String) -> Bool

    /// The flag's variable: `PDM_` and the flag in capitals.
    var variable: String {
        "PDM_" + String(flag.uppercased().map { $0 == "-" ? "_" : $0 })
    }

    /// The default as text.
    var defaultText: String { render(Settings()) }

    /// All its variables; earlier ones win.
    var variables: [String] { [variable] + otherVariables }

    /// The setting's line in `--help`.
    var help: String { "\(reason) (\(variable); default: \(defaultText))" }
}

extension Setting {
    static func text(
        _ flag: String,
        _ path: Path<String>,
        or otherVariables: [String] = [],
        _ reason: String
    ) -> Setting {
        Setting(
            flag: flag,
            accepted: "a text of at least one character",
            reason: reason,
            otherVariables: otherVariables,
            render: { $0[keyPath: path] },
            assign: { settings, text in
                settings[keyPath: path] = text
                return !text.isEmpty
            }
        )
    }

    static func address(_ flag: String, _ path: Path<String>, _ reason: String) -> Setting {
        Setting(
            flag: flag,
            accepted: "a numeric IPv4 or IPv6 address, or localhost",
            reason: reason,
            otherVariables: [],
            render: { $0[keyPath: path] },
            assign: { settings, text in
                settings[keyPath: path] = text
                return ListenerConfiguration.isAddress(text)
            }
        )
    }

    static func optionalText(
        _ flag: String,
        _ path: Path<String?>,
        none: String,
        _ reason: String
    ) -> Setting {
        Setting(
            flag: flag,
            accepted: "a text of at least one character",
            reason: reason,
            otherVariables: [],
            render: { $0[keyPath: path] ?? none },
            assign: { settings, text in
                settings[keyPath: path] = text
                return !text.isEmpty
            }
        )
    }

    static func port(
        _ flag: String,
        _ path: Path<UInt16?>,
        or otherVariables: [String] = [],
        _ reason: String
    ) -> Setting {
        Setting(
            flag: flag,
            accepted: "a port from 0 to 65535, or off",
            reason: reason,
            otherVariables: otherVariables,
            render: { $0[keyPath: path].map { "\($0)" } ?? "off" },
            assign: { settings, text in
                settings[keyPath: path] = plainNumber(text).flatMap { UInt16(exactly: $0) }
                return settings[keyPath: path] != nil || text == "off"
            }
        )
    }

    static func collector(
        _ flag: String,
        _ path: Path<CollectorAddress?>,
        _ reason: String
    ) -> Setting {
        Setting(
            flag: flag,
            accepted: "a numeric address and a port such as 127.0.0.1:4318, or none",
            reason: reason,
            otherVariables: [],
            render: { $0[keyPath: path].map { "\($0)" } ?? "none" },
            assign: { settings, text in
                settings[keyPath: path] = CollectorAddress(text)
                return settings[keyPath: path] != nil || text == "none"
            }
        )
    }

    static func count(
        _ flag: String,
        _ path: Path<Int>,
        in range: ClosedRange<Int>,
        _ unit: String,
        _ reason: String
    ) -> Setting {
        Setting(
            flag: flag,
            accepted: "a number of \(unit) from \(range.lowerBound) to \(range.upperBound)",
            reason: reason,
            otherVariables: [],
            render: { "\($0[keyPath: path])" },
            assign: { settings, text in
                guard let value = plainNumber(text), range.contains(value) else { return false }
                settings[keyPath: path] = value
                return true
            }
        )
    }

    /// A number, whole or decimal as its type says, or a word for none.
    static func optionalNumber<Value: Comparable & Sendable & LosslessStringConvertible>(
        _ flag: String,
        _ path: Path<Value?>,
        in range: ClosedRange<Value>,
        none: String,
        _ reason: String
    ) -> Setting {
        Setting(
            flag: flag,
            accepted: "a number from \(range.lowerBound) to \(range.upperBound), or \(none)",
            reason: reason,
            otherVariables: [],
            render: { $0[keyPath: path].map { "\($0)" } ?? none },
            assign: { settings, text in
                // No sign, exponent, or hexadecimal digits.
                let parts = text.split(separator: ".", omittingEmptySubsequences: false)
                let isPlain = parts.allSatisfy { !$0.isEmpty && hasOnlyDigits($0) }
                let value = isPlain ? Value(text) : nil
                guard text == none || value.map(range.contains) == true else { return false }
                settings[keyPath: path] = value
                return true
            }
        )
    }

    static func choice<Value: RawRepresentable<String> & CaseIterable & Sendable>(
        _ flag: String,
        _ path: Path<Value>,
        _ reason: String
    ) -> Setting {
        Setting(
            flag: flag,
            accepted: "one of " + Value.allCases.map(\.rawValue).joined(separator: ", "),
            reason: reason,
            otherVariables: [],
            render: { $0[keyPath: path].rawValue },
            assign: { settings, text in
                guard let value = Value(rawValue: text) else { return false }
                settings[keyPath: path] = value
                return true
            }
        )
    }

    /// Decimal digits and nothing else: no sign, no blank.
    static func plainNumber(_ text: String) -> Int? { hasOnlyDigits(text) ? Int(text) : nil }

    private static func hasOnlyDigits(_ text: some StringProtocol) -> Bool {
        text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }
}
