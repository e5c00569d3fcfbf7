// SPDX-License-Identifier: MIT

/// Blanks comments and the content of string literals, so that checks read code and not prose.
///
/// Line breaks stay, and so does the code inside an interpolation.
struct CodeMask {
    private enum Mode {
        /// Plain code; inside an interpolation with the number of parentheses open in it.
        case code(openParentheses: Int?)
        case string(hashes: Int, quotes: Int)
        case lineComment
        case blockComment(depth: Int)
    }

    private let input: [UInt8]
    private var output: [UInt8] = []
    private var stack: [Mode] = [.code(openParentheses: nil)]
    private var index = 0

    static func mask(_ text: String) -> String {
        var mask = CodeMask(input: Array(text.utf8))
        return mask.run()
    }

    private init(input: [UInt8]) {
        self.input = input
        output.reserveCapacity(input.count)
    }

    private mutating func run() -> String {
        while index < input.count {
            switch stack[stack.count - 1] {
            case .code(let open): stepCode(open)
            case .string(let hashes, let quotes): stepString(hashes: hashes, quotes: quotes)
            case .lineComment: stepLineComment()
            case .blockComment(let depth): stepBlockComment(depth)
            }
        }
        return String(decoding: output, as: UTF8.self)
    }

    private mutating func stepCode(_ open: Int?) {
        if sees("//") { return enter(.lineComment, 2) }
        if sees("/*") { return enter(.blockComment(depth: 1), 2) }
        var hashes = 0
        while byte(hashes) == UInt8(ascii: "#") { hashes += 1 }
        if byte(hashes) == UInt8(ascii: "\"") {
            let isMultiline = sees("\"\"\"", at: hashes)
            let quotes = isMultiline ? 3 : 1
            return enter(.string(hashes: hashes, quotes: quotes), hashes + quotes)
        }
        if let open {
            switch byte(0) {
            case UInt8(ascii: "("): stack[stack.count - 1] = .code(openParentheses: open + 1)
            case UInt8(ascii: ")") where open == 0: stack.removeLast()
            case UInt8(ascii: ")"): stack[stack.count - 1] = .code(openParentheses: open - 1)
            default: break
            }
        }
        output.append(input[index])
        index += 1
    }

    private mutating func stepString(hashes: Int, quotes: Int) {
        let fence = String(repeating: "#", count: hashes)
        let quote = String(repeating: "\"", count: quotes)
        if sees(quote + fence) || quotes == 1 && byte(0) == UInt8(ascii: "\n") {
            stack.removeLast()
            return blank(byte(0) == UInt8(ascii: "\n") ? 1 : quotes + hashes)
        }
        if sees("\\" + fence + "(") {
            enter(.code(openParentheses: 0), hashes + 2)
        } else {
            blank(sees("\\" + fence) ? hashes + 2 : 1)
        }
    }

    private mutating func stepLineComment() {
        if byte(0) == UInt8(ascii: "\n") { stack.removeLast() }
        blank(1)
    }

    private mutating func stepBlockComment(_ depth: Int) {
        if sees("/*") {
            stack[stack.count - 1] = .blockComment(depth: depth + 1)
            blank(2)
        } else if sees("*/") {
            stack[stack.count - 1] = .blockComment(depth: depth - 1)
            if depth == 1 { stack.removeLast() }
            blank(2)
        } else {
            blank(1)
        }
    }

    private mutating func enter(_ mode: Mode, _ count: Int) {
        stack.append(mode)
        blank(count)
    }

    private mutating func blank(_ count: Int) {
        for _ in 0..<count where index < input.count {
            let isBreak = input[index] == UInt8(ascii: "\n")
            output.append(isBreak ? input[index] : UInt8(ascii: " "))
            index += 1
        }
    }

    private func byte(_ offset: Int) -> UInt8? {
        index + offset < input.count ? input[index + offset] : nil
    }

    private func sees(_ word: String, at offset: Int = 0) -> Bool {
        input[min(index + offset, input.count)...].starts(with: word.utf8)
    }
}
