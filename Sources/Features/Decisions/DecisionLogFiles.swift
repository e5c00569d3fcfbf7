// SPDX-License-Identifier: MIT

internal import JSON
package import Platform

/// How much a decision log may take.
package struct DecisionLogLimits: Equatable, Sendable {
    /// Bytes after which a file is followed by another; one buffer may exceed it.
    package var fileBytesMax: Int
    /// Files that are kept; the oldest goes when there is one more.
    package var filesMax: Int

    /// Describes the limits.
    package init(fileBytesMax: Int = 64 << 20, filesMax: Int = 16) {
        self.fileBytesMax = fileBytesMax
        self.filesMax = filesMax
    }
}

/// The files of a decision log, `decisions-0000000001.log` and on, of which the last one grows.
///
/// Each process begins a file of its own, so that nothing is ever appended to a torn one.
package struct DecisionLogFiles: ~Copyable, Sendable {
    private static let prefix = "decisions-"
    private static let suffix = ".log"
    /// The numbers that files have; one of any other was named by somebody else.
    private static let fileNumbers = 0...1_000_000_000_000_000

    /// Bytes of the last file that an earlier process left torn; they were cut off.
    package let tornByteCount: Int
    private let directory: String
    private let limits: DecisionLogLimits
    private var next: Int
    private var file: AppendFile?
    /// The models that it names.
    private var named: Set<Int> = []

    private init(_ directory: String, _ limits: DecisionLogLimits, next: Int, torn: Int) {
        self.directory = directory
        self.limits = limits
        self.next = next
        tornByteCount = torn
    }

    /// Looks through a directory, which is made where it is missing, and mends its last file.
    ///
    /// - Throws: ``FileError``.
    package static func open(
        _ directory: String,
        limits: DecisionLogLimits
    ) throws(FileError) -> DecisionLogFiles {
        try FileAccess.makeDirectory(directory)
        guard let last = try numbers(in: directory).last else {
            return DecisionLogFiles(directory, limits, next: 1, torn: 0)
        }
        let torn = try mend(path(directory, last))
        return DecisionLogFiles(directory, limits, next: last + 1, torn: torn)
    }

    /// The files in a directory, the oldest first.
    ///
    /// - Throws: ``FileError``.
    package static func paths(in directory: String) throws(FileError) -> [String] {
        try numbers(in: directory).map { path(directory, $0) }
    }

    /// Bytes of all files.
    ///
    /// - Throws: ``FileError``.
    package static func byteCount(in directory: String) throws(FileError) -> Int {
        var total = 0
        for path in try paths(in: directory) {
            total += try FileAccess.status(of: path).map { Int($0.byteCount) } ?? 0
        }
        return total
    }

    /// Appends records, before which stand two words for the frame's head, of models by number.
    ///
    /// Each file names a model before the first of its records there.
    ///
    /// - Throws: ``FileError``; then none of them is in the log.
    package mutating func append(
        _ records: inout [UInt64],
        of models: [(number: Int, model: LoggedModel)]
    ) throws(FileError) {
        DecisionFile.seal(&records, .records)
        if let byteCount = file?.byteCount, byteCount + records.count * 8 > limits.fileBytesMax {
            try file?.sync()
            file = nil
        }
        let isNew = file == nil
        if isNew { try beginFile() }
        do throws(FileError) {
            for (number, model) in models where !named.contains(number) {
                try file?.append(Self.frame(of: model, number))
                named.insert(number)
            }
            try file?.append(records)
        } catch {
            // What could not be cut off again must not stand before anything else. Where the disk
            // is full, files without a record would take the place of others.
            if isNew || file?.isTorn == true { file = nil }
            if isNew { try? FileAccess.remove(Self.path(directory, next - 1)) }
            throw error
        }
        if isNew { removeOldest() }
    }

    private static func frame(of model: LoggedModel, _ number: Int) -> [UInt64] {
        let bytes = model.json.serialized()
        var frame: [UInt64] = [0, 0, UInt64(number), UInt64(bytes.count)]
        for start in stride(from: 0, to: bytes.count, by: 8) {
            let part = bytes[start..<min(start + 8, bytes.count)]
            frame.append(part.reversed().reduce(0) { $0 << 8 | UInt64($1) })
        }
        DecisionFile.seal(&frame, .model)
        return frame
    }

    /// Writes to the disk what was appended.
    ///
    /// - Throws: ``FileError``.
    package func sync() throws(FileError) { try file?.sync() }

    private mutating func beginFile() throws(FileError) {
        let path = Self.path(directory, next)
        var new = try AppendFile(path)
        do throws(FileError) {
            try new.append([DecisionFile.magic, UInt64(DecisionFile.format)])
            try FileAccess.syncDirectory(directory)
        } catch {
            try? FileAccess.remove(path)
            throw error
        }
        next += 1
        named = []
        file = consume new
    }

    /// Removes what is more than may be kept; what cannot be is tried again with the next file.
    private func removeOldest() {
        guard let numbers = try? Self.numbers(in: directory) else { return }
        for number in numbers.dropLast(limits.filesMax) {
            try? FileAccess.remove(Self.path(directory, number))
        }
    }

    /// Cuts off what is torn of a file.
    ///
    /// - Returns: The bytes that were.
    private static func mend(_ path: String) throws(FileError) -> Int {
        // A file of something else, or of a later version, stays as it is.
        guard let torn = try? DecisionFile(path: path).tornByteCount, torn > 0 else { return 0 }
        var file = try AppendFile(path)
        try file.truncate(to: file.byteCount - torn)
        return torn
    }

    private static func numbers(in directory: String) throws(FileError) -> [Int] {
        try FileAccess.list(directory).compactMap { name in
            guard name.hasPrefix(prefix), name.hasSuffix(suffix) else { return nil }
            let number = Int(name.dropFirst(prefix.count).dropLast(suffix.count))
            return number.flatMap { Self.fileNumbers.contains($0) ? $0 : nil }
        }.sorted()
    }

    private static func path(_ directory: String, _ number: Int) -> String {
        let digits = "\(number)"
        let zeros = String(repeating: "0", count: max(0, 10 - digits.utf8.count))
        return "\(directory)/\(prefix)\(zeros)\(digits)\(suffix)"
    }
}
