// SPDX-License-Identifier: MIT

import ArgumentParser
import Platform
import Training

/// Training on the rows of a file, epoch by epoch.
struct TrainBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Times the epochs of a training, validation included."
    )

    @Argument(help: "Rows of little-endian float32: the features, then the label.")
    var file: String

    @Option(help: "Features in a row.")
    var inputs: Int

    @Option(help: "How many of the last rows are for validation.")
    var validationRows: Int

    @Option(help: "Epochs; none is left out.")
    var epochs: Int

    @Option(help: "Rows per step.")
    var batchSize: Int

    @Option(help: "The most threads.")
    var threads = 1

    @Option(help: "Widths of the hidden layers.")
    var hidden = TrainerOptions().hiddenSizes.map(String.init).joined(separator: ",")

    func run() throws {
        let (features, labels) = try rows()
        var options = TrainerOptions()
        options.epochs = epochs
        options.stopPatience = epochs
        options.batchSize = batchSize
        options.hiddenSizes = try hidden.split(separator: ",").map {
            guard let width = Int($0) else { throw ValidationError("\($0) is no width") }
            return width
        }
        let split = labels.count - validationRows
        let clock = MonotonicClock.system
        var start = clock.nowNanoseconds
        _ = try NetworkTrainer(options: options, threadCount: threads).train(
            features: features,
            inputs: inputs,
            labels: labels,
            trainRows: Array(0..<split),
            validationRows: Array(split..<labels.count)
        ) { epoch in
            let now = clock.nowNanoseconds
            report(
                "{\"seconds\":\(Double(now - start) / 1e9),\"loss\":\(epoch.loss),"
                    + "\"pr_auc\":\(epoch.prAUC ?? 0)}"
            )
            start = clock.nowNanoseconds
            return true
        }
    }

    private func rows() throws -> (features: [Float], labels: [UInt8]) {
        let bytes = try FileAccess.read(file, byteCountMax: 1 << 30)
        let width = inputs + 1
        guard bytes.count.isMultiple(of: 4 * width) else {
            throw ValidationError("\(file): no whole rows of \(width) numbers")
        }
        var features: [Float] = []
        var labels: [UInt8] = []
        for index in 0..<bytes.count / 4 {
            var bits: UInt32 = 0
            for byte in (0..<4).reversed() { bits = bits << 8 | UInt32(bytes[4 * index + byte]) }
            let value = Float(bitPattern: bits)
            if index % width < inputs {
                features.append(value)
            } else {
                labels.append(value > 0 ? 1 : 0)
            }
        }
        return (features, labels)
    }
}
