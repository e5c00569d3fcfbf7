// SPDX-License-Identifier: MIT

import ArgumentParser
import ModelRuntime
import Platform

/// The forward pass of one network on one thread, beside the peak loop of its instruction set.
struct ForwardBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "forward",
        abstract: "Times the forward pass: seconds per batch and the share of the peak."
    )

    @Option(help: "Width of every layer, inputs first.")
    var widths = "30,128,64,32,1"

    @Option(help: "Rows per call.")
    var batches = "1,8,100,1000,10000"

    @Option(help: "Seconds per measurement.")
    var seconds = 0.5

    func run() throws {
        let widths = try Self.numbers(widths)
        let batches = try Self.numbers(batches)
        guard widths.count > 1 else { throw ValidationError("--widths needs two numbers") }
        for variant in KernelVariant.allCases {
            guard variant.isAvailable else {
                report("{\"variant\":\"\(variant.rawValue)\",\"skipped\":\"not on this CPU\"}")
                continue
            }
            try measure(variant, widths, batches)
        }
    }

    private func measure(_ variant: KernelVariant, _ widths: [Int], _ batches: [Int]) throws {
        let network = try Self.network(widths, variant)
        let scratch = ForwardScratch(for: network)
        let operations = 2 * zip(widths, widths.dropFirst()).map(*).reduce(0, +)
        for batch in batches {
            let rows = Self.uniform(batch * widths[0])
            var logits = [Float](repeating: 0, count: batch)
            // Before and after: the clock of a shared machine wanders.
            let before = peak(network.kernels)
            let time = Stopwatch.shortest(seconds: seconds) {
                var target = logits.mutableSpan
                network.forward(rows: rows.span, into: &target, scratch: scratch)
            }
            let peak = max(before, peak(network.kernels))
            let share = Double(operations * batch) / time / peak
            report(
                "{\"variant\":\"\(variant.rawValue)\",\"batch\":\(batch),\"seconds\":\(time),"
                    + "\"gflops\":\(Double(operations * batch) / time / 1e9),"
                    + "\"peak_gflops\":\(peak / 1e9),\"share\":\(share)}"
            )
        }
    }

    /// Floating-point operations a second of the peak loop.
    private func peak(_ kernels: Kernels) -> Double {
        let rounds = 10_000
        let operations = kernels.runPeakLoop(rounds: rounds)
        let time = Stopwatch.shortest(seconds: seconds / 4) {
            _ = kernels.runPeakLoop(rounds: rounds)
        }
        return Double(operations) / time
    }

    private static func network(_ widths: [Int], _ variant: KernelVariant) throws -> Network {
        var layers: [Layer] = []
        var tensors: [LayerTensors] = []
        for (inputs, outputs) in zip(widths, widths.dropFirst()) {
            let isLast = layers.count == widths.count - 2
            layers.append(
                Layer(inputs: inputs, outputs: outputs, activation: isLast ? .sigmoid : .relu)
            )
            tensors.append(
                LayerTensors(weight: uniform(inputs * outputs), bias: uniform(outputs))
            )
        }
        return try Network(layers: layers, tensors: tensors, variant: variant)
    }

    private static func uniform(_ count: Int) -> [Float] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in Float.random(in: -0.5...0.5, using: &generator) }
    }

    private static func numbers(_ text: String) throws -> [Int] {
        try text.split(separator: ",").map { part in
            guard let number = Int(part), number > 0 else {
                throw ValidationError("\(part) is not a number above 0")
            }
            return number
        }
    }
}
