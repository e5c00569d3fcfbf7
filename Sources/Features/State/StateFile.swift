// SPDX-License-Identifier: MIT

internal import Dispatch
internal import JSON
internal import Platform
internal import Synchronization

// SAFETY: the mapping lives as long as the object and its memory is shared out as the note says.
/// Records in a file that is mapped into memory, which outlive the process.
///
/// A change goes through its shard's redo slot, so that none is left half done: the slot is written
/// and sealed, the record overwritten, the slot cleared; one found sealed at the start is applied.
///
/// - Note: Thread safety: a record, its entry and a slot belong to a shard, whose lock the caller
///   holds; everything else may be called from anywhere. docs/state-file.md has the bytes.
package final class StateFile: @unchecked Sendable {
    /// The file's place.
    package let path: String
    /// What ids are hashed with.
    let seed: UInt64
    let records: RecordLayout
    private let layout: StateFileLayout
    private let file: MappedFile
    private let pool: Lock<RecordPool>
    private let faults: StateFaults?
    private let growth = DispatchQueue(label: "state.growth")

    /// Opens the file or makes it, and finishes what a killed process left half done.
    ///
    /// - Throws: ``StateFileError``.
    package init(
        path: String,
        description: StateDescription,
        machinesMax: Int,
        recordsPerChunk: Int = 1024,
        faults: StateFaults? = nil
    ) throws(StateFileError) {
        self.path = path
        self.faults = faults
        records = description.records
        let text = description.json.serialized()
        do throws(FileError) {
            if try FileAccess.status(of: path) == nil {
                let empty = StateFileLayout(
                    description.records,
                    descriptionBytes: text.count,
                    recordsPerChunk: recordsPerChunk
                ).emptyFile(description: text)
                try FileAccess.replace(path, with: empty)
            }
        } catch {
            throw .file(error)
        }
        let found = try StateFileHead(path: path)
        seed = found.seed
        let layout = StateFileLayout(
            records,
            descriptionBytes: text.count,
            recordsPerChunk: found.recordsPerChunk
        )
        self.layout = layout
        guard found.bytes == layout.head(seed: found.seed, description: text) else {
            throw .problem(path: path, .otherLayout)
        }
        let wanted = (machinesMax + layout.recordsPerChunk - 1) / layout.recordsPerChunk
        let chunkCount: Int
        do throws(FileError) {
            let size = try FileAccess.status(of: path)?.byteCount ?? 0
            chunkCount = layout.chunkCount(fileBytes: Int(size))
            let opened = try OpenedFile(path)
            // A file that was copied may have holes.
            try opened.allocate(layout.fileBytes(chunkCount: chunkCount))
            let mappedBytes = layout.fileBytes(chunkCount: max(chunkCount, wanted))
            file = try MappedFile(opened, byteCount: mappedBytes)
        } catch {
            throw .file(error)
        }
        pool = Lock(
            RecordPool(
                capacity: chunkCount * layout.recordsPerChunk,
                capacityMax: max(chunkCount, wanted) * layout.recordsPerChunk
            )
        )
        for slot in 0..<StateFileLayout.slotCount { replay(slot) }
        findRecords()
    }

    // SAFETY: mapped as long as `file` lives, which is as long as this object.
    private var base: UnsafeMutableRawPointer { unsafe file.base }

    /// How many records are in use.
    package var usedCount: Int { pool.withLock { $0.usedCount } }

    /// Bytes of file that are allocated.
    package var byteCount: Int {
        layout.fileBytes(chunkCount: pool.withLock { $0.capacity } / layout.recordsPerChunk)
    }

    /// Whether the disk gave no room for the last chunk that was asked for.
    package var isFull: Bool { pool.withLock { $0.isFull } }

    /// The numbers and hashes of the records in use.
    func forEachUsed(_ body: (_ record: Int, _ hash: UInt64) -> Void) {
        for record in 0..<pool.withLock({ $0.next }) {
            if let hash = entry(record) { body(record, hash) }
        }
    }

    /// Takes a record that nobody uses; nil where the file cannot grow.
    func take() -> Int? {
        let (record, isGrowthWanted) = pool.withLock { pool in
            (pool.take(), pool.isGrowthWanted(layout.recordsPerChunk))
        }
        guard isGrowthWanted else { return record }
        if record != nil {
            // So that a later taker does not wait for the file to grow.
            growth.async { [self] in grow() }
            return record
        }
        growth.sync { grow() }
        return pool.withLock { $0.take() }
    }

    /// Takes a record that nobody uses and the file has room for as it is.
    func takeFree() -> Int? { pool.withLock { $0.take() } }

    /// Waits until the file has grown, where it is to grow and can; false where no record is free.
    func makeRoom() -> Bool {
        growth.sync { grow() }
        return pool.withLock { $0.hasFree }
    }

    /// Gives a record back whose entry was retired.
    func giveBack(_ record: Int) { pool.withLock { $0.giveBack(record) } }

    /// Copies a record's words.
    func load(_ record: Int, into words: inout [UInt64]) {
        let offset = layout.recordOffset(record)
        // SAFETY: an array of a record's size; the record lies within the mapped chunks.
        unsafe words.withUnsafeMutableBytes { unsafe $0.copyMemory(from: bytes(offset)) }
    }

    /// When the machine's last reading arrived.
    func lastArrival(_ record: Int) -> Int64 {
        let offset = layout.recordOffset(record) + RecordLayout.lastArrival * 8
        // SAFETY: within the record; words are little-endian, as the processor is.
        return unsafe base.loadUnaligned(fromByteOffset: offset, as: Int64.self)
    }

    /// Overwrites a part of a record at once: for a record that no entry names yet, and for parts
    /// that are torn already.
    func store(_ words: Span<UInt64>, _ part: Range<Int>, to record: Int) {
        copy(words, part, to: layout.recordOffset(record) + part.lowerBound * 8)
    }

    /// Overwrites up to two parts of a record, so that after a kill at any instruction all of them
    /// are there or none.
    func update(
        _ record: Int,
        hash: UInt64,
        _ words: Span<UInt64>,
        _ first: Range<Int>,
        _ second: Range<Int>,
        slot: Int
    ) {
        let start = layout.slotOffset(slot)
        let control = SlotControl(record: record, first: first, second: second, hash: hash)
        store(control.places, at: start + 8)
        store(control.counts, at: start + 16)
        store(hash, at: start + 24)
        let image = start + StateFileLayout.slotHeadBytes
        copy(words, first, to: image)
        copy(words, second, to: image + first.count * 8)
        publish(control.seal, at: start)
        store(words, first, to: record)
        store(words, second, to: record)
        publish(0, at: start)
    }

    /// Makes a record count, whose words are all there.
    func publish(_ record: Int, hash: UInt64) {
        store(hash, at: layout.entryOffset(record))
        publish(1, at: layout.entryOffset(record) + 8)
    }

    /// Makes a record count no more.
    func retire(_ record: Int) { publish(0, at: layout.entryOffset(record) + 8) }

    /// Writes to the disk what has changed.
    ///
    /// - Throws: ``StateFileError``.
    package func sync() throws(StateFileError) {
        do throws(FileError) { try file.sync() } catch { throw .file(error) }
    }

    /// Tries to grow where the disk was full when that was tried last.
    package func retryGrowth() {
        if isFull { growth.sync { grow(isRetry: true) } }
    }

    /// Allocates another chunk if one is wanted; on the growth queue.
    private func grow(isRetry: Bool = false) {
        let (capacity, isWanted) = pool.withLock { pool in
            (pool.capacity, pool.isGrowthWanted(layout.recordsPerChunk, isRetry: isRetry))
        }
        guard isWanted else {
            // Records that were given back are room too.
            if isRetry { pool.withLock { $0.isFull = false } }
            return
        }
        let chunkCount = capacity / layout.recordsPerChunk + 1
        var isAllocated = faults?.takeChunk() ?? true
        do throws(FileError) {
            if isAllocated { try file.allocate(layout.fileBytes(chunkCount: chunkCount)) }
        } catch {
            isAllocated = false
        }
        pool.withLock { pool in
            pool.isFull = !isAllocated
            if isAllocated { pool.capacity = chunkCount * layout.recordsPerChunk }
        }
    }

    /// Applies a slot that was sealed and not cleared.
    private func replay(_ slot: Int) {
        let start = layout.slotOffset(slot)
        let seal = load(start)
        guard seal != 0 else { return }
        let control = SlotControl(
            places: load(start + 8),
            counts: load(start + 16),
            hash: load(start + 24)
        )
        let capacity = pool.withLock { $0.capacity }
        if control.seal == seal, control.record < capacity, control.fits(records),
            entry(control.record) == control.hash
        {
            var words = [UInt64](repeating: 0, count: records.wordCount)
            load(control.record, into: &words)
            if take(control, start + StateFileLayout.slotHeadBytes, into: &words) {
                store(words.span, control.first, to: control.record)
                store(words.span, control.second, to: control.record)
            }
        }
        publish(0, at: start)
    }

    /// Puts a slot's parts into a copy of the record; false where they are torn or older than it,
    /// which takes a power cut.
    private func take(_ control: SlotControl, _ image: Int, into words: inout [UInt64]) -> Bool {
        var newer = words
        for (part, offset) in [
            (control.first, image), (control.second, image + control.first.count * 8),
        ] {
            // SAFETY: `fits` has checked the parts against record and slot.
            unsafe newer.withUnsafeMutableBytes { buffer in
                let target = unsafe UnsafeMutableRawBufferPointer(
                    rebasing: buffer[part.lowerBound * 8..<part.upperBound * 8]
                )
                unsafe target.copyMemory(
                    from: UnsafeRawBufferPointer(start: base + offset, count: part.count * 8)
                )
            }
        }
        var old = words.mutableSpan
        var new = newer.mutableSpan
        guard records.isHeaderSound(&new) else { return false }
        let isNewer =
            !records.isHeaderSound(&old)
            || new[RecordLayout.readingCount] >= old[RecordLayout.readingCount]
        guard isNewer else { return false }
        if !control.second.isEmpty, !records.isPaneSound(&new, control.second) { return false }
        words = newer
        return true
    }

    /// Fills the pool from the entries.
    private func findRecords() {
        let capacity = pool.withLock { $0.capacity }
        var used: [Bool] = Array(repeating: false, count: capacity)
        for record in 0..<capacity { used[record] = entry(record) != nil }
        pool.withLock { $0.begin(used) }
    }

    /// The hash of a record in use.
    private func entry(_ record: Int) -> UInt64? {
        let offset = layout.entryOffset(record)
        return load(offset + 8) == 1 ? load(offset) : nil
    }

    private func bytes(_ offset: Int) -> UnsafeRawBufferPointer {
        // SAFETY: a record's offset lies a record's size before the end of the mapped chunks.
        unsafe UnsafeRawBufferPointer(start: base + offset, count: records.wordCount * 8)
    }

    private func load(_ offset: Int) -> UInt64 {
        // SAFETY: offsets of the layout are multiples of 8 within the mapping.
        unsafe base.load(fromByteOffset: offset, as: UInt64.self)
    }

    private func store(_ value: UInt64, at offset: Int) {
        guard faults?.takeStores(1) ?? 1 == 1 else { return }
        // SAFETY: as in `load`.
        unsafe base.storeBytes(of: value, toByteOffset: offset, as: UInt64.self)
    }

    /// Stores after all that was stored before, and before all that will be.
    private func publish(_ value: UInt64, at offset: Int) {
        guard faults?.takeStores(1) ?? 1 == 1 else { return }
        // SAFETY: as in `load`; an Atomic has the size and form of its value.
        let word = unsafe (base + offset).assumingMemoryBound(to: Atomic<UInt64>.self)
        // SAFETY: as above.
        unsafe word.pointee.store(value, ordering: .releasing)
        atomicMemoryFence(ordering: .acquiringAndReleasing)
    }

    private func copy(_ words: Span<UInt64>, _ part: Range<Int>, to offset: Int) {
        let count = faults?.takeStores(part.count) ?? part.count
        // SAFETY: the part was taken from the words; records and slots have room for all of them.
        unsafe words.withUnsafeBytes { source in
            let part = unsafe UnsafeRawBufferPointer(
                rebasing: source[part.lowerBound * 8..<(part.lowerBound + count) * 8]
            )
            unsafe UnsafeMutableRawBufferPointer(start: base + offset, count: count * 8)
                .copyMemory(from: part)
        }
    }
}
