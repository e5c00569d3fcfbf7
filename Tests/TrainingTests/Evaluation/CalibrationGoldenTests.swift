// SPDX-License-Identifier: MIT

import FoundationEssentials
import ModelRuntime
import Testing

@testable import Training

struct CalibrationGoldenTests {
    /// What scikit-learn says, from Fixtures/calibration.json.
    private struct Golden: Decodable {
        struct File: Decodable { var cases: [Golden] }
        var name: String
        var logits: [Float]
        var labels: [UInt8]
        var grid: [Float]
        var platt: [Double]
        var isotonic: [Double]
        var brierSkill: Double
        var calibrationError: Double
    }

    private let cases: [Golden]

    init() throws {
        let folder = #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
        let data = try Data(contentsOf: URL(filePath: "/\(folder)/Fixtures/calibration.json"))
        cases = try JSONDecoder().decode(Golden.File.self, from: data).cases
        #expect(cases.count == 7)
    }

    private func largestDifference(
        _ calibrator: Calibrator,
        _ grid: [Float],
        _ expected: [Double]
    ) -> Double {
        zip(grid, expected).map { abs(calibrator.probability(ofLogit: $0) - $1) }.max() ?? 0
    }

    @Test func plattEqualsScikitLearn() throws {
        for golden in cases {
            let fitted = try #require(
                PlattFit.calibrator(logits: golden.logits, labels: golden.labels)
            )
            // Its optimiser stops at a gradient of some millionths; this one goes to the end.
            #expect(
                largestDifference(fitted, golden.grid, golden.platt) < 1e-4,
                "\(golden.name)"
            )
        }
    }

    @Test func isotonicEqualsScikitLearn() {
        for golden in cases {
            let fitted = IsotonicFit.calibrator(logits: golden.logits, labels: golden.labels)
            // The share of the probability that keeps ties apart.
            #expect(
                largestDifference(fitted, golden.grid, golden.isotonic) < 1e-6,
                "\(golden.name)"
            )
        }
    }

    @Test func scoresEqualScikitLearn() throws {
        for golden in cases {
            let evaluation = try #require(
                Evaluation(
                    probabilities: golden.logits.map { Network.probability(ofLogit: $0) },
                    labels: golden.labels,
                    threshold: 0.5
                )
            )
            #expect(
                abs((evaluation.brierSkill ?? .nan) - golden.brierSkill) < 1e-12,
                "\(golden.name)"
            )
            #expect(
                abs(evaluation.reliability.expectedError - golden.calibrationError) < 1e-12,
                "\(golden.name)"
            )
        }
    }
}
