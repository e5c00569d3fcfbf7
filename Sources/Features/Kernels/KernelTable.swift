// SPDX-License-Identifier: MIT

/// Numbers that the kernels read for every row, at a place of their own.
///
/// A list that is handed to a kernel is retained and released for the call, an atomic operation
/// each; a dozen of those are a tenth of a row's time.
@safe
final class KernelTable<Element: BitwiseCopyable & Sendable>: Sendable {
    /// The first of them.
    // SAFETY: written once, by the initializer, and freed with the instance.
    nonisolated(unsafe) let start: UnsafePointer<Element>
    let count: Int

    init(_ elements: [Element]) {
        count = elements.count
        let memory = UnsafeMutableBufferPointer<Element>.allocate(capacity: max(count, 1))
        // SAFETY: there is room for all of them.
        _ = unsafe memory.initialize(from: elements)
        guard let first = memory.baseAddress else { preconditionFailure("has an element") }
        unsafe start = UnsafePointer(first)
    }

    /// One of them.
    subscript(index: Int) -> Element {
        precondition(index >= 0 && index < count)
        // SAFETY: within the table, as checked.
        return unsafe start[index]
    }

    deinit {
        // SAFETY: allocated by the initializer; nobody has it any more.
        unsafe start.deallocate()
    }
}
