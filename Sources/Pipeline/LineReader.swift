// SPDX-License-Identifier: MIT

import Foundation
import Training

/// Reads a file of any size line by line.
final class LineReader {
    private static let blockBytes = 1 << 20
    /// A line of a state archive with the most sensors and panes takes some 8 MB.
    private static let lineBytesMax = 64 << 20

    private let path: String
    private let handle: FileHandle
    private var bytes: [UInt8] = []
    private var start = 0

    /// Opens a file.
    init(path: String) throws(TrainingError) {
        self.path = path
        guard let handle = FileHandle(forReadingAtPath: path) else {
            throw .unusable("\(path): cannot be read")
        }
        self.handle = handle
    }

    /// The next line without its end, nil after the last one.
    func next() throws(TrainingError) -> [UInt8]? {
        var searched = start
        while true {
            if let end = bytes[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                defer { start = end + 1 }
                return Array(bytes[start..<end])
            }
            bytes.removeFirst(start)
            start = 0
            searched = bytes.count
            guard bytes.count <= Self.lineBytesMax else {
                throw .unusable("\(path): a line is longer than \(Self.lineBytesMax) bytes")
            }
            let block: Data
            do {
                block = try handle.read(upToCount: Self.blockBytes) ?? Data()
            } catch {
                throw .unusable("\(path): \(error.localizedDescription)")
            }
            if block.isEmpty {
                defer { bytes = [] }
                return bytes.isEmpty ? nil : bytes
            }
            bytes.append(contentsOf: block)
        }
    }
}
