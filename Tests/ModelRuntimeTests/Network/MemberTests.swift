// SPDX-License-Identifier: MIT

import ModelRuntime
import Testing

struct MemberTests {
    private let layers = [
        Layer(inputs: 5, outputs: 7, activation: .relu),
        Layer(inputs: 7, outputs: 1, activation: .sigmoid),
    ]

    private var members: [[LayerTensors]] {
        (0..<3).map { member in
            SampleNetwork.tensors(layers).map { tensors in
                var tensors = tensors
                tensors.weight = tensors.weight.map { $0 * (1 + Float(member) / 4) }
                tensors.bias = tensors.bias.map { $0 - Float(member) / 8 }
                return tensors
            }
        }
    }

    private let rows = (0..<5 * 100).map { Float($0 % 37) / 8 - 2 }

    @Test func answersTheMeanLogitInTheirOrder() throws {
        let network = try Network(layers: layers, members: members)
        #expect(network.memberCount == 3)
        let apart = try members.map { try Network(layers: layers, tensors: $0).logits(rows) }
        let expected = rows.indices.prefix(100).map { row in
            (apart[0][row] + apart[1][row] + apart[2][row]) / 3
        }
        #expect(network.logits(rows) == expected)
    }

    @Test func aRowHasTheSameBitsInEveryBatch() throws {
        let network = try Network(layers: layers, members: members)
        let together = network.logits(rows)
        for row in 0..<100 {
            #expect(network.logits(Array(rows[row * 5..<row * 5 + 5])) == [together[row]])
        }
    }

    @Test func oneMemberAnswersAsTheNetworkAlone() throws {
        let one = try Network(layers: layers, members: [members[1]])
        #expect(one.logits(rows) == (try Network(layers: layers, tensors: members[1])).logits(rows))
    }

    @Test func boundsTheMembers() throws {
        let tensors = members[0]
        let most = Array(repeating: tensors, count: Network.memberCountMax)
        #expect(try Network(layers: layers, members: most).memberCount == 32)
        for wrong in [[], most + [tensors]] {
            #expect(throws: NetworkError.memberCount(actual: wrong.count, limit: 32)) {
                try Network(layers: layers, members: wrong)
            }
        }
    }

    @Test func checksEveryMember() {
        var second = members[1]
        second[0].bias.removeLast()
        #expect(throws: NetworkError.self) {
            try Network(layers: layers, members: [members[0], second])
        }
    }
}
