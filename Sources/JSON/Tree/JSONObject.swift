// SPDX-License-Identifier: MIT

/// The members of a JSON object in their order, with look-up by key.
///
/// Keys are compared as Swift compares strings: canonically equivalent spellings are one key.
package struct JSONObject: Sendable {
    /// Up to here a search through the members is as fast as hashing.
    private static let linearCountMax = 8

    /// The members in the order of their insertion.
    package private(set) var members: [(key: String, value: JSONValue)] = []
    /// Positions by key, kept from ``linearCountMax`` members on.
    private var positions: [String: Int] = [:]

    /// Makes an object without members.
    package init() {}

    /// How many members there are.
    package var count: Int { members.count }

    /// The value of a member, nil where there is none of that name; setting nil removes it.
    package subscript(_ key: String) -> JSONValue? {
        get { position(of: key).map { members[$0].value } }
        set {
            switch (position(of: key), newValue) {
            case (let position?, let value?): members[position].value = value
            case (let position?, nil):
                let rest = members[..<position] + members[(position + 1)...]
                self = JSONObject()
                for (key, value) in rest { _ = insert(key, value) }
            case (nil, let value?): _ = insert(key, value)
            case (nil, nil): break
            }
        }
    }

    /// Adds a member at the end.
    ///
    /// - Returns: False, with nothing changed, where the key is there already.
    package mutating func insert(_ key: String, _ value: JSONValue) -> Bool {
        guard position(of: key) == nil else { return false }
        members.append((key, value))
        if members.count > Self.linearCountMax {
            if positions.isEmpty {
                for (index, member) in members.enumerated() { positions[member.key] = index }
            } else {
                positions[key] = members.count - 1
            }
        }
        return true
    }

    private func position(of key: String) -> Int? {
        positions.isEmpty ? members.firstIndex { $0.key == key } : positions[key]
    }
}

extension JSONObject: Equatable {
    /// Whether both have the same members; the order has no meaning in JSON (RFC 8259 §4).
    package static func == (left: JSONObject, right: JSONObject) -> Bool {
        left.count == right.count && left.members.allSatisfy { right[$0.key] == $0.value }
    }
}
