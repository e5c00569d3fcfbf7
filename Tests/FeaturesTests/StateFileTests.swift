// SPDX-License-Identifier: MIT

@testable import Features
import JSON
import Platform
import TestSupport
import Testing

struct StateFileTests {
    private let engine: FeatureEngine
    private let folder = TemporaryFolder()
    private let path: String
    let start: Int64 = 1_000_000 * hour

    init() throws {
        let spec = FeatureSpec(
            name: "small",
            elements: [
                .window([.mean, .standardDeviation, .maximum], hours: [2, 4], .gauges),
                .rate(.named(["current"])),
            ]
        )
        engine = try FeatureEngine(makeTransform(spec))
        path = folder.newPath()
    }

    func open(
        machinesMax: Int = 100,
        recordsPerChunk: Int = 4,
        faults: StateFaults? = nil
    ) throws -> StateStore {
        StateStore(
            records: engine.records,
            horizonMicroseconds: engine.transform.layout.horizonMicroseconds,
            limits: StateLimits(machinesMax: machinesMax, shardCount: 2),
            file: try StateFile(
                path: path,
                description: StateDescription(engine.transform),
                machinesMax: machinesMax,
                recordsPerChunk: recordsPerChunk,
                faults: faults
            )
        )
    }

    @discardableResult
    func take(
        _ store: StateStore,
        _ id: String,
        at timestamp: Int64,
        arrival: Int64? = nil,
        value: Double = 20
    ) throws -> Admission {
        var scratch = engine.makeScratch()
        scratch.values = [value, 3, 90, 1400, value, 100]
        let time = ReadingTime(
            timestamp: timestamp,
            isTimestamped: true,
            arrival: arrival ?? timestamp
        )
        return try store.observe(time, id: Array(id.utf8).span, engine: engine, scratch: &scratch)
    }

    /// Since when the alarm of a machine is up, after a prediction where one is given.
    private func alarm(
        _ store: StateStore,
        _ id: String,
        _ probability: Double?,
        at timestamp: Int64,
        model: UInt64 = 1
    ) -> Int64? {
        guard let rule = AlarmRule(raise: 0.5, clear: 0.3, needed: 1, of: 1) else { return nil }
        let policy = AlarmPolicy(rule: rule, model: model)
        let id = Array(id.utf8)
        return store.observeAlarm(probability, at: timestamp, by: policy, id: id.span).since
    }

    @Test func keepsAlarmsWithTheirModel() throws {
        var store = try open()
        try take(store, "A", at: start)
        #expect(alarm(store, "A", 0.9, at: start) == start)
        #expect(alarm(store, "A", nil, at: start + hour) == start)
        #expect(alarm(store, "A", nil, at: start, model: 2) == nil)
        #expect(alarm(store, "B", 0.9, at: start) == nil)
        store = try open()
        #expect(alarm(store, "A", 0.4, at: start + hour) == start)
        #expect(alarm(store, "A", 0.1, at: start + 2 * hour) == nil)
        #expect(alarm(store, "A", 0.9, at: start + 3 * hour, model: 2) == start + 3 * hour)
        #expect(alarm(store, "A", nil, at: start, model: 1) == nil)
        // The pane of a maintenance keeps what is in it, but no alarm.
        #expect(store.reset("A", before: start))
        #expect(alarm(store, "A", nil, at: start, model: 2) == nil)
        #expect(store.counts().torn == 0)
    }

    /// A machine's record without its checksums, which need not be right in memory.
    func record(_ store: StateStore, _ id: String) -> [UInt64]? {
        guard var words = store.words(of: id) else { return nil }
        words[RecordLayout.checksum] = 0
        for place in 0..<engine.records.paneCount {
            words[engine.records.pane(at: place).lowerBound + 1] &= 0xFFFF_FFFF_0000_0000
        }
        return words
    }

