// SPDX-License-Identifier: MIT

internal import ModelRuntime
internal import Platform

/// The rows of one step.
struct TrainingBatch {
    /// All features: [..][inputs].
    let features: [Float]
    /// All labels.
    let labels: [UInt8]
    /// The order of this epoch, and which places of it make the batch.
    let order: [Int32]
    let places: Range<Int>
    /// The weights of class 0 and 1 in the loss.
    let classWeights: (Double, Double)
    let dropoutSeed: UInt64
}

/// `count` things in ranges of `size`, the last one shorter.
private struct Pieces {
    let total: Int
    let size: Int

    /// One piece where one thread works: then nothing is gained by many.
    init(_ total: Int, of size: Int, for team: WorkTeam) {
        self.total = total
        self.size = team.threadCount > 1 ? size : max(total, 1)
    }

    var count: Int { (total + size - 1) / size }
    subscript(index: Int) -> Range<Int> { index * size..<min((index + 1) * size, total) }
}

/// A step is a row of tasks for a team. Each output element is computed by one thread, in the order
/// of the kernels, whichever rows or columns are done with it: the bytes do not depend on how many
/// threads there are.
extension TrainingState {
    /// Rows of a matrix in one piece, or rows of a weight.
    private static let pieceRows = 32
    /// Columns that a normalisation does at a time.
    private static let pieceColumns = 32
    /// Parameters in one piece of an Adam step.
    private static let pieceParameters = 4096

    /// Forward and backward pass over some rows: writes the gradients, moves the running moments.
    ///
    /// The loss is the mean over the batch of weight[label] * crossEntropy; its sum is returned.
    func passes(_ rows: TrainingBatch, team: WorkTeam) -> Double {
        let pieces = Pieces(rows.places.count, of: Self.pieceRows, for: team)
        forward(rows, pieces, team)
        let loss = lossGradients(rows, pieces, team)
        backward(rows, pieces, team)
        return loss
    }

    private func mask(_ layer: Int, _ seed: UInt64) -> DropoutMask {
        // An odd multiplier per layer: other keys for each.
        DropoutMask(
            rate: options.dropout,
            seed: seed &* (2 * UInt64(layer) + 0x9e37_79b9_7f4a_7c15)
        )
    }

    private func forward(_ rows: TrainingBatch, _ pieces: Pieces, _ team: WorkTeam) {
        team.run(parts: pieces.count) { [self] part in
            let piece = pieces[part]
            let start = rows.places.lowerBound
            let places = start + piece.lowerBound..<start + piece.upperBound
            let (features, order) = (rows.features, rows.order)
            kernels.gather(
                features.span,
                rows: order.span.extracting(places),
                into: batch.rows(piece)
            )
            if let first = hidden.first { multiplyForward(first, batch, piece) }
        }
        for (index, layer) in hidden.enumerated() {
            if index > 0 {
                let input = hidden[index - 1].output
                team.run(parts: pieces.count) { [self] part in
                    multiplyForward(layer, input, pieces[part])
                }
            }
            let columns = Pieces(layer.width, of: Self.pieceColumns, for: team)
            // The weights that the way back needs are turned meanwhile.
            let turned = index == 0 ? hidden.count - 1 : 0
            team.run(parts: columns.count + turned) { [self] part in
                guard part < columns.count else { return turn(hidden[part - columns.count + 1]) }
                kernels.normalize(
                    layer.normalized.prefix(rows: pieces.total),
                    columns: columns[part],
                    into: layer.output.prefix(rows: pieces.total),
                    layer.view,
                    epsilon: Float(options.normalizationEpsilon),
                    momentum: Float(options.normalizationMomentum),
                    dropout: mask(index, rows.dropoutSeed)
                )
            }
        }
    }

    private func multiplyForward(_ layer: HiddenLayer, _ input: MatrixView, _ piece: Range<Int>) {
        kernels.multiply(
            input.rows(piece).prefix(columns: layer.inputs),
            weight(of: layer, in: parameters),
            into: layer.normalized.rows(piece)
        )
    }

    private func turn(_ layer: HiddenLayer) {
        let weight = weight(of: layer, in: parameters).prefix(columns: layer.outputs)
        kernels.transpose(weight, into: layer.transposed.prefix(columns: layer.inputs))
    }

