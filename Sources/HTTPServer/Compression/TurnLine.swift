// SPDX-License-Identifier: MIT

internal import Platform

/// A line in which connections take turns, so that one with many things in it holds up no others.
struct TurnLine<Element> {
    private var waiting: [ConnectionToken: Fifo<Element>] = [:]
    private var turns = Fifo<ConnectionToken>()

    var isEmpty: Bool { turns.isEmpty }

    /// Puts something at the end of its connection's part.
    mutating func append(_ element: Element, of connection: ConnectionToken) {
        if waiting[connection] == nil { turns.append(connection) }
        waiting[connection, default: Fifo()].append(element)
    }

    /// Takes the oldest of the connection whose turn it is.
    mutating func popFirst() -> Element? {
        guard let connection = turns.popFirst() else { return nil }
        let first = waiting[connection]?.popFirst()
        if waiting[connection]?.isEmpty == false {
            turns.append(connection)
        } else {
            waiting[connection] = nil
        }
        return first
    }
}
