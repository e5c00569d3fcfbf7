// SPDX-License-Identifier: MIT

@testable import HTTPServer
import Platform
import Synchronization
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

    /// Bytes in gzip that give twenty times as many.
    private static func regular(_ count: Int) throws -> [UInt8] {
        var state: UInt32 = 1
        let bytes = (0..<count).map { index in
            guard index % 32 == 0 else { return UInt8(0) }
            state = state &* 1_664_525 &+ 1_013_904_223
            return UInt8(state >> 28)
        }
        return try ContentCodingTests.gzip(bytes)
    }

    private static let emptyMember: [UInt8] =
        [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3] + [3, 0] + [UInt8](repeating: 0, count: 8)

    private static func emptyMembers(_ count: Int) -> [UInt8] {
        (0..<count).flatMap { _ in emptyMember }
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
        if case .more(let hasMoved) = waiting.body.step(budget: 65_536) {
            line.putBack(waiting, hasMoved: hasMoved)
        }
        return waiting.body
    }

    /// What a queue makes of a body.
    private static func result(
        of body: EncodedBody,
        in queue: DecodingQueue
    ) async -> Result<[UInt8], RequestError> {
        await withCheckedContinuation { continuation in
            queue.add(body, of: token(1)) { continuation.resume(returning: $0) }
        }
    }

    /// Decodes a body to its end.
    ///
    /// - Returns: The ranks to which it moves on its way, and how much comes out.
    private static func decode(
        _ body: EncodedBody
    ) throws -> (ranks: [EncodedBody.Rank], byteCount: Int) {
        var ranks: [EncodedBody.Rank] = []
        while true {
            switch body.step(budget: 262_144) {
            case .more(let hasMoved):
                if hasMoved { ranks.append(body.rank) }
            case .over(let result): return (ranks, try result.get().count)
            }
        }
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

    /// What claims to be small, and is large and dense, begins anew behind those that say so.
    @Test func whoDeniesItsSizeBeginsAnew() throws {
        var line = DecodingLine(workerCount: 1)
        var bytes = try Self.dense(2_000_000)
        bytes.replaceSubrange((bytes.count - 4)..., with: [1, 0, 0, 0])
        let memory = ByteBudget(byteCountMax: .max)
        let liar = try Self.body(bytes, memory: memory)
        let dense = try Self.body(Self.dense(200_000))
        Self.add(dense, of: 2, to: &line)
        Self.add(liar, to: &line)
        #expect(try Self.step(&line) === liar && !liar.hasBegun && liar.rank == .denseSmall)
        #expect(memory.byteCount == bytes.count)
        while try Self.step(&line) === dense {}
        #expect(liar.hasBegun && !dense.hasBegun)
        // What comes out of so little waits nowhere.
        while liar.rank == .denseSmall { #expect(try Self.step(&line) === liar) }
        #expect(liar.rank == .dense && !liar.hasBegun)
        #expect(memory.byteCount == bytes.count)
        #expect(throws: RequestError.corruptContent) { _ = try liar.decodeWhole().get() }
        #expect(memory.byteCount == 0)
    }

    /// By what they have cost: the last member says nothing of those before it.
    @Test func severalMembersAreOneBody() throws {
        let member = try Self.regular(150_000)
        let several = try Self.decode(Self.body(member + member + member))
        #expect(several.ranks == [.medium] && several.byteCount == 450_000)
        let first = try Self.regular(450_000)
        let emptyLast = try Self.decode(Self.body(first + Self.emptyMember))
        #expect(emptyLast.ranks == [.medium] && emptyLast.byteCount == 450_000)
        let large = try Self.decode(Self.body(Self.regular(2_000_000) + Self.emptyMember))
        #expect(large.ranks == [.large] && large.byteCount == 2_000_000)
        let one = try Self.decode(Self.body(Self.regular(240_000)))
        #expect(one.ranks == [] && one.byteCount == 240_000)
    }

    @Test func emptyMembersCostToo() throws {
        let body = try Self.body(Self.emptyMembers(400))
        #expect(body.rank == .small)
        let (ranks, byteCount) = try Self.decode(body)
        #expect(ranks == [.medium, .large] && byteCount == 0)
    }

    /// What is there for a step of its rank is the next; who comes from another has to wait.
    @Test func whoMovesTakesItsTurn() throws {
        var line = DecodingLine(workerCount: 1)
        let moving = try Self.body(Self.emptyMembers(200))
        Self.add(moving, of: 2, to: &line)
        let taken = line.next()
        let waiting = try #require(taken)
        let bytes = try Self.usual(200_000)
        let others = try (0..<3).map { _ in try Self.body(bytes) }
        for (body, connection) in zip(others, [1, 1, 3] as [Int32]) {
            Self.add(body, of: connection, to: &line)
        }
        var hasMoved = false
        while !hasMoved, case .more(let moves) = moving.step(budget: 262_144) { hasMoved = moves }
        #expect(moving.rank == .medium && moving.hasBegun)
        line.putBack(waiting, hasMoved: hasMoved)
        var order: [EncodedBody] = []
        while let next = line.next() {
            if order.last !== next.body { order.append(next.body) }
            if case .more(let hasMoved) = next.body.step(budget: 65_536) {
                line.putBack(next, hasMoved: hasMoved)
            }
        }
        let wanted = [others[0], others[2], moving, others[1]]
        #expect(order.count == 4 && zip(order, wanted).allSatisfy { $0 === $1 })
    }

    /// What has come out is kept, but not where others need the memory.
    @Test(arguments: [0, 1_100_000])
    func whoMovesKeepsWhatHasComeOut(_ others: Int) throws {
        let memory = ByteBudget(byteCountMax: 2_000_000)
        try #require(memory.reserve(others))
        let bytes = try Self.regular(450_000) + Self.emptyMember
        let body = try Self.body(bytes, memory: memory)
        while case .more(hasMoved: false) = body.step(budget: 262_144) {}
        #expect(body.rank == .medium && body.hasBegun == (others == 0))
        let held = memory.byteCount - others
        #expect(body.hasBegun ? held > bytes.count + 262_144 : held == bytes.count)
        #expect(try body.decodeWhole().get().count == 450_000)
        #expect(memory.byteCount == others + 450_000)
        body.release()
        #expect(memory.byteCount == others)
    }

    /// It has had its first step, unless that was in vain.
    @Test func whoGoesOnIsNotTurnedAway() async throws {
        var liar = try Self.dense(2_000_000)
        liar.replaceSubrange((liar.count - 4)..., with: [1, 0, 0, 0])
        let moving = try Self.regular(450_000) + Self.emptyMember
        for (bytes, isLate) in [(moving, false), (liar, true)] {
            // It is early once.
            let looks = Atomic(0)
            let clock = MonotonicClock {
                looks.add(1, ordering: .relaxed).oldValue == 0 ? 0 : DecodingQueue.waitMax + 1
            }
            let queue = DecodingQueue(workerCount: 1, clock: clock)
            let result = await Self.result(of: try Self.body(bytes), in: queue)
            if isLate {
                #expect(throws: RequestError.tooManyDecoders) { _ = try result.get() }
            } else {
                #expect(try result.get().count == 450_000)
            }
        }
    }

    /// Each at its turn: no time is lost on it, and at the limit it is not too late.
    @Test(arguments: [(0, false), (1, true)])
    func whoHasWaitedTooLongIsTurnedAway(_ excess: Int64, _ isLate: Bool) async throws {
        let now = DecodingQueue.waitMax + 5 + excess
        let queue = DecodingQueue(workerCount: 1, clock: MonotonicClock { now })
        let body = try Self.body(Self.dense(300_000), since: 5)
        let result = await Self.result(of: body, in: queue)
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