    /// The gradients of the logits and of the last layer's bias and input; returns the loss.
    private func lossGradients(
        _ rows: TrainingBatch,
        _ pieces: Pieces,
        _ team: WorkTeam
    ) -> Double {
        let input = (hidden.last?.output ?? batch).prefix(columns: lastInputs)
        team.run(parts: pieces.count) { [self] part in
            kernels.dot(
                input.rows(pieces[part]),
                parameters,
                at: lastOffset,
                bias: parameters[lastOffset + lastWidth],
                into: logitGradients.rows(pieces[part])
            )
        }
        var sum = 0.0
        var biasGradient = 0.0
        let share = 1 / Double(rows.places.count)
        for (i, place) in rows.places.enumerated() {
            let index = i * logitGradients.stride
            let logit = Double(logitGradients.floats[index])
            let isFailure = rows.labels[Int(rows.order[place])] == 1
            let weight = isFailure ? rows.classWeights.1 : rows.classWeights.0
            // -log p = softplus(-z), -log(1 - p) = softplus(z).
            sum += weight * PortableMath.softplus(isFailure ? -logit : logit)
            let error = PortableMath.sigmoid(logit) - (isFailure ? 1 : 0)
            let gradient = weight * error * share
            logitGradients.floats[index] = Float(gradient)
            biasGradient += gradient
        }
        gradients[lastOffset + lastWidth] = Float(biasGradient)
        guard let above = hidden.last?.gradient else { return sum }
        team.run(parts: pieces.count) { [self] part in
            let piece = pieces[part]
            kernels.multiply(
                logitGradients.rows(piece),
                last(in: parameters),
                into: above.rows(piece)
            )
        }
        return sum
    }

    private func last(in floats: AlignedFloats) -> MatrixView {
        MatrixView(floats, offset: lastOffset, rows: 1, columns: lastWidth, stride: lastWidth)
    }

    /// The gradient of the last layer's weights.
    private func lastGradient(_ rows: Int) {
        let input = hidden.last?.output ?? batch
        let padded = MatrixView(
            input.floats,
            rows: rows,
            columns: lastWidth,
            stride: input.stride
        )
        let error = logitGradients.prefix(rows: rows)
        kernels.multiply(error, transposed: true, padded, into: last(in: gradients))
    }

    private func backward(_ rows: TrainingBatch, _ pieces: Pieces, _ team: WorkTeam) {
        let count = pieces.total
        if hidden.isEmpty { lastGradient(count) }
        for index in hidden.indices.reversed() {
            let layer = hidden[index]
            let above = layer.gradient.prefix(rows: count)
            let columns = Pieces(layer.width, of: Self.pieceColumns, for: team)
            let isLast = index == hidden.count - 1
            team.run(parts: columns.count + (isLast ? 1 : 0)) { [self] part in
                guard part < columns.count else { return lastGradient(count) }
                kernels.normalizeBackward(
                    above,
                    columns: columns[part],
                    normalized: layer.normalized.prefix(rows: count),
                    output: layer.output.prefix(rows: count),
                    layer.view,
                    dropout: mask(index, rows.dropoutSeed),
                    into: gradients
                )
            }
            let inputs = Pieces(layer.inputs, of: Self.pieceRows, for: team)
            let input = (index == 0 ? batch : hidden[index - 1].output).prefix(rows: count)
            team.run(parts: inputs.count + (index > 0 ? pieces.count : 0)) { [self] part in
                if part < inputs.count {
                    kernels.multiply(
                        input.columns(inputs[part]),
                        transposed: true,
                        above,
                        into: weight(of: layer, in: gradients).rows(inputs[part])
                    )
                } else {
                    let piece = pieces[part - inputs.count]
                    kernels.multiply(
                        above.rows(piece).prefix(columns: layer.outputs),
                        layer.transposed,
                        into: hidden[index - 1].gradient.rows(piece)
                    )
                }
            }
        }
    }

    /// One step of Adam in Keras' form: the bias corrections are in the rate, epsilon outside them.
    func update(learningRate: Double, team: WorkTeam) {
        stepCount += 1
        let (beta1, beta2) = (options.beta1, options.beta2)
        let correction =
            (1 - Self.power(beta2, stepCount)).squareRoot() / (1 - Self.power(beta1, stepCount))
        let pieces = Pieces(parameters.count, of: Self.pieceParameters, for: team)
        team.run(parts: pieces.count) { [self] part in
            kernels.adam(
                pieces[part],
                of: parameters,
                gradients,
                first: first,
                second: second,
                rate: Float(learningRate * correction),
                beta1: Float(beta1),
                beta2: Float(beta2),
                epsilon: Float(options.adamEpsilon)
            )
        }
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
