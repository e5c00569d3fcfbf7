// SPDX-License-Identifier: MIT

import ModelRuntime
import Platform
import Testing

struct NetworkTests {
    @Test(arguments: KernelVariant.available)
    func equalsNumpy(variant: KernelVariant) throws {
        let cases = try GoldenNetwork.read()
        #expect(cases.count == 4)
        for golden in cases {
            let network = try golden.network(variant)
            let logits = network.logits(golden.rows)
            #expect(logits.count == golden.logits.count)
            for (logit, expected) in zip(logits, golden.logits) {
                // Float sums of up to 33 terms; the design allows 1e-4 between CPUs.
                #expect(abs(Double(logit) - expected) <= 5e-6, "\(golden.name)")
            }
            for (logit, expected) in zip(logits, golden.probabilities) {
                let probability = Network.probability(ofLogit: logit)
                #expect(abs(probability - expected) <= 1e-6, "\(golden.name)")
            }
        }
    }

    @Test(
        arguments: KernelVariant.available,
        [
            [30, 128, 64, 32, 1], [1, 1, 1], [3, 5, 7, 1], [17, 33, 65, 1], [96, 200, 1], [5, 1],
            [129, 1],
        ]
    )
    func answersTheSameBitsInEveryBatch(variant: KernelVariant, sizes: [Int]) throws {
        for activation in [Layer.Activation.relu, .tanh] {
            let layers = SampleNetwork.layers(sizes, activation)
            let tensors = SampleNetwork.tensors(layers)
            let network = try Network(layers: layers, tensors: tensors, variant: variant)
            var noise = Noise()
            let rowCount = 101
            let rows = noise.floats(rowCount * sizes[0])
            let alone = (0..<rowCount).map { row in
                network.logits(Array(rows[row * sizes[0]..<(row + 1) * sizes[0]]))[0]
            }
            // All tile heights, and both sides of a block's 48 rows.
            for count in Array(1...17) + [47, 48, 49, 50, 96, 97, rowCount] {
                let together = network.logits(Array(rows[..<(count * sizes[0])]))
                #expect(together.map(\.bitPattern) == alone[..<count].map(\.bitPattern))
            }
        }
    }

    @Test func variantsAgreeClosely() throws {
        let layers = SampleNetwork.layers([96, 128, 64, 32, 1])
        let tensors = SampleNetwork.tensors(layers)
        var noise = Noise()
        let rows = noise.floats(96 * 200)
        let answers = try KernelVariant.available.map { variant in
            try Network(layers: layers, tensors: tensors, variant: variant).logits(rows)
        }
        for other in answers.dropFirst() {
            for (a, b) in zip(answers[0], other) { #expect(abs(a - b) <= 1e-4) }
        }
    }

    @Test func answersNoRowsWithNoLogits() throws {
        let layers = SampleNetwork.layers([4, 8, 1])
        let network = try Network(layers: layers, tensors: SampleNetwork.tensors(layers))
        #expect(network.logits([]).isEmpty)
    }

    @Test func scratchServesNetworksOfOtherSizes() throws {
        let small = SampleNetwork.layers([4, 8, 1])
        let large = SampleNetwork.layers([4, 300, 1])
        let first = try Network(layers: small, tensors: SampleNetwork.tensors(small))
        let second = try Network(layers: large, tensors: SampleNetwork.tensors(large))
        var scratch = ForwardScratch(for: first)
        scratch.reserve(for: second)
        var noise = Noise()
        let rows = noise.floats(4 * 60)
        for network in [first, second] {
            var logits = [Float](repeating: 0, count: 60)
            var span = logits.mutableSpan
            network.forward(rows: rows.span, into: &span, scratch: scratch)
            #expect(logits == network.logits(rows))
        }
    }

    @Test func refusesRowsThatAreNotWhole() async {
        await #expect(processExitsWith: .failure) {
            let layers = SampleNetwork.layers([4, 8, 1])
            let network = try Network(layers: layers, tensors: SampleNetwork.tensors(layers))
            let scratch = ForwardScratch(for: network)
            var logits: [Float] = [0]
            var span = logits.mutableSpan
            network.forward(rows: ([0, 0, 0] as [Float]).span, into: &span, scratch: scratch)
        }
    }

    @Test func refusesScratchThatIsTooSmall() async {
        await #expect(processExitsWith: .failure) {
            let small = SampleNetwork.layers([4, 8, 1])
            let large = SampleNetwork.layers([4, 300, 1])
            let first = try Network(layers: small, tensors: SampleNetwork.tensors(small))
            let second = try Network(layers: large, tensors: SampleNetwork.tensors(large))
            let scratch = ForwardScratch(for: first)
            var logits: [Float] = [0]
            var span = logits.mutableSpan
            second.forward(rows: ([0, 0, 0, 0] as [Float]).span, into: &span, scratch: scratch)
        }
    }
}
