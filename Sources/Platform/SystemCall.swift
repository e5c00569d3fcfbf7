// SPDX-License-Identifier: MIT

internal import Glibc

/// A system call that failed, with the call's name and `errno`.
package struct SystemError: Error, Equatable, CustomStringConvertible {
    /// The name of the call, `open` or `accept4` say.
    package let call: String
    /// The value of `errno` after it.
    package let errno: Int32

    /// Makes the error of a failed call.
    package init(call: String, errno: Int32) {
        self.call = call
        self.errno = errno
    }

    package var description: String {
        // SAFETY: strerror returns a NUL-terminated string of this thread (glibc >= 2.32).
        "\(call): \(unsafe String(cString: strerror(errno))) (errno \(errno))"
    }
}

/// Runs a system call that returns -1 on failure, again after `EINTR`.
///
/// - Returns: The call's result, or nil where it would block (`EAGAIN`).
/// - Throws: ``SystemError`` for any other `errno`.
package func systemCall(_ name: StaticString, _ body: () -> Int) throws(SystemError) -> Int? {
    while true {
        let result = body()
        if result != -1 { return result }
        switch errno {
        case EINTR: continue
        case EAGAIN: return nil
        default: throw SystemError(call: "\(name)", errno: errno)
        }
    }
}

/// Runs a system call that returns a C `int`; otherwise as the one above.
///
/// - Throws: ``SystemError``.
package func systemCall(_ name: StaticString, _ body: () -> Int32) throws(SystemError) -> Int32? {
    try systemCall(name) { Int(body()) }.map { Int32($0) }
}
