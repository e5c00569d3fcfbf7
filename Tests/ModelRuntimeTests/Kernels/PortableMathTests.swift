// SPDX-License-Identifier: MIT

import FoundationEssentials
import Glibc
import ModelRuntime
import Testing

struct PortableMathTests {
    /// Distance in units of the last place of the expected value.
    private func ulps(_ actual: Double, _ expected: Double) -> Double {
        actual == expected ? 0 : abs(actual - expected) / expected.ulp
    }

    @Test func exponentialIsWithinTwoUlp() {
        var worst = 0.0
        for step in -70_000...70_000 {
            let x = Double(step) * 0.01
            worst = max(worst, ulps(PortableMath.exp(x), Glibc.exp(x)))
        }
        #expect(worst <= 2)
        #expect(PortableMath.exp(0) == 1)
    }

    @Test func exponentialSaturates() {
        #expect(PortableMath.exp(-709) == 0)
        #expect(PortableMath.exp(-708) >= 0)
        #expect(PortableMath.exp(710) == .infinity)
        #expect(PortableMath.exp(-.infinity) == 0)
        #expect(PortableMath.exp(.infinity) == .infinity)
        #expect(PortableMath.exp(.nan).isNaN)
    }

    @Test func logarithmIsWithinTwoUlp() {
        var worst = 0.0
        var x = 1e-300
        while x < 1e300 {
            worst = max(worst, ulps(PortableMath.log(x), Glibc.log(x)))
            x *= 1.001_3
        }
        for step in 1...20_000 {
            let near = 0.9 + Double(step) * 1e-5
            worst = max(worst, ulps(PortableMath.log(near), Glibc.log(near)))
        }
        #expect(worst <= 2)
    }

    @Test func logarithmOfTheBorders() {
        #expect(PortableMath.log(1) == 0)
        #expect(PortableMath.log(0) == -.infinity)
        #expect(PortableMath.log(.infinity) == .infinity)
        #expect(PortableMath.log(-1).isNaN)
        #expect(PortableMath.log(.nan).isNaN)
        #expect(ulps(PortableMath.log(0x1p-1074), Glibc.log(0x1p-1074)) <= 2)
    }

    @Test(arguments: [-800.0, -40, -1, -1e-9, 0, 1e-9, 1, 40, 800])
    func sigmoidAndSoftplusMeetTheirLimits(x: Double) {
        #expect((0...1).contains(PortableMath.sigmoid(x)))
        let exact = max(x, 0) + Glibc.log1p(Glibc.exp(-abs(x)))
        #expect(abs(PortableMath.softplus(x) - exact) <= 1e-15 + exact * 4e-16)
        let sum = PortableMath.sigmoid(x) + PortableMath.sigmoid(-x)
        #expect(abs(sum - 1) <= 4e-16)
    }

    @Test func probabilitiesKeepTheirBits() {
        // Any change of these bits changes what every bundle answers.
        let bits = [-20, -1.5, 0, 0.1, 3, 17].map { Network.probability(ofLogit: $0).bitPattern }
        #expect(bits == Self.knownBits)
    }

    /// 1 / (1 + e^-x) in Python, whose bits these happen to equal in all six places.
    private static let knownBits: [UInt64] = [
        4_477_057_993_633_347_029, 4_595_740_592_458_832_816, 4_602_678_819_172_646_912,
        4_602_903_811_694_838_324, 4_606_755_244_510_476_989, 4_607_182_418_427_124_983,
    ]
}
