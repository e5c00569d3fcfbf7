// SPDX-License-Identifier: MIT

/// A fixed number of floats on a 64-byte border, zero at first.
///
/// - Note: A reference: where threads share one, what one writes no other may read or write.
@safe package final class AlignedFloats {
    /// The number of floats.
    package let count: Int
    let base: UnsafeMutablePointer<Float>
    /// Whose floats these are, if not its own.
    private let owner: AlignedFloats?

    /// Makes `count` zeros.
    package init(count: Int) {
        precondition(count >= 0)
        self.count = count
        owner = nil
        let byteCount = max(count, 1) * MemoryLayout<Float>.stride
        // SAFETY: freed by deinit alone; bound and initialised here for its whole life.
        unsafe base = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 64)
            .bindMemory(to: Float.self, capacity: max(count, 1))
        // SAFETY: the allocation holds max(count, 1) floats.
        unsafe base.initialize(repeating: 0, count: max(count, 1))
    }

    /// Another reference to the floats of `owner`, for another thread: counting references to one
    /// object from two cores costs more than a short task.
    package init(sharing owner: AlignedFloats) {
        count = owner.count
        // SAFETY: valid as long as its owner, which is kept.
        unsafe base = owner.base
        self.owner = owner
    }

    deinit {
        guard owner == nil else { return }
        // SAFETY: allocated by init; floats need no deinitialisation.
        unsafe base.deallocate()
    }

    /// One float.
    package subscript(index: Int) -> Float {
        get {
            precondition(index >= 0 && index < count)
            // SAFETY: the index was checked.
            return unsafe base[index]
        }
        set {
            precondition(index >= 0 && index < count)
            // SAFETY: the index was checked.
            unsafe base[index] = newValue
        }
    }

    /// A copy of a range.
    package func floats(in range: Range<Int>) -> [Float] {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        // SAFETY: the range was checked.
        return unsafe Array(
            UnsafeBufferPointer(start: base + range.lowerBound, count: range.count)
        )
    }

    /// Sets all floats to zero.
    package func clear() {
        // SAFETY: the allocation holds `count` floats.
        unsafe base.update(repeating: 0, count: count)
    }

    /// Overwrites the floats with those of another of the same count.
    package func copy(from other: AlignedFloats) {
        precondition(other.count == count)
        // SAFETY: both hold `count` floats and are different allocations, or the copy is idle.
        unsafe base.update(from: other.base, count: count)
    }
}

/// Floats on a 64-byte border that never change: weights shared by threads.
// SAFETY: the storage is written in init only and handed to readers only.
struct ConstantFloats: @unchecked Sendable {
    private let floats: AlignedFloats

    init(_ values: [Float]) {
        floats = AlignedFloats(count: values.count)
        for index in values.indices { floats[index] = values[index] }
    }

    var count: Int { floats.count }

    // SAFETY: a constant pointer; valid as long as the value lives.
    var base: UnsafePointer<Float> { unsafe UnsafePointer(floats.base) }
}
