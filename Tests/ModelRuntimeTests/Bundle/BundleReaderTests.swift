// SPDX-License-Identifier: MIT

import Features
import Integrity
import JSON
import ModelRuntime
import Platform
import Testing

struct BundleReaderTests {
    private static let files = [
        "evaluation.json", "golden.json", "manifest.json", "reference.safetensors",
        "weights.safetensors", "SHA256SUMS",
    ]

    @Test func loadsWhatWasWritten() throws {
        let folder = try BundleFolder()
        let loaded = try BundleReader.load(path: folder.path)
        #expect(loaded.manifest == BundleSample.manifest)
        #expect(loaded.engine.transform == BundleSample.transform)
        #expect(loaded.network.layers == BundleSample.layers)
        #expect(loaded.path == folder.path)
        #expect(loaded.digest == SHA256.digest(of: try folder.read("SHA256SUMS")))
        #expect(loaded.isPositive(probability: 0.5))
        #expect(!loaded.isPositive(probability: 0.5.nextDown))
        #expect(loaded.riskLevel(probability: 0.69) == .medium)
    }

    @Test func callsAPositivePredictionNeverLow() throws {
        var manifest = BundleSample.manifest
        manifest.threshold = 0.1
        let folder = try BundleFolder(try BundleSample.contents(manifest))
        let loaded = try BundleReader.load(path: folder.path)
        #expect(loaded.riskLevel(probability: 0.1) == .medium)
        #expect(loaded.riskLevel(probability: 0.1.nextDown) == .low)
    }

    @Test(arguments: files)
    func refusesAFlippedByte(file: String) throws {
        let folder = try BundleFolder()
        let bytes = try folder.read(file)
        // Every byte of the sums; elsewhere about fifty places, both ends among them.
        let step = file == "SHA256SUMS" ? 1 : max(1, bytes.count / 50)
        for index in Array(stride(from: 0, to: bytes.count, by: step)) + [bytes.count - 1] {
            var damaged = bytes
            damaged[index] ^= 1 << UInt8(index % 8)
            try folder.write(damaged, file)
            let refusal = folder.refusal()?.description
            #expect(refusal?.contains(file) == true, "byte \(index): \(refusal ?? "loaded")")
        }
        try folder.write(bytes, file)
        #expect(folder.refusal() == nil)
    }

    @Test func refusesTheOtherCaseOfTheSums() throws {
        let folder = try BundleFolder()
        let text = String(decoding: try folder.read("SHA256SUMS"), as: UTF8.self)
        let upper = String(text.prefix(64)).uppercased() + text.dropFirst(64)
        try folder.write(Array(upper.utf8), "SHA256SUMS")
        #expect(folder.refusal()?.description.hasPrefix("SHA256SUMS: line 1: ") == true)
    }

    @Test(arguments: files)
    func refusesATruncatedFile(file: String) throws {
        let folder = try BundleFolder()
        let bytes = try folder.read(file)
        for count in [0, 1, bytes.count / 2, bytes.count - 1] {
            try folder.write(Array(bytes[..<count]), file)
            #expect(folder.refusal()?.description.contains(file) == true, "\(count) bytes")
        }
    }

    @Test(arguments: files)
    func refusesAMissingFile(file: String) throws {
        let folder = try BundleFolder()
        try folder.remove(file)
        #expect(folder.refusal() == .missing(file: file))
        if file == "SHA256SUMS" { return }
        try folder.sum()
        #expect(folder.refusal() == .missing(file: file))
    }

    @Test func refusesAFileThatIsNotListed() throws {
        let folder = try BundleFolder()
        try folder.write([], "extra.bin")
        #expect(folder.refusal() == .unlisted(file: "extra.bin"))
        try folder.sum()
        #expect(folder.refusal() == nil)
    }

    @Test func passesOverASignature() throws {
        let folder = try BundleFolder()
        try folder.write([1, 2, 3], "SHA256SUMS.sig")
        #expect(folder.refusal() == nil)
    }

