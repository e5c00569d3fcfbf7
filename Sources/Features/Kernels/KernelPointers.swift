// SPDX-License-Identifier: MIT

/// Calls `body` with the places of three lists; not where one of them is empty.
///
/// A list that is given to a pointer parameter is retained for the call; here nothing is.
@inline(__always)
func withPointers<A, B, C>(
    _ a: inout [A],
    _ b: inout [B],
    _ c: inout [C],
    _ body: (UnsafeMutablePointer<A>, UnsafeMutablePointer<B>, UnsafeMutablePointer<C>) -> Void
) {
    // SAFETY: the places are used during the call only, as `body` promises.
    unsafe a.withUnsafeMutableBufferPointer { a in
        unsafe b.withUnsafeMutableBufferPointer { b in
            unsafe c.withUnsafeMutableBufferPointer { c in
                guard let a = a.baseAddress, let b = b.baseAddress, let c = c.baseAddress else {
                    return
                }
                unsafe body(a, b, c)
            }
        }
    }
}

/// As above, with four.
@inline(__always)
func withPointers<A, B, C, D>(
    _ a: inout [A],
    _ b: inout [B],
    _ c: inout [C],
    _ d: inout [D],
    _ body: (
        UnsafeMutablePointer<A>, UnsafeMutablePointer<B>, UnsafeMutablePointer<C>,
        UnsafeMutablePointer<D>
    ) -> Void
) {
    // SAFETY: as above.
    unsafe a.withUnsafeMutableBufferPointer { a in
        guard let a = a.baseAddress else { return }
        // SAFETY: as above.
        unsafe withPointers(&b, &c, &d) { unsafe body(a, $0, $1, $2) }
    }
}
