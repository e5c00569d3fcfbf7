// SPDX-License-Identifier: MIT

/// A dense network ready to run: normalisation folded, weights packed for one kernel variant.
///
/// A row's logit has the same bits in every batch. Inputs must be finite: ReLU lets NaN through.
///
/// - Note: Immutable after init and safe to share; each thread needs its own ``ForwardScratch``.
package final class Network: Sendable {
    /// The most layers of a network.
    package static let layerCountMax = 16
    /// The most inputs or outputs of a layer.
    package static let widthMax = 8192
    /// Rows that go through all layers together: the block's activations stay in the first cache.
    static let blockRows = 48

    /// The layers as described, before folding.
    package let layers: [Layer]
    /// The kernels in use.
    package let kernels: Kernels
    /// Floats in each of the scratch's two buffers.
    let scratchCount: Int

    private let hidden: [(dense: PackedDense, activation: Layer.Activation)]
    private let lastWeight: ConstantFloats
    private let lastBias: Float

    /// The number of features in a row.
    package var inputs: Int { layers[0].inputs }

    /// Checks layers and tensors, folds and packs them.
    ///
    /// - Throws: ``NetworkError``.
    package init(
        layers: [Layer],
        tensors: [LayerTensors],
        variant: KernelVariant = .best
    ) throws(NetworkError) {
        try Self.check(layers, tensors)
        let folded = try FoldedLayer.fold(layers, tensors)
        let kernels = Kernels(variant)
        let panelWidth = kernels.panelWidth
        hidden = folded.dropLast().map { layer in
            let dense = PackedDense(
                weight: layer.weight,
                bias: layer.bias,
                inputs: layer.inputs,
                outputs: layer.outputs,
                panelWidth: panelWidth,
                floor: layer.activation == .relu ? 0 : -.infinity
            )
            return (dense, layer.activation)
        }
        let last = folded[folded.count - 1]
        lastWeight = ConstantFloats(last.weight)
        lastBias = last.bias[0]
        scratchCount = Self.blockRows * (hidden.map(\.dense.width).max() ?? 0)
        self.kernels = kernels
        self.layers = layers
    }

    /// The logits of rows[n][inputs] -> logits[n]: the last sum before the sigmoid.
    ///
    /// The counts must agree and the scratch must be large enough; nothing is allocated.
    package func forward(
        rows: Span<Float>,
        into logits: inout MutableSpan<Float>,
        scratch: borrowing ForwardScratch
    ) {
        precondition(rows.count == logits.count * inputs && scratch.holds(scratchCount))
        var first = 0
        while first < logits.count {
            let count = min(Self.blockRows, logits.count - first)
            forwardBlock(rows, first, count, &logits, scratch)
            first += count
        }
    }

    /// The probability of a logit: the same bits on every CPU.
    package static func probability(ofLogit logit: Float) -> Double {
        PortableMath.sigmoid(Double(logit))
    }

    private func forwardBlock(
        _ rows: Span<Float>,
        _ first: Int,
        _ count: Int,
        _ logits: inout MutableSpan<Float>,
        _ scratch: borrowing ForwardScratch
    ) {
        guard !hidden.isEmpty else {
            return kernels.dot(
                rows,
                firstRow: first,
                rows: count,
                lastWeight,
                bias: lastBias,
                into: &logits
            )
        }
        var stride = inputs
        for index in hidden.indices {
            let dense = hidden[index].dense
            let target = scratch.buffer(index)
            if index == 0 {
                kernels.dense(rows, firstRow: first, rows: count, dense, into: target)
            } else {
                let source = scratch.buffer(index + 1)
                kernels.dense(source, stride: stride, rows: count, dense, into: target)
            }
            stride = dense.width
            switch hidden[index].activation {
            case .identity, .relu: break
            case .sigmoid, .tanh:
                let hyperbolic = hidden[index].activation == .tanh
                kernels.squash(target, rows: count, width: stride, hyperbolic: hyperbolic)
            }
        }
        kernels.dot(
            scratch.buffer(hidden.count + 1),
            stride: stride,
            rows: count,
            lastWeight,
            bias: lastBias,
            into: &logits,
            at: first
        )
    }

    private static func check(
        _ layers: [Layer],
        _ tensors: [LayerTensors]
    ) throws(NetworkError) {
        guard (1...layerCountMax).contains(layers.count) else {
            throw .layerCount(actual: layers.count, limit: layerCountMax)
        }
        guard tensors.count == layers.count else {
            throw .tensorGroups(actual: tensors.count, expected: layers.count)
        }
        for (index, layer) in layers.enumerated() {
            for width in [layer.inputs, layer.outputs] where !(1...widthMax).contains(width) {
                throw .width(layer: index, actual: width, limit: widthMax)
            }
            if index > 0, layers[index - 1].outputs != layer.inputs {
                let before = layers[index - 1].outputs
                throw .chain(layer: index, inputs: layer.inputs, outputsBefore: before)
            }
            try check(layer, tensors[index], index)
        }
        let last = layers[layers.count - 1]
        guard last.outputs == 1, last.activation == .sigmoid,
            last.normalization?.position != .afterActivation
        else { throw .lastLayer(layer: layers.count - 1) }
    }

    private static func check(
        _ layer: Layer,
        _ tensors: LayerTensors,
        _ index: Int
    ) throws(NetworkError) {
        for name in LayerTensors.Name.allCases {
            let values = tensors[name]
            let expected = LayerTensors.shape(of: name, in: layer)?.reduce(1, *) ?? 0
            guard values.count == expected else {
                throw .shape(
                    layer: index,
                    tensor: name,
                    actual: values.count,
                    expected: expected
                )
            }
            if let position = values.firstIndex(where: { !$0.isFinite }) {
                throw .notFinite(layer: index, tensor: name, index: position)
            }
        }
    }
}

/// What a forward pass writes between the layers; one per thread, reused for every batch.
package struct ForwardScratch: ~Copyable {
    private var even: AlignedFloats
    private var odd: AlignedFloats

    /// Makes scratch for a network.
    package init(for network: Network) {
        even = AlignedFloats(count: network.scratchCount)
        odd = AlignedFloats(count: network.scratchCount)
    }

    /// Grows the scratch where another network needs more.
    package mutating func reserve(for network: Network) {
        guard !holds(network.scratchCount) else { return }
        even = AlignedFloats(count: network.scratchCount)
        odd = AlignedFloats(count: network.scratchCount)
    }

    func holds(_ count: Int) -> Bool { count <= even.count }

    /// The buffer that layer `index` writes and layer `index + 1` reads.
    func buffer(_ index: Int) -> AlignedFloats { index.isMultiple(of: 2) ? even : odd }
}
