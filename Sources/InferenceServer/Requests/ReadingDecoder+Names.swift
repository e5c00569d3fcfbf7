// SPDX-License-Identifier: MIT

internal import JSON

extension ReadingDecoder {
    /// Takes in an unknown key of the object whose unknown keys begin at `first`.
    ///
    /// What is past the limit is noted once and no longer compared, which bounds the comparisons.
    mutating func insertUnknownKey(
        _ key: JSONText,
        _ bytes: Span<UInt8>,
        _ pointer: RequestPointer,
        after first: Int
    ) throws(ServiceError) {
        let limit = format.limits.unknownFieldsMax
        guard unknownKeys.count - first <= limit else { return }
        let fingerprint = key.fingerprint(in: bytes)
        for other in unknownKeys[first...] where other.fingerprint == fingerprint {
            guard key.equals(other.text, in: bytes) else { continue }
            throw .malformedJSON(.duplicateKey(offset: key.range.lowerBound - 1))
        }
        unknownKeys.append(UnknownKey(text: key, fingerprint: fingerprint))
        if unknownKeys.count - first > limit {
            note(pointer.text(), "has more than \(limit) fields that the model's schema lacks")
        }
    }

    /// Skips the value that comes next.
    mutating func skipValue(
        _ bytes: Span<UInt8>,
        _ pointer: RequestPointer
    ) throws(ServiceError) {
        try skipRest(of: try next(bytes), bytes, pointer)
    }

    /// Skips what is left of the value that began with the token; no key of its objects may come
    /// twice.
    mutating func skipRest(
        of token: JSONToken,
        _ bytes: Span<UInt8>,
        _ pointer: RequestPointer
    ) throws(ServiceError) {
        switch token {
        case .objectBegin:
            let first = unknownKeys.count
            defer { forgetUnknownKeys(after: first) }
            while case .key(let key) = try next(bytes) {
                try insertUnknownKey(key, bytes, pointer, after: first)
                try skipValue(bytes, pointer)
            }
        case .arrayBegin:
            while true {
                let element = try next(bytes)
                if case .arrayEnd = element { return }
                try skipRest(of: element, bytes, pointer)
            }
        case .objectEnd, .arrayEnd, .key, .string, .number, .bool, .null, .end: return
        }
    }

    /// Forgets the unknown keys of an object that has ended; the memory is kept.
    mutating func forgetUnknownKeys(after first: Int) {
        unknownKeys.removeLast(unknownKeys.count - first)
    }

    /// Notes the sensors that a reading lacks and may not lack; `unknown` are the fields that it
    /// has too much.
    mutating func noteAbsent(_ sensors: [Int], _ unknown: [String], _ pointer: RequestPointer) {
        for sensor in sensors {
            guard listsProblems else { return }
            let name = format.fields[sensor].name
            let similar = suggestions.nearest(to: name, among: unknown)
            let hint = similar.map { "; did you mean it by \"\($0)\"?" } ?? ""
            note(pointer.text(name), "the sensor is missing\(hint)")
        }
    }

    /// Notes the fields that the schema does not know: `count` of them, of which the first and
    /// short ones have names.
    mutating func noteUnknown(
        _ names: [String],
        count: Int,
        _ seen: SeenKeys,
        _ pointer: RequestPointer
    ) {
        guard listsProblems else { return }
        let absent = format.fields.indices.filter { !seen.contains(.sensor($0)) }
            .map { format.fields[$0].name }
        for name in names {
            guard listsProblems else { return }
            let similar = suggestions.nearest(to: name, among: absent)
            let hint = similar.map { "; did you mean \($0)?" } ?? ""
            note(pointer.text(name), "the model's schema has no such field\(hint)")
        }
        let others = count - names.count
        guard others > 0 else { return }
        note(pointer.text(), "has \(others) other fields that the model's schema lacks")
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
