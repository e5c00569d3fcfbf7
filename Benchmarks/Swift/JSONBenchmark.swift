// SPDX-License-Identifier: MIT

import ArgumentParser
import JSON
import Platform

/// Reading a JSON file: every token, every number as a correctly rounded double.
struct JSONBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "json",
        abstract: "Times the JSON reader on a file: gigabytes a second."
    )

    @Argument(help: "The JSON file.")
    var file: String

    @Option(help: "Seconds per measurement.")
    var seconds = 1.0

    func run() throws {
        let bytes = try FileAccess.read(file, byteCountMax: 1 << 30)
        let limits = JSONLimits(byteCountMax: .max)
        let sum = try Self.sum(bytes.span, limits)
        var repeated = sum
        let time = Stopwatch.shortest(seconds: seconds) {
            repeated = (try? Self.sum(bytes.span, limits)) ?? .nan
        }
        precondition(repeated == sum, "the same text gave another sum")
        report(
            "{\"bytes\":\(bytes.count),\"seconds\":\(time),"
                + "\"gigabytes_per_second\":\(Double(bytes.count) / time / 1e9),\"sum\":\(sum)}"
        )
    }

    /// The sum of all numbers: what a reader of readings has to find.
    private static func sum(
        _ bytes: Span<UInt8>,
        _ limits: JSONLimits
    ) throws(JSONError) -> Double {
        var reader = JSONReader(limits: limits)
        var sum = 0.0
        while true {
            switch try reader.next(bytes) {
            case .end: return sum
            case .number(let range): sum += JSONNumber.parse(bytes, range) ?? .nan
            default: break
            }
        }
    }
}
