// SPDX-License-Identifier: MIT

/// The place of a reading in a request, from which JSON pointers are made when something is wrong.
struct RequestPointer {
    /// The array that holds the reading, such as `/instances`.
    var container = ""
    /// The reading's index in it; nil where the reading is the whole document.
    var index: Int?
    /// The index of a history reading within it.
    var historyIndex: Int?

    /// The pointer of a member, or of the reading itself.
    func text(_ member: String? = nil) -> String {
        var pointer = container
        if let index { pointer += "/\(index)" }
        if let historyIndex { pointer += "/history/\(historyIndex)" }
        if let member { pointer += "/\(Self.escaped(member))" }
        return pointer
    }

    /// A member's name as a pointer has it (RFC 6901 §3).
    static func escaped(_ member: String) -> String {
        var result = ""
        for scalar in member.unicodeScalars {
            switch scalar {
            case "~": result += "~0"
            case "/": result += "~1"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
