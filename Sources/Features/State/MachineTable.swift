// SPDX-License-Identifier: MIT

/// The records of a shard's machines and the index that finds them.
///
/// Open addressing with linear probing, at most half full, deletion by shifting back (Knuth, The
/// Art of Computer Programming, volume 3, section 6.4, algorithm R). Records are in memory or, with
/// a ``StateFile`` that has room, there; then ``work`` is the copy that readings go into first.
struct MachineTable: Sendable {
    /// Where a machine's record is and what is known of it.
    enum Standing: UInt8, Sendable {
        /// There is no machine of this number.
        case free
        /// In memory.
        case memory
        /// To be written to the file; nothing is there yet.
        case unpublished
        /// In the file, as the program before left it.
        case unverified
        /// In the file, and sound.
        case sound
    }

    struct Entry: Sendable {
        var hash: UInt64 = 0
        /// The record in the file, where it is there.
        var fileRecord: UInt32 = 0
        var standing = Standing.free
        var mark = MachineMark.none
    }

    private struct Lap {
        var count = 0
        var oldestArrival = Int64.max
    }

    private static let evictionSteps = 64
    /// What a list takes beside its elements: its head and that of its memory.
    private static let listBytes = 48

    let records: RecordLayout
    let file: StateFile?
    /// The redo slot of the file that is this shard's.
    let slot: Int
    var entries: [Entry] = []
    /// A copy of the file's record that was looked up last.
    var work: [UInt64] = []
    var evictions = 0
    /// Records that a power cut tore, and panes of others.
    var torn = 0
    private let idleMicroseconds: Int64
    private let quota: MachineQuota
    /// Records in memory by machine, each by itself, so that growing moves none of them and what is
    /// known of a list stands beside its record; empty where the file has the machine's.
    private var lists: [[UInt64]] = []
    private var listCount = 0
    private(set) var memoryCount = 0
    private var free: [Int] = []
    /// Machine's number + 1, or 0 for an empty place.
    private var index: [UInt32]
    private var hand = 0
    /// What the hand has seen since it last found a machine, or had been at all of them.
    private var lap = Lap()
    /// No machine has been idle for long enough from the first of these on and before the second.
    private var noneIdle: Range<Int64> = 0..<0

    init(
        records: RecordLayout,
        idleMicroseconds: Int64,
        quota: MachineQuota,
        file: StateFile? = nil,
        slot: Int = 0,
        expectedCount: Int = 0
    ) {
        self.records = records
        self.idleMicroseconds = idleMicroseconds
        self.quota = quota
        self.file = file
        self.slot = slot
        var placeCount = 16
        while placeCount < expectedCount * 2 { placeCount *= 2 }
        index = Array(repeating: 0, count: placeCount)
        entries.reserveCapacity(expectedCount)
        if file != nil { work = Array(repeating: 0, count: records.wordCount) }
    }

    var counts: StateCounts {
        StateCounts(
            machines: entries.count - free.count,
            evictions: evictions,
            byteCount: listCount * (records.wordCount * 8 + Self.listBytes) + lists.capacity * 8
                + entries.capacity * MemoryLayout<Entry>.stride + index.capacity * 4,
            torn: torn,
            memoryOnly: file == nil ? 0 : memoryCount
        )
    }

    /// Takes a reading into its machine's record; nil where the machine is new and neither the
    /// quota nor an idle machine of this table gives room.
    mutating func observe(
        _ time: ReadingTime,
        hash: UInt64,
        id: Span<UInt8>,
        engine: FeatureEngine,
        scratch: inout FeatureScratch
    ) -> Admission? {
        let found = find(hash, id) ?? insert(hash, id, arrival: time.arrival)
        guard let number = found else { return nil }
        scratch.place = MachinePlace(shard: slot, number: number, mark: entries[number].mark)
        guard entries[number].standing == .memory else {
            return observeInFile(time, number, engine: engine, scratch: &scratch)
        }
        var words = lists[number].mutableSpan
        return engine.observe(time, in: &words, at: 0, scratch: &scratch)
    }

    /// The number of the machine with this id; where its record is in the file, `work` is its copy.
    mutating func find(_ hash: UInt64, _ id: Span<UInt8>) -> Int? {
        let mask = index.count - 1
        var place = home(hash)
        while index[place] != 0 {
            let number = Int(index[place]) - 1
            if entries[number].hash == hash {
                guard load(number) else {
                    // Its record was torn. What comes behind it has moved up.
                    quota.giveBack()
                    return find(hash, id)
                }
                if holds(number, id) { return number }
            }
            place = (place + 1) & mask
        }
        return nil
    }

    /// A new machine's number, with an empty record; nil where there is no room.
    mutating func insert(_ hash: UInt64, _ id: Span<UInt8>, arrival: Int64) -> Int? {
        if !quota.take(), !evictIdle(arrival: arrival) { return nil }
        let number = free.popLast() ?? entries.count
        if number == entries.count { entries.append(Entry()) }
        entries[number].hash = hash
        entries[number].mark = .none
        if let record = file?.take() {
            entries[number].fileRecord = UInt32(record)
            entries[number].standing = .unpublished
            resetWork(id)
        } else {
            entries[number].standing = .memory
            memoryCount += 1
            makeList(number)
            var words = lists[number].mutableSpan
            records.reset(&words, at: 0, id: id)
        }
        addToIndex(number)
        return number
    }

