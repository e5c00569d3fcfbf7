// SPDX-License-Identifier: MIT

package import Platform

/// Why events were not kept.
package enum FeedbackError: Error, Equatable, CustomStringConvertible {
    /// The system refused the file.
    case file(FileError)
    /// The file is as long as it may be.
    case full(limit: Int)

    package var description: String {
        switch self {
        case .file(let error): "\(error)"
        case .full(let limit): "the events kept fill \(limit) bytes"
        }
    }
}

/// The file of events, to which each is appended once.
package struct FeedbackFile: ~Copyable, Sendable {
    /// The events of a file, in its order.
    package struct Content: Equatable, Sendable {
        /// What happened.
        package var events: [FeedbackEvent] = []
        /// Lines that are torn, which were passed over.
        package var tornLineCount = 0
        /// Bytes after the last whole line.
        var tailByteCount = 0
    }

    private var file: AppendFile
    private var known: Set<FeedbackEvent.Key>
    private let byteCountMax: Int

    /// Opens the file in a directory, and cuts off a line that was not finished.
    ///
    /// - Throws: ``FeedbackError``.
    package static func open(
        _ directory: String,
        byteCountMax: Int
    ) throws(FeedbackError) -> FeedbackFile {
        let path = "\(directory)/\(FeedbackEvent.fileName)"
        do throws(FileError) {
            let content = try read(path)
            var file = try AppendFile(path)
            if content.tailByteCount > 0 {
                try file.truncate(to: file.byteCount - content.tailByteCount)
            }
            try FileAccess.syncDirectory(directory)
            return FeedbackFile(
                file: file,
                known: Set(content.events.map(\.key)),
                byteCountMax: byteCountMax
            )
        } catch {
            throw .file(error)
        }
    }

    private init(file: consuming AppendFile, known: Set<FeedbackEvent.Key>, byteCountMax: Int) {
        self.file = file
        self.known = known
        self.byteCountMax = byteCountMax
    }

    /// Appends the events that are not there yet, and syncs the file to the disk.
    ///
    /// - Returns: How many were new.
    /// - Throws: ``FeedbackError``; then none of them is kept.
    package mutating func append(_ events: [FeedbackEvent]) throws(FeedbackError) -> Int {
        var new: Set<FeedbackEvent.Key> = []
        var bytes: [UInt8] = []
        for event in events where !known.contains(event.key) && new.insert(event.key).inserted {
            bytes += event.line
        }
        guard !bytes.isEmpty else { return 0 }
        guard file.byteCount + bytes.count <= byteCountMax else {
            throw .full(limit: byteCountMax)
        }
        let before = file.byteCount
        do throws(FileError) {
            try file.append(bytes)
            do throws(FileError) {
                try file.sync()
            } catch {
                try file.truncate(to: before)
                throw error
            }
        } catch {
            throw .file(error)
        }
        known.formUnion(new)
        return new.count
    }

    /// What a file holds; nothing where there is none.
    ///
    /// - Throws: `FileError`.
    package static func read(_ path: String) throws(FileError) -> Content {
        var content = Content()
        guard try FileAccess.status(of: path) != nil else { return content }
        let bytes = try FileAccess.readRegular(path)
        var start = 0
        while let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
            if let event = FeedbackEvent(line: bytes[start..<end]) {
                content.events.append(event)
            } else {
                content.tornLineCount += 1
            }
            start = end + 1
        }
        content.tailByteCount = bytes.count - start
        if content.tailByteCount > 0 { content.tornLineCount += 1 }
        return content
    }
}
