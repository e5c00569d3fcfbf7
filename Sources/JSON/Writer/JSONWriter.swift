// SPDX-License-Identifier: MIT

/// Writes one JSON text into a byte array that it owns; commas and indentation are its business.
///
/// Calls in an order that gives no JSON (a value without a key in an object) are mistakes of the
/// caller and trap in debug builds.
///
///     var writer = JSONWriter()
///     writer.beginObject()
///     writer.key("status")
///     writer.string("healthy")
///     writer.endObject()
///     let bytes = writer.finish()
package struct JSONWriter: Sendable {
    private var bytes: [UInt8]
    private let isPretty: Bool
    private var depth = 0
    /// Whether a comma goes before the next key or element.
    private var needsComma = false
    private var followsKey = false

    /// Makes a writer that appends to `buffer`, whose storage it takes over.
    package init(appendingTo buffer: consuming [UInt8] = [], isPretty: Bool = false) {
        bytes = buffer
        self.isPretty = isPretty
    }

    /// Gives the buffer back, with the text behind what it held.
    package consuming func finish() -> [UInt8] {
        assert(depth == 0 && !followsKey, "the text is not complete")
        return bytes
    }

    /// Whether a byte of a string goes out as an escape.
    package static func escapes(_ byte: UInt8) -> Bool { JSONEscape.isEscaped(byte) }

    /// How many bytes the buffer holds.
    package var byteCount: Int { bytes.count }

    /// Opens an object.
    package mutating func beginObject() { open(UInt8(ascii: "{")) }

    /// Closes the innermost object.
    package mutating func endObject() { close(UInt8(ascii: "}")) }

    /// Opens an array.
    package mutating func beginArray() { open(UInt8(ascii: "[")) }

    /// Closes the innermost array.
    package mutating func endArray() { close(UInt8(ascii: "]")) }

    /// Writes the name of a member; its value has to follow.
    package mutating func key(_ name: String) {
        assert(depth > 0 && !followsKey, "a key stands in an object, before a value")
        separate()
        JSONEscape.append(name.utf8.span, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        if isPretty { bytes.append(UInt8(ascii: " ")) }
        followsKey = true
    }

    /// Writes the name of a member that was prepared before; its value has to follow.
    package mutating func key(_ key: JSONKey) {
        assert(depth > 0 && !followsKey, "a key stands in an object, before a value")
        separate()
        bytes.append(contentsOf: key.bytes)
        if isPretty { bytes.append(UInt8(ascii: " ")) }
        followsKey = true
    }

    /// Writes a string.
    package mutating func string(_ text: String) {
        beginValue()
        JSONEscape.append(text.utf8.span, to: &bytes)
        needsComma = true
    }

    /// Writes a string of UTF-8 bytes; the caller knows that they are valid.
    package mutating func string(utf8 text: Span<UInt8>) {
        beginValue()
        JSONEscape.append(text, to: &bytes)
        needsComma = true
    }

    /// Writes an integer.
    package mutating func integer(_ value: Int) {
        beginValue()
        JSONNumber.append(value, to: &bytes)
        needsComma = true
    }

    /// Writes a finite double in its shortest form; see ``JSONNumber/append(_:to:)``.
    package mutating func number(_ value: Double) {
        beginValue()
        JSONNumber.append(value, to: &bytes)
        needsComma = true
    }

    /// Writes a finite float in its shortest form.
    package mutating func number(_ value: Float) {
        beginValue()
        JSONNumber.append(value, to: &bytes)
        needsComma = true
    }

    /// Writes a double, null where it is not finite.
    package mutating func numberOrNull(_ value: Double) {
        if value.isFinite { number(value) } else { null() }
    }

    /// Writes true or false.
    package mutating func bool(_ value: Bool) { literal(value ? "true" : "false") }

    /// Writes null.
    package mutating func null() { literal("null") }

    /// Writes bytes that are one JSON value already.
    package mutating func raw(_ value: [UInt8]) {
        beginValue()
        bytes.append(contentsOf: value)
        needsComma = true
    }

    private mutating func literal(_ text: String) {
        beginValue()
        bytes.append(contentsOf: text.utf8)
        needsComma = true
    }

    private mutating func open(_ byte: UInt8) {
        beginValue()
        bytes.append(byte)
        depth += 1
        needsComma = false
    }

    private mutating func close(_ byte: UInt8) {
        assert(depth > 0 && !followsKey, "nothing is open, or a key has no value")
        depth -= 1
        if needsComma { breakLine() }
        bytes.append(byte)
        needsComma = true
    }

    private mutating func beginValue() {
        if followsKey {
            followsKey = false
        } else {
            separate()
        }
    }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        if depth > 0 { breakLine() }
        needsComma = false
    }

    private mutating func breakLine() {
        guard isPretty else { return }
        bytes.append(UInt8(ascii: "\n"))
        for _ in 0..<2 * depth { bytes.append(UInt8(ascii: " ")) }
    }
}
