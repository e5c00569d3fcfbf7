// SPDX-License-Identifier: MIT

/// The pieces of Prometheus' text format 0.0.4, which OpenMetrics shares.
enum TextFormat {
    /// A label value is cut here, so that nothing from outside makes a page of any size.
    static let labelByteCountMax = 128

    /// Whether the text is a metric name: `[a-zA-Z_:][a-zA-Z0-9_:]*`.
    static func isMetricName(_ text: String) -> Bool {
        isName(text.utf8) { $0 == UInt8(ascii: ":") }
    }

    /// Whether the text is a label name that users may take: `[a-zA-Z_][a-zA-Z0-9_]*`, not `__`.
    static func isLabelName(_ text: String) -> Bool {
        !text.hasPrefix("__") && isName(text.utf8) { _ in false }
    }

    private static func isName(_ text: String.UTF8View, _ allows: (UInt8) -> Bool) -> Bool {
        guard let first = text.first, !isDigit(first) else { return false }
        return text.allSatisfy { byte in
            isDigit(byte) || isLetter(byte) || byte == UInt8(ascii: "_") || allows(byte)
        }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

    private static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- UInt8(ascii: "a") < 26 }

    /// Labels as they stand between the braces; empty where there are none.
    static func labels(_ names: [String], _ values: [String]) -> [UInt8] {
        precondition(names.count == values.count, "one value per label")
        var output: [UInt8] = []
        for (name, value) in zip(names, values) {
            if !output.isEmpty { output.append(UInt8(ascii: ",")) }
            output.append(contentsOf: "\(name)=\"".utf8)
            appendEscaped(prefix(of: value), to: &output, quotes: true)
            output.append(UInt8(ascii: "\""))
        }
        return output
    }

    /// As many whole scalars as fit the limit of bytes.
    static func prefix(of value: String) -> String {
        guard value.utf8.count > labelByteCountMax else { return value }
        var cut = String.UnicodeScalarView()
        var byteCount = 0
        for scalar in value.unicodeScalars {
            byteCount += UTF8.width(scalar)
            if byteCount > labelByteCountMax { break }
            cut.append(scalar)
        }
        return String(cut)
    }

    /// The two lines that stand before the samples of a metric.
    static func header(
        _ name: String,
        _ help: String,
        _ kind: String,
        escapesQuotes: Bool
    ) -> [UInt8] {
        var output = Array("# HELP \(name) ".utf8)
        appendEscaped(help, to: &output, quotes: escapesQuotes)
        output.append(contentsOf: "\n# TYPE \(name) \(kind)\n".utf8)
        return output
    }

    // Exposition format 0.0.4: backslash and line feed are escaped, in label values quotes too;
    // OpenMetrics escapes quotes everywhere.
    static func appendEscaped(_ text: String, to output: inout [UInt8], quotes: Bool) {
        let isPlain = text.utf8.allSatisfy { byte in
            byte != UInt8(ascii: "\\") && byte != UInt8(ascii: "\n") && byte != UInt8(ascii: "\"")
        }
        if isPlain { return output.append(contentsOf: text.utf8) }
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\\"): output.append(contentsOf: "\\\\".utf8)
            case UInt8(ascii: "\n"): output.append(contentsOf: "\\n".utf8)
            case UInt8(ascii: "\"") where quotes: output.append(contentsOf: "\\\"".utf8)
            default: output.append(byte)
            }
        }
    }

    /// A sample's name and labels, and the space before its value.
    static func series(_ name: [UInt8], _ labels: [UInt8]) -> [UInt8] {
        var output = name
        if !labels.isEmpty {
            output.append(UInt8(ascii: "{"))
            output.append(contentsOf: labels)
            output.append(UInt8(ascii: "}"))
        }
        output.append(UInt8(ascii: " "))
        return output
    }

    /// Appends a sample's value and ends its line.
    static func appendValue(_ value: Double, to output: inout [UInt8]) {
        if let integer = Int64(exactly: value), value.sign == .plus, integer < 1 << 53 {
            appendValue(UInt64(integer), to: &output)
            return
        }
        output.append(contentsOf: spelling(of: value).utf8)
        output.append(UInt8(ascii: "\n"))
    }

    /// Appends a sample's value and ends its line.
    static func appendValue(_ value: UInt64, to output: inout [UInt8]) {
        var digits = InlineArray<20, UInt8>(repeating: 0)
        var start = 20
        var rest = value
        repeat {
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            start -= 1
            digits[start] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: digit)
            rest = quotient
        } while rest != 0
        for index in start..<20 { output.append(digits[index]) }
        output.append(UInt8(ascii: "\n"))
    }

    /// A number as the format spells it: as Go's ParseFloat reads it, with NaN, +Inf and -Inf.
    static func spelling(of value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        let text = value.description
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }

    /// A bucket's bound: `1.0` for a whole number, as OpenMetrics asks for, in both formats, so
    /// that a series keeps its name whatever the scraper asks for.
    static func boundSpelling(of value: Double) -> String {
        let text = spelling(of: value)
        return text.utf8.allSatisfy { $0 != UInt8(ascii: ".") && $0 | 0x20 < UInt8(ascii: "a") }
            ? text + ".0" : text
    }
}
