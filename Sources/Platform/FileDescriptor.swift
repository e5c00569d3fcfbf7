// SPDX-License-Identifier: MIT

internal import Glibc

/// An owned file descriptor, closed when its owner goes away.
package struct FileDescriptor: ~Copyable {
    /// The number that the kernel knows it by.
    package let rawValue: Int32

    /// Takes over an open descriptor.
    package init(owning rawValue: Int32) {
        self.rawValue = rawValue
    }

    /// Gives the descriptor away without closing it.
    package consuming func release() -> Int32 {
        let descriptor = rawValue
        discard self
        return descriptor
    }

    deinit { close(rawValue) }
}