    @Test func keepsEveryMachineAcrossRestarts() throws {
        var generator = SplitMix(seed: 3)
        var expected: [String: [UInt64]?] = [:]
        let mirror = StateStore(
            records: engine.records,
            horizonMicroseconds: engine.transform.layout.horizonMicroseconds,
            limits: StateLimits()
        )
        for round in 0..<5 {
            let store = try open()
            for (id, words) in expected { #expect(record(store, id) == words) }
            for step in 0..<200 {
                let id = "M\(Int.random(in: 0..<50, using: &generator))"
                let late = Int64.random(in: 0..<6, using: &generator) * hour
                let timestamp = start + Int64(round * 200 + step) * hour / 50 - late
                let value = Double.random(in: 10...40, using: &generator)
                let admission = try take(store, id, at: timestamp, value: value)
                #expect(try take(mirror, id, at: timestamp, value: value) == admission)
            }
            for machine in 0..<50 { expected["M\(machine)"] = record(mirror, "M\(machine)") }
            #expect(store.counts().machines == mirror.counts().machines)
            #expect(store.counts().torn == 0)
            #expect(store.counts().memoryOnly == 0)
        }
    }

    /// What an operation changes; each is stopped between any two of its stores.
    enum Operation: CaseIterable {
        case update, late, newMachine, reset, remove, evict, alarm
    }

    private func run(_ operation: Operation, _ store: StateStore) throws {
        switch operation {
        case .update: try take(store, "A", at: start + 3 * hour, value: 33)
        case .late: try take(store, "A", at: start - hour, value: 33)
        case .newMachine: try take(store, "C", at: start, value: 33)
        case .reset: #expect(store.reset("A", before: start + hour))
        case .alarm: #expect(alarm(store, "A", 0.9, at: start) == start)
        case .remove: #expect(store.forget("A"))
        case .evict:
            let arrival = start + 3 * engine.transform.layout.horizonMicroseconds
            // The last of three: B has been heard of, A has not.
            try take(store, "B", at: start + 2 * hour, arrival: arrival)
            try take(store, "C", at: start, arrival: arrival)
        }
    }

    private func outcome(_ store: StateStore) -> [[UInt64]?] {
        ["A", "B", "C"].map { record(store, $0) }
    }

    @Test(arguments: Operation.allCases)
    func isAsBeforeOrAsAfterWhereverItIsKilled(operation: Operation) throws {
        let machinesMax = operation == .evict ? 2 : 100
        do {
            let store = try open(machinesMax: machinesMax)
            for step in 0..<3 {
                for id in ["A", "B"] { try take(store, id, at: start + Int64(step) * hour / 2) }
            }
        }
        let image = try FileAccess.read(path)
        var outcomes: [[[UInt64]?]] = []
        for storesMax in 0..<100_000 {
            try FileAccess.write(image, to: path)
            let faults = StateFaults(storesMax: storesMax)
            try run(operation, open(machinesMax: machinesMax, faults: faults))
            let store = try open(machinesMax: machinesMax)
            let found = outcome(store)
            if outcomes.last != found { outcomes.append(found) }
            #expect(store.counts().torn == 0)
            if storesMax > 0, !faults.isExhausted { break }
        }
        // One step from before to after; an eviction takes two, and a reading goes before it.
        #expect(outcomes.count == (operation == .evict ? 4 : 2))
    }

    @Test func appliesASlotAsOftenAsItIsFound() throws {
        do { try take(open(), "A", at: start) }
        let image = try FileAccess.read(path)
        do { try take(open(), "A", at: start + hour, value: 25) }
        let after = try record(open(), "A")
        // The slot is sealed after its control words, a header and a pane; stop within the record.
        let words = engine.records.header.count + engine.records.wordsPerPane
        try FileAccess.write(image, to: path)
        do {
            try take(
                open(faults: StateFaults(storesMax: words + 10)),
                "A",
                at: start + hour,
                value: 25
            )
        }
        // Killed again while it is applied, at every place.
        let half = try FileAccess.read(path)
        for storesMax in stride(from: 0, through: words + 1, by: 1) {
            try FileAccess.write(half, to: path)
            _ = try open(faults: StateFaults(storesMax: storesMax))
            #expect(try record(open(), "A") == after)
        }
    }

    @Test func dropsATornPaneAndServesTheRest() throws {
        do {
            let store = try open()
            for step in 0..<4 { try take(store, "A", at: start + Int64(step) * hour) }
        }
        let layout = engine.records
        let pane = layout.pane(of: start + hour)
        try flip(word: pane.lowerBound + 5)
        let store = try open()
        let words = try #require(store.words(of: "A"))
        #expect(store.counts().torn == 1)
        #expect(words[pane].dropFirst(2).allSatisfy { $0 == 0 })
        #expect(
            words[layout.pane(of: start)].dropFirst(2).contains {
                $0 != 0
            }
        )
        #expect(try take(store, "A", at: start + 4 * hour) == .inOrder)
        #expect(store.counts().torn == 1)
    }

    @Test func dropsARecordWithATornHeaderAndMakesRoom() throws {
        do {
            let store = try open(machinesMax: 2)
            for id in ["A", "B"] { try take(store, id, at: start) }
        }
        try flip(word: RecordLayout.readingCount)
        let store = try open(machinesMax: 2)
        let known = ["A", "B"].filter { store.words(of: $0) != nil }
        #expect(known.count == 1)
        #expect(store.counts().torn == 1)
        #expect(store.counts().machines == 1)
        try take(store, "C", at: start)
        #expect(throws: StateError.full(limit: 2)) { try take(store, "D", at: start) }
    }

