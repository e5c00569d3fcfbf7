// SPDX-License-Identifier: MIT

import JSON
import ModelRuntime
import Platform
import Testing

/// Bundles whose sums are right and whose contents are not.
struct BundleContentTests {
    private let weights = BundleFile.weights
    private let reference = BundleFile.reference
    private let golden = BundleFile.golden

    @Test(arguments: [Float.nan, .infinity, -.infinity])
    func refusesWeightsThatAreNotFinite(value: Float) throws {
        let folder = try BundleFolder()
        for tensor in 0..<8 {
            var tensors = try SafeTensors.read(
                LayerTensors.bytes([BundleSample.tensors], of: BundleSample.layers)
            )
            tensors[tensor].values[0] = value
            try folder.replace(weights, with: SafeTensors.write(tensors))
            let name = tensors[tensor].name
            #expect(
                folder.refusal() == .tensors(file: weights, .notFinite(tensor: name, index: 0))
            )
        }
    }

    @Test func refusesMissingAndSuperfluousTensors() throws {
        let folder = try BundleFolder()
        let tensors = try SafeTensors.read(try folder.read(weights))
        try folder.replace(weights, with: SafeTensors.write(Array(tensors.dropLast())))
        #expect(
            folder.refusal() == .tensors(file: weights, .missing(tensor: "layers.1.bias"))
        )
        let extra = Tensor(name: "layers.1.gamma", shape: [1], values: [1])
        try folder.replace(weights, with: SafeTensors.write(tensors + [extra]))
        #expect(
            folder.refusal() == .tensors(file: weights, .unexpected(tensor: "layers.1.gamma"))
        )
        try folder.replace(weights, with: SafeTensors.write(tensors.reversed()))
        #expect(folder.refusal() == nil)
    }

    @Test func refusesATransposedWeight() throws {
        let folder = try BundleFolder()
        var tensors = try SafeTensors.read(try folder.read(weights))
        tensors[0].shape = [2, 4]
        try folder.replace(weights, with: SafeTensors.write(tensors))
        let error = SafeTensorsError.dimensions(
            tensor: "layers.0.weight",
            actual: [2, 4],
            expected: [4, 2]
        )
        #expect(folder.refusal() == .tensors(file: weights, error))
    }

    @Test func refusesLayersThatDoNotChain() throws {
        let folder = try BundleFolder()
        let file = BundleFile.manifest
        try folder.set(["layers", "0", "inputs"], in: file, to: 3)
        #expect(folder.refusal()?.description.hasPrefix("manifest.json: layers: ") == true)
        try folder.set(["layers", "0", "inputs"], in: file, to: 4)
        #expect(folder.refusal() == nil)
        try folder.set(["layers", "1", "inputs"], in: file, to: 3)
        #expect(folder.refusal()?.description.hasPrefix("weights.safetensors: ") == true)
        var tensors = try SafeTensors.read(try folder.read(weights))
        let index = try #require(tensors.firstIndex { $0.name == "layers.1.weight" })
        tensors[index] = Tensor(name: "layers.1.weight", shape: [3, 1], values: [1, 1, 1])
        try folder.replace(weights, with: SafeTensors.write(tensors))
        #expect(
            folder.refusal() == .network(.chain(layer: 1, inputs: 3, outputsBefore: 2))
        )
    }

    @Test func refusesAFeatureThatDoesNotFitTheTransform() throws {
        let folder = try BundleFolder()
        try folder.set(["transform", "layout", "panes"], in: BundleFile.manifest, to: 5)
        #expect(folder.refusal()?.description.hasPrefix("manifest.json: transform: ") == true)
    }

    @Test(arguments: [
        ("sample", [2, 4], Float(0), true), ("sample", [4, 2], 0, false), ("sample", [8], 0, false),
        ("sample", [2, 4], .nan, false), ("quantiles", [2, 4], 0, true),
        ("quantiles", [2, 4], -1, false), ("quantiles", [1, 8], 0, false), ("other", [1], 0, false),
    ])
    func checksTheReference(
        name: String,
        shape: [Int],
        last: Float,
        isAccepted: Bool
    ) throws {
        let folder = try BundleFolder()
        var tensors = try SafeTensors.read(try folder.read(reference))
        var values = [Float](repeating: 0, count: shape.reduce(1, *))
        values[values.count - 1] = last
        tensors.removeAll { $0.name == name }
        tensors.append(Tensor(name: name, shape: shape, values: values))
        try folder.replace(reference, with: SafeTensors.write(tensors))
        #expect((folder.refusal() == nil) == isAccepted)
        if !isAccepted { #expect(folder.refusal()?.description.hasPrefix(reference) == true) }
    }

    @Test(arguments: [(Float(9e-4), true), (-9e-4, true), (1.1e-3, false), (-1.1e-3, false)])
    func comparesTheLogit(shift: Float, isAccepted: Bool) throws {
        let folder = try BundleFolder()
        let logit = Double(try BundleSample.golden()[1].logit + shift)
        try folder.set(["cases", "1", "logit"], in: golden, to: .number(logit))
        try folder.set(["cases", "1", "probability"], in: golden, to: nil)
        #expect((folder.refusal() == nil) == isAccepted)
        guard !isAccepted else { return }
        #expect(folder.refusal()?.description.hasPrefix("golden.json: case 1: logit is ") == true)
    }

    @Test(arguments: [(9e-7, true), (-9e-7, true), (1.1e-6, false), (-1.1e-6, false)])
    func comparesTheProbability(shift: Double, isAccepted: Bool) throws {
        let folder = try BundleFolder(try BundleSample.memberContents())
        let sample = try BundleSample.memberContents().golden[1]
        let probability = try #require(sample.probability)
        let calibration = Calibrator.platt(slope: 1.25, offset: -0.5)
        #expect(probability == calibration.probability(ofLogit: sample.logit))
        try folder.set(
            ["cases", "1", "probability"],
            in: golden,
            to: .number(probability + shift)
        )
        #expect((folder.refusal() == nil) == isAccepted)
        guard !isAccepted else { return }
        let text = "golden.json: case 1: probability is "
        #expect(folder.refusal()?.description.hasPrefix(text) == true)
    }

    @Test func noticesACalibrationOfAnotherModel() throws {
        let folder = try BundleFolder(try BundleSample.memberContents())
        try folder.set(["calibration", "offset"], in: BundleFile.manifest, to: -0.25)
        let text = "golden.json: case 0: probability is "
        #expect(folder.refusal()?.description.hasPrefix(text) == true)
    }

    @Test(arguments: [(Float(5e-6), true), (5e-5, false), (-5e-5, false)])
    func comparesTheFeatures(shift: Float, isAccepted: Bool) throws {
        let folder = try BundleFolder()
        let value = try BundleSample.golden()[0].features[2]
        try folder.set(
            ["cases", "0", "features", "2"],
            in: golden,
            to: .number(Double(value * (1 + shift)))
        )
        #expect((folder.refusal() == nil) == isAccepted)
        guard !isAccepted else { return }
        let text = "golden.json: case 0: temperature_mean_6h is "
        #expect(folder.refusal()?.description.hasPrefix(text) == true)
    }

    @Test func noticesWeightsThatAnswerOtherwise() throws {
        let folder = try BundleFolder()
        var tensors = try SafeTensors.read(try folder.read(weights))
        tensors[0].values[0] += 0.01
        try folder.replace(weights, with: SafeTensors.write(tensors))
        #expect(folder.refusal()?.description.hasPrefix("golden.json: case ") == true)
    }

    @Test(
        arguments: [
            (["cases"], []), (["cases", "0", "features"], [1, 2, 3]),
            (["cases", "0", "reading", "temperature"], "hot"),
            (["cases", "0", "reading", "mode"], "off"),
            (["cases", "0", "reading", "weight"], 1), (["cases", "0", "timestamp"], "today"),
            (["cases", "0", "logit"], 1e300), (["cases", "0", "history"], nil), (["format"], 2),
        ] as [([String], JSONValue?)]
    )
    func refusesStrangeGoldenCases(keys: [String], value: JSONValue?) throws {
        let folder = try BundleFolder()
        try folder.set(keys, in: golden, to: value)
        #expect(folder.refusal()?.description.hasPrefix("golden.json: ") == true)
    }

    @Test func takesAnAbsentSensorAsMissing() throws {
        let folder = try BundleFolder()
        try folder.set(
            ["cases", "0", "history", "1", "values", "temperature"],
            in: golden,
            to: nil
        )
        #expect(folder.refusal() == nil)
    }

    @Test(arguments: ["", "[]", "{", "{}x", "null"])
    func refusesAnEvaluationThatIsNoObject(text: String) throws {
        let folder = try BundleFolder()
        try folder.replace(BundleFile.evaluation, with: Array(text.utf8))
        #expect(folder.refusal()?.description.hasPrefix("evaluation.json: ") == true)
    }
}
