// SPDX-License-Identifier: MIT

/// The weights of one dense layer in the order in which the kernels read them:
/// `[panel][1 + inputs][panelWidth]`, the bias before the weights, zeros in the columns beyond
/// `outputs`, on a 64-byte border.
struct PackedDense: Sendable {
    let inputs: Int
    let outputs: Int
    let panelWidth: Int
    /// What the results are not to fall below: 0 for ReLU, minus infinity for none.
    let floor: Float
    let floats: ConstantFloats

    var panels: Int { (outputs + panelWidth - 1) / panelWidth }
    /// Columns with the padding: the row distance of the results.
    var width: Int { panels * panelWidth }

    /// Packs weight[inputs][outputs] and bias[outputs].
    init(
        weight: [Float],
        bias: [Float],
        inputs: Int,
        outputs: Int,
        panelWidth: Int,
        floor: Float
    ) {
        precondition(inputs > 0 && outputs > 0)
        precondition(weight.count == inputs * outputs && bias.count == outputs)
        self.inputs = inputs
        self.outputs = outputs
        self.panelWidth = panelWidth
        self.floor = floor
        let panels = (outputs + panelWidth - 1) / panelWidth
        var packed = [Float](repeating: 0, count: panels * (1 + inputs) * panelWidth)
        for output in 0..<outputs {
            let panel = (output / panelWidth) * (1 + inputs) * panelWidth + output % panelWidth
            packed[panel] = bias[output]
            for input in 0..<inputs {
                packed[panel + (1 + input) * panelWidth] = weight[input * outputs + output]
            }
        }
        floats = ConstantFloats(packed)
    }
}
