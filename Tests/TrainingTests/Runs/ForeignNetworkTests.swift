// SPDX-License-Identifier: MIT

import Features
import JSON
import ModelRuntime
import Platform
import Testing
import Training

struct ForeignNetworkTests {
    private let folder: TestFolder
    private let fitted: FittedFeatures
    private let test: FeatureMatrix
    private let network: Network

    /// A trained network in a folder, as a trainer leaves it.
    init() throws {
        folder = try TestFolder()
        let table = SampleReadings.table(machines: 6, hours: 40)
        let engine = try FeatureEngine(try SampleReadings.transform(table))
        fitted = FittedFeatures(
            transform: engine.transform,
            golden: GoldenSampler.cases(from: table, engine: engine)
        )
        test = FeatureMatrix(table, engine: engine)
        var options = TrainerOptions()
        options.hiddenSizes = [8]
        options.epochs = 2
        let trained = try TrainingRun(options: options).run(train: test, test: test) { _, _ in }
            .members[0]
        let network = try Network(layers: trained.layers, tensors: trained.tensors)
        self.network = network
        let weights = LayerTensors.bytes([trained.tensors], of: trained.layers)
        try FileAccess.write(weights, to: "\(folder.path)/weights.safetensors")
        try write(fitted.golden.map { Self.probability($0, network) })
    }

    private static func probability(_ sample: GoldenCase, _ network: Network) -> Double {
        var logits: [Float] = [0]
        var output = logits.mutableSpan
        network.forward(
            rows: sample.features.span,
            into: &output,
            scratch: ForwardScratch(for: network)
        )
        return Network.probability(ofLogit: logits[0])
    }

    private func write(_ probabilities: [Double], hidden: Int = 8) throws {
        let json: JSONValue = [
            "format": 1,
            "framework": "another 1.0",
            "layers": [
                [
                    "inputs": .integer(network.inputs),
                    "outputs": .integer(hidden),
                    "activation": "relu",
                    "normalization": ["epsilon": 0.001, "position": "before_activation"],
                ],
                ["inputs": .integer(hidden), "outputs": 1, "activation": "sigmoid"],
            ],
            "epochs": [["seconds": 2, "loss": 0.5, "pr_auc": nil]],
            "golden_probabilities": .array(probabilities.map { .number($0) }),
        ]
        try JSONFile.write(json, to: "\(folder.path)/\(ForeignNetwork.fileName)")
    }

    private var checkError: String? {
        refusal { () throws(TrainingError) in
            try ForeignNetwork(folder: folder.path).check(against: fitted)
        }
    }

    @Test func judgesTheNetworkThatItReads() throws {
        let foreign = try ForeignNetwork(folder: folder.path)
        #expect(checkError == nil)
        #expect(foreign.log.framework == "another 1.0")
        #expect(foreign.log.seconds == 2)
        let expected = try TrainingRun.score(test, network: network, threshold: 0.5)
        #expect(try foreign.outcome(test: test).test == expected)
    }

    @Test(arguments: [(0.9e-6, true), (1.2e-6, false), (-1.2e-6, false)])
    func allowsTheProbabilitiesAMillionth(difference: Double, isAccepted: Bool) throws {
        var probabilities = fitted.golden.map { Self.probability($0, network) }
        probabilities[1] += difference
        try write(probabilities)
        #expect((checkError == nil) == isAccepted, "\(checkError ?? "")")
        if !isAccepted { #expect(checkError?.contains("golden case 1 ") == true) }
    }

    @Test func wantsAProbabilityForEachCase() throws {
        try write([0.5])
        #expect(checkError?.contains("1 golden probabilities for") == true)
    }

    @Test func refusesWeightsOfAnotherShape() throws {
        try write([], hidden: 9)
        #expect(checkError?.contains("weights.safetensors: ") == true)
    }
}
