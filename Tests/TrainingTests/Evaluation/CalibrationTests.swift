// SPDX-License-Identifier: MIT

import Testing
import Training

struct CalibrationTests {
    @Test func putsEquallyManyRowsInEachBin() {
        let calibration = Calibration(
            probabilities: [0.9, 0.1, 0.7, 0.3],
            labels: [1, 0, 0, 1],
            binCount: 2
        )
        #expect(calibration.bins.map(\.count) == [2, 2])
        #expect(calibration.bins.map(\.failureRate) == [0.5, 0.5])
        #expect(abs(calibration.bins[0].probability - 0.2) < 1e-12)
        #expect(abs(calibration.bins[1].probability - 0.8) < 1e-12)
        #expect(abs(calibration.expectedError - 0.3) < 1e-12)
    }

    @Test func weighsBinsByTheirRows() {
        // One row in the first bin, off by 0.2; two in the second, off by 0.5.
        let calibration = Calibration(
            probabilities: [0.2, 0.5, 0.5],
            labels: [0, 0, 0],
            binCount: 2
        )
        #expect(calibration.bins.map(\.count) == [1, 2])
        #expect(abs(calibration.expectedError - 0.4) < 1e-12)
    }

    @Test func leavesEmptyBinsOut() {
        let calibration = Calibration(probabilities: [0.25, 1], labels: [0, 1])
        #expect(calibration.bins.count == 2)
        #expect(calibration.expectedError == 0.125)
    }

    @Test func hasNoErrorWithoutRows() {
        #expect(Calibration(probabilities: [], labels: []).expectedError == 0)
    }

    @Test func theOrderOfEqualProbabilitiesDoesNotMatter() {
        let one = Calibration(probabilities: [0.5, 0.5, 0.5], labels: [1, 0, 0], binCount: 2)
        let other = Calibration(probabilities: [0.5, 0.5, 0.5], labels: [0, 0, 1], binCount: 2)
        #expect(one == other)
    }
}
