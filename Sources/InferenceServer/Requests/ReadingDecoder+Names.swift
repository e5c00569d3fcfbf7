// SPDX-License-Identifier: MIT

internal import JSON

extension ReadingDecoder {
    /// Takes in an unknown key of the object whose unknown keys begin at `first`.
    ///
    /// Keys are told apart as written: an escaped spelling of another is a key of its own. What is
    /// past the limit is noted once and no longer compared.
    mutating func insertUnknownKey(
        _ key: Range<Int>,
        _ bytes: Span<UInt8>,
        _ pointer: RequestPointer,
        after first: Int
    ) throws(ServiceError) {
        let limit = format.limits.unknownFieldsMax
        guard unknownKeys.count - first <= limit else { return }
        for index in first..<unknownKeys.count where isSame(key, unknownKeys[index], bytes) {
            throw .malformedJSON(.duplicateKey(offset: key.lowerBound - 1))
        }
        unknownKeys.append(key)
        if unknownKeys.count - first > limit {
            note(pointer.text(), "has more than \(limit) fields that the model's schema lacks")
        }
    }

    /// Forgets the unknown keys of an object that has ended; the memory is kept.
    mutating func forgetUnknownKeys(after first: Int) {
        unknownKeys.removeLast(unknownKeys.count - first)
    }

    private func isSame(_ key: Range<Int>, _ other: Range<Int>, _ bytes: Span<UInt8>) -> Bool {
        guard key.count == other.count else { return false }
        for offset in 0..<key.count
        where bytes[key.lowerBound + offset] != bytes[other.lowerBound + offset] { return false }
        return true
    }

    /// Notes the sensors that a reading lacks and may not lack; `unknown` are the fields that it
    /// has too much.
    mutating func noteAbsent(_ sensors: [Int], _ unknown: [String], _ pointer: RequestPointer) {
        for sensor in sensors {
            let name = format.fields[sensor].name
            let similar = Suggestion.nearest(to: name, among: unknown)
            let hint = similar.map { "; did you mean it by \"\($0)\"?" } ?? ""
            note(pointer.text(name), "the sensor is missing\(hint)")
        }
    }

    /// Notes the fields that the schema does not know.
    mutating func noteUnknown(_ names: [String], _ seen: SeenKeys, _ pointer: RequestPointer) {
        let absent = format.fields.indices.filter { !seen.contains(.sensor($0)) }
        for name in names {
            let similar = Suggestion.nearest(
                to: name,
                among: absent.map { format.fields[$0].name }
            )
            let hint = similar.map { "; did you mean \($0)?" } ?? ""
            note(pointer.text(name), "the model's schema has no such field\(hint)")
        }
    }

    /// The names of unknown fields, as they stand in the decoded span.
    func unknownTexts(
        _ unknown: Range<Int>,
        _ bytes: Span<UInt8>,
        _ rows: borrowing ReadingRows
    ) -> [String] {
        unknown.map { index in
            let range = rows.unknownNames[index]
            return RequestText.string(bytes, range.lowerBound - base..<range.upperBound - base)
        }
    }
}
