// SPDX-License-Identifier: MIT

internal import Dispatch
internal import Features
internal import Glibc
internal import Platform
internal import Synchronization

/// Writes every prediction with its reading to files, beside the event loops.
///
/// Each loop has a bounded buffer, which a queue of its own empties ten times a second, or when it
/// is half full. What finds no room there, or none on the disk, is dropped and counted.
///
/// - Note: Thread-safe: the files are touched on one serial queue.
final class DecisionLog: Sendable {
    private struct Files: ~Copyable {
        var files: DecisionLogFiles?
        var lock: FileLock?
        var feedback: FeedbackFile?
        var spares: [[UInt64]]
        var lastSync: Int64 = 0
        var isDropping = false
    }

    private static let interval = DispatchTimeInterval.milliseconds(100)
    private static let syncNanoseconds: Int64 = 1_000_000_000
    /// A record has 16 bits for its model.
    private static let modelsMax = 1 << 16

    private let directory: String
    private let limits: DecisionLogLimits
    private let feedbackBytesMax: Int
    private let log: Log
    private let clock: MonotonicClock
    private let queue = DispatchQueue(label: "decisions", qos: .utility)
    private let buffers: [DecisionBuffer]
    private let known = Lock<[LoggedModel]>([])
    private let files: Lock<Files>
    private let written = Atomic(0)
    private let dropped = Atomic(0)
    private let byteCountNow = Atomic(0)
    private let isFlushQueued = Atomic(false)
    private let isStopped = Atomic(false)

    /// A log with a buffer for each writer: the event loops, and all batches beside them; nil where
    /// the settings want none.
    init?(settings: Settings, slots: Int, log: Log, clock: MonotonicClock) {
        guard let directory = settings.decisionDirectory else { return nil }
        self.directory = directory
        limits = settings.decisionLimits
        feedbackBytesMax = settings.feedbackBytesMax
        self.log = log
        self.clock = clock
        let byteCountMax = settings.decisionBufferBytes
        buffers = (0..<slots).map { _ in DecisionBuffer(byteCountMax: byteCountMax) }
        files = Lock(Files(spares: Array(repeating: [], count: slots)))
    }

    /// Records that are in the log.
    var writtenCount: Int { written.load(ordering: .relaxed) }

    /// Records that found no room.
    var droppedCount: Int { dropped.load(ordering: .relaxed) }

    /// Bytes of the log's files.
    var byteCount: Int { byteCountNow.load(ordering: .relaxed) }

    /// Where a model's predictions go.
    func channel(for model: LoggedModel) -> DecisionChannel {
        let number = known.withLock { known in
            if let number = known.firstIndex(of: model) { return number }
            known.append(model)
            return known.count - 1
        }
        return DecisionChannel(log: self, model: min(number, Self.modelsMax - 1))
    }

    /// Takes rows that a model has scored.
    func add(
        _ rows: ReadingRows,
        _ predictor: borrowing RowPredictor,
        arrival: Int64,
        model: Int,
        trial: Int,
        slot: Int
    ) {
        guard buffers[slot].add(rows, predictor, arrival: arrival, model: model, trial: trial),
            !isFlushQueued.exchange(true, ordering: .acquiringAndReleasing)
        else { return }
        queue.async { [self] in flush() }
    }

    /// Writes from now on.
    func start() {
        queue.asyncAfter(deadline: .now() + Self.interval) { [weak self] in
            guard let self, !isStopped.load(ordering: .acquiring) else { return }
            flush()
            start()
        }
    }

    /// Writes what waits to the files, whose bytes reach the disk within a second.
    func flushNow() { queue.sync { flush() } }

    /// Writes what waits, to the disk, and ends.
    func stop() {
        isStopped.store(true, ordering: .releasing)
        queue.sync {
            flush()
            files.withLock { files in
                try? files.files?.sync()
                files.files = nil
                files.feedback = nil
                files.lock = nil
            }
        }
    }

    /// Runs work that may wait for the disk.
    func onQueue(_ body: @escaping @Sendable () -> Void) { queue.async(execute: body) }

