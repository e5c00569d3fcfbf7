// SPDX-License-Identifier: MIT

/// Numbers as people read them.
enum NumberText {
    /// A number with so many decimals, halves away from zero.
    static func fixed(_ value: Double, decimals: Int) -> String {
        let scale = (0..<decimals).reduce(1) { scale, _ in scale * 10 }
        guard abs(value) < 1e15, let scaled = Int(exactly: (abs(value) * Double(scale)).rounded())
        else { return "\(value)" }
        let sign = value < 0 && scaled > 0 ? "-" : ""
        guard decimals > 0 else { return "\(sign)\(scaled)" }
        let digits = "\(scaled % scale)"
        let zeros = String(repeating: "0", count: decimals - digits.count)
        return "\(sign)\(scaled / scale).\(zeros)\(digits)"
    }

    /// A number with about three digits: 0.0123, 1.23, 123, 1.2e-08.
    static func short(_ value: Double) -> String {
        let size = abs(value)
        switch size {
        case 0: return "0"
        case 1000..<1e15: return grouped(fixed(value, decimals: 0))
        case 100..<1000: return trimmed(fixed(value, decimals: 1))
        case 1..<100: return trimmed(fixed(value, decimals: 2))
        case 0.001..<1: return trimmed(fixed(value, decimals: 4))
        case 0..<0.001: return small(value)
        default: return "\(value)"
        }
    }

    /// A mark of an axis whose marks are a step apart: as many decimals as the step has.
    static func mark(_ value: Double, step: Double) -> String {
        guard value != 0 else { return "0" }
        guard step >= 0.0001 else { return short(value) }
        var (decimals, rest) = (0, step)
        while rest < 0.999, decimals < 4 {
            rest *= 10
            decimals += 1
        }
        return fixed(value, decimals: decimals)
    }

    /// A share in per cent.
    static func percent(_ share: Double, decimals: Int = 1) -> String {
        "\(fixed(share * 100, decimals: decimals))\u{A0}%"
    }

    /// A count and its noun, which takes an "s" but for one.
    static func count(_ count: Int, _ noun: String) -> String {
        "\(count) \(noun)\(count == 1 ? "" : "s")"
    }

    /// Digits in groups of three where there are more than four.
    private static func grouped(_ digits: String) -> String {
        guard digits.count > 4 else { return digits }
        var result = ""
        for (index, digit) in digits.enumerated() {
            let rest = digits.count - index
            if rest.isMultiple(of: 3), index > 0, result != "-" { result += "\u{202F}" }
            result.append(digit)
        }
        return result
    }

    private static func trimmed(_ text: String) -> String {
        guard text.contains(".") else { return text }
        var text = text
        while text.last == "0" { text.removeLast() }
        if text.last == "." { text.removeLast() }
        return text
    }

    private static func small(_ value: Double) -> String {
        var (mantissa, exponent) = (abs(value), 0)
        while mantissa < 1, exponent > -400 {
            mantissa *= 10
            exponent -= 1
        }
        return "\(value < 0 ? "-" : "")\(fixed(mantissa, decimals: 1))e\(exponent)"
    }
}
