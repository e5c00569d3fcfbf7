// SPDX-License-Identifier: MIT

/// How a client reads answers that wait for it.
struct ReadingPace {
    /// Who is to be let go before others: who reads too slowly, the slowest first, then who has not
    /// read for longest.
    struct Standing: Comparable {
        /// Bytes a second since answers began to wait, up to what is fast enough.
        fileprivate let bytesPerSecond: Double
        /// When the socket has last taken some.
        fileprivate let lastProgress: Int64

        /// Whether the client reads too slowly for others to wait for it.
        var isSlow: Bool { bytesPerSecond < ReadingPace.leastBytesPerSecond }

        static func < (first: Standing, second: Standing) -> Bool {
            (first.bytesPerSecond, first.lastProgress)
                < (second.bytesPerSecond, second.lastProgress)
        }
    }

    /// When answers began to wait, on the monotonic clock; 0 where none do.
    private var since: Int64 = 0
    private var lastProgress: Int64 = 0
    /// Bytes that the socket has taken, those of before then, and those that had been seen when it
    /// was last followed.
    private var sentByteCount = 0
    private var startByteCount = 0
    private var seenByteCount = 0

    /// When it was last looked whether it is slow, the bytes that had been sent by then, and how
    /// many looks in a row have found that it was.
    private var lookedAt = Int64.min / 2
    private var lookedByteCount = 0
    private var slowLookCount = 0
    /// Bytes that were sent between the last looks, of which each counts three quarters of the
    /// next.
    private(set) var recentByteCount = 0

    private static let leastBytesPerSecond = 4096.0
    /// Bytes that everyone is given: nobody is below the least who has waited for less than 16 s.
    private static let credit = 65_536.0
    /// Looks, a second apart, in which an answer has to be read where others want its memory: as
    /// long as one may wait without progress.
    private static let restLookCount = 30
    /// A look after more time than this, 1.5 s, is the first of new ones.
    private static let lookGapNanoseconds: Int64 = 1_500_000_000

    /// Takes note of whether answers wait.
    mutating func follow(isWaiting: Bool, at now: Int64) {
        guard isWaiting else {
            since = 0
            return
        }
        if since == 0 {
            since = max(1, now)
            startByteCount = sentByteCount
            seenByteCount = sentByteCount
            lastProgress = now
        } else if sentByteCount != seenByteCount {
            seenByteCount = sentByteCount
            lastProgress = now
        }
    }

    /// Takes note of bytes that were sent.
    @inline(__always)
    mutating func didSend(_ byteCount: Int) { sentByteCount &+= byteCount }

    /// How the client stands to others; nil where no answers wait.
    func standing(at now: Int64) -> Standing? {
        guard since > 0 else { return nil }
        return Standing(
            bytesPerSecond: min(bytesPerSecond(at: now), Self.leastBytesPerSecond),
            lastProgress: lastProgress
        )
    }

    /// Whether answers wait.
    var isWaiting: Bool { since > 0 }

    /// Looks, once a second while there are any, whether answers that have so many bytes, or memory
    /// for them, would be read in time at the pace since the last look.
    ///
    /// - Returns: How many looks in a row have found that they would not.
    mutating func look(byteCount: Int, at now: Int64) -> Int {
        let readByteCount = sentByteCount &- lookedByteCount
        let isFirst = now - lookedAt > Self.lookGapNanoseconds
        lookedByteCount = sentByteCount
        lookedAt = now
        // Before the first they have not waited for a second.
        let isSlow = !isFirst && readByteCount < byteCount / Self.restLookCount
        slowLookCount = isSlow ? slowLookCount + 1 : 0
        recentByteCount = isFirst ? 0 : readByteCount + recentByteCount / 4 * 3
        return slowLookCount
    }

    private func bytesPerSecond(at now: Int64) -> Double {
        let byteCount = Double(sentByteCount &- startByteCount) + Self.credit
        return byteCount / (Double(max(1, now - since)) / 1e9)
    }
}
