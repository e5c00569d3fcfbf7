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
