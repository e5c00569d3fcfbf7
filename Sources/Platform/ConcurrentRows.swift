// SPDX-License-Identifier: MIT

internal import Dispatch
internal import Glibc
internal import Synchronization

/// Rows of equal width that several threads fill, each row once.
@safe package struct RowTarget<Element: BitwiseCopyable & Sendable>: ~Copyable, Sendable {
    // SAFETY: `concurrentRows` owns the memory while a target is lent; rows do not overlap.
    private nonisolated(unsafe) let base: UnsafeMutablePointer<Element>
    private let rowCount: Int
    private let width: Int
    private let written = Atomic(0)

    fileprivate init(_ base: UnsafeMutablePointer<Element>, rowCount: Int, width: Int) {
        unsafe self.base = base
        self.rowCount = rowCount
        self.width = width
    }

    @inline(__always)
    fileprivate func put(_ row: [Element], at index: Int) {
        precondition(row.count == width && index >= 0 && index < rowCount, "no such row")
        // SAFETY: the row was checked to lie within the memory, which nothing else refers to.
        unsafe row.withUnsafeBufferPointer { source in
            guard let from = source.baseAddress else { return }
            unsafe (base + index * width).initialize(from: from, count: width)
        }
    }

    /// Counts rows that were written, so that none is left without a value.
    package func didWrite(_ count: Int) { written.add(count, ordering: .relaxed) }

    fileprivate var isFull: Bool { written.load(ordering: .relaxed) == rowCount }
}

// Not generic: what calls them a million times is another module, for which nothing generic is
// specialised.
extension RowTarget where Element == Float {
    /// Writes a row; no other thread may write the same one.
    package func write(_ row: [Float], at index: Int) { put(row, at: index) }
}

extension RowTarget where Element == Double {
    /// Writes a row; no other thread may write the same one.
    package func write(_ row: [Double], at index: Int) { put(row, at: index) }
}

/// `rowCount` rows of `width` numbers, row after row, filled by `body` for 0 to `parts` - 1 on all
/// usable cores.
///
/// Each row is written by one part, which counts it with ``RowTarget/didWrite(_:)``; that all were
/// is checked.
package func concurrentRows<Element: BitwiseCopyable & Sendable>(
    rowCount: Int,
    width: Int,
    parts: Int,
    _ body: @Sendable (Int, borrowing RowTarget<Element>) -> Void
) -> [Element] {
    // SAFETY: the memory is as long as the target says, which lives as long as the closure.
    unsafe [Element](unsafeUninitializedCapacity: rowCount * width) { buffer, initializedCount in
        guard let base = buffer.baseAddress, rowCount * width > 0 else { return }
        unsafe adviseLargePages(base, byteCount: rowCount * width * MemoryLayout<Element>.stride)
        let target = unsafe RowTarget(base, rowCount: rowCount, width: width)
        DispatchQueue.concurrentPerform(iterations: parts) { body($0, target) }
        precondition(target.isFull, "a row was not written")
        initializedCount = rowCount * width
    }
}

/// Asks for large pages where the system has such: the first touch of a small one takes as long as
/// some rows do.
private func adviseLargePages(_ base: UnsafeMutableRawPointer, byteCount: Int) {
    let page = 4096
    // SAFETY: whole pages within memory that the caller owns; advice changes no content.
    let start = unsafe base.alignedUp(toMultipleOf: page)
    let rest = unsafe byteCount - (start - base)
    if rest >= page { unsafe _ = madvise(start, rest / page * page, MADV_HUGEPAGE) }
}
