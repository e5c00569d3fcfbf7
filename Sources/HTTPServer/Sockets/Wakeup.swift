// SPDX-License-Identifier: MIT

internal import CLinux
internal import Glibc
internal import Platform

/// An eventfd by which other threads wake a loop.
struct Wakeup: ~Copyable, Sendable {
    private let descriptor: FileDescriptor

    /// - Throws: `SystemError`.
    init() throws(SystemError) {
        let flags = Int32(EFD_NONBLOCK | EFD_CLOEXEC)
        let raw = try systemCall("eventfd") { eventfd(0, flags) }
        guard let raw else { throw SystemError(call: "eventfd", errno: EAGAIN) }
        descriptor = FileDescriptor(owning: raw)
    }

    /// The number that the kernel knows it by.
    var rawValue: Int32 { descriptor.rawValue }

    /// Makes the descriptor readable; that it already is, is no error.
    func signal() {
        _ = eventfd_write(descriptor.rawValue, 1)
    }

    /// Makes the descriptor unreadable again.
    func clear() {
        var count: eventfd_t = 0
        // SAFETY: the count is valid for the call.
        _ = unsafe eventfd_read(descriptor.rawValue, &count)
    }
}
