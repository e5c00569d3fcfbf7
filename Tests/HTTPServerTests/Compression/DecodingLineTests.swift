// SPDX-License-Identifier: MIT

@testable import HTTPServer
import Platform
import Testing

/// In which order gzip bodies are decoded beside the loops, and for how long they wait.
struct DecodingLineTests {
    private static let limit = 16 << 20

    /// Bytes of which each says four bits.
    private static func usual(_ count: Int) throws -> [UInt8] {
        var state: UInt32 = 1
        let bytes = (0..<count).map { _ in
            state = state &* 1_664_525 &+ 1_013_904_223
            return UInt8(state >> 28)
        }
        return try ContentCodingTests.gzip(bytes)
    }

    private static func dense(_ count: Int) throws -> [UInt8] {
        try ContentCodingTests.gzip([UInt8](repeating: 0, count: count))
    }

    private static func body(
        _ bytes: [UInt8],
        since: Int64 = 0,
        memory: ByteBudget = ByteBudget(byteCountMax: .max)
    ) throws -> EncodedBody {
        try EncodedBody(bytes.span, byteCountMax: limit, since: since, memory: memory)
    }

    private static func token(_ number: Int32) -> ConnectionToken {
        ConnectionToken(descriptor: number, generation: 1)
    }

    /// Adds a body of a connection.
    ///
    /// - Returns: Whether one more worker is to come.
    @discardableResult
    private static func add(
        _ body: EncodedBody,
        of connection: Int32 = 1,
        to line: inout DecodingLine
    ) -> Bool {
        line.add(.init(body: body, connection: token(connection)) { _ in })
    }

    /// Takes what is next, and a step of it that is put back where it is not the last.
    private static func step(_ line: inout DecodingLine) throws -> EncodedBody {
        let next = line.next()
        let waiting = try #require(next)
        if case .more = waiting.body.step(budget: 65_536) { line.putBack(waiting) }
        return waiting.body
    }

    @Test(arguments: [
        (0, 100, EncodedBody.Rank.small), (262_144, 32_768, .small), (262_145, 32_768, .medium),
        (262_144, 32_769, .medium), (1 << 20, 131_072, .medium), ((1 << 20) + 1, 131_072, .large),
        (0, 131_073, .large), (6400, 100, .small), (6401, 100, .denseSmall),
        (1 << 20, 16_383, .denseSmall), (1 << 20, 16_384, .medium),
        ((1 << 20) + 1, 16_384, .dense), (16 << 20, 262_144, .large),
    ])
    func ranksByWhatABodyCosts(_ claim: Int, _ byteCount: Int, _ rank: EncodedBody.Rank) {
        #expect(EncodedBody.Rank(claim: claim, encodedByteCount: byteCount) == rank)
    }

