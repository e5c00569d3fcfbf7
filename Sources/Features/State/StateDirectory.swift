// SPDX-License-Identifier: MIT

internal import JSON
internal import Platform

/// The directory of state files: one folder per layout, named by its digest, and the lock.
///
/// - Note: Thread-safe.
package final class StateDirectory: Sendable {
    /// The directory's place.
    package let path: String
    private let lock: FileLock
    private let stores = Lock<[String: StateStore]>([:])

    /// Opens a directory, which is made where it is missing; its lock is not taken yet.
    ///
    /// - Throws: ``StateFileError``.
    package init(path: String) throws(StateFileError) {
        self.path = path
        do throws(FileError) {
            try FileAccess.makeDirectory(path)
            lock = try FileLock("\(path)/lock")
        } catch {
            throw .file(error)
        }
    }

    /// Takes the lock for as long as this object lives; false where another process has it.
    ///
    /// - Throws: ``StateFileError``.
    package func takeLock() throws(StateFileError) -> Bool {
        do throws(FileError) { return try lock.take() } catch { throw .file(error) }
    }

    /// The state that is kept for a model, the same for all models of one layout.
    ///
    /// - Throws: ``StateFileError``.
    package func store(
        for state: StateDescription,
        limits: StateLimits
    ) throws(StateFileError) -> StateStore {
        let digest = state.digest
        if let store = stores.withLock({ $0[digest] }) { return store }
        let folder = "\(path)/\(digest)"
        do throws(FileError) {
            try FileAccess.makeDirectory(folder)
        } catch {
            throw .file(error)
        }
        let store = StateStore(
            records: state.records,
            horizonMicroseconds: state.layout.horizonMicroseconds,
            limits: limits,
            file: try StateFile(
                path: filePath(ofDigest: digest),
                description: state,
                machinesMax: limits.machinesMax
            )
        )
        try takeOver(state.withoutAlarm, into: store)
        stores.withLock { $0[digest] = store }
        return store
    }

    /// Moves the machines that the first format kept, if it did, into a store of the same layout.
    ///
    /// What a kill leaves half done is done the next time: the folder goes at the end.
    private func takeOver(
        _ earlier: StateDescription,
        into store: StateStore
    ) throws(StateFileError) {
        let digest = earlier.digest
        do throws(FileError) {
            guard try FileAccess.status(of: filePath(ofDigest: digest)) != nil else { return }
        } catch {
            throw .file(error)
        }
        let records = store.records
        _ = try file(ofDigest: digest).check { words in
            var words = words
            let blank = Array(repeating: UInt64(0), count: RecordLayout.alarmWordCount)
            words.insert(contentsOf: blank, at: earlier.records.panes)
            var span = words.mutableSpan
            records.setAlarm(AlarmRecord(), &span, at: 0)
            let id = records.id(span)
            // A machine that finds no room begins anew, as it would have after an eviction.
            if store.record(id: id.span) == nil { try? store.restore(words, id: id.span) }
        }
        try store.file?.sync()
        do throws(FileError) { try FileAccess.remove("\(path)/\(digest)") } catch {
            throw .file(error)
        }
    }

    /// The states that have been opened.
    package var openStores: [StateStore] { stores.withLock { Array($0.values) } }

    /// The digests of the layouts whose state is kept here.
    ///
    /// - Throws: ``StateFileError``.
    package func digests() throws(StateFileError) -> [String] {
        do throws(FileError) {
            var digests: [String] = []
            for name in try FileAccess.list(path)
            where try FileAccess.status(of: "\(path)/\(name)/\(Self.fileName)") != nil {
                digests.append(name)
            }
            return digests
        } catch {
            throw .file(error)
        }
    }

    /// What the state of a digest keeps.
    ///
    /// - Throws: ``StateFileError`` where the file is none of ours.
    package func description(ofDigest digest: String) throws(StateFileError) -> StateDescription {
        let path = filePath(ofDigest: digest)
        let head = try StateFileHead(path: path)
        guard let json = try? JSONValue.parse(head.description),
            let description = try? StateDescription(json: JSONView(json)),
            description.digest == digest
        else { throw .problem(path: path, .otherLayout) }
        return description
    }

    func filePath(ofDigest digest: String) -> String { "\(path)/\(digest)/\(Self.fileName)" }

    private static let fileName = "state"
}
