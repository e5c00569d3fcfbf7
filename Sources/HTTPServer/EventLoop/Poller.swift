// SPDX-License-Identifier: MIT

internal import CLinux
internal import Glibc
internal import Platform

/// Identity of a registration: the descriptor, and a generation that tells a reused one apart.
struct ConnectionToken: Hashable, Sendable {
    let rawValue: UInt64

    init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    init(descriptor: Int32, generation: UInt32) {
        rawValue = UInt64(generation) << 32 | UInt64(UInt32(bitPattern: descriptor))
    }

    var descriptor: Int { Int(rawValue & 0xFFFF_FFFF) }
}

/// What a registration waits for; failure is always told.
struct Readiness: OptionSet {
    let rawValue: UInt32
    static let input = Readiness(rawValue: EPOLLIN.rawValue)
    static let output = Readiness(rawValue: EPOLLOUT.rawValue)
    /// The peer has ended its side; told where it is asked for.
    static let peerEnd = Readiness(rawValue: EPOLLRDHUP.rawValue)
    static let failure = Readiness(rawValue: EPOLLERR.rawValue | EPOLLHUP.rawValue)
}

/// Epoll, level-triggered.
///
/// The events stand in memory of its own, so that reading one needs no access to a variable.
// SAFETY: the events are written by epoll_wait within their count, and read as tokens only.
@safe struct Poller: ~Copyable {
    private let descriptor: FileDescriptor
    private static let eventCountMax = 1024
    private let events: UnsafeMutablePointer<epoll_event>

    /// - Throws: `SystemError`.
    init() throws(SystemError) {
        let raw = try systemCall("epoll_create1") { epoll_create1(Int32(EPOLL_CLOEXEC)) }
        guard let raw else { throw SystemError(call: "epoll_create1", errno: EAGAIN) }
        descriptor = FileDescriptor(owning: raw)
        // SAFETY: initialised here for its whole life and freed by deinit alone.
        unsafe events = .allocate(capacity: Poller.eventCountMax)
        // SAFETY: the allocation holds as many.
        unsafe events.initialize(repeating: epoll_event(), count: Poller.eventCountMax)
    }

    deinit {
        // SAFETY: allocated by init; the events are trivial.
        unsafe events.deallocate()
    }

    /// Starts to watch a descriptor.
    ///
    /// - Throws: `SystemError`.
    func add(
        _ watched: Int32,
        _ readiness: Readiness,
        token: ConnectionToken
    ) throws(SystemError) {
        try control(EPOLL_CTL_ADD, watched, readiness, token)
    }

    /// Changes what is watched for.
    ///
    /// - Throws: `SystemError`.
    func change(
        _ watched: Int32,
        _ readiness: Readiness,
        token: ConnectionToken
    ) throws(SystemError) {
        try control(EPOLL_CTL_MOD, watched, readiness, token)
    }

    /// Waits up to `milliseconds`, or without end for -1.
    ///
    /// - Returns: The number of events, to be read by ``event(at:)``.
    /// - Throws: `SystemError`.
    func wait(milliseconds: Int32) throws(SystemError) -> Int {
        let raw = descriptor.rawValue
        let count = Int32(Poller.eventCountMax)
        let found = try systemCall("epoll_wait") {
            // SAFETY: the buffer holds `count` events and outlives the call.
            unsafe epoll_wait(raw, events, count, milliseconds)
        }
        return Int(found ?? 0)
    }

    /// An event of the last wait.
    func event(at index: Int) -> (token: ConnectionToken, readiness: Readiness) {
        precondition(index >= 0 && index < Poller.eventCountMax)
        // SAFETY: the index was checked.
        let event = unsafe events[index]
        // SAFETY: every registration stores the token in the union's 64-bit member.
        let token = unsafe ConnectionToken(rawValue: event.data.u64)
        return unsafe (token, Readiness(rawValue: event.events))
    }

    private func control(
        _ operation: Int32,
        _ watched: Int32,
        _ readiness: Readiness,
        _ token: ConnectionToken
    ) throws(SystemError) {
        let raw = descriptor.rawValue
        _ = try systemCall("epoll_ctl") {
            // SAFETY: the token is the only member of the union that is ever read.
            let data = unsafe epoll_data_t(u64: token.rawValue)
            var event = unsafe epoll_event(events: readiness.rawValue, data: data)
            // SAFETY: the event is read during the call only.
            return unsafe epoll_ctl(raw, operation, watched, &event)
        }
    }
}
