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

    @Test func whatCostsLeastComesFirst() throws {
        var line = DecodingLine(workerCount: 1)
        let bomb = try Self.body(Self.dense(2_000_000))
        let small = try Self.body(Self.dense(500_000))
        let large = try Self.body(Self.usual(2_000_000))
        let medium = try Self.body(Self.usual(200_000))
        let first = try Self.body(Self.usual(50_000))
        let second = try Self.body(Self.usual(50_000))
        for (index, body) in [bomb, small, large, medium, first, second].enumerated() {
            let needsWorker = line.add(body) { _ in }
            #expect(needsWorker == (index == 0))
        }
        var order: [EncodedBody] = []
        while order.count < 6 {
            let body = try Self.step(&line)
            if !body.hasBegun { order.append(body) }
        }
        let wanted = [first, second, medium, large, small, bomb]
        #expect(zip(order, wanted).allSatisfy { $0 === $1 })
        #expect(line.next() == nil)
        // The worker has gone: another comes.
        let needsWorker = line.add(first) { _ in }
        #expect(needsWorker)
    }

    @Test func oneThatHasBegunMakesWayAndGoesOn() throws {
        var line = DecodingLine(workerCount: 1)
        let bombs = try (0..<2).map { _ in try Self.body(Self.dense(2_000_000)) }
        for bomb in bombs { _ = line.add(bomb) { _ in } }
        #expect(try Self.step(&line) === bombs[0])
        let usual = try Self.body(Self.usual(10_000))
        _ = line.add(usual) { _ in }
        #expect(try Self.step(&line) === usual && !usual.hasBegun)
        #expect(try Self.step(&line) === bombs[0] && bombs[0].hasBegun)
    }

    /// What claims to be small and is not begins anew behind all others.
    @Test func whoDeniesItsSizeComesLast() throws {
        var line = DecodingLine(workerCount: 1)
        var bytes = try Self.dense(2_000_000)
        bytes.replaceSubrange((bytes.count - 4)..., with: [1, 0, 0, 0])
        let memory = ByteBudget(byteCountMax: .max)
        let liar = try Self.body(bytes, memory: memory)
        let bomb = try Self.body(Self.dense(2_000_000))
        _ = line.add(bomb) { _ in }
        _ = line.add(liar) { _ in }
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

    @Test func whoHasWaitedTooLongIsTurnedAway() throws {
        var line = DecodingLine(workerCount: 1)
        let begun = try Self.body(Self.dense(2_000_000), since: 5)
        let waiting = try Self.body(Self.dense(2_000_000), since: 5)
        let young = try Self.body(Self.dense(2_000_000), since: 6)
        for body in [begun, waiting, young] { _ = line.add(body) { _ in } }
        #expect(try Self.step(&line) === begun)
        #expect(line.takeLate(at: 5 + DecodingLine.waitMax).isEmpty)
        let late = line.takeLate(at: 6 + DecodingLine.waitMax)
        #expect(late.count == 1 && late.first?.body === waiting)
    }

    @Test func holdsMemoryForBytesAndWhatHasComeOut() throws {
        let bytes = try Self.usual(100_000)
        let memory = ByteBudget(byteCountMax: bytes.count + 100_000)
        let body = try Self.body(bytes, memory: memory)
        #expect(memory.byteCount == bytes.count)
        _ = body.step(budget: 65_536)
        #expect(memory.byteCount > bytes.count)
        #expect(try body.decodeWhole().get().count == 100_000)
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

    @Test func nobodyDecodesForWhoHasGone() throws {
        let memory = ByteBudget(byteCountMax: .max)
        let body = try Self.body(Self.dense(2_000_000), memory: memory)
        var hold: BodyDecoding? = BodyDecoding(body)
        _ = body.step(budget: 65_536)
        #expect(memory.byteCount > 0 && hold != nil)
        hold = nil
        guard case .over = body.step(budget: 65_536) else {
            Issue.record("it went on")
            return
        }
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
                        queue.add(body) { continuation.resume(returning: $0) }
                    }
                    return (count, try result.get().count)
                }
            }
            for try await (wanted, count) in group { #expect(count == wanted) }
        }
    }
}
