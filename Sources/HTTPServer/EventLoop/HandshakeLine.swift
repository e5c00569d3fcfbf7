// SPDX-License-Identifier: MIT

/// The TLS handshakes of a loop that have begun and wait for their clients, in the order in which
/// they began.
///
/// Each has some 50 to 70 KB, and 200 where a client says that its first message is long; what has
/// come to its end leaves the line once it is the first.
struct HandshakeLine {
    /// How many have begun and not ended.
    private(set) var count = 0
    /// Those, and of the ones behind the first some that have ended.
    private var tokens: [ConnectionToken] = []
    private var start = 0

    /// How many are kept.
    var tokenCount: Int { tokens.count - start }

    /// Puts one at the end.
    mutating func begin(_ token: ConnectionToken) {
        count += 1
        tokens.append(token)
    }

    /// Takes note that one has ended, wherever it stands.
    mutating func end() {
        count -= 1
    }

    /// Lets those go that stand first and have ended.
    ///
    /// - Returns: The first that has not.
    mutating func first(where isOpen: (ConnectionToken) -> Bool) -> ConnectionToken? {
        while start < tokens.count, !isOpen(tokens[start]) { start += 1 }
        if start > tokens.count / 2 {
            tokens.removeFirst(start)
            start = 0
        }
        return start < tokens.count ? tokens[start] : nil
    }
}
