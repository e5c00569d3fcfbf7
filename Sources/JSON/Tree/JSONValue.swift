// SPDX-License-Identifier: MIT

/// A JSON value in memory, for files that are read once: manifests, schemas, reports.
package enum JSONValue: Equatable, Sendable {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)

    /// The number; null where JSON has no spelling for it, since it is not finite.
    package static func finite(_ value: Double) -> JSONValue {
        value.isFinite ? .number(value) : .null
    }

    /// Reads one JSON text; duplicate keys and numbers beyond a double's range are refused.
    ///
    /// - Throws: ``JSONError`` with the offset.
    package static func parse(
        _ bytes: Span<UInt8>,
        limits: JSONLimits = JSONLimits()
    ) throws(JSONError) -> JSONValue {
        var reader = JSONReader(limits: limits)
        let value = try next(&reader, bytes)
        _ = try reader.next(bytes)  // the end, or it throws
        return value
    }

    /// Reads the value that comes next in a text, of which a reader has read what is before.
    ///
    /// - Throws: ``JSONError`` with the offset.
    package static func next(
        _ reader: inout JSONReader,
        _ bytes: Span<UInt8>
    ) throws(JSONError) -> JSONValue {
        try read(try reader.next(bytes), &reader, bytes)
    }

    /// Reads one JSON text, as ``parse(_:limits:)``.
    package static func parse(
        _ bytes: [UInt8],
        limits: JSONLimits = JSONLimits()
    ) throws(JSONError) -> JSONValue {
        try parse(bytes.span, limits: limits)
    }

    // Recursion is bounded by the reader's depth limit.
    private static func read(
        _ token: JSONToken,
        _ reader: inout JSONReader,
        _ bytes: Span<UInt8>
    ) throws(JSONError) -> JSONValue {
        switch token {
        case .null: return .null
        case .bool(let value): return .bool(value)
        case .string(let text): return .string(text.string(in: bytes))
        case .number(let range):
            guard let value = JSONNumber.parse(bytes, range), value.isFinite else {
                throw .numberOutOfRange(offset: range.lowerBound)
            }
            return .number(value)
        case .arrayBegin: return .array(try readArray(&reader, bytes))
        case .objectBegin: return .object(try readObject(&reader, bytes))
        case .objectEnd, .arrayEnd, .key, .end:
            preconditionFailure("the reader gives a value where one is due")
        }
    }

    private static func readArray(
        _ reader: inout JSONReader,
        _ bytes: Span<UInt8>
    ) throws(JSONError) -> [JSONValue] {
        var elements: [JSONValue] = []
        while true {
            let token = try reader.next(bytes)
            if token == .arrayEnd { return elements }
            elements.append(try read(token, &reader, bytes))
        }
    }

    private static func readObject(
        _ reader: inout JSONReader,
        _ bytes: Span<UInt8>
    ) throws(JSONError) -> JSONObject {
        var object = JSONObject()
        while case .key(let text) = try reader.next(bytes) {
            let value = try read(try reader.next(bytes), &reader, bytes)
            guard object.insert(text.string(in: bytes), value) else {
                throw .duplicateKey(offset: text.range.lowerBound - 1)
            }
        }
        return object
    }

    /// The value as JSON text; `isPretty` indents by two spaces and ends with a line feed.
    package func serialized(isPretty: Bool = false) -> [UInt8] {
        var writer = JSONWriter(isPretty: isPretty)
        write(to: &writer)
        var bytes = writer.finish()
        if isPretty { bytes.append(UInt8(ascii: "\n")) }
        return bytes
    }

    /// Writes the value where the writer stands; every number in it has to be finite.
    package func write(to writer: inout JSONWriter) {
        switch self {
        case .null: writer.null()
        case .bool(let value): writer.bool(value)
        case .number(let value): writer.number(value)
        case .string(let text): writer.string(text)
        case .array(let elements):
            writer.beginArray()
            for element in elements { element.write(to: &writer) }
            writer.endArray()
        case .object(let object):
            writer.beginObject()
            for (key, value) in object.members {
                writer.key(key)
                value.write(to: &writer)
            }
            writer.endObject()
        }
    }

    /// The value of an object's member; nil where this is no object or has no such member.
    package subscript(_ key: String) -> JSONValue? {
        if case .object(let object) = self { object[key] } else { nil }
    }

    /// What kind of value this is, in words for a message.
    package var kind: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}

extension JSONValue: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByStringLiteral,
    ExpressibleByStringInterpolation, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    /// Makes null.
    package init(nilLiteral: ()) { self = .null }

    /// Makes true or false.
    package init(booleanLiteral value: Bool) { self = .bool(value) }

    /// Makes a number.
    package init(integerLiteral value: Int) { self = .number(Double(value)) }

    /// Makes a number.
    package init(floatLiteral value: Double) { self = .number(value) }

    /// Makes a string.
    package init(stringLiteral value: String) { self = .string(value) }

    /// Makes an array.
    package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }

    /// Makes an object; naming a key twice is a mistake of the caller and traps.
    package init(dictionaryLiteral elements: (String, JSONValue)...) {
        var object = JSONObject()
        for (key, value) in elements {
            precondition(object.insert(key, value), "duplicate key \(key)")
        }
        self = .object(object)
    }

    /// Makes a number of an integer; beyond 2^53 it is rounded like any double.
    package static func integer(_ value: Int) -> JSONValue { .number(Double(value)) }
}
