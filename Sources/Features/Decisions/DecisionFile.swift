// SPDX-License-Identifier: MIT

package import Platform

/// One file of a decision log: what models predicted, and what of.
///
/// It is 64-bit words, each lowest byte first. Two words come first: the bytes `PDMDECIS` and the
/// number of the format. Frames follow, each of two words and its content:
///
///     word  0   bits 0-31    words of the content
///               bits 32-63   what it is: 1 a model, 2 records
///     word  1   checksum of word 0 and the content, as of a part of a state file's record
///     then      the content
///
/// A model is its number, the number of bytes, and so many bytes of JSON; each file names the
/// models of its records before them. Records are those of ``DecisionRecord``, one after the other.
/// A frame that is cut off or that its checksum does not fit is torn: with it the file ends. So is
/// one whose numbers no server writes.
package struct DecisionFile: Sendable {
    /// The number that a file carries.
    package static let format = 1
    /// `PDMDECIS`, lowest byte first.
    static let magic: UInt64 = 0x5349_4345_444D_4450
    static let headWordCount = 2
    /// What a frame holds.
    enum Content: UInt64 {
        case model = 1
        case records = 2
    }

    /// The words of the file.
    package let words: [UInt64]
    /// Bytes that are torn.
    package let tornByteCount: Int
    private let frames: Frames

    /// What stands in whole frames.
    private struct Frames {
        var places: [DecisionPlace] = []
        var models: [Int: LoggedModel] = [:]
        /// The numbers of models that records have and that no frame before them names.
        var unnamed: Set<Int> = []
        /// The word after the last of them.
        var end = DecisionFile.headWordCount
    }

    /// The records in the order of the file.
    package var places: [DecisionPlace] { frames.places }
    /// The models by their numbers.
    package var models: [Int: LoggedModel] { frames.models }

    /// Reads a file.
    ///
    /// - Throws: ``DecisionLogError`` where it cannot be read or is something else.
    package init(path: String) throws(DecisionLogError) {
        let bytes: [UInt8]
        do throws(FileError) {
            bytes = try FileAccess.readRegular(path)
        } catch {
            throw .file(error)
        }
        let words = Self.words(bytes)
        self.words = words
        guard words.count >= Self.headWordCount else {
            // The process ended before its first write was whole.
            frames = Frames()
            tornByteCount = bytes.count
            return
        }
        guard words[0] == Self.magic else { throw .noLog(path: path) }
        guard words[1] == UInt64(Self.format) else {
            throw .otherFormat(path: path, format: Int(truncatingIfNeeded: words[1]))
        }
        frames = Self.frames(words.span)
        tornByteCount = bytes.count - frames.end * 8
    }

    private static func words(_ bytes: [UInt8]) -> [UInt64] {
        let span = bytes.span
        var words: [UInt64] = []
        words.reserveCapacity(bytes.count / 8)
        for index in 0..<bytes.count / 8 { words.append(span.word(at: index * 8)) }
        return words
    }

    /// Reads frames up to the end or a torn one.
    private static func frames(_ words: Span<UInt64>) -> Frames {
        var frames = Frames()
        while frames.end + 2 <= words.count {
            let start = frames.end
            let end = start + 2 + Int(words[start] & 0xFFFF_FFFF)
            guard end <= words.count, words[start + 1] == sum(words, start..<end),
                read(Content(rawValue: words[start] >> 32), words, start + 2..<end, &frames)
            else { break }
            frames.end = end
        }
        return frames
    }

    private static func read(
        _ content: Content?,
        _ words: Span<UInt64>,
        _ range: Range<Int>,
        _ frames: inout Frames
    ) -> Bool {
        switch content {
        case nil: return true  // A later version's, which is passed over.
        case .model:
            guard range.count >= 2 else { return false }
            let byteCount = Int(truncatingIfNeeded: words[range.lowerBound + 1])
            guard byteCount >= 0, byteCount <= (range.count - 2) * 8 else { return false }
            let bytes = words.bytes(count: byteCount, from: range.lowerBound + 2)
            guard let model = try? LoggedModel(bytes) else { return false }
            let number = Int(truncatingIfNeeded: words[range.lowerBound])
            // What records before it say was read by what was known then.
            guard !frames.unnamed.contains(number), frames.models[number] ?? model == model else {
                return false
            }
            frames.models[number] = model
        case .records:
            var start = range.lowerBound
            var places: [DecisionPlace] = []
            while let place = DecisionPlace(words, at: start, end: range.upperBound) {
                let number = place.record(in: words).model
                if let model = frames.models[number] {
                    guard place.fits(model, in: words) else { return false }
                } else {
                    frames.unnamed.insert(number)
                }
                places.append(place)
                start = place.words.upperBound
            }
            guard start == range.upperBound else { return false }
            frames.places += places
        }
        return true
    }

    /// A frame of the content, which begins with two words of room for its head.
    static func seal(_ frame: inout [UInt64], _ content: Content) {
        frame[0] = UInt64(frame.count - 2) | content.rawValue << 32
        frame[1] = sum(frame.span, frame.indices)
    }

    /// The checksum of a frame, but of the word that holds it.
    private static func sum(_ words: Span<UInt64>, _ frame: Range<Int>) -> UInt64 {
        foldedProduct(
            RecordLayout.sum(words, frame.lowerBound + 2..<frame.upperBound),
            words[frame.lowerBound] ^ 0x9E37_79B9_7F4A_7C15
        )
    }
}

extension Span where Element == UInt64 {
    /// So many bytes from a word on, eight a word, the first lowest.
    func bytes(count byteCount: Int, from start: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(byteCount)
        for index in 0..<byteCount {
            let word = self[start + index / 8]
            bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(index % 8 * 8)))
        }
        return bytes
    }
}

/// Why a log cannot be read.
package enum DecisionLogError: Error, Equatable, CustomStringConvertible {
    /// The system refused it.
    case file(FileError)
    /// The file is no part of a log.
    case noLog(path: String)
    /// A later version wrote it.
    case otherFormat(path: String, format: Int)
    /// The directory holds no file of a log.
    case empty(path: String)

    package var description: String {
        switch self {
        case .file(let error): "\(error)"
        case .noLog(let path): "\(path): no file of a decision log"
        case .otherFormat(let path, let format):
            "\(path): format \(format) of decision logs is not known, \(DecisionFile.format) is"
        case .empty(let path): "\(path): no decision log is there"
        }
    }
}
