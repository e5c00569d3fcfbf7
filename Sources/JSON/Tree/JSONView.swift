// SPDX-License-Identifier: MIT

/// A JSON value that has not the shape its reader needs.
package struct JSONShapeError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Where the value stands, as a JSON pointer (RFC 6901); empty for the whole text.
    package let pointer: String
    /// What had to be there.
    package let expected: String
    /// What is there.
    package let found: String

    /// Makes an error; a decoder does so through ``JSONView/refuse(_:)``.
    package init(pointer: String, expected: String, found: String) {
        self.pointer = pointer
        self.expected = expected
        self.found = found
    }

    /// What is wrong and where, in one line.
    package var description: String {
        "\(pointer.isEmpty ? "the document" : pointer): expected \(expected), found \(found)"
    }
}

/// A value and its place in the text: what a decoder of a file works with.
///
///     let name = try view.required("name").string
///     let warn = try view.optional("warn")?.double
package struct JSONView: Sendable {
    /// The value.
    package let value: JSONValue
    /// Its place as a JSON pointer (RFC 6901).
    package let pointer: String

    /// Makes a view of a whole text, or of the value at the given pointer.
    package init(_ value: JSONValue, pointer: String = "") {
        self.value = value
        self.pointer = pointer
    }

    /// The member of that name.
    ///
    /// - Throws: ``JSONShapeError`` where this is no object or the member is absent.
    package func required(_ name: String) throws(JSONShapeError) -> JSONView {
        let child = pointer(to: name)
        guard let member = try object[name] else {
            throw JSONShapeError(pointer: child, expected: "a value", found: "nothing")
        }
        return JSONView(member, pointer: child)
    }

    /// The member of that name; nil where it is absent or null.
    ///
    /// - Throws: ``JSONShapeError`` where this is no object.
    package func optional(_ name: String) throws(JSONShapeError) -> JSONView? {
        guard let member = try object[name], member != .null else { return nil }
        return JSONView(member, pointer: pointer(to: name))
    }

    /// The object that this has to be.
    package var object: JSONObject {
        get throws(JSONShapeError) {
            guard case .object(let object) = value else { throw refuse("an object") }
            return object
        }
    }

    /// The names and values of the object that this has to be, in their order.
    package var members: [(name: String, view: JSONView)] {
        get throws(JSONShapeError) {
            try object.members.map { member in
                (member.key, JSONView(member.value, pointer: pointer(to: member.key)))
            }
        }
    }

    /// The elements of the array that this has to be.
    package var array: [JSONView] {
        get throws(JSONShapeError) {
            guard case .array(let elements) = value else { throw refuse("an array") }
            return elements.enumerated().map { index, element in
                JSONView(element, pointer: "\(pointer)/\(index)")
            }
        }
    }

    /// The string that this has to be.
    package var string: String {
        get throws(JSONShapeError) {
            guard case .string(let text) = value else { throw refuse("a string") }
            return text
        }
    }

    /// The number that this has to be.
    package var double: Double {
        get throws(JSONShapeError) {
            guard case .number(let number) = value else { throw refuse("a number") }
            return number
        }
    }

    /// The integer that this has to be, between -2^53 and 2^53 so that none was rounded.
    package var int: Int {
        get throws(JSONShapeError) {
            guard case .number(let number) = value, let integer = Int(exactly: number),
                integer.magnitude <= 1 << 53
            else { throw refuse("an integer") }
            return integer
        }
    }

    /// The boolean that this has to be.
    package var bool: Bool {
        get throws(JSONShapeError) {
            guard case .bool(let flag) = value else { throw refuse("a boolean") }
            return flag
        }
    }

    /// The strings of the array that this has to be.
    package var strings: [String] {
        get throws(JSONShapeError) {
            try elements { view throws(JSONShapeError) in try view.string }
        }
    }

    /// The numbers of the array that this has to be.
    package var doubles: [Double] {
        get throws(JSONShapeError) {
            try elements { view throws(JSONShapeError) in try view.double }
        }
    }

    /// The integers of the array that this has to be.
    package var ints: [Int] {
        get throws(JSONShapeError) { try elements { view throws(JSONShapeError) in try view.int } }
    }

    /// The error that this value is not what its reader expects; the text says what that is.
    package func refuse(_ expected: String) -> JSONShapeError {
        JSONShapeError(pointer: pointer, expected: expected, found: found)
    }

    private func elements<Element>(
        _ decode: (JSONView) throws(JSONShapeError) -> Element
    ) throws(JSONShapeError) -> [Element] {
        var result: [Element] = []
        for element in try array { result.append(try decode(element)) }
        return result
    }

    private func pointer(to name: String) -> String {
        var escaped = ""
        for scalar in name.unicodeScalars {
            switch scalar {  // RFC 6901 §3
            case "~": escaped += "~0"
            case "/": escaped += "~1"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return "\(pointer)/\(escaped)"
    }

    /// The value in a message: its kind, and itself where it is short.
    private var found: String {
        switch value {
        case .null: return "null"
        case .bool(let flag): return "\(flag)"
        case .number: return String(decoding: value.serialized(), as: UTF8.self)
        case .string(let text) where text.utf8.count <= 40:
            return String(decoding: value.serialized(), as: UTF8.self)
        case .string, .array, .object: return value.kind
        }
    }
}
