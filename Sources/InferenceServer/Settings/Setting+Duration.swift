// SPDX-License-Identifier: MIT

extension Setting {
    static func duration(
        _ flag: String,
        _ path: Path<Duration>,
        in range: ClosedRange<Duration>,
        _ reason: String
    ) -> Setting {
        Setting(
            flag: flag,
            accepted: "a time from \(text(of: range.lowerBound)) to \(text(of: range.upperBound))"
                + " such as 30s, 500ms or 5min",
            reason: reason,
            otherVariables: [],
            render: { text(of: $0[keyPath: path]) },
            assign: { settings, text in
                guard let value = duration(of: text), range.contains(value) else { return false }
                settings[keyPath: path] = value
                return true
            }
        )
    }

    static func optionalDuration(
        _ flag: String,
        _ path: Path<Duration?>,
        in range: ClosedRange<Duration>,
        _ reason: String
    ) -> Setting {
        Setting(
            flag: flag,
            accepted: "a time up to \(text(of: range.upperBound)) such as 5min, or none",
            reason: reason,
            otherVariables: [],
            render: { $0[keyPath: path].map(text(of:)) ?? "none" },
            assign: { settings, text in
                let value = duration(of: text)
                guard text == "none" || value.map(range.contains) == true else { return false }
                settings[keyPath: path] = value
                return true
            }
        )
    }

    private static let units: [(suffix: String, microseconds: Int)] = [
        ("h", 3_600_000_000), ("min", 60_000_000), ("ms", 1000), ("us", 1), ("s", 1_000_000),
    ]

    /// A whole number with its unit; without one it counts seconds.
    static func duration(of text: String) -> Duration? {
        for unit in units where text.hasSuffix(unit.suffix) {
            guard let value = plainNumber(String(text.dropLast(unit.suffix.count))),
                value <= 1_000_000_000
            else { return nil }
            return .microseconds(value * unit.microseconds)
        }
        guard let value = plainNumber(text), value <= 1_000_000_000 else { return nil }
        return .seconds(value)
    }

    /// The shortest text that reads as the duration, which is a whole number of microseconds.
    static func text(of duration: Duration) -> String {
        let microseconds = Int(duration / .microseconds(1))
        if microseconds == 0 { return "0s" }
        let fitting = units.filter { microseconds.isMultiple(of: $0.microseconds) }
        guard let unit = fitting.max(by: { $0.microseconds < $1.microseconds }) else {
            return "\(microseconds)us"
        }
        return "\(microseconds / unit.microseconds)\(unit.suffix)"
    }
}