    /// Keeps events on the disk.
    ///
    /// - Returns: How many were new.
    /// - Throws: `FeedbackError`; then none of them is kept.
    func append(_ events: [FeedbackEvent]) throws(FeedbackError) -> Int {
        try files.withLock { files throws(FeedbackError) in
            do throws(FileError) {
                guard try open(&files) else { throw lockedError }
            } catch {
                throw .file(error)
            }
            if files.feedback == nil {
                files.feedback = try FeedbackFile.open(
                    directory,
                    byteCountMax: feedbackBytesMax
                )
            }
            do throws(FeedbackError) {
                return try files.feedback?.append(events) ?? 0
            } catch {
                // Opened again, it loses what may have been left unfinished.
                if case .file = error { files.feedback = nil }
                throw error
            }
        }
    }

    /// Tells why events were not kept.
    func logFailure(_ error: FeedbackError) {
        log.event(
            .error,
            "feedback_not_kept",
            [("path", .string(directory)), ("reason", .string("\(error)"))]
        )
    }

    private func flush() {
        isFlushQueued.store(false, ordering: .releasing)
        files.withLock { files in
            var failure: String?
            do throws(FileError) {
                guard try open(&files) else { throw lockedError }
            } catch {
                failure = "\(error)"
            }
            // While another server has the files, records wait for it to end.
            let mayWait = failure != nil
            for slot in buffers.indices where !mayWait {
                do throws(FileError) {
                    try write(slot, &files)
                } catch {
                    failure = "\(error)"
                }
            }
            if !mayWait { syncIfDue(&files) }
            report(failure, &files)
        }
    }

    private var lockedError: FileError {
        .system(path: "\(directory)/lock", SystemError(call: "flock", errno: EWOULDBLOCK))
    }

    /// Opens the files; false while another server has them.
    private func open(_ files: inout Files) throws(FileError) -> Bool {
        if files.files != nil { return true }
        try FileAccess.makeDirectory(directory)
        if files.lock == nil { files.lock = try FileLock("\(directory)/lock") }
        guard try files.lock?.take() == true else { return false }
        let opened = try DecisionLogFiles.open(directory, limits: limits)
        if opened.tornByteCount > 0 {
            log.event(
                .warning,
                "decision_log_torn",
                [
                    ("path", .string(directory)),
                    ("dropped_bytes", .integer(opened.tornByteCount)),
                ]
            )
        }
        files.files = consume opened
        return true
    }

    /// Moves a buffer's records to the files.
    private func write(_ slot: Int, _ files: inout Files) throws(FileError) {
        var spare: [UInt64] = []
        swap(&spare, &files.spares[slot])
        var content = buffers[slot].exchange(for: spare)
        defer { files.spares[slot] = content.words }
        if content.droppedCount > 0 { drop(content.droppedCount, &files) }
        guard content.recordCount > 0 else { return }
        // Taken after the records: every model was known before its first one.
        let models = known.withLock { known in content.models.map { ($0, known[$0]) } }
        do throws(FileError) {
            try files.files?.append(&content.words, of: models)
        } catch {
            drop(content.recordCount, &files)
            throw error
        }
        written.add(content.recordCount, ordering: .relaxed)
    }

    private func drop(_ count: Int, _ files: inout Files) {
        dropped.add(count, ordering: .relaxed)
        files.isDropping = true
    }

    private func syncIfDue(_ files: inout Files) {
        let now = clock.nowNanoseconds
        guard now - files.lastSync >= Self.syncNanoseconds else { return }
        files.lastSync = now
        try? files.files?.sync()
        let byteCount = (try? DecisionLogFiles.byteCount(in: directory)) ?? 0
        byteCountNow.store(byteCount, ordering: .relaxed)
    }

    /// Writes a line where records are dropped or cannot be written.
    private func report(_ failure: String?, _ files: inout Files) {
        guard failure != nil || files.isDropping else { return }
        files.isDropping = false
        log.event(
            .decisionsNotLogged,
            [
                ("path", .string(directory)), ("reason", .string(failure ?? "no room in memory")),
                ("dropped", .integer(droppedCount)),
            ]
        )
    }
}

/// A model's way into the log.
struct DecisionChannel: Sendable {
    let log: DecisionLog
    /// The number that the log gives the model.
    let model: Int

    /// Takes rows that the model has scored, or that on trial beside it.
    func add(
        _ rows: ReadingRows,
        _ predictor: borrowing RowPredictor,
        trial: DecisionChannel?,
        arrival: Int64,
        slot: Int
    ) {
        let other = trial?.model ?? model
        log.add(rows, predictor, arrival: arrival, model: model, trial: other, slot: slot)
    }
}
