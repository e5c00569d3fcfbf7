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
            otherVariable: nil,
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
            otherVariable: nil,
            render: { $0[keyPath: path].map(text(of:)) ?? "none" },
            assign: { settings, text in
                let value = duration(of: text)
                guard text == "none" || value.map(range.contains) == true else { return false }
                settings[keyPath: path] = value
                return true
            }
        )
    }

    private static let units: [(suffix: String, milliseconds: Int)] = [
        ("h", 3_600_000), ("min", 60_000), ("ms", 1), ("s", 1000),
    ]

    /// A whole number with its unit; without one it counts seconds.
    static func duration(of text: String) -> Duration? {
        for unit in units where text.hasSuffix(unit.suffix) {
            guard let value = plainNumber(String(text.dropLast(unit.suffix.count))),
                value <= 1_000_000_000
            else { return nil }
            return .milliseconds(value * unit.milliseconds)
        }
        guard let value = plainNumber(text), value <= 1_000_000_000 else { return nil }
        return .seconds(value)
    }

    /// The shortest text that reads as the duration, which is a whole number of milliseconds.
    static func text(of duration: Duration) -> String {
        let milliseconds =
            duration.components.seconds * 1000
            + duration.components.attoseconds / 1_000_000_000_000_000
        if milliseconds == 0 { return "0s" }
        for unit in units where unit.suffix != "ms" {
            let (quotient, rest) = milliseconds.quotientAndRemainder(
                dividingBy: Int64(unit.milliseconds)
            )
            if rest == 0 { return "\(quotient)\(unit.suffix)" }
        }
        return "\(milliseconds)ms"
    }
}
