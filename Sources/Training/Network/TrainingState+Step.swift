// SPDX-License-Identifier: MIT

internal import ModelRuntime
internal import Platform

/// A step goes forward and backward with rows of the batch, a part for each thread, and then
/// through rows of the weights; what the rows' columns have in common is summed up slice by slice
/// in between.
///
/// Each output is computed by one thread in the order of the kernels, and slices are added in their
/// order: the bytes do not depend on how many threads there are.
extension TrainingState {
    /// Goes through all steps of a block as a member of a team, each of which has a state of its
    /// own that shares the floats of the others.
    ///
    /// The loss of a step is the mean over its rows of weight[label] * crossEntropy; the sum over
    /// all rows is added to `loss` and returned.
    func run(
        _ block: TrainingBlock,
        after loss: Double = 0,
        _ member: inout WorkTeam.Member
    ) -> Double {
        block.dropoutSeeds.indices.reduce(loss) { sum, step in
            sum + run(TrainingBatch(step, of: block), &member)
        }
    }

    /// Forward and backward pass over some rows and a step of Adam: writes the gradients, moves the
    /// running moments and the parameters.
    private func run(_ rows: TrainingBatch, _ member: inout WorkTeam.Member) -> Double {
        let share = StepShare(of: member, rows: rows.count, size: sliceRows)
        fetch(parameters, share)
        enter(rows, share)
        member.meet()
        for index in hidden.indices.dropFirst() {
            forward(into: index, rows, share)
            member.meet()
        }
        judge(rows, share)
        member.meet()
        for index in hidden.indices.reversed() {
            backward(from: index, rows, share)
            member.meet()
        }
        weightGradients(rows, share)
        member.meet()
        if let rate = rows.rate { adam(StepShare.some(share.step, of: parameters.count), rate) }
        let loss = (0..<rows.count).reduce(0) { $0 + Double(losses[$1]) }
        member.meet()
        return loss
    }

    /// Fetches what other threads have written, if there are any.
    private func fetch(_ floats: AlignedFloats, _ share: StepShare) {
        if share.step.count > 1 { kernels.touch(floats) }
    }

    private func mask(_ layer: Int, _ seed: UInt64) -> DropoutMask {
        // An odd multiplier per layer: other keys for each.
        DropoutMask(
            rate: options.dropout,
            seed: seed &* (2 * UInt64(layer) + 0x9e37_79b9_7f4a_7c15)
        )
    }

    // MARK: Forward

    /// Gathers rows and takes them into the first layer; turns weights for the way back.
    private func enter(_ rows: TrainingBatch, _ share: StepShare) {
        for layer in hidden.dropFirst() {
            let inputs = StepShare.some(share.step, of: layer.inputs)
            let weight = weight(of: layer, in: parameters).prefix(columns: layer.outputs)
            kernels.transpose(weight.rows(inputs), into: layer.transposed.columns(inputs))
        }
        guard !share.rows.isEmpty else { return }
        let start = rows.places.lowerBound
        kernels.gather(
            rows.block.features.span,
            rows: rows.block.order.span.extracting(
                start + share.rows.lowerBound..<start + share.rows.upperBound
            ),
            into: batch.rows(share.rows)
        )
        if let first = hidden.first { multiply(batch, into: first, share) }
    }

    private func multiply(_ input: MatrixView, into layer: HiddenLayer, _ share: StepShare) {
        let z = layer.normalized.rows(share.rows)
        kernels.multiply(
            input.rows(share.rows).prefix(columns: layer.inputs),
            weight(of: layer, in: parameters),
            into: z
        )
        kernels.moments(of: z, first: share.rows.lowerBound, into: layer.moments)
    }

    private func forward(into index: Int, _ rows: TrainingBatch, _ share: StepShare) {
        guard !share.rows.isEmpty else { return }
        normalize(index - 1, rows, share)
        multiply(hidden[index - 1].output, into: hidden[index], share)
    }

    private func normalize(_ index: Int, _ rows: TrainingBatch, _ share: StepShare) {
        let layer = hidden[index]
        fetch(layer.moments.floats, share)
        kernels.normalize(
            layer.normalized.rows(share.rows),
            first: share.rows.lowerBound,
            of: rows.count,
            by: layer.moments,
            into: layer.output.rows(share.rows),
            layer.view,
            keeps: share.rows.lowerBound == 0,
            epsilon: Float(options.normalizationEpsilon),
            momentum: Float(options.normalizationMomentum),
            dropout: mask(index, rows.dropoutSeed)
        )
    }

    // MARK: The loss

