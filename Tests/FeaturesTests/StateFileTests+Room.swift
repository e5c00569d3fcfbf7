// SPDX-License-Identifier: MIT

@testable import Features
import Testing

/// Disks that are full, and what happens when they have room again.
extension StateFileTests {
    @Test func keepsNewMachinesInMemoryWhileTheDiskIsFull() throws {
        let faults = StateFaults(chunksMax: 1)
        let store = try open(recordsPerChunk: 2, faults: faults)
        for machine in 0..<5 { try take(store, "M\(machine)", at: start) }
        #expect(store.file?.isFull == true)
        #expect(store.counts().memoryOnly == 3)
        #expect(store.counts().machines == 5)
        for machine in 0..<5 {
            #expect(try take(store, "M\(machine)", at: start + hour) == .inOrder)
            #expect(try take(store, "M\(machine)", at: start + hour) == .duplicate)
        }
        faults.allow(chunks: 1)
        store.file?.retryGrowth()
        #expect(store.file?.isFull == false)
        try take(store, "N", at: start)
        #expect(store.counts().memoryOnly == 3)
        #expect(store.forget("M4"))
        #expect(store.counts().machines == 5)
    }

    @Test func movesMachinesIntoTheFileWhenTheDiskHasRoom() throws {
        let faults = StateFaults(chunksMax: 1)
        var store = try open(recordsPerChunk: 2, faults: faults)
        for machine in 0..<40 { try take(store, "M\(machine)", at: start, value: Double(machine)) }
        #expect(store.counts().memoryOnly == 38)
        store.file?.retryGrowth()
        store.moveToFile()
        #expect(store.counts().memoryOnly == 38, "there is no room yet")
        // Room for some, then for all.
        for (chunks, left) in [(4, 30), (1000, 0)] {
            faults.allow(chunks: chunks)
            store.file?.retryGrowth()
            store.moveToFile()
            #expect(store.counts().memoryOnly == left)
            #expect(store.counts().machines == 40)
            #expect(store.file?.isFull == (left > 0))
        }
        #expect(store.file?.usedCount == 40)
        for machine in 0..<40 {
            #expect(try take(store, "M\(machine)", at: start) == .duplicate)
            #expect(try take(store, "M\(machine)", at: start + hour) == .inOrder)
        }
        let before = (0..<40).map { record(store, "M\($0)") }
        store = try open()
        #expect(store.counts().machines == 40)
        #expect((0..<40).map { record(store, "M\($0)") } == before)
        #expect(store.counts().torn == 0)
    }

    @Test func recordsGivenBackAreRoomToo() throws {
        let store = try open(recordsPerChunk: 2, faults: StateFaults(chunksMax: 1))
        for machine in 0..<4 { try take(store, "M\(machine)", at: start) }
        #expect(store.counts().memoryOnly == 2)
        for machine in 0..<2 { #expect(store.forget("M\(machine)")) }
        store.file?.retryGrowth()
        store.moveToFile()
        #expect(store.counts().memoryOnly == 0)
        #expect(store.file?.usedCount == 2)
    }
}
