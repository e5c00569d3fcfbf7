// SPDX-License-Identifier: MIT

import JSON
import Testing

@testable import ModelRuntime

struct CalibratorTests {
    private let steps = Calibrator.isotonic(
        logits: [-2, 0, 1, 3],
        probabilities: [0.1, 0.1, 0.5, 0.9]
    )

    @Test func theIdentityIsTheSigmoid() {
        for logit: Float in [-30, -1.5, 0, 2] {
            #expect(
                Calibrator.identity.probability(ofLogit: logit)
                    == Network.probability(ofLogit: logit)
            )
        }
    }

    @Test func plattMovesTheLogit() {
        let platt = Calibrator.platt(slope: 2, offset: -1)
        #expect(platt.probability(ofLogit: 0.5) == 0.5)
        #expect(platt.probability(ofLogit: 1.5) == PortableMath.sigmoid(2))
    }

    @Test(arguments: [(-9, 0.1), (-1, 0.1), (0.5, 0.3), (2, 0.7), (9, 0.9)])
    func isotonicInterpolatesAndStaysLevelBeyond(logit: Float, expected: Double) {
        #expect(abs(steps.probability(ofLogit: logit) - expected) <= 1e-6)
    }

    @Test func keepsLogitsApartOnALevel() {
        for (low, high) in [(-9, -8), (-2, -1.9), (3, 3.01), (20, 20.00001)] as [(Float, Float)] {
            #expect(steps.probability(ofLogit: low) < steps.probability(ofLogit: high))
        }
    }

    @Test func neverFallsAndStaysAProbability() {
        let flat = Calibrator.isotonic(logits: [0, 1e-9], probabilities: [0, 1])
        for calibrator in [steps, flat, .platt(slope: 0.1, offset: 3), .identity] {
            var before = 0.0
            for step in -4000...4000 {
                let next = calibrator.probability(ofLogit: Float(step) / 100)
                #expect((before...1).contains(next))
                before = next
            }
            #expect(calibrator.probability(ofLogit: .greatestFiniteMagnitude) <= 1)
            #expect(calibrator.probability(ofLogit: -.greatestFiniteMagnitude) >= 0)
        }
    }

    @Test func readsWhatItWrote() throws {
        for calibrator in [steps, .platt(slope: 1.25, offset: -0.5)] {
            let json = try #require(calibrator.json)
            #expect(try Calibrator(decoding: JSONView(json)) == calibrator)
        }
        #expect(Calibrator.identity.json == nil)
    }

    @Test(
        arguments: [
            .platt(slope: 0, offset: 1), .platt(slope: -1, offset: 0),
            .platt(slope: .infinity, offset: 0), .platt(slope: 1, offset: .nan),
            .isotonic(logits: [], probabilities: []),
            .isotonic(logits: [1, 2], probabilities: [0.5]),
            .isotonic(logits: [1, 1], probabilities: [0.5, 0.6]),
            .isotonic(logits: [1, .infinity], probabilities: [0.5, 0.6]),
            .isotonic(logits: [1, 2], probabilities: [0.6, 0.5]),
            .isotonic(logits: [1, 2], probabilities: [0.5, 1.1]),
        ] as [Calibrator]
    )
    func saysWhatIsNoCalibration(calibrator: Calibrator) {
        #expect(calibrator.fault != nil)
    }

    @Test func boundsThePoints() {
        func calibrator(_ count: Int) -> Calibrator {
            .isotonic(
                logits: (0..<count).map(Double.init),
                probabilities: Array(repeating: 0.5, count: count)
            )
        }
        #expect(calibrator(Calibrator.pointsMax).fault == nil)
        #expect(calibrator(Calibrator.pointsMax + 1).fault != nil)
    }
}
