// SPDX-License-Identifier: MIT

/// One dense layer as the manifest describes it: y = activation(x W + b), normalised or not.
package struct Layer: Equatable, Sendable {
    /// The function after the sum.
    package enum Activation: String, CaseIterable, Sendable {
        /// None.
        case identity
        /// max(0, x).
        case relu
        /// 1 / (1 + e^-x).
        case sigmoid
        /// Hyperbolic tangent.
        case tanh
    }

    /// Batch normalisation: gamma (x - mean) / sqrt(variance + epsilon) + beta.
    package struct Normalization: Equatable, Sendable {
        /// Where it stands.
        package enum Position: String, CaseIterable, Sendable {
            /// Between the sum and the activation.
            case beforeActivation
            /// After the activation.
            case afterActivation
        }

        /// What is added to the variance.
        package var epsilon: Double
        /// Where it stands.
        package var position: Position

        /// Describes a normalisation.
        package init(epsilon: Double, position: Position) {
            self.epsilon = epsilon
            self.position = position
        }
    }

    /// The number of inputs.
    package var inputs: Int
    /// The number of outputs.
    package var outputs: Int
    /// The function after the sum.
    package var activation: Activation
    /// Batch normalisation, if any.
    package var normalization: Normalization?

    /// Describes a layer.
    package init(
        inputs: Int,
        outputs: Int,
        activation: Activation,
        normalization: Normalization? = nil
    ) {
        self.inputs = inputs
        self.outputs = outputs
        self.activation = activation
        self.normalization = normalization
    }
}

/// The tensors of one layer, row-major, named in weights.safetensors `layers.<i>.<name>`; those of
/// one of several members `members.<m>.layers.<i>.<name>`.
package struct LayerTensors: Equatable, Sendable {
    /// The names and what they belong to.
    package enum Name: String, CaseIterable, Sendable {
        /// W[inputs][outputs]: shape [inputs, outputs].
        case weight
        /// Shape [outputs].
        case bias
        /// Scale of the normalisation, shape [outputs].
        case gamma
        /// Offset of the normalisation, shape [outputs].
        case beta
        /// Mean of the normalisation, shape [outputs].
        case mean
        /// Variance of the normalisation, shape [outputs].
        case variance
    }

    /// W[inputs][outputs].
    package var weight: [Float]
    /// b[outputs].
    package var bias: [Float]
    /// Scale of the normalisation; empty without one.
    package var gamma: [Float]
    /// Offset of the normalisation; empty without one.
    package var beta: [Float]
    /// Mean of the normalisation; empty without one.
    package var mean: [Float]
    /// Variance of the normalisation; empty without one.
    package var variance: [Float]

    /// Gathers the tensors of a layer.
    package init(
        weight: [Float],
        bias: [Float],
        gamma: [Float] = [],
        beta: [Float] = [],
        mean: [Float] = [],
        variance: [Float] = []
    ) {
        self.weight = weight
        self.bias = bias
        self.gamma = gamma
        self.beta = beta
        self.mean = mean
        self.variance = variance
    }

    /// The tensor of a name.
    package subscript(name: Name) -> [Float] {
        switch name {
        case .weight: weight
        case .bias: bias
        case .gamma: gamma
        case .beta: beta
        case .mean: mean
        case .variance: variance
        }
    }

    /// The shape that a layer's tensor of a name has; nil where the layer has none.
    package static func shape(of name: Name, in layer: Layer) -> [Int]? {
        switch name {
        case .weight: [layer.inputs, layer.outputs]
        case .bias: [layer.outputs]
        case .gamma, .beta, .mean, .variance: layer.normalization == nil ? nil : [layer.outputs]
        }
    }
}
