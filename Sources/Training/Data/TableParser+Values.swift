// SPDX-License-Identifier: MIT

internal import Features
internal import JSON

// What becomes of a field's content, by the kind of its column.
extension TableParser {
    /// Turns the content of a field into a value and appends it to its column.
    mutating func store(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>,
        column: Int,
        plan: ColumnPlan
    ) throws(TableError) {
        switch plan {
        case .skip: return
        case .number(let slot):
            columns.numbers[slot].append(try number(bytes, range, column: column))
        case .text(let slot):
            columns.texts[slot].append(try string(bytes, range, column: column))
        case .category(let slot):
            try checkLength(range, column: column)
            let known = columns.encoders[slot].count
            columns.codes[slot].append(columns.encoders[slot].code(of: bytes, range))
            guard columns.encoders[slot].count > known else { return }
            _ = try string(bytes, range, column: column)
            guard known < limits.categoryCountMax else {
                throw .tooMany("categories", place(column), limit: limits.categoryCountMax)
            }
        case .timestamp(let slot, let form):
            columns.timestamps[slot].append(try timestamp(bytes, range, form, column: column))
        }
    }

    /// The text of a header field.
    func string(
        _ bytes: Span<UInt8>,
        _ field: Field,
        column: Int
    ) throws(TableError) -> String {
        guard field.hasDoubledQuotes else {
            return try string(bytes, field.content, column: column)
        }
        let plain = Self.withoutDoubledQuotes(bytes, field.content)
        return try string(plain.span, 0..<plain.count, column: column)
    }

    private func string(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>,
        column: Int
    ) throws(TableError) -> String {
        try checkLength(range, column: column)
        guard let text = String(validating: Self.copy(bytes, range), as: UTF8.self) else {
            throw .notUTF8(place(column))
        }
        if text.utf8.contains(0) { throw .zeroByte(place(column)) }
        return text
    }

    private func number(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>,
        column: Int
    ) throws(TableError) -> Double {
        let trimmed = Self.trimmed(bytes, range)
        if Self.isMissing(bytes, trimmed) { return .nan }
        if let value = JSONNumber.parse(bytes, trimmed), value.isFinite { return value }
        throw invalid(bytes, range, column: column, expected: "a number")
    }

    private func timestamp(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>,
        _ form: TimestampForm,
        column: Int
    ) throws(TableError) -> Int64 {
        let trimmed = Self.trimmed(bytes, range)
        switch form {
        case .text(let offset):
            if let time = Timestamp.parse(bytes, trimmed, naiveOffsetMinutes: offset) {
                return time
            }
            throw invalid(bytes, range, column: column, expected: "a timestamp")
        case .seconds:
            if let time = Timestamp.parseSeconds(bytes, trimmed) { return time }
            throw invalid(bytes, range, column: column, expected: "a number of seconds")
        case .hours:
            if let value = JSONNumber.parse(bytes, trimmed),
                let time = Timestamp.microseconds(ofSeconds: value * 3600)
            {
                return time
            }
            throw invalid(bytes, range, column: column, expected: "a number of hours")
        }
    }

    private func checkLength(_ range: Range<Int>, column: Int) throws(TableError) {
        guard range.count <= limits.fieldByteCountMax else {
            throw .tooMany("bytes in a field", place(column), limit: limits.fieldByteCountMax)
        }
    }

    private func invalid(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>,
        column: Int,
        expected: String
    ) -> TableError {
        // Four bytes per character at most: enough for the shortened text.
        let start = range.lowerBound
        let copied = Self.copy(bytes, start..<min(range.upperBound, start + 200))
        let text = String(decoding: copied, as: UTF8.self)
        let found = text.isEmpty ? "nothing" : "\"\(Self.shortened(text, to: 40))\""
        return .invalid(place(column), expected: expected, found: found)
    }
}

// MARK: - Bytes

extension TableParser {
    /// A text cut to a number of characters, control characters replaced.
    static func shortened(_ text: String, to count: Int) -> String {
        var result = ""
        for scalar in text.unicodeScalars.prefix(count) {
            result.unicodeScalars.append(scalar.value < 0x20 || scalar.value == 0x7F ? "?" : scalar)
        }
        return text.unicodeScalars.count > count ? result + "..." : result
    }

    /// The content of a quoted field with each doubled quote made one.
    static func withoutDoubledQuotes(_ bytes: Span<UInt8>, _ range: Range<Int>) -> [UInt8] {
        var plain: [UInt8] = []
        plain.reserveCapacity(range.count)
        var position = range.lowerBound
        while position < range.upperBound {
            plain.append(bytes[position])
            position += bytes[position] == quote ? 2 : 1
        }
        return plain
    }

    private static func copy(_ bytes: Span<UInt8>, _ range: Range<Int>) -> [UInt8] {
        var copied: [UInt8] = []
        copied.reserveCapacity(range.count)
        for index in range { copied.append(bytes[index]) }
        return copied
    }

    private static func trimmed(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Range<Int> {
        var start = range.lowerBound
        var end = range.upperBound
        while start < end, isBlank(bytes[start]) { start += 1 }
        while end > start, isBlank(bytes[end - 1]) { end -= 1 }
        return start..<end
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
    }

    /// Whether a field says that there is no value: nothing, `NA`, `NaN`, `nan` or `null`.
    private static func isMissing(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        let start = range.lowerBound
        switch range.count {
        case 0: return true
        case 2: return bytes[start] == 0x4E && bytes[start + 1] == 0x41
        case 3:
            let isCapital = bytes[start] == 0x4E && bytes[start + 2] == 0x4E
            let isSmall = bytes[start] == 0x6E && bytes[start + 2] == 0x6E
            return bytes[start + 1] == 0x61 && (isCapital || isSmall)
        case 4:
            return bytes[start] == 0x6E && bytes[start + 1] == 0x75 && bytes[start + 2] == 0x6C
                && bytes[start + 3] == 0x6C
        default: return false
        }
    }
}
