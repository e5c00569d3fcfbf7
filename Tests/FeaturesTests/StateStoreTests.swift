// SPDX-License-Identifier: MIT

import Dispatch
import Features
import Synchronization
import TestSupport
import Testing

struct StateStoreTests {
    private let engine: FeatureEngine

    init() throws {
        // A short record, so that many machines are cheap.
        let spec = FeatureSpec(
            name: "small",
            elements: [
                .window([.mean], hours: [2], .named(["temperature"])), .rate(.named(["current"])),
            ]
        )
        engine = try FeatureEngine(makeTransform(spec))
    }

    private let folder = TemporaryFolder()

    private func store(
        _ machinesMax: Int,
        shards: Int,
        in backing: Backing
    ) throws -> StateStore {
        StateStore(
            records: engine.records,
            horizonMicroseconds: engine.transform.layout.horizonMicroseconds,
            limits: StateLimits(machinesMax: machinesMax, shardCount: shards),
            file: backing == .memory
                ? nil
                : try StateFile(
                    path: folder.newPath(),
                    description: StateDescription(engine.transform),
                    machinesMax: machinesMax,
                    recordsPerChunk: 16
                )
        )
    }

    /// The row of the machine's next reading, or the error.
    private func observe(
        _ store: StateStore,
        _ id: [UInt8],
        at timestamp: Int64,
        arrival: Int64? = nil,
        value: Double = 20
    ) -> Result<[Float], StateError> {
        var scratch = engine.makeScratch()
        scratch.values = [value, 3, 90, 1400, value, 100]
        let time = ReadingTime(
            timestamp: timestamp,
            isTimestamped: true,
            arrival: arrival ?? timestamp
        )
        do throws(StateError) {
            _ = try store.observe(time, id: id.span, engine: engine, scratch: &scratch)
        } catch {
            return .failure(error)
        }
        engine.finishRow(&scratch)
        return .success(scratch.row)
    }

    @Test(arguments: [1, 64], Backing.allCases)
    func countsMachinesByTheirMarks(shards: Int, backing: Backing) throws {
        let store = try store(2000, shards: shards, in: backing)
        for machine in 0..<1500 {
            let id = Array("M\(machine)".utf8)
            _ = observe(store, id, at: Int64(machine))
            var scratch = engine.makeScratch()
            scratch.values = [20, 3, 90, 1400, 20, 100]
            let time = ReadingTime(timestamp: 5000, isTimestamped: true, arrival: Int64(machine))
            _ = try store.observe(time, id: id.span, engine: engine, scratch: &scratch)
            let place = try #require(scratch.place)
            #expect(place.mark == .none)
            if machine % 3 > 0 {
                let mark = MachineMark(label: machine % 3, epoch: 7)
                #expect(store.mark(place, mark) && !store.mark(place, mark))
            }
        }
        let isRemoved = store.remove(id: "M0".utf8.span)
        #expect(isRemoved)
        let census = store.census(epoch: 7, silentSince: 100)
        #expect(census.labelled == [499, 500, 500, 0])
        #expect(census.silent == 99)
        #expect(store.census(epoch: 8, silentSince: 0).labelled == [1499, 0, 0, 0])
    }

    @Test(arguments: [1, 4, 64], Backing.allCases)
    func answersAsOneRecordPerMachineWould(shards: Int, backing: Backing) throws {
        var generator = SplitMix(seed: 11)
        let store = try store(100_000, shards: shards, in: backing)
        var model: [[UInt8]: Machine] = [:]
        for step in 0..<4000 {
            // Any bytes, lengths 0 to 64, few enough that ids come again.
            let length = Int.random(in: 0...64, using: &generator)
            let byte = UInt8.random(in: 0...255, using: &generator)
            let id = (0..<length).map { $0 % 7 == 0 ? byte : 0 }
            let value = Double.random(in: 10...40, using: &generator)
            let timestamp = Int64(step) * hour / 100
            var machine = model[id] ?? Machine(engine)
            machine.take(timestamp, [value, 3, 90, 1400, value, 100])
            model[id] = machine
            let row = observe(store, id, at: timestamp, value: value)
            #expect(row == .success(machine.scratch.row), "seed 11 step \(step)")
        }
        #expect(store.counts().machines == model.count)
        #expect(store.counts().evictions == 0)
        #expect(store.counts().byteCount >= model.count * engine.records.wordCount * 8)
    }

    @Test(arguments: Backing.allCases)
    func takesIdsOfSixtyFourBytesAndNoMore(backing: Backing) throws {
        let store = try store(10, shards: 1, in: backing)
        let id = Array(repeating: UInt8(ascii: "x"), count: 65)
        #expect(observe(store, id, at: 0) == .failure(.idTooLong(byteCount: 65, limit: 64)))
        #expect(store.counts().machines == 0)
        #expect(observe(store, Array(id.dropLast()), at: 0) != .failure(.full(limit: 10)))
        #expect(store.counts().machines == 1)
    }

