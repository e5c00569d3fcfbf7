// SPDX-License-Identifier: MIT

/// A line: the first in is the first out, each in constant time over many.
package struct Fifo<Element> {
    /// Those before `start` have gone.
    private var elements: [Element?] = []
    private var start = 0

    /// Places that an empty one keeps; those of a burst go back.
    private static var keptCountMax: Int { 64 }

    /// Makes an empty one.
    package init() {}

    /// How many wait.
    package var count: Int { elements.count - start }

    /// Whether nothing waits.
    package var isEmpty: Bool { start == elements.count }

    /// Puts an element at the end.
    package mutating func append(_ element: Element) {
        elements.append(element)
    }

    /// Takes the first, if there is one.
    package mutating func popFirst() -> Element? {
        guard !isEmpty, let first = elements[start].take() else { return nil }
        start += 1
        if isEmpty {
            elements.removeAll(keepingCapacity: elements.capacity <= Self.keptCountMax)
            start = 0
        } else if 2 * start >= elements.count {
            elements.removeFirst(start)
            start = 0
        }
        return first
    }
}
