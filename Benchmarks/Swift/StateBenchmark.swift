// SPDX-License-Identifier: MIT

import ArgumentParser
import Features
import ModelRuntime
import Platform

/// The state of many machines: readings a second, bytes a machine, opening a large file.
struct StateBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "state",
        abstract: "Times the machines' state in memory and in a file, beside raw ring buffers."
    )

    @Argument(help: "The bundle whose features are computed.")
    var bundle: String

    @Argument(help: "An empty folder for state files.")
    var folder: String

    @Option(help: "Machines that are updated in random order.")
    var machines = 100_000

    @Option(help: "Machines of the file that is opened; 0 leaves that out.")
    var fileMachines = 1_000_000

    private static let byteCountMax = 4500.0
    private static let openSecondsMax = 1.0

    func run() throws {
        let engine = try BundleReader.load(path: bundle).engine
        let ring = RingBuffers(
            machines: max(1, machines / 10),
            sensorCount: engine.transform.schema.sensors.count,
            windowHours: engine.transform.windowHours
        )
        let theirs = ring.secondsPerUpdate()
        report("{\"state\":\"ring buffer\",\"threads\":1,\"updates_per_second\":\(1 / theirs)}")
        for place in ["memory", "file"] {
            let store = try store(place == "file" ? "updates" : nil, engine, machines)
            let fleet = Fleet(machines: machines, store: store, engine: engine)
            _ = fleet.secondsPerUpdate(round: 0, threads: 1)
            for threads in [1, 2] {
                let times = (1...3).map { round in
                    fleet.secondsPerUpdate(round: 3 * threads + round, threads: threads)
                }
                let ours = times.min() ?? .nan
                report(
                    "{\"state\":\"\(place)\",\"threads\":\(threads),"
                        + "\"updates_per_second\":\(1 / ours),\"times_ring\":\(theirs / ours)}"
                )
            }
        }
        guard fileMachines > 0 else { return }
        if try !opensInTime(engine, ring.byteCount) { throw ExitCode.failure }
    }

    /// A store in memory, or in a file under a name.
    private func store(_ name: String?, _ engine: FeatureEngine, _ count: Int) throws -> StateStore
    {
        let limits = StateLimits(machinesMax: count)
        guard let name else {
            return StateStore(
                records: engine.records,
                horizonMicroseconds: engine.transform.layout.horizonMicroseconds,
                limits: limits
            )
        }
        let directory = try StateDirectory(path: "\(folder)/\(name)")
        guard try directory.takeLock() else { throw ValidationError("the folder is in use") }
        return try directory.store(for: StateDescription(engine.transform), limits: limits)
    }

    /// Fills a file, opens it anew from the page cache and holds it against the goals.
    private func opensInTime(_ engine: FeatureEngine, _ ringByteCount: Int) throws -> Bool {
        do {
            let store = try store("many", engine, fileMachines)
            let fleet = Fleet(machines: fileMachines, store: store, engine: engine)
            _ = fleet.secondsPerUpdate(round: 0, threads: 2)
        }
        let start = MonotonicClock.system.nowNanoseconds
        let store = try store("many", engine, fileMachines)
        let seconds = Double(MonotonicClock.system.nowNanoseconds - start) / 1e9
        let counts = store.counts()
        precondition(counts.machines == fileMachines, "the file lost machines")
        let byteCount = Double(counts.byteCount) / Double(counts.machines)
        report(
            "{\"opened_machines\":\(counts.machines),\"seconds\":\(seconds),"
                + "\"bytes_per_machine\":\(byteCount),\"record_bytes\":"
                + "\(8 * engine.records.wordCount),\"ring_bytes\":\(ringByteCount)}"
        )
        return seconds < Self.openSecondsMax && byteCount <= Self.byteCountMax
    }
}

/// Machines with ids of 64 bytes that send a reading each in random order.
private struct Fleet: Sendable {
    private static let idByteCount = 64
    private let ids: [UInt8]
    private let order: [Int]
    private let store: StateStore
    private let engine: FeatureEngine

    init(machines: Int, store: StateStore, engine: FeatureEngine) {
        var ids: [UInt8] = []
        ids.reserveCapacity(machines * Self.idByteCount)
        for machine in 0..<machines {
            let digits = Array(String(machine).utf8)
            ids += repeatElement(UInt8(ascii: "0"), count: Self.idByteCount - digits.count) + digits
        }
        self.ids = ids
        order = (0..<machines).shuffled()
        self.store = store
        self.engine = engine
    }

    /// Takes a reading of every machine and computes its features.
    func secondsPerUpdate(round: Int, threads: Int) -> Double {
        let moment = 1_750_000_000_000_000 + Int64(round) * 60_000_000
        let time = ReadingTime(timestamp: moment, isTimestamped: true, arrival: moment)
        let start = MonotonicClock.system.nowNanoseconds
        let kept = concurrentMap(count: threads) { thread in
            let part = order.count * thread / threads..<order.count * (thread + 1) / threads
            var scratch = engine.makeScratch()
            var kept = 0
            for machine in order[part] {
                for sensor in 0..<scratch.values.count {
                    scratch.values[sensor] = Double((machine &+ 7 &* sensor &+ round) % 100)
                }
                let first = machine * Self.idByteCount
                let id = ids.span.extracting(first..<first + Self.idByteCount)
                let admission = try? store.observe(time, id: id, engine: engine, scratch: &scratch)
                engine.finishRow(&scratch)
                kept += admission == nil ? 0 : 1
            }
            return kept
        }
        let nanoseconds = MonotonicClock.system.nowNanoseconds - start
        precondition(kept.reduce(0, +) == order.count, "a reading was refused")
        return Double(nanoseconds) / 1e9 / Double(order.count)
    }
}
