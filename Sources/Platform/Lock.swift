// SPDX-License-Identifier: MIT

public import Synchronization

/// A value that one thread at a time may touch: the library's `Mutex`, whose hand-over the thread
/// sanitizer sees.
///
/// Contended, a `Mutex` changes hands within the library, which is not built for the sanitizer, so
/// that two holders one after the other look like a race. Here each holder also reads what the one
/// before it wrote last, which takes one load and one store.
///
/// It is public since other modules inline no generic function of a package type (Swift 6.3): calls
/// instead took 800 instructions of a request.
public struct Lock<Value: ~Copyable>: ~Copyable, Sendable {
    @usableFromInline
    let mutex: Mutex<Value>
    @usableFromInline
    let handedOver = Atomic<Bool>(false)

    /// Guards a value.
    @inlinable @inline(__always)
    package init(_ value: consuming sending Value) {
        mutex = Mutex(value)
    }

    /// Waits for the lock, and calls the closure with the value.
    @inlinable @inline(__always)
    package borrowing func withLock<Result: ~Copyable, Failure: Error>(
        _ body: (inout sending Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        try mutex.withLock { value throws(Failure) -> sending Result in
            _ = handedOver.load(ordering: .acquiring)
            defer { handedOver.store(true, ordering: .releasing) }
            return try body(&value)
        }
    }

    /// Calls the closure with the value where nobody has the lock.
    ///
    /// - Returns: Nil where someone has it.
    @inlinable @inline(__always)
    package borrowing func withLockIfAvailable<Result: ~Copyable, Failure: Error>(
        _ body: (inout sending Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result? {
        try mutex.withLockIfAvailable { value throws(Failure) -> sending Result in
            _ = handedOver.load(ordering: .acquiring)
            defer { handedOver.store(true, ordering: .releasing) }
            return try body(&value)
        }
    }
}
