// SPDX-License-Identifier: MIT

import JSON
import ModelRuntime
import Platform
import Testing

struct BackgroundTests {
    private let background = BundleFile.background

    @Test func loadsWhatExplains() throws {
        let folder = try BundleFolder(try BundleSample.explainedContents())
        let explainer = try #require(try BundleReader.load(path: folder.path).explainer)
        #expect(explainer.groups.map(\.name) == ["temperature", "mode"])
        #expect(explainer.backgroundCount == 2)
        let sums = String(decoding: try folder.read(BundleFile.sums), as: UTF8.self)
        #expect(sums.contains("  background.json\n"))
    }

    @Test func explainsNothingWithoutBackground() throws {
        let folder = try BundleFolder()
        #expect(try BundleReader.load(path: folder.path).explainer == nil)
        #expect(try !FileAccess.list(folder.path).contains(background))
    }

    @Test(arguments: [(0, false), (1, true), (32, true), (33, false)])
    func takesUpToThirtyTwoRecords(count: Int, isAccepted: Bool) throws {
        let folder = try BundleFolder(try BundleSample.explainedContents())
        let written = try JSONView(JSONValue.parse(try folder.read(background)))
        let record = try written.required("records").array[1].value
        try folder.set(
            ["records"],
            in: background,
            to: .array(Array(repeating: record, count: count))
        )
        #expect((folder.refusal() == nil) == isAccepted)
    }

    @Test(
        arguments: [
            (["format"], 2), (["records"], nil), (["sensors"], ["mode"]),
            (["records", "0", "timestamps", "0"], "today"), (["records", "0", "timestamps"], []),
            (["records", "0", "values"], nil), (["records", "0", "values"], []),
            (["records", "0", "values", "0"], [1]), (["records", "0", "values", "0", "0"], "off"),
        ] as [([String], JSONValue?)]
    )
    func refusesStrangeRecords(keys: [String], value: JSONValue?) throws {
        let folder = try BundleFolder(try BundleSample.explainedContents())
        try folder.set(keys, in: background, to: value)
        #expect(folder.refusal()?.description.hasPrefix("background.json: ") == true)
    }

    @Test func refusesAnEmptyFile() throws {
        let folder = try BundleFolder(try BundleSample.explainedContents())
        try folder.replace(background, with: [])
        #expect(folder.refusal()?.description.hasPrefix("background.json: ") == true)
    }

    @Test func refusesABackgroundThatWasChangedOrLost() throws {
        let folder = try BundleFolder(try BundleSample.explainedContents())
        try folder.write(Array("{}".utf8), background)
        #expect(folder.refusal() == .digest(file: background))
        try folder.remove(background)
        #expect(folder.refusal() == .missing(file: background))
    }
}
