// SPDX-License-Identifier: MIT

import ArgumentParser
import Platform

/// What scripts/bench times of our own code, one JSON object a line; the competitors stand in
/// `Benchmarks/python` and print the ratios.
@main
struct Benchmarks: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "benchmarks",
        abstract: "Times parts of the product; scripts/bench compares them with others.",
        subcommands: [
            DriftBenchmark.self, ExplainBenchmark.self, ForwardBenchmark.self,
            JSONBenchmark.self, StateBenchmark.self, TrainBenchmark.self,
        ]
    )
}

/// The shortest of many runs: on a shared machine every other statistic measures the neighbours.
enum Stopwatch {
    /// Runs `work` until `seconds` have passed, at least three times, and returns the shortest
    /// time of one call in seconds; short work is repeated within a measurement.
    static func shortest(seconds: Double, _ work: () -> Void) -> Double {
        let clock = MonotonicClock.system
        work()
        let first = clock.nowNanoseconds
        work()
        let once = max(clock.nowNanoseconds - first, 50)
        let repeats = Int(max(1, 20_000 / once))
        var best = Int64.max
        var measurements = 0
        let end = clock.nowNanoseconds + Int64(seconds * 1e9)
        while measurements < 3 || clock.nowNanoseconds < end {
            let start = clock.nowNanoseconds
            for _ in 0..<repeats { work() }
            best = min(best, clock.nowNanoseconds - start)
            measurements += 1
        }
        return Double(best) / Double(repeats) / 1e9
    }
}

/// A line of results on standard output.
func report(_ line: String) { StandardOutput.write(Array((line + "\n").utf8)) }