    /// Of sixteen steps eight are for the small ones, and one for the bombs.
    @Test func eachRankHasItsShare() throws {
        var line = DecodingLine(workerCount: 1)
        let counts = [EncodedBody.Rank.small: 20_000, .medium: 200_000, .large: 2_000_000]
        for (_, count) in counts {
            let bytes = try Self.usual(count)
            for _ in 0..<16 { Self.add(try Self.body(bytes), to: &line) }
        }
        for count in [200_000, 2_000_000] {
            let bytes = try Self.dense(count)
            for _ in 0..<16 { Self.add(try Self.body(bytes), to: &line) }
        }
        var steps: [EncodedBody.Rank: Int] = [:]
        for _ in 0..<16 {
            let next = line.next()
            steps[try #require(next).body.rank, default: 0] += 1
        }
        #expect(steps == [.small: 8, .medium: 4, .large: 2, .denseSmall: 1, .dense: 1])
    }

    @Test func whereOnlySomeWaitTheLeastComesFirst() throws {
        var line = DecodingLine(workerCount: 1)
        let bomb = try Self.body(Self.dense(2_000_000))
        let small = try Self.body(Self.usual(10_000))
        #expect(Self.add(bomb, to: &line))
        #expect(!Self.add(small, to: &line))
        #expect(try Self.step(&line) === small)
        #expect(try Self.step(&line) === bomb && bomb.hasBegun)
        // One that is being decoded makes way, and goes on before others of its rank.
        let another = try Self.body(Self.usual(10_000))
        Self.add(another, to: &line)
        Self.add(try Self.body(Self.dense(2_000_000)), of: 2, to: &line)
        #expect(try Self.step(&line) === another)
        while bomb.hasBegun { #expect(try Self.step(&line) === bomb) }
    }

    @Test func connectionsTakeTurns() throws {
        var line = DecodingLine(workerCount: 1)
        let bytes = try Self.usual(10_000)
        let greedy = try (0..<100).map { _ in try Self.body(bytes) }
        let others = try (0..<3).map { _ in try Self.body(bytes) }
        for body in greedy { Self.add(body, of: 1, to: &line) }
        for (index, body) in others.enumerated() { Self.add(body, of: Int32(index + 2), to: &line) }
        var order: [EncodedBody] = []
        for _ in 0..<103 { order.append(try Self.step(&line)) }
        let wanted = [greedy[0]] + others + greedy[1...]
        #expect(zip(order, wanted).allSatisfy { $0 === $1 })
        #expect(line.next() == nil)
        // The worker has gone: another comes.
        #expect(Self.add(try Self.body(bytes), to: &line))
    }

    /// What claims to be small and is not begins anew behind all others of the last rank.
    @Test func whoDeniesItsSizeComesLast() throws {
        var line = DecodingLine(workerCount: 1)
        var bytes = try Self.dense(2_000_000)
        bytes.replaceSubrange((bytes.count - 4)..., with: [1, 0, 0, 0])
        let memory = ByteBudget(byteCountMax: .max)
        let liar = try Self.body(bytes, memory: memory)
        let bomb = try Self.body(Self.dense(2_000_000))
        Self.add(bomb, to: &line)
        Self.add(liar, to: &line)
        #expect(try Self.step(&line) === liar && !liar.hasBegun && liar.rank == .dense)
        #expect(memory.byteCount == bytes.count)
        while try Self.step(&line) === bomb {}
        #expect(liar.hasBegun && !bomb.hasBegun)
        #expect(throws: RequestError.corruptContent) { _ = try liar.decodeWhole().get() }
    }

    @Test func severalMembersAreOneBody() throws {
        let members = try Self.usual(300_000) + Self.usual(1000)
        let decoded = try Self.body(members).decodeWhole().get()
        #expect(decoded.count == 301_000)
    }

    /// Each at its turn: no time is lost on it, and at the limit it is not too late.
    @Test(arguments: [(0, false), (1, true)])
    func whoHasWaitedTooLongIsTurnedAway(_ excess: Int64, _ isLate: Bool) async throws {
        let now = DecodingQueue.waitMax + 5 + excess
        let queue = DecodingQueue(workerCount: 1, clock: MonotonicClock { now })
        let body = try Self.body(Self.dense(300_000), since: 5)
        let result = await withCheckedContinuation { continuation in
            queue.add(body, of: Self.token(1)) { continuation.resume(returning: $0) }
        }
        if isLate {
            #expect(throws: RequestError.tooManyDecoders) { _ = try result.get() }
        } else {
            #expect(try result.get().count == 300_000)
        }
    }

    @Test func holdsMemoryForBytesAndWhatHasComeOut() throws {
        let bytes = try Self.usual(100_000)
        let memory = ByteBudget(byteCountMax: bytes.count + 100_000)
        let body = try Self.body(bytes, memory: memory)
        #expect(memory.byteCount == bytes.count)
        _ = body.step(budget: 65_536)
        #expect(memory.byteCount > bytes.count)
        #expect(try body.decodeWhole().get().count == 100_000)
        // Until its owner counts them.
        #expect(memory.byteCount == 100_000)
        body.release()
        #expect(memory.byteCount == 0)
        // Others have a part of it: the copy fits, what comes out does not.
        try #require(memory.reserve(50_000))
        let other = try Self.body(bytes, memory: memory)
        #expect(throws: RequestError.noRoom) {
            while true {
                if case .over(let result) = other.step(budget: 65_536) {
                    _ = try result.get()
                    return
                }
            }
        }
        #expect(memory.byteCount == 50_000)
        try #require(memory.reserve(50_001))
        #expect(throws: RequestError.noRoom) { _ = try Self.body(bytes, memory: memory) }
    }

    @Test func nobodyDecodesForWhoHasGone() async throws {
        let memory = ByteBudget(byteCountMax: .max)
        let queue = DecodingQueue(workerCount: 1, clock: .system)
        let bytes = try Self.dense(2_000_000)
        do {
            let hold = BodyDecoding(try Self.body(bytes, since: .max, memory: memory))
            hold.body.giveUp()
            queue.add(hold.body, of: Self.token(1)) { _ in Issue.record("it was decoded") }
        }
        // The one behind it is.
        let other = try Self.body(bytes, since: .max)
        let result = await withCheckedContinuation { continuation in
            queue.add(other, of: Self.token(1)) { continuation.resume(returning: $0) }
        }
        #expect(try result.get().count == 2_000_000)
        #expect(memory.byteCount == 0)
    }

    /// The whole way, on threads: each gets its own.
    @Test func aQueueDecodesThemAll() async throws {
        let queue = DecodingQueue(workerCount: 2, clock: .system)
        let counts = [40_000, 300_000, 2_000_000, 50_000, 700_000]
        try await withThrowingTaskGroup(of: (Int, Int).self) { group in
            for count in counts {
                let body = try Self.body(Self.dense(count), since: .max)
                group.addTask {
                    let result = await withCheckedContinuation { continuation in
                        queue.add(body, of: Self.token(1)) { continuation.resume(returning: $0) }
                    }
                    return (count, try result.get().count)
                }
            }
            for try await (wanted, count) in group { #expect(count == wanted) }
        }
    }
}
