// SPDX-License-Identifier: MIT

extension MachineTable {
    /// Takes a reading into the copy of its record and that into the file.
    ///
    /// A killed process leaves the record as it was before or as it is after.
    mutating func observeInFile(
        _ time: ReadingTime,
        _ number: Int,
        engine: FeatureEngine,
        scratch: inout FeatureScratch
    ) -> Admission {
        // Out of the table, so that the compiler sees that nobody else has it.
        var copy: [UInt64] = []
        swap(&copy, &work)
        defer { swap(&copy, &work) }
        var words = copy.mutableSpan
        let admission = engine.observe(time, in: &words, at: 0, scratch: &scratch)
        if admission == .inOrder || admission == .late {
            if entries[number].standing == .unpublished {
                records.seal(&words)
                publish(number, words.span)
            } else {
                let pane = records.pane(of: time.timestamp)
                records.sealHeader(&words)
                records.sealPane(&words, pane)
                update(number, words.span, records.header, pane)
            }
        }
        return admission
    }

    /// Changes the alarm of a record of the file, which was looked up last.
    mutating func updateAlarmInFile(
        _ number: Int,
        _ body: (inout AlarmRecord) -> AlarmState
    ) -> AlarmState {
        var copy: [UInt64] = []
        swap(&copy, &work)
        defer { swap(&copy, &work) }
        var words = copy.mutableSpan
        var alarm = records.alarm(words, at: 0)
        let before = alarm
        let state = body(&alarm)
        guard alarm != before else { return state }
        records.setAlarm(alarm, &words, at: 0)
        records.sealHeader(&words)
        update(number, words.span, records.header, 0..<0)
        return state
    }

    /// Overwrites a record of the file, or writes it for the first time.
    mutating func replaceInFile(_ number: Int, with words: [UInt64]) {
        var copy = words
        var sealed = copy.mutableSpan
        records.seal(&sealed)
        if entries[number].standing == .unpublished {
            publish(number, sealed.span)
        } else {
            let end = records.wordCount
            update(number, sealed.span, 0..<end, end..<end)
        }
    }

    /// Moves machines that are kept in memory into the file, as far as that has room.
    ///
    /// - Returns: The machine to go on with after so many of them were moved, or where there is no
    ///   room; nil at the end.
    mutating func moveToFile(from first: Int, atMost countMax: Int) -> Int? {
        guard let file, memoryCount > 0 else { return nil }
        var count = 0
        for number in first..<max(first, entries.count) where entries[number].standing == .memory {
            guard count < countMax, let record = file.takeFree() else { return number }
            entries[number].fileRecord = UInt32(record)
            entries[number].standing = .unpublished
            replaceInFile(number, with: takeList(number))
            count += 1
        }
        return nil
    }

    /// Makes `work` the copy of a record in the file; false where it was torn and is forgotten.
    mutating func load(_ number: Int) -> Bool {
        let entry = entries[number]
        guard let file, entry.standing == .sound || entry.standing == .unverified else {
            return true
        }
        let record = Int(entry.fileRecord)
        file.load(record, into: &work)
        return entry.standing == .sound || verify(number, record, file)
    }

    /// Checks the copy of a record that this program has not looked at before.
    private mutating func verify(_ number: Int, _ record: Int, _ file: StateFile) -> Bool {
        var copy: [UInt64] = []
        swap(&copy, &work)
        defer { swap(&copy, &work) }
        var words = copy.mutableSpan
        guard records.isHeaderSound(&words),
            hashBytes(records.id(words).span, seed: file.seed) == entries[number].hash
        else {
            torn += 1
            remove(number)
            return false
        }
        for pane in records.emptyTornPanes(&words) {
            torn += 1
            file.store(words.span, pane, to: record)
        }
        entries[number].standing = .sound
        return true
    }

    private func update(
        _ number: Int,
        _ words: Span<UInt64>,
        _ first: Range<Int>,
        _ second: Range<Int>
    ) {
        let entry = entries[number]
        file?.update(
            Int(entry.fileRecord),
            hash: entry.hash,
            words,
            first,
            second,
            slot: slot
        )
    }

    /// Writes a new machine's record, after which it counts.
    private mutating func publish(_ number: Int, _ words: Span<UInt64>) {
        let entry = entries[number]
        file?.store(words, 0..<records.wordCount, to: Int(entry.fileRecord))
        file?.publish(Int(entry.fileRecord), hash: entry.hash)
        entries[number].standing = .sound
    }
}