    /// The last layer, the loss and the way back into the last hidden one.
    private func judge(_ rows: TrainingBatch, _ share: StepShare) {
        guard !share.rows.isEmpty else { return }
        if let index = hidden.indices.last { normalize(index, rows, share) }
        let input = (hidden.last?.output ?? batch).prefix(columns: lastInputs)
        let logits = logitGradients.rows(share.rows)
        kernels.dot(
            input.rows(share.rows),
            parameters,
            at: lastOffset,
            bias: parameters[lastOffset + lastWidth],
            into: logits
        )
        let rowShare = 1 / Double(rows.count)
        for row in share.rows {
            let index = row * logitGradients.stride
            let logit = Double(logitGradients.floats[index])
            let (isFailure, weight) = rows.label(row)
            // -log p = softplus(-z), -log(1 - p) = softplus(z).
            losses[row] = Float(weight * PortableMath.softplus(isFailure ? -logit : logit))
            let error = PortableMath.sigmoid(logit) - (isFailure ? 1 : 0)
            logitGradients.floats[index] = Float(weight * error * rowShare)
        }
        guard let last = hidden.last else { return }
        kernels.multiply(
            logits,
            lastWeight(in: parameters),
            into: last.gradient.rows(share.rows)
        )
        sumGradients(of: hidden.count - 1, rows, share)
    }

    private func lastWeight(in floats: AlignedFloats) -> MatrixView {
        MatrixView(floats, offset: lastOffset, rows: 1, columns: lastWidth, stride: lastWidth)
    }

    // MARK: Backward

    private func sumGradients(of index: Int, _ rows: TrainingBatch, _ share: StepShare) {
        let layer = hidden[index]
        kernels.gradientSums(
            layer.gradient.rows(share.rows),
            first: share.rows.lowerBound,
            normalized: layer.normalized.rows(share.rows),
            output: layer.output.rows(share.rows),
            dropout: mask(index, rows.dropoutSeed),
            into: layer.gradientSums
        )
    }

    /// Through the normalisation of a layer, and into the layer before.
    private func backward(from index: Int, _ rows: TrainingBatch, _ share: StepShare) {
        guard !share.rows.isEmpty else { return }
        let layer = hidden[index]
        let gradient = layer.gradient.rows(share.rows)
        fetch(layer.gradientSums.floats, share)
        kernels.normalizeBackward(
            gradient,
            of: rows.count,
            by: layer.gradientSums,
            normalized: layer.normalized.rows(share.rows),
            layer.view,
            keeps: share.rows.lowerBound == 0,
            into: gradients.0
        )
        guard index > 0 else { return }
        fetch(layer.transposed.floats, share)
        kernels.multiply(
            gradient.prefix(columns: layer.outputs),
            layer.transposed,
            into: hidden[index - 1].gradient.rows(share.rows)
        )
        sumGradients(of: index - 1, rows, share)
    }

    // MARK: The weights

    /// The gradients of the weights by a half of the batch, or by both.
    private func weightGradients(_ rows: TrainingBatch, _ share: StepShare) {
        for (half, places) in share.halves {
            let gradients = half == 0 ? gradients.0 : gradients.1
            for (index, layer) in hidden.enumerated() {
                let inputs = StepShare.some(share.part, of: layer.inputs)
                let input = index == 0 ? batch : hidden[index - 1].output
                kernels.multiply(
                    input.rows(places).columns(inputs),
                    transposed: true,
                    layer.gradient.rows(places),
                    into: weight(of: layer, in: gradients).rows(inputs)
                )
            }
            if share.part.index == 0 { lastGradient(places, gradients) }
        }
    }

    private func lastGradient(_ places: Range<Int>, _ gradients: AlignedFloats) {
        let input = hidden.last?.output ?? batch
        let padded = MatrixView(
            input.floats,
            rows: input.rows,
            columns: lastWidth,
            stride: input.stride
        )
        let errors = logitGradients.rows(places)
        kernels.multiply(
            errors,
            transposed: true,
            padded.rows(places),
            into: lastWeight(in: gradients)
        )
        gradients[lastOffset + lastWidth] = places.reduce(0) { sum, row in
            sum + logitGradients.floats[row * logitGradients.stride]
        }
    }

    private func adam(_ range: Range<Int>, _ rate: Float) {
        kernels.adam(
            range,
            of: parameters,
            gradients,
            first: first,
            second: second,
            rate: rate,
            beta1: Float(options.beta1),
            beta2: Float(options.beta2),
            epsilon: Float(options.adamEpsilon)
        )
    }

    /// The rate of step `count` of Adam, from 1, in Keras' form: the bias corrections are in the
    /// rate, epsilon outside them.
    func adamRate(_ learningRate: Double, step count: Int) -> Float {
        let first = 1 - Self.power(options.beta1, count)
        let second = 1 - Self.power(options.beta2, count)
        return Float(learningRate * second.squareRoot() / first)
    }

    private static func power(_ base: Double, _ exponent: Int) -> Double {
        var (result, square, rest) = (1.0, base, exponent)
        while rest > 0 {
            if rest & 1 == 1 { result *= square }
            square *= square
            rest >>= 1
        }
        return result
    }
}
