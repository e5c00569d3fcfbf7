// SPDX-License-Identifier: MIT

package import JSON

extension JSONView {
    /// Checks the head of a file: its `format`, and that each key in `requires` is known here.
    ///
    /// - Returns: The keys in `requires`, for whoever writes the file again.
    /// - Throws: ``JSONShapeError`` naming the key.
    @discardableResult
    package func checkFormat(_ number: Int, keys: [String]) throws(JSONShapeError) -> [String] {
        let format = try required("format")
        guard try format.int == number else { throw format.refuse("\(number)") }
        guard let requires = try optional("requires") else { return [] }
        for key in try requires.array where !keys.contains(try key.string) {
            throw JSONShapeError(
                pointer: key.pointer,
                expected: "one of \(keys.joined(separator: ", "))",
                found: "\"\(try key.string)\", which is not known here"
            )
        }
        return try requires.strings
    }
}