    @Test func refusesADirectoryInPlaceOfAFile() throws {
        let folder = try BundleFolder()
        try folder.remove("golden.json")
        try FileAccess.makeDirectory("\(folder.path)/golden.json")
        #expect(folder.refusal() == .notAFile(file: "golden.json"))
    }

    @Test(arguments: [
        "x", "\n", "../manifest.json", ".hidden", "manifest.json", "no such.json",
    ])
    func refusesAStrangeLineOfTheSums(name: String) throws {
        let folder = try BundleFolder()
        let sums = try folder.read("SHA256SUMS")
        let line = "\(SHA256.digest(of: []).hex)  \(name)\n"
        try folder.write(sums + Array(line.utf8), "SHA256SUMS")
        #expect(folder.refusal()?.description.contains("SHA256SUMS") == true)
    }

    @Test func namesADirectoryThatIsNotThere() throws {
        let directory = try TemporaryDirectory()
        #expect(throws: BundleError.self) {
            try BundleReader.load(path: "\(directory.path)/none")
        }
    }

    @Test(arguments: files)
    func limitsTheSizeOfEachFile(file: String) throws {
        let folder = try BundleFolder()
        let count = try folder.read(file).count
        #expect(folder.refusal(limits: Self.limits(file, count)) == nil)
        let limits = Self.limits(file, count - 1)
        #expect(folder.refusal(limits: limits) == .tooLarge(file: file, limit: count - 1))
    }

    @Test func limitsTheNumberOfFiles() throws {
        let folder = try BundleFolder()
        var limits = BundleLimits()
        limits.filesMax = 6
        #expect(folder.refusal(limits: limits) == nil)
        limits.filesMax = 5
        #expect(folder.refusal(limits: limits) == .fileCount(count: 6, limit: 5))
    }

    @Test func limitsFilesThatItDoesNotKnow() throws {
        let folder = try BundleFolder()
        try folder.replace("extra.bin", with: [1, 2, 3])
        var limits = BundleLimits()
        limits.otherBytesMax = 3
        #expect(folder.refusal(limits: limits) == nil)
        limits.otherBytesMax = 2
        #expect(folder.refusal(limits: limits) == .tooLarge(file: "extra.bin", limit: 2))
    }

    @Test func limitsGoldenCasesAndTheirHistory() throws {
        let folder = try BundleFolder()
        var limits = BundleLimits()
        limits.goldenCasesMax = 2
        limits.goldenHistoryMax = 4
        #expect(folder.refusal(limits: limits) == nil)
        limits.goldenHistoryMax = 3
        #expect(folder.refusal(limits: limits) != nil)
        limits.goldenHistoryMax = 4
        limits.goldenCasesMax = 1
        #expect(folder.refusal(limits: limits) != nil)
    }

    @Test func checksThatABundleIsWhatItsPlaceSays() throws {
        let folder = try BundleFolder()
        let version = BundleSample.version
        var place = BundleLocation(path: folder.path, model: "press", version: version)
        _ = try BundleReader.load(place)
        place.model = "pump"
        #expect(throws: BundleError.self) { try BundleReader.load(place) }
        place.model = nil
        _ = try BundleReader.load(place)
        place.version = sampleVersion("20260102_030406")
        #expect(throws: BundleError.self) { try BundleReader.load(place) }
    }

    private static func limits(_ file: String, _ count: Int) -> BundleLimits {
        var limits = BundleLimits()
        switch file {
        case "manifest.json": limits.manifestBytesMax = count
        case "weights.safetensors": limits.weightsBytesMax = count
        case "reference.safetensors": limits.referenceBytesMax = count
        case "SHA256SUMS": limits.sumsBytesMax = count
        case "golden.json": limits.goldenBytesMax = count
        default: limits.evaluationBytesMax = count
        }
        return limits
    }
}