    /// Damage that nobody has come upon yet stops neither a census nor the search for room.
    @Test(arguments: [RecordLayout.idByteCount, RecordLayout.lastArrival], [UInt8(2), 0x80])
    func countsAndEvictsBesideDamage(word: Int, bit: UInt8) throws {
        do {
            let store = try open(machinesMax: 2)
            for id in ["A", "B"] { try take(store, id, at: start) }
        }
        try flip(word: word, byte: 7, bit: bit)
        let store = try open(machinesMax: 2)
        _ = store.census(epoch: 0, silentSince: .max)
        #expect(throws: StateError.full(limit: 2)) { try take(store, "C", at: start) }
        let record = try #require(store.words(of: "A") ?? store.words(of: "B"))
        if store.counts().machines == 2 {
            #expect(throws: StateError.full(limit: 2)) {
                try store.restore(record, id: "D".utf8.span)
            }
        }
    }

    /// Flips a bit of a word of the first record.
    private func flip(word: Int, byte: Int = 0, bit: UInt8 = 4) throws {
        var bytes = try FileAccess.read(path)
        let layout = StateFileLayout(
            engine.records,
            descriptionBytes: StateDescription(engine.transform).json.serialized().count,
            recordsPerChunk: 4
        )
        bytes[layout.recordOffset(0) + word * 8 + byte] ^= bit
        try FileAccess.write(bytes, to: path)
    }

    @Test func neverServesWhatRandomDamageLeft() throws {
        var generator = SplitMix(seed: 8)
        do {
            let store = try open()
            for machine in 0..<8 {
                for step in 0..<6 { try take(store, "M\(machine)", at: start + Int64(step) * hour) }
            }
        }
        let image = try FileAccess.read(path)
        let sound = try (0..<8).map { try record(open(), "M\($0)") }
        for round in 0..<200 {
            var bytes = image
            for _ in 0..<20 {
                // The head is checked on its own.
                let place = Int.random(in: 4096..<bytes.count, using: &generator)
                bytes[place] = UInt8.random(in: 0...255, using: &generator)
            }
            try FileAccess.write(bytes, to: path)
            let store = try open()
            for machine in 0..<8 {
                guard let found = record(store, "M\(machine)"), let whole = sound[machine] else {
                    continue
                }
                // Each part is what it was, or an empty pane.
                let layout = engine.records
                #expect(found[layout.header] == whole[layout.header], "round \(round)")
                for place in 0..<layout.paneCount {
                    let pane = found[layout.pane(at: place)]
                    let isEmpty = pane.dropFirst(2).allSatisfy {
                        $0 == 0
                    }
                    #expect(isEmpty || pane == whole[layout.pane(at: place)], "round \(round)")
                }
            }
        }
    }

    @Test func refusesWhatIsNoStateOfThisLayout() throws {
        do { try take(open(), "A", at: start) }
        let image = try FileAccess.read(path)
        for (offset, problem) in [
            (0, StateFileProblem.notAStateFile), (8, .format(0)), (20, .tornHead), (64, .tornHead),
        ] {
            var bytes = image
            bytes[offset] ^= 1
            try FileAccess.write(bytes, to: path)
            #expect(throws: StateFileError.problem(path: path, problem)) { try open() }
        }
        try FileAccess.write(image, to: path)
        let other = StateDescription(try makeTransform())
        #expect(throws: StateFileError.problem(path: path, .otherLayout)) {
            try StateFile(path: path, description: other, machinesMax: 1)
        }
    }

    @Test func aSecondProgramDoesNotGetTheDirectory() throws {
        let first = try StateDirectory(path: folder.path)
        let second = try StateDirectory(path: folder.path)
        #expect(try first.takeLock())
        #expect(try !second.takeLock())
        let state = StateDescription(engine.transform)
        let store = try first.store(for: state, limits: StateLimits())
        #expect(try first.store(for: state, limits: StateLimits()) === store)
        #expect(try first.digests() == [state.digest])
        #expect(try first.description(ofDigest: state.digest) == state)
    }

    @Test func resetMakesEarlierReadingsStaleAndKeepsLaterOnes() throws {
        let store = try open()
        for step in 0..<4 { try take(store, "A", at: start + Int64(step) * hour / 2) }
        #expect(store.reset("A", before: start + 2 * hour + 5))
        #expect(try take(store, "A", at: start + 2 * hour - 1) == .stale)
        #expect(try take(store, "A", at: start + 2 * hour) == .inOrder)
        #expect(try take(store, "A", at: start + 3 * hour) == .inOrder)
        // Of a maintenance that is told late, only panes before its own go.
        #expect(store.reset("A", before: start + 3 * hour))
        #expect(try take(store, "A", at: start + 3 * hour) == .duplicate)
        #expect(try take(store, "A", at: start + 2 * hour) == .stale)
        #expect(!store.reset("B", before: start))
    }
}

extension StateStore {
    fileprivate func words(of id: String) -> [UInt64]? { record(id: Array(id.utf8).span) }

    func forget(_ id: String) -> Bool { remove(id: Array(id.utf8).span) }

    fileprivate func reset(_ id: String, before timestamp: Int64) -> Bool {
        resetWindows(id: Array(id.utf8).span, before: timestamp)
    }
}
