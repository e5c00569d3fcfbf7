// SPDX-License-Identifier: MIT

internal import Features
internal import JSON
internal import ModelRuntime
internal import Platform

/// A network that another framework trained, as its trainer leaves it in a folder.
///
/// `weights.safetensors` is that of a bundle. `network.json` is a ``TrainingLog`` that also has
/// `layers` as in a bundle's manifest and `golden_probabilities`: what the framework itself answers
/// to the golden cases of `features.json`, in their order.
package struct ForeignNetwork: Sendable {
    /// The name of the description.
    package static let fileName = "network.json"
    /// The largest difference of a golden probability that passes: Float sums in another order cost
    /// a few units in the seventh decimal place, a wrong layout of weights far more.
    package static let probabilityTolerance = 1e-6

    /// What the trainer noted.
    package let log: TrainingLog
    private let path: String
    private let layers: [Layer]
    private let tensors: [LayerTensors]
    private let network: Network
    private let goldenProbabilities: [Double]

    /// Reads a trainer's folder.
    ///
    /// - Throws: ``TrainingError``.
    package init(folder: String) throws(TrainingError) {
        path = "\(folder)/\(Self.fileName)"
        let json = JSONView(try JSONFile.read(path))
        var layers: [Layer] = []
        do throws(JSONShapeError) {
            log = try TrainingLog(json: json)
            for view in try json.required("layers").array {
                layers.append(try Layer(decoding: view))
            }
            goldenProbabilities = try json.required("golden_probabilities").doubles
        } catch {
            throw .shape(path: path, error)
        }
        self.layers = layers
        let weights = "\(folder)/\(BundleFile.weights)"
        let bytes: [UInt8]
        do throws(FileError) {
            bytes = try FileAccess.read(weights, byteCountMax: BundleLimits().weightsBytesMax)
        } catch {
            throw .file(error)
        }
        do throws(SafeTensorsError) {
            tensors = try LayerTensors.read(bytes, of: layers, memberCount: 1)[0]
        } catch {
            throw .unusable("\(weights): \(error)")
        }
        do throws(NetworkError) {
            network = try Network(layers: layers, tensors: tensors)
        } catch {
            throw .unusable("\(path): \(error)")
        }
    }

    /// Compares what the network answers here with what it answered there.
    ///
    /// - Throws: ``TrainingError/unusable(_:)`` naming the first golden case that differs.
    package func check(against fitted: FittedFeatures) throws(TrainingError) {
        let expected = fitted.transform.features.count
        guard network.inputs == expected else {
            throw .unusable("\(path): \(network.inputs) inputs for \(expected) features")
        }
        guard goldenProbabilities.count == fitted.golden.count else {
            throw .unusable(
                "\(path): \(goldenProbabilities.count) golden probabilities for"
                    + " \(fitted.golden.count) cases"
            )
        }
        let scratch = ForwardScratch(for: network)
        for (index, sample) in fitted.golden.enumerated() {
            var logits: [Float] = [0]
            var output = logits.mutableSpan
            network.forward(rows: sample.features.span, into: &output, scratch: scratch)
            let actual = Network.probability(ofLogit: logits[0])
            let expected = goldenProbabilities[index]
            // Written so that NaN fails too.
            guard abs(actual - expected) <= Self.probabilityTolerance else {
                throw .unusable(
                    "\(path): golden case \(index) has probability \(expected) in"
                        + " \(log.framework) and \(actual) here"
                )
            }
        }
    }

    /// Scores the test rows, once.
    ///
    /// - Throws: ``TrainingError``.
    package func outcome(test: FeatureMatrix) throws(TrainingError) -> TrainingRun.Outcome {
        let trained = TrainedNetwork(
            layers: layers,
            tensors: tensors,
            bestEpoch: 0,
            history: [],
            classWeights: (1, 1)
        )
        return TrainingRun.Outcome(
            members: [trained],
            validationPRAUC: nil,
            test: try TrainingRun.score(test, network: network, threshold: 0.5)
        )
    }
}
