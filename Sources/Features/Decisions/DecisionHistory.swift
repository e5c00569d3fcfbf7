// SPDX-License-Identifier: MIT

internal import Platform

/// A whole decision log in memory, sorted out by machine.
package struct DecisionHistory: Sendable {
    /// A record of the log.
    package struct Row: Equatable, Sendable {
        /// The file that it is in.
        package let file: Int
        let place: DecisionPlace
        /// What was predicted.
        package let decision: DecisionRecord
    }

    /// One machine and what was predicted of it.
    package struct Machine: Sendable {
        /// Its id.
        package let id: [UInt8]
        /// Its rows, in the order in which its record met them.
        package internal(set) var rows: [Row]
    }

    /// The machines, by the bytes of their ids.
    package private(set) var machines: [Machine] = []
    /// What became of them.
    package private(set) var feedback = FeedbackFile.Content()
    /// Bytes that are torn.
    package private(set) var tornByteCount = 0
    /// The latest moment that the log knows of: the arrival of a reading or of an event.
    package private(set) var lastMoment = Int64.min
    private var files: [DecisionFile] = []

    /// Reads the log in a directory.
    ///
    /// - Throws: ``DecisionLogError``.
    package init(directory: String) throws(DecisionLogError) {
        let paths: [String]
        do throws(FileError) {
            paths = try DecisionLogFiles.paths(in: directory)
            feedback = try FeedbackFile.read("\(directory)/\(FeedbackEvent.fileName)")
        } catch {
            throw .file(error)
        }
        guard !paths.isEmpty else { throw .empty(path: directory) }
        var rows: [[UInt8]: [Row]] = [:]
        for path in paths {
            let file = try DecisionFile(path: path)
            tornByteCount += file.tornByteCount
            let words = file.words.span
            for place in file.places {
                let decision = place.record(in: words)
                // A record without its model is of a file whose beginning is gone.
                guard file.models[decision.model] != nil else { continue }
                lastMoment = max(lastMoment, decision.time.arrival)
                let row = Row(file: files.count, place: place, decision: decision)
                rows[place.id(in: words), default: []].append(row)
            }
            files.append(file)
        }
        lastMoment = feedback.events.reduce(lastMoment) { max($0, $1.received) }
        machines =
            rows.map { Machine(id: $0, rows: Self.ordered($1)) }
            .sorted { $0.id.lexicographicallyPrecedes($1.id) }
    }

    /// The number of rows.
    package var rowCount: Int { machines.reduce(0) { $0 + $1.rows.count } }

    /// The model that predicted.
    package func model(of row: Row) -> LoggedModel? { files[row.file].models[row.decision.model] }

    /// The model that the last file names last.
    package var lastModel: LoggedModel? {
        for file in files.reversed() {
            if let last = file.models.max(by: { $0.key < $1.key }) { return last.value }
        }
        return nil
    }

    /// The values of a row by the sensors of its model's schema, NaN where missing.
    package func values(of row: Row) -> [Double] {
        let words = files[row.file].words
        return row.place.values(in: words.span)
    }

    /// The flags of a row by the sensors of its model's schema.
    package func flags(of row: Row) -> [SensorFlags] {
        let words = files[row.file].words
        return row.place.flags(in: words.span)
    }

    /// The order in which the machine's record met its rows.
    ///
    /// Loops write apart, so that rows of a moment may stand in another order in the file. The
    /// record's count of readings tells their own; it begins anew with a new record.
    private static func ordered(_ rows: [Row]) -> [Row] {
        var result: [Row] = []
        var life: [Row] = []
        var counts: Set<Int> = []
        func close() {
            // What left the record as it was follows the reading of the same count.
            life.sort(by: comesBefore)
            result += life
            life = []
            counts = []
        }
        // By arrival first, so that what came before a machine was forgotten stands before it.
        let arrived = rows.sorted { left, right in
            let (a, b) = (left.decision, right.decision)
            return (a.time.arrival, a.standing.readingCount)
                < (b.time.arrival, b.standing.readingCount)
        }
        for row in arrived {
            if isNewRecord(row, life, counts) {
                let early = takeEarly(&life, before: row)
                close()
                life = early
            }
            life.append(row)
            if row.changesRecord { counts.insert(row.decision.standing.readingCount) }
        }
        close()
        return result
    }

    /// Takes out what came before the first reading of a new record, but met it later.
    ///
    /// These are rows at the end that changed nothing and whose count is nearer to the new record's
    /// than to the old one's.
    private static func takeEarly(_ life: inout [Row], before row: Row) -> [Row] {
        guard let last = life.lastIndex(where: \.changesRecord) else { return [] }
        let (old, new) = (
            life[last].decision.standing.readingCount, row.decision.standing.readingCount
        )
        func isEarly(_ row: Row) -> Bool {
            let count = row.decision.standing.readingCount
            return abs(count - new) < abs(count - old)
        }
        let early = life[(last + 1)...].filter(isEarly)
        let rest = life[(last + 1)...].filter { !isEarly($0) }
        life = life[...last] + rest
        return Array(early)
    }

    /// Longer than any row waits for its way to the file.
    private static let disorderMicroseconds = 60 * Timestamp.microsecondsPerSecond

    private static func isNewRecord(_ row: Row, _ life: [Row], _ counts: Set<Int>) -> Bool {
        guard row.changesRecord, let first = life.first else { return false }
        let count = row.decision.standing.readingCount
        if counts.contains(count) { return true }
        let waited = row.decision.time.arrival - first.decision.time.arrival
        return count < first.decision.standing.readingCount && waited > disorderMicroseconds
    }
}

extension DecisionHistory.Row {
    /// Whether the machine's record took the reading in.
    package var changesRecord: Bool {
        guard !decision.hasHistory, decision.standing.readingCount > 0 else { return false }
        return decision.admission == .inOrder || decision.admission == .late
    }
}

private func comesBefore(_ a: DecisionHistory.Row, _ b: DecisionHistory.Row) -> Bool {
    let (left, right) = (a.decision.standing, b.decision.standing)
    if left.readingCount != right.readingCount { return left.readingCount < right.readingCount }
    if left.firstPane != right.firstPane { return left.firstPane < right.firstPane }
    return a.changesRecord && !b.changesRecord
}
