// SPDX-License-Identifier: MIT

/// How fast a client reads answers that wait for it.
struct ReadingPace {
    /// When answers began to wait, on the monotonic clock; 0 where none do.
    private var since: Int64 = 0
    /// Bytes that the socket has taken since then.
    private var sentByteCount = 0

    /// Bytes that everyone is given in the first second, so that of those who have just begun to
    /// wait none is the slowest, and none that has read nothing is taken for a fast one.
    private static let credit = 65_536.0

    /// Takes note of whether answers wait.
    mutating func follow(isWaiting: Bool, at now: Int64) {
        guard isWaiting != (since > 0) else { return }
        since = isWaiting ? max(1, now) : 0
        sentByteCount = 0
    }

    /// Takes note of bytes that were sent.
    @inline(__always)
    mutating func didSend(_ byteCount: Int) { sentByteCount &+= byteCount }

    /// Bytes a second since answers began to wait; nil where none do.
    func bytesPerSecond(at now: Int64) -> Double? {
        guard since > 0 else { return nil }
        let seconds = max(1, Double(now - since) / 1e9)
        return (Double(sentByteCount) + Self.credit) / seconds
    }
}
