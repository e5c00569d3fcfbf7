// SPDX-License-Identifier: MIT

import ModelRuntime
import Testing

struct NetworkErrorTests {
    private func error(
        _ change: (inout [Layer], inout [LayerTensors]) -> Void
    ) -> NetworkError? {
        var layers = SampleNetwork.layers([3, 4, 1])
        layers[0].normalization = .init(epsilon: 1e-3, position: .beforeActivation)
        var tensors = SampleNetwork.tensors(layers)
        tensors[0].gamma = [1, 1, 1, 1]
        tensors[0].beta = [0, 0, 0, 0]
        tensors[0].mean = [0, 0, 0, 0]
        tensors[0].variance = [1, 1, 1, 1]
        change(&layers, &tensors)
        do throws(NetworkError) {
            _ = try Network(layers: layers, tensors: tensors)
            return nil
        } catch {
            return error
        }
    }

    @Test func acceptsTheUnchangedNetwork() {
        #expect(error { _, _ in } == nil)
    }

    @Test func refusesWrongLayerCounts() {
        #expect(error { layers, _ in layers = [] } == .layerCount(actual: 0, limit: 16))
        #expect(
            error { _, tensors in tensors.removeLast() } == .tensorGroups(actual: 1, expected: 2)
        )
    }

    @Test(arguments: [16, 17])
    func limitsTheNumberOfLayers(count: Int) {
        let found = error { layers, tensors in
            layers = SampleNetwork.layers([Int](repeating: 2, count: count) + [1])
            tensors = SampleNetwork.tensors(layers)
        }
        #expect(found == (count == 16 ? nil : .layerCount(actual: 17, limit: 16)))
    }

    @Test(arguments: [8192, 8193])
    func limitsWidths(width: Int) {
        let found = error { layers, tensors in
            layers = SampleNetwork.layers([width, 1])
            tensors = SampleNetwork.tensors(layers)
        }
        #expect(found == (width == 8192 ? nil : .width(layer: 0, actual: 8193, limit: 8192)))
        #expect(
            error { layers, _ in layers[0].inputs = 0 } == .width(layer: 0, actual: 0, limit: 8192)
        )
    }

    @Test func refusesLayersThatDoNotFitTogether() {
        #expect(
            error { layers, _ in layers[1].inputs = 5 }
                == .chain(layer: 1, inputs: 5, outputsBefore: 4)
        )
    }

    @Test func refusesAnotherLastLayer() {
        #expect(error { layers, _ in layers[1].activation = .relu } == .lastLayer(layer: 1))
        let found = error { layers, tensors in
            layers.removeLast()
            tensors.removeLast()
        }
        #expect(found == .lastLayer(layer: 0))
        let normalized = error { layers, tensors in
            layers[1].normalization = .init(epsilon: 1e-3, position: .afterActivation)
            tensors[1] = LayerTensors(
                weight: tensors[1].weight,
                bias: [0],
                gamma: [1],
                beta: [0],
                mean: [0],
                variance: [1]
            )
        }
        #expect(normalized == .lastLayer(layer: 1))
    }

    @Test func refusesTensorsOfAnotherSize() {
        #expect(
            error { _, tensors in tensors[0].weight.append(0) }
                == .shape(layer: 0, tensor: .weight, actual: 13, expected: 12)
        )
        #expect(
            error { _, tensors in tensors[0].gamma = [] }
                == .shape(layer: 0, tensor: .gamma, actual: 0, expected: 4)
        )
        #expect(
            error { _, tensors in tensors[1].mean = [0] }
                == .shape(layer: 1, tensor: .mean, actual: 1, expected: 0)
        )
    }

    @Test(arguments: [Float.nan, .infinity])
    func refusesValuesThatAreNotFinite(value: Float) {
        #expect(
            error { _, tensors in tensors[0].weight[7] = value }
                == .notFinite(layer: 0, tensor: .weight, index: 7)
        )
        #expect(
            error { _, tensors in tensors[0].variance[2] = value }
                == .notFinite(layer: 0, tensor: .variance, index: 2)
        )
    }

    @Test func refusesWeightsThatOverflowWhenFolded() {
        let found = error { _, tensors in
            tensors[0].weight[5] = 1e30
            tensors[0].gamma[1] = 1e30
        }
        #expect(found == .notFinite(layer: 0, tensor: .weight, index: 5))
    }

    @Test func refusesVariancesThatAreNotPositive() {
        #expect(
            error { _, tensors in tensors[0].variance[3] = -0.002 } == .variance(layer: 0, index: 3)
        )
        #expect(error { _, tensors in tensors[0].variance[3] = 0 } == nil)
    }

    @Test func saysWhatAndWhere() {
        let error = NetworkError.shape(layer: 2, tensor: .gamma, actual: 3, expected: 4)
        #expect("\(error)" == "layers.2.gamma: 3 values, expected 4")
    }
}