    @Test(arguments: [1, 8, 64], Backing.allCases)
    func isFullAtItsLimitWhateverTheShards(shards: Int, backing: Backing) throws {
        let store = try store(20, shards: shards, in: backing)
        for machine in 0..<20 {
            let answer = observe(store, [UInt8(machine)], at: 0)
            #expect(answer != .failure(.full(limit: 20)), "machine \(machine)")
        }
        #expect(observe(store, [99], at: 1) == .failure(.full(limit: 20)))
        // Idle for exactly twice the horizon is not idle enough; a known machine still has room.
        let idle = 2 * engine.transform.layout.horizonMicroseconds
        #expect(observe(store, [99], at: idle) == .failure(.full(limit: 20)))
        #expect(observe(store, [7], at: idle) != .failure(.full(limit: 20)))
        #expect(store.counts().machines == 20)
        for machine in 100..<119 {
            let answer = observe(store, [UInt8(machine)], at: idle + 1)
            #expect(answer != .failure(.full(limit: 20)), "machine \(machine)")
        }
        // Only number 7 was not idle, and it is still known: its rate is not 0.
        #expect(observe(store, [255], at: idle + 1) == .failure(.full(limit: 20)))
        let rate = try? observe(store, [7], at: idle + hour, value: 25).get()[1]
        #expect(rate == 5)
        #expect(store.counts().machines == 20)
        #expect(store.counts().evictions == 19)
    }

    /// Machines seen within the idle time must be known; which of the others was forgotten is the
    /// table's choice, but one that is known must be known exactly.
    @Test(arguments: [1, 4], Backing.allCases)
    func forgetsOnlyIdleMachinesAndAllOfThem(shards: Int, backing: Backing) throws {
        let seed: UInt64 = 5
        var generator = SplitMix(seed: seed)
        let store = try store(60, shards: shards, in: backing)
        let idle = 2 * engine.transform.layout.horizonMicroseconds
        var last: [UInt8: (timestamp: Int64, value: Double)] = [:]
        var now: Int64 = 0
        for step in 0..<10_000 {
            now += Int64.random(in: 1...idle / 50, using: &generator)
            let id = UInt8.random(in: 0..<120, using: &generator)
            let value = Double.random(in: 10...40, using: &generator)
            let awake = last.filter { now - $0.value.timestamp <= idle }
            let answer = observe(store, [id, 0, id], at: now, value: value)
            let isFull = answer == .failure(.full(limit: 60))
            #expect(isFull == (awake[id] == nil && awake.count == 60), "seed \(seed) step \(step)")
            guard !isFull else { continue }
            let rate = (try? answer.get()[1]) ?? .nan
            let known = last[id].map { before in
                Float((value - before.value) / (Double(now - before.timestamp) / Double(hour)))
            }
            let isRight = rate == known || (awake[id] == nil && rate == 0)
            #expect(isRight, "seed \(seed) step \(step)")
            last[id] = (now, value)
            #expect(store.counts().machines <= 60)
        }
        #expect(store.counts().evictions > 1000)
    }

    @Test(arguments: Backing.allCases)
    func manyThreadsAnswerAsOneWould(backing: Backing) throws {
        let machines = 300
        let readings = 40
        let shared = try store(10_000, shards: 8, in: backing)
        let alone = try store(10_000, shards: 1, in: .memory)
        let expected = (0..<machines).map { machine in
            (0..<readings).map { row(alone, machine, $0) }
        }
        let failures = Atomic(0)
        DispatchQueue.concurrentPerform(iterations: 8) { worker in
            for step in 0..<readings {
                for machine in stride(from: worker, to: machines, by: 8)
                where row(shared, machine, step) != expected[machine][step] {
                    failures.add(1, ordering: .relaxed)
                }
            }
        }
        #expect(failures.load(ordering: .relaxed) == 0)
        #expect(shared.counts().machines == machines)
    }

    @Test(arguments: Backing.allCases)
    func manyThreadsNeverExceedTheLimit(backing: Backing) throws {
        let store = try store(100, shards: 8, in: backing)
        let taken = Atomic(0)
        DispatchQueue.concurrentPerform(iterations: 8) { worker in
            for step in 0..<100 {
                let answer = observe(store, [UInt8(worker), UInt8(step)], at: 0)
                if answer != .failure(.full(limit: 100)) { taken.add(1, ordering: .relaxed) }
            }
        }
        #expect(taken.load(ordering: .relaxed) == 100)
        #expect(store.counts().machines == 100)
    }

    private func row(_ store: StateStore, _ machine: Int, _ step: Int) -> Result<
        [Float], StateError
    > {
        let id = Array("EQ\(machine)".utf8)
        let value = Double((machine * 31 + step * 17) % 100)
        return observe(store, id, at: Int64(step) * hour / 3, value: value)
    }
}
