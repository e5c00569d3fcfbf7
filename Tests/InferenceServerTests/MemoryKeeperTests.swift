// SPDX-License-Identifier: MIT

@testable import InferenceServer
import Platform
import Testing

struct MemoryKeeperTests {
    private static let growth = MemoryKeeper.Rule.growthMin

    @Test func givesBackWhatHasGrownEnough() {
        var rule = MemoryKeeper.Rule()
        let found = [10, 5, 4 + Self.growth, 5 + Self.growth].map { rule.isDue($0) }
        #expect(found == [false, false, false, true])
        // What stays is not asked for again until there is more.
        rule.didGiveBack(100)
        let later = [99 + Self.growth, 100 + Self.growth].map { rule.isDue($0) }
        #expect(later == [false, true])
    }

    /// The sanitizers allocate by themselves, and the C library counts nothing.
    @Test(.enabled(if: ProcessEnvironment.variables["TSAN_OPTIONS"] == nil))
    func countsWhatIsAllocatedAndWhatIsInMemory() {
        let before = ProcessMemory.allocatedByteCount
        let bytes = [UInt8](repeating: 1, count: 64 << 20)
        #expect(ProcessMemory.allocatedByteCount - before > 32 << 20)
        #expect(ProcessMemory.residentByteCount > 64 << 20)
        #expect(ProcessMemory.size.virtualByteCount > ProcessMemory.residentByteCount)
        #expect(bytes.last == 1)
        ProcessMemory.giveBack()
    }
}
