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
        guard unknownKeys.count - first > limit else { return }
        let place = listsProblems ? place(pointer, bytes) : ""
        note(place, "has more than \(limit) fields that the model's schema lacks")
    }

    /// The pointer of the value that is being skipped.
    private func place(_ pointer: RequestPointer, _ bytes: Span<UInt8>) -> String {
        var text = pointer.text()
        for step in path {
            switch step {
            case .key(let key): text += "/\(RequestPointer.escaped(key.string(in: bytes)))"
            case .field(let name): text += "/\(RequestPointer.escaped(name))"
            case .index(let index): text += "/\(index)"
            }
        }
        return text
    }

    /// Skips the value of an unknown key.
    mutating func skipValue(
        of key: JSONText,
        _ bytes: Span<UInt8>,
        _ pointer: RequestPointer
    ) throws(ServiceError) {
        path.append(.key(key))
        defer { path.removeLast() }
        try skipRest(of: try next(bytes), bytes, pointer)
    }

    /// Skips what is left of a known field's value that is of the wrong kind.
    mutating func skipRest(
        of token: JSONToken,
        in field: String,
        _ bytes: Span<UInt8>,
        _ pointer: RequestPointer
    ) throws(ServiceError) {
        path.append(.field(field))
        defer { path.removeLast() }
        try skipRest(of: token, bytes, pointer)
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
                try skipValue(of: key, bytes, pointer)
            }
        case .arrayBegin:
            let place = path.count
            defer { path.removeLast(path.count - place) }
            var index = 0
            while true {
                let leaves = try skipLeaves(bytes)
                if leaves.isEnd { return }
                index += leaves.count
                if path.count == place { path.append(.index(index)) }
                path[place] = .index(index)
                try skipRest(of: try next(bytes), bytes, pointer)
                index += 1
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
        let candidates = unknown.filter(isComparable)
        for sensor in sensors {
            guard listsProblems else { return noteUnlisted() }
            let name = format.fields[sensor].name
            let similar = suggestions.nearest(to: name, among: candidates)
            let hint = similar.map { "; did you mean it by \"\($0)\"?" } ?? ""
            note(pointer.text(name), "the sensor is missing\(hint)")
        }
    }

    /// Notes the fields that the schema does not know: `count` of them, of which the first have
    /// names.
    mutating func noteUnknown(
        _ names: [String],
        count: Int,
        _ seen: SeenKeys,
        _ pointer: RequestPointer
    ) {
        guard listsProblems else { return noteUnlisted() }
        let absent = format.fields.indices.filter { !seen.contains(.sensor($0)) }
            .map { format.fields[$0].name }
        for name in names {
            guard listsProblems else { return noteUnlisted() }
            let similar = suggestions.nearest(to: name, among: isComparable(name) ? absent : [])
            let hint = similar.map { "; did you mean \($0)?" } ?? ""
            note(pointer.text(name), "the model's schema has no such field\(hint)")
        }
        let others = count - names.count
        guard others > 0 else { return }
        note(pointer.text(), "has \(others) other fields that the model's schema lacks")
    }

    /// Whether a name is short enough to be a sensor's that was misspelt: comparisons are counted
    /// by the bytes of sensors' names.
    private func isComparable(_ name: String) -> Bool {
        name.utf8.count <= format.limits.unknownNameBytesMax
    }

    /// The names of the first unknown fields of the object whose unknown keys begin at `first`.
    func unknownNames(after first: Int, _ bytes: Span<UInt8>) -> [String] {
        var names: [String] = []
        for key in unknownKeys[first...].prefix(format.limits.unknownFieldsListedMax) {
            names.append(key.text.string(in: bytes))
        }
        return names
    }
}
