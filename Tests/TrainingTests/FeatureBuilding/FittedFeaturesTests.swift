// SPDX-License-Identifier: MIT

import Features
import JSON
import ModelRuntime
import Platform
import Testing
import Training

struct FittedFeaturesTests {
    private let folder: TestFolder
    private let fitted: FittedFeatures
    private let path: String

    init() throws {
        folder = try TestFolder()
        path = "\(folder.path)/\(FittedFeatures.fileName)"
        let table = SampleReadings.table(machines: 4, hours: 40)
        let transform = try SampleReadings.transform(table)
        let golden = GoldenSampler.cases(from: table, engine: try FeatureEngine(transform))
        fitted = FittedFeatures(transform: transform, golden: golden)
        try JSONFile.write(fitted.json, to: path)
    }

    private func error(after change: (inout String) -> Void) throws -> String? {
        var text = String(decoding: try FileAccess.read(path), as: UTF8.self)
        let before = text
        change(&text)
        #expect(text != before)
        try FileAccess.write(Array(text.utf8), to: path)
        return refusal { () throws(TrainingError) in try FittedFeatures(path: path) }
    }

    private static func replace(_ old: String, with new: String, in text: inout String) {
        guard let range = text.firstRange(of: old) else { return }
        text.replaceSubrange(range, with: new)
    }

    @Test func readsBackWhatItWrote() throws {
        let again = try FittedFeatures(path: path)
        #expect(again.transform == fitted.transform)
        #expect(again.digest == fitted.digest && again.digest.utf8.count == 64)
        #expect(again.json == fitted.json)
    }

    @Test func picksFourCasesOfEachLabelWithTheirHistory() {
        #expect(fitted.golden.count == 8)
        for sample in fitted.golden {
            #expect(sample.history.count <= 48)
            #expect(sample.features.count == fitted.transform.features.count)
            #expect(sample.history.allSatisfy { $0.timestamp < sample.reading.timestamp })
        }
        #expect(fitted.golden.contains { !$0.history.isEmpty })
    }

    @Test func refusesAChangedTransform() throws {
        let error = try error { Self.replace("\"scale\": ", with: "\"scale\": 1", in: &$0) }
        #expect(error?.hasPrefix("\(path): the transform was changed: its digest is ") == true)
    }

    @Test func refusesAnotherFormat() throws {
        let error = try error { Self.replace("\"format\": 1", with: "\"format\": 2", in: &$0) }
        #expect(error?.hasPrefix("\(path): ") == true && error?.contains("format") == true)
    }

    @Test func refusesWhatIsCutOff() throws {
        let error = try error { $0.removeLast(20) }
        #expect(error?.hasPrefix("\(path): ") == true)
    }
}
