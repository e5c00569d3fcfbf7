// SPDX-License-Identifier: MIT

internal import Synchronization

/// A bound on the bytes that many hold together, so that a thousand clients of which each stays
/// within its limits cannot take all memory.
///
/// - Note: Thread-safe.
package final class ByteBudget: Sendable {
    let byteCountMax: Int
    private let taken = Atomic(0)
    private let refuses = Atomic(false)

    /// The steps of ``follow(_:byteCount:)``.
    private static let stepBytes = 16_384
    /// The first of them is free: what every connection with a request has, so that usual ones take
    /// nothing.
    package static let freeByteCount = stepBytes

    /// Makes a budget of which nothing is taken.
    package init(byteCountMax: Int) {
        self.byteCountMax = byteCountMax
    }

    /// Bytes that are taken now.
    package var byteCount: Int { taken.load(ordering: .relaxed) }

    /// Whether that is more than half of all.
    var isHalfTaken: Bool { byteCount > byteCountMax / 2 }

    /// Whether somebody found no room, and half of all has not been free since then.
    package var isShort: Bool { refuses.load(ordering: .relaxed) }

    /// Takes so many bytes; false where there is no room for them besides what others have.
    ///
    /// `held` is what the caller has already. Who is alone always finds room, however large a
    /// request the limits let it make.
    package func reserve(_ count: Int, besides held: Int = 0) -> Bool {
        let after = taken.add(count, ordering: .relaxed).newValue
        if after <= byteCountMax || after == held + count { return true }
        release(count)
        refuses.store(true, ordering: .relaxed)
        return false
    }

    /// Gives so many bytes back.
    package func release(_ count: Int) {
        let left = taken.subtract(count, ordering: .relaxed).newValue
        guard left <= byteCountMax / 2, isShort else { return }
        refuses.store(false, ordering: .relaxed)
    }

    /// Follows a buffer to so many bytes; what it has is written to `held`, 0 at first.
    ///
    /// - Returns: False where it would grow and finds no room; it has what it had then. One that
    ///   shrinks always succeeds.
    package func follow(_ held: inout Int, byteCount: Int) -> Bool {
        let steps = max(0, byteCount - 1) / Self.stepBytes
        return resize(&held, to: steps * Self.stepBytes)
    }

    /// Makes what a holder has so many bytes, none of them free.
    ///
    /// - Returns: As ``follow(_:byteCount:)``.
    func resize(_ held: inout Int, to byteCount: Int) -> Bool {
        if byteCount > held {
            guard reserve(byteCount - held, besides: held) else { return false }
        } else if byteCount < held {
            release(held - byteCount)
        }
        held = byteCount
        return true
    }
}

/// What somebody has of a budget.
package struct HeldBytes: Sendable {
    let budget: ByteBudget
    fileprivate(set) var byteCount: Int

    /// Makes a note of it.
    package init(_ byteCount: Int, of budget: ByteBudget) {
        self.budget = budget
        self.byteCount = byteCount
    }
}

extension [HeldBytes] {
    /// Adds what else somebody has, so that each budget comes once.
    mutating func add(_ held: HeldBytes) {
        guard held.byteCount > 0 else { return }
        if let index = firstIndex(where: { $0.budget === held.budget }) {
            self[index].byteCount += held.byteCount
        } else {
            append(held)
        }
    }
}
