// SPDX-License-Identifier: MIT

internal import ModelRuntime

extension TrainingState {
    /// Forward and backward pass over some rows: writes the gradients, moves the running moments.
    ///
    /// The loss is the mean over the batch of weight[label] * crossEntropy; its sum is returned.
    func passes(
        _ features: Span<Float>,
        rows: Span<Int32>,
        labels: Span<UInt8>,
        classWeights: (Double, Double),
        dropoutSeed: UInt64
    ) -> Double {
        let count = rows.count
        kernels.gather(features, rows: rows, into: batch.prefix(rows: count))
        forward(rows: count, dropoutSeed: dropoutSeed)
        let loss = lossGradients(rows, labels, classWeights)
        backward(rows: count, dropoutSeed: dropoutSeed)
        return loss
    }

    private func mask(_ layer: Int, _ seed: UInt64) -> DropoutMask {
        // An odd multiplier per layer: other keys for each.
        DropoutMask(
            rate: options.dropout,
            seed: seed &* (2 * UInt64(layer) + 0x9e37_79b9_7f4a_7c15)
        )
    }

    private func forward(rows: Int, dropoutSeed: UInt64) {
        var input = batch.prefix(rows: rows)
        for (index, layer) in hidden.enumerated() {
            let z = layer.normalized.prefix(rows: rows)
            let a = layer.output.prefix(rows: rows)
            kernels.multiply(input, weight(of: layer, in: parameters), into: z)
            kernels.normalize(
                z,
                into: a,
                layer.view,
                epsilon: Float(options.normalizationEpsilon),
                momentum: Float(options.normalizationMomentum),
                dropout: mask(index, dropoutSeed)
            )
            input = a.prefix(columns: layer.outputs)
        }
    }

    private func lossGradients(
        _ rows: Span<Int32>,
        _ labels: Span<UInt8>,
        _ classWeights: (Double, Double)
    ) -> Double {
        let input = (hidden.last?.output ?? batch).prefix(rows: rows.count)
        let bias = parameters[lastOffset + lastWidth]
        kernels.dot(
            input.prefix(columns: lastInputs),
            parameters,
            at: lastOffset,
            bias: bias,
            into: logitGradients.prefix(rows: rows.count)
        )
        var sum = 0.0
        var biasGradient = 0.0
        let share = 1 / Double(rows.count)
        for i in 0..<rows.count {
            let place = i * logitGradients.stride
            let logit = Double(logitGradients.floats[place])
            let isFailure = labels[Int(rows[i])] == 1
            let weight = isFailure ? classWeights.1 : classWeights.0
            // -log p = softplus(-z), -log(1 - p) = softplus(z).
            sum += weight * PortableMath.softplus(isFailure ? -logit : logit)
            let error = PortableMath.sigmoid(logit) - (isFailure ? 1 : 0)
            let gradient = weight * error * share
            logitGradients.floats[place] = Float(gradient)
            biasGradient += gradient
        }
        gradients[lastOffset + lastWidth] = Float(biasGradient)
        return sum
    }

    private func backward(rows: Int, dropoutSeed: UInt64) {
        let error = logitGradients.prefix(rows: rows)
        let lastInput = hidden.last?.output ?? batch
        let paddedInput = MatrixView(
            lastInput.floats,
            rows: rows,
            columns: lastWidth,
            stride: lastInput.stride
        )
        func last(_ floats: AlignedFloats) -> MatrixView {
            MatrixView(floats, offset: lastOffset, rows: 1, columns: lastWidth, stride: lastWidth)
        }
        kernels.multiply(error, transposed: true, paddedInput, into: last(gradients))
        guard !hidden.isEmpty else { return }
        var above = hidden[hidden.count - 1].gradient.prefix(rows: rows)
        kernels.multiply(error, last(parameters), into: above)
        for index in hidden.indices.reversed() {
            let layer = hidden[index]
            kernels.normalizeBackward(
                above,
                normalized: layer.normalized.prefix(rows: rows),
                output: layer.output.prefix(rows: rows),
                layer.view,
                dropout: mask(index, dropoutSeed),
                into: gradients
            )
            let input = index == 0 ? batch : hidden[index - 1].output
            kernels.multiply(
                input.prefix(rows: rows).prefix(columns: layer.inputs),
                transposed: true,
                above,
                into: weight(of: layer, in: gradients)
            )
            guard index > 0 else { continue }
            let below = hidden[index - 1].gradient.prefix(rows: rows)
            let weight = weight(of: layer, in: parameters).prefix(columns: layer.outputs)
            kernels.transpose(weight, into: layer.transposed.prefix(columns: layer.inputs))
            kernels.multiply(above.prefix(columns: layer.outputs), layer.transposed, into: below)
            above = below
        }
    }
}
