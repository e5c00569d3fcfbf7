// SPDX-License-Identifier: MIT

import Foundation
import FuzzTargets
import TestSupport
import Testing

/// The corpus and the past failures of the fuzzer, replayed without it.
struct FuzzTests {
    private static let targets = FuzzTarget.allCases.filter { $0 != .canary }

    private static let root = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fuzz")

    /// The inputs of a target under `corpus` or `failures`, by name.
    private static func inputs(_ folder: String, _ target: FuzzTarget) -> [(String, [UInt8])] {
        let folder = root.appending(path: "\(folder)/\(target.rawValue)")
        let files = try? FileManager.default.contentsOfDirectory(
            at: folder,
            includingPropertiesForKeys: nil
        )
        return (files ?? []).compactMap { file in
            (try? Data(contentsOf: file)).map { (file.lastPathComponent, Array($0)) }
        }
    }

    @Test(arguments: targets)
    func takesTheCorpus(_ target: FuzzTarget) {
        let inputs = FuzzTests.inputs("corpus", target)
        #expect(!inputs.isEmpty)
        for (name, bytes) in inputs { #expect(target.fault(in: bytes) == nil, "\(name)") }
    }

    @Test(arguments: targets)
    func takesWhatOnceFailed(_ target: FuzzTarget) {
        for (name, bytes) in FuzzTests.inputs("failures", target) {
            #expect(target.fault(in: bytes) == nil, "\(name)")
        }
    }

    @Test(arguments: targets)
    func takesEveryBoundInThePlaceOfEveryNumber(_ target: FuzzTarget) {
        for (name, input) in Self.inputs("corpus", target) where input.count < 4096 {
            for number in Self.numbers(in: input) {
                for bound in Self.bounds {
                    var bytes = input
                    bytes.replaceSubrange(number, with: bound)
                    #expect(target.fault(in: bytes) == nil, "\(name), \(number), \(bound)")
                }
            }
        }
    }

    /// Where digits stand, decimal or hexadecimal.
    private static func numbers(in bytes: [UInt8]) -> [Range<Int>] {
        var found: [Range<Int>] = []
        var start = 0
        while start < bytes.count {
            let digits = bytes[start...].prefix { Character(Unicode.Scalar($0)).isHexDigit }
            if digits.contains(where: { Character(Unicode.Scalar($0)).isNumber }) {
                found.append(digits.indices)
            }
            start = digits.endIndex + 1
        }
        return found
    }

    /// Either side of what integers hold, in both notations.
    private static let bounds: [[UInt8]] = {
        let edges: [UInt64] = [1 << 31, 1 << 32, 1 << 60, 1 << 63]
        let numbers = edges.flatMap { [$0 - 1, $0, $0 + 1] } + [.max]
        let texts = numbers.flatMap { [String($0), String($0, radix: 16)] }
        return (texts + ["18446744073709551616"]).map { Array($0.utf8) }
    }()

    @Test(arguments: targets)
    func takesMutantsOfTheCorpus(_ target: FuzzTarget) {
        let inputs = FuzzTests.inputs("corpus", target).map(\.1).sorted { $0.count < $1.count }
        let seed = UInt64.random(in: 0 ... .max)
        var random = SplitMix(seed: seed)
        for round in 0..<300 {
            guard var bytes = inputs.randomElement(using: &random), !bytes.isEmpty else { continue }
            for _ in 0...Int.random(in: 0..<4, using: &random) {
                let place = Int.random(in: bytes.indices, using: &random)
                bytes[place] = UInt8.random(in: 0 ... .max, using: &random)
            }
            #expect(target.fault(in: bytes) == nil, "seed \(seed), round \(round)")
        }
    }

    @Test func noticesAFault() {
        #expect(FuzzTarget.canary.fault(in: Array("bird".utf8)) != nil)
        #expect(FuzzTarget.canary.fault(in: Array("cat".utf8)) == nil)
    }
}
