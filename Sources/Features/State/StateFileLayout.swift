// SPDX-License-Identifier: MIT

package import Platform

/// Where things stand in a state file: head, redo slots, chunks of entries and records.
///
/// docs/state-file.md describes the file byte by byte.
struct StateFileLayout: Equatable, Sendable {
    static let magic = Array("PDMSTATE".utf8)
    static let format: UInt32 = 1
    /// Bytes of the head before the description.
    static let fixedHeadBytes = 64
    /// Bytes of head that are read before anything of it is believed.
    static let headBytesMax = 1 << 20
    /// A slot per shard; a store has no more shards than this.
    static let slotCount = 64
    /// Bytes of a slot before the words.
    static let slotHeadBytes = 32
    static let entryBytes = 16
    static let pageBytes = 4096

    let headBytes: Int
    let recordWords: Int
    let firstPaneWord: Int
    let paneWords: Int
    let recordsPerChunk: Int

    init(_ records: RecordLayout, descriptionBytes: Int, recordsPerChunk: Int) {
        headBytes = Self.rounded(Self.fixedHeadBytes + descriptionBytes, Self.pageBytes)
        recordWords = records.wordCount
        firstPaneWord = records.header.count
        paneWords = records.wordsPerPane
        self.recordsPerChunk = recordsPerChunk
    }

    /// Bytes from record to record: a power of two, so that none straddles pages that it could fit
    /// into; above a page, a multiple of a cache line.
    var recordStride: Int {
        let byteCount = Self.rounded(recordWords * 8, 64)
        guard byteCount <= Self.pageBytes else { return byteCount }
        return 1 << (Int.bitWidth - (byteCount - 1).leadingZeroBitCount)
    }

    var slotStride: Int { Self.rounded(Self.slotHeadBytes + recordWords * 8, 64) }
    var chunksOffset: Int { headBytes + Self.rounded(Self.slotCount * slotStride, Self.pageBytes) }
    var tableBytes: Int { Self.rounded(recordsPerChunk * Self.entryBytes, Self.pageBytes) }
    var chunkBytes: Int {
        Self.rounded(tableBytes + recordsPerChunk * recordStride, Self.pageBytes)
    }

    func slotOffset(_ slot: Int) -> Int { headBytes + slot * slotStride }

    func entryOffset(_ record: Int) -> Int {
        let (chunk, place) = record.quotientAndRemainder(dividingBy: recordsPerChunk)
        return chunksOffset + chunk * chunkBytes + place * Self.entryBytes
    }

    func recordOffset(_ record: Int) -> Int {
        let (chunk, place) = record.quotientAndRemainder(dividingBy: recordsPerChunk)
        return chunksOffset + chunk * chunkBytes + tableBytes + place * recordStride
    }

    /// The number of whole chunks in a file of this size.
    func chunkCount(fileBytes: Int) -> Int { max(0, fileBytes - chunksOffset) / chunkBytes }

    /// The size of a file of so many chunks.
    func fileBytes(chunkCount: Int) -> Int { chunksOffset + chunkCount * chunkBytes }

    /// The head of a new file.
    func head(seed: UInt64, description: [UInt8]) -> [UInt8] {
        var bytes = Self.magic
        func append(_ value: Int) { appendLittleEndian(UInt64(value), 4, to: &bytes) }
        append(Int(Self.format))
        append(headBytes)
        appendLittleEndian(seed, 8, to: &bytes)
        for value in [
            recordWords, firstPaneWord, paneWords, recordStride, Self.slotCount, slotStride,
            recordsPerChunk, description.count,
        ] { append(value) }
        let summed = bytes + description
        appendLittleEndian(hashBytes(summed.span, seed: 0), 8, to: &bytes)
        bytes += description
        return bytes + [UInt8](repeating: 0, count: headBytes - bytes.count)
    }

    /// A file without records, as it is made.
    func emptyFile(description: [UInt8]) -> [UInt8] {
        let head = head(seed: .random(in: 1 ... .max), description: description)
        return head + [UInt8](repeating: 0, count: chunksOffset - head.count)
    }

    private static func rounded(_ value: Int, _ multiple: Int) -> Int {
        (value + multiple - 1) / multiple * multiple
    }
}

/// The head of a state file as it was found, before it is compared with what it should be.
struct StateFileHead {
    let bytes: [UInt8]
    let seed: UInt64
    let recordsPerChunk: Int
    let description: [UInt8]

    /// Reads the head of a file.
    ///
    /// - Throws: ``StateFileError`` where it is not there, or none.
    init(path: String) throws(StateFileError) {
        let first: [UInt8]
        do throws(FileError) {
            first = try OpenedFile(path).firstBytes(StateFileLayout.headBytesMax)
        } catch {
            throw .file(error)
        }
        do throws(StateFileProblem) {
            self = try StateFileHead(first)
        } catch {
            throw .problem(path: path, error)
        }
    }

    init(_ first: [UInt8]) throws(StateFileProblem) {
        guard first.count >= StateFileLayout.fixedHeadBytes,
            first.starts(with: StateFileLayout.magic)
        else { throw .notAStateFile }
        func integer(_ offset: Int) -> Int { Int(littleEndian(first, offset, 4)) }
        guard integer(8) == Int(StateFileLayout.format) else { throw .format(integer(8)) }
        let end = StateFileLayout.fixedHeadBytes + integer(52)
        guard end <= integer(12), integer(12) <= first.count else { throw .tornHead }
        bytes = Array(first[..<integer(12)])
        description = Array(first[StateFileLayout.fixedHeadBytes..<end])
        let summed = Array(first[..<56]) + description
        guard littleEndian(first, 56, 8) == hashBytes(summed.span, seed: 0), integer(48) > 0 else {
            throw .tornHead
        }
        seed = littleEndian(first, 16, 8)
        recordsPerChunk = integer(48)
    }
}

/// What went wrong with a state file or its directory.
package enum StateFileError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The system refused something.
    case file(FileError)
    /// The file is not what it has to be.
    case problem(path: String, StateFileProblem)
    /// Another process uses the directory.
    case locked(path: String)

    package var description: String {
        switch self {
        case .file(let error): "\(error)"
        case .problem(let path, let problem): "\(path): \(problem)"
        case .locked(let path): "\(path): another process uses this state directory"
        }
    }
}

/// Why a file is not the state that was asked for.
package enum StateFileProblem: Error, Equatable, Sendable, CustomStringConvertible {
    /// It does not begin as a state file does.
    case notAStateFile
    /// It has a format that this program does not know.
    case format(Int)
    /// Its head is not what its checksum says.
    case tornHead
    /// Its records mean something else.
    case otherLayout

    package var description: String {
        switch self {
        case .notAStateFile: "it is not a state file"
        case .format(let found):
            "it has format \(found), and this program reads \(StateFileLayout.format)"
        case .tornHead: "its head is torn"
        case .otherLayout: "its records are laid out for other sensors, panes or ranges"
        }
    }
}

private func appendLittleEndian(_ value: UInt64, _ byteCount: Int, to bytes: inout [UInt8]) {
    for index in 0..<byteCount {
        bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * index)))
    }
}

private func littleEndian(_ bytes: [UInt8], _ offset: Int, _ byteCount: Int) -> UInt64 {
    (0..<byteCount).reduce(0) { $0 | UInt64(bytes[offset + $1]) << UInt64(8 * $1) }
}