    /// Takes in a record that the file holds from before; of two of one machine, which takes a
    /// power cut, the later counts.
    mutating func adopt(_ record: Int, hash: UInt64) {
        let mask = index.count - 1
        var place = home(hash)
        while index[place] != 0 {
            let other = Int(index[place]) - 1
            if entries[other].hash == hash, let file {
                torn += 1
                let known = Int(entries[other].fileRecord)
                let isLater = file.lastArrival(record) > file.lastArrival(known)
                if isLater { entries[other].fileRecord = UInt32(record) }
                file.retire(isLater ? known : record)
                return file.giveBack(isLater ? known : record)
            }
            place = (place + 1) & mask
        }
        entries.append(Entry(hash: hash, fileRecord: UInt32(record), standing: .unverified))
        addToIndex(entries.count - 1)
    }

    /// Forgets the next machine that has been silent for longer than the idle time, looking at up
    /// to 64 of them and going on from there the next time; false where none was found.
    ///
    /// Once it has been at all of them in vain it looks again when the oldest may be idle: each
    /// look is in another place of memory, and a client may send new machines without end.
    mutating func evictIdle(arrival: Int64) -> Bool {
        guard !noneIdle.contains(arrival) else { return false }
        for _ in 0..<min(Self.evictionSteps, entries.count) {
            hand = (hand + 1) % entries.count
            lap.count += 1
            if entries[hand].standing != .free, isIdle(hand, arrival) {
                remove(hand)
                evictions += 1
                lap = Lap()
                return true
            }
            guard lap.count >= entries.count else { continue }
            // Those that came at a time to be may come again at the right one, and fall silent.
            let oldest = min(lap.oldestArrival, arrival)
            let (last, overflows) = oldest.addingReportingOverflow(idleMicroseconds)
            noneIdle = overflows || last < arrival ? 0..<0 : arrival..<last
            lap = Lap()
            return false
        }
        return false
    }

    private mutating func isIdle(_ number: Int, _ arrival: Int64) -> Bool {
        let last = lastArrival(number)
        // A record that nobody has looked at yet may hold any time.
        let (silence, overflows) = arrival.subtractingReportingOverflow(last)
        guard !overflows else { return false }
        lap.oldestArrival = min(lap.oldestArrival, last)
        return silence > idleMicroseconds
    }

    /// Forgets a machine.
    mutating func remove(_ number: Int) {
        let mask = index.count - 1
        var hole = home(entries[number].hash)
        while index[hole] != UInt32(number + 1) { hole = (hole + 1) & mask }
        var next = (hole + 1) & mask
        while index[next] != 0 {
            let distance = (next - home(entries[Int(index[next]) - 1].hash)) & mask
            if distance >= (next - hole) & mask {
                index[hole] = index[next]
                hole = next
            }
            next = (next + 1) & mask
        }
        index[hole] = 0
        if entries[number].standing == .memory {
            memoryCount -= 1
        } else if let file {
            file.retire(Int(entries[number].fileRecord))
            file.giveBack(Int(entries[number].fileRecord))
        }
        entries[number].standing = .free
        free.append(number)
    }

    /// A copy of the record of a machine that was found.
    func copy(_ number: Int) -> [UInt64] {
        entries[number].standing == .memory ? lists[number] : work
    }

    /// Overwrites the record of a machine that was found or inserted.
    mutating func replace(_ number: Int, with words: [UInt64]) {
        // It may be older than any that the hand has seen.
        noneIdle = 0..<0
        lap = Lap()
        guard entries[number].standing == .memory else {
            return replaceInFile(number, with: words)
        }
        lists[number] = words
    }

    /// Changes the alarm of a machine that was found.
    mutating func updateAlarm(
        _ number: Int,
        _ body: (inout AlarmRecord) -> AlarmState
    ) -> AlarmState {
        guard entries[number].standing == .memory else {
            return updateAlarmInFile(number, body)
        }
        var words = lists[number].mutableSpan
        var alarm = records.alarm(words, at: 0)
        let before = alarm
        let state = body(&alarm)
        if alarm != before { records.setAlarm(alarm, &words, at: 0) }
        return state
    }

    private mutating func resetWork(_ id: Span<UInt8>) {
        var copy: [UInt64] = []
        swap(&copy, &work)
        var words = copy.mutableSpan
        records.reset(&words, at: 0, id: id)
        swap(&copy, &work)
    }

    private mutating func makeList(_ number: Int) {
        while lists.count <= number { lists.append([]) }
        // A number that comes again finds the list of the machine before.
        guard lists[number].isEmpty else { return }
        lists[number] = Array(repeating: 0, count: records.wordCount)
        listCount += 1
    }

    /// Takes the record of a machine out of memory.
    mutating func takeList(_ number: Int) -> [UInt64] {
        var list: [UInt64] = []
        swap(&list, &lists[number])
        listCount -= 1
        memoryCount -= 1
        return list
    }

    private func holds(_ number: Int, _ id: Span<UInt8>) -> Bool {
        guard entries[number].standing == .memory else { return records.holds(work, id: id) }
        return records.holds(lists[number], id: id)
    }

    func lastArrival(_ number: Int) -> Int64 {
        if let file, entries[number].standing != .memory {
            return file.lastArrival(Int(entries[number].fileRecord))
        }
        return Int64(bitPattern: lists[number][RecordLayout.lastArrival])
    }

    private mutating func addToIndex(_ number: Int) {
        if (entries.count - free.count) * 2 > index.count {
            index = Array(repeating: 0, count: index.count * 2)
            for other in entries.indices where entries[other].standing != .free { place(other) }
        } else {
            place(number)
        }
    }

    private mutating func place(_ number: Int) {
        var place = home(entries[number].hash)
        while index[place] != 0 { place = (place + 1) & (index.count - 1) }
        index[place] = UInt32(number + 1)
    }

    private func home(_ hash: UInt64) -> Int {
        Int(truncatingIfNeeded: hash >> 16) & (index.count - 1)
    }
}
