// SPDX-License-Identifier: MIT

package import Platform

/// A dense network ready to run: normalisation folded, weights packed for one kernel variant.
///
/// It may have several members, trained apart, of the same layers: their logits' mean is its logit.
/// A row's logit has the same bits in every batch. Inputs must be finite: ReLU lets NaN through.
///
/// - Note: Immutable after init and safe to share; each thread needs its own ``ForwardScratch``.
package final class Network: Sendable {
    /// The most layers of a network.
    package static let layerCountMax = 16
    /// The most members of a network.
    package static let memberCountMax = 32
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

    private let members: [Member]

    /// The weights of one member.
    private struct Member: Sendable {
        let hidden: [HiddenLayer]
        let lastWeight: ConstantFloats
        let lastBias: Float
    }

    /// The number of features in a row.
    package var inputs: Int { layers[0].inputs }
    /// The number of members.
    package var memberCount: Int { members.count }

    /// Checks the layers and tensors of a network of one member, folds and packs them.
    ///
    /// - Throws: ``NetworkError``.
    package convenience init(
        layers: [Layer],
        tensors: [LayerTensors],
        variant: KernelVariant = .best
    ) throws(NetworkError) {
        try self.init(layers: layers, members: [tensors], variant: variant)
    }

    /// Checks layers and each member's tensors, folds and packs them.
    ///
    /// - Throws: ``NetworkError``.
    package init(
        layers: [Layer],
        members: [[LayerTensors]],
        variant: KernelVariant = .best
    ) throws(NetworkError) {
        guard (1...Self.memberCountMax).contains(members.count) else {
            throw .memberCount(actual: members.count, limit: Self.memberCountMax)
        }
        let kernels = Kernels(variant)
        var packed: [Member] = []
        for tensors in members {
            try Self.check(layers, tensors)
            packed.append(Self.pack(try FoldedLayer.fold(layers, tensors), kernels))
        }
        self.members = packed
        let widest = packed[0].hidden.map(\.dense.width).max() ?? 0
        scratchCount = Self.blockRows * widest
        self.kernels = kernels
        self.layers = layers
    }

    private static func pack(_ folded: [FoldedLayer], _ kernels: Kernels) -> Member {
        let panelWidth = kernels.panelWidth
        let hidden = folded.dropLast().map { layer in
            let dense = PackedDense(
                weight: layer.weight,
                bias: layer.bias,
                inputs: layer.inputs,
                outputs: layer.outputs,
                panelWidth: panelWidth,
                floor: layer.activation == .relu ? 0 : -.infinity
            )
            return HiddenLayer(dense: dense, activation: layer.activation)
        }
        let last = folded[folded.count - 1]
        return Member(
            hidden: hidden,
            lastWeight: ConstantFloats(last.weight),
            lastBias: last.bias[0]
        )
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
        forward(members, rows, &logits, scratch)
    }

    private func forward(
        _ members: borrowing [Member],
        _ rows: Span<Float>,
        _ logits: inout MutableSpan<Float>,
        _ scratch: borrowing ForwardScratch
    ) {
        // A span, whose elements are used where they are: threads share their reference counts.
        let members = members.span
        var first = 0
        while first < logits.count {
            let count = min(Self.blockRows, logits.count - first)
            if members.count == 1 {
                forwardBlock(members[0], rows, first, count, &logits, scratch)
            } else {
                forwardMembers(rows, first, count, &logits, scratch)
            }
            first += count
        }
    }

    /// The mean over the members, added up in their order whatever the block.
    private func forwardMembers(
        _ rows: Span<Float>,
        _ first: Int,
        _ count: Int,
        _ logits: inout MutableSpan<Float>,
        _ scratch: borrowing ForwardScratch
    ) {
        scratch.sums.clear()
        for member in members {
            forwardBlock(member, rows, first, count, &logits, scratch)
            for row in 0..<count { scratch.sums[row] += logits[first + row] }
        }
        let divisor = Float(members.count)
        for row in 0..<count { logits[first + row] = scratch.sums[row] / divisor }
    }

    /// The probability of a logit: the same bits on every CPU.
    package static func probability(ofLogit logit: Float) -> Double {
        PortableMath.sigmoid(Double(logit))
    }

    private func forwardBlock(
        _ member: borrowing Member,
        _ rows: Span<Float>,
        _ first: Int,
        _ count: Int,
        _ logits: inout MutableSpan<Float>,
        _ scratch: borrowing ForwardScratch
    ) {
        guard !member.hidden.isEmpty else {
            return kernels.dot(
                rows,
                firstRow: first,
                rows: count,
                member.lastWeight,
                bias: member.lastBias,
                into: &logits
            )
        }
        // Layers and buffers are handed on where they are: a copy of a reference is two atomic
        // operations, which a pass over one row would feel.
        let layers = member.hidden.span
        kernels.dense(rows, firstRow: first, rows: count, layers[0].dense, into: scratch.even)
        kernels.squash(scratch.even, rows: count, layers[0])
        for index in 1..<layers.count {
            let stride = layers[index - 1].dense.width
            if index.isMultiple(of: 2) {
                run(layers[index], scratch.odd, stride, count, into: scratch.even)
            } else {
                run(layers[index], scratch.even, stride, count, into: scratch.odd)
            }
        }
        let stride = layers[layers.count - 1].dense.width
        if layers.count.isMultiple(of: 2) {
            finish(member, scratch.odd, stride, count, into: &logits, at: first)
        } else {
            finish(member, scratch.even, stride, count, into: &logits, at: first)
        }
    }

    private func run(
        _ layer: borrowing HiddenLayer,
        _ source: AlignedFloats,
        _ stride: Int,
        _ count: Int,
        into target: AlignedFloats
    ) {
        kernels.dense(source, stride: stride, rows: count, layer.dense, into: target)
        kernels.squash(target, rows: count, layer)
    }

    private func finish(
        _ member: borrowing Member,
        _ source: AlignedFloats,
        _ stride: Int,
        _ count: Int,
        into logits: inout MutableSpan<Float>,
        at first: Int
    ) {
        kernels.dot(
            source,
            stride: stride,
            rows: count,
            member.lastWeight,
            bias: member.lastBias,
            into: &logits,
            at: first
        )
    }
}

/// A layer whose results another layer takes.
private struct HiddenLayer {
    let dense: PackedDense
    let activation: Layer.Activation
}

extension Kernels {
    /// Applies what the dense kernel has not applied itself.
    fileprivate func squash(_ y: AlignedFloats, rows: Int, _ layer: borrowing HiddenLayer) {
        switch layer.activation {
        case .identity, .relu: break
        case .sigmoid: squash(y, rows: rows, width: layer.dense.width, hyperbolic: false)
        case .tanh: squash(y, rows: rows, width: layer.dense.width, hyperbolic: true)
        }
    }
}

/// What a forward pass writes between the layers; one per thread, reused for every batch.
package struct ForwardScratch: ~Copyable {
    /// What the layers of even index write and those of odd index read.
    private(set) var even: AlignedFloats
    /// What the layers of odd index write and those of even index read.
    private(set) var odd: AlignedFloats
    /// The members' logits of a block, added up.
    let sums = AlignedFloats(count: Network.blockRows)

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
}
