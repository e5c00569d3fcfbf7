// SPDX-License-Identifier: MIT

/// Finds the functions of masked Swift code, and how long each is.
struct FunctionScanner {
    struct Function: Equatable {
        let line: Int
        let lineCount: Int
    }

    private static let keywords: Set<String> = ["func", "init", "deinit", "subscript"]

    private let bytes: [UInt8]
    private var index = 0
    private var line = 1
    private var found: [Function] = []
    /// A declaration whose body has not begun, by its line.
    private var pending: Int?
    private var parentheses = 0
    /// Open braces; those of a function hold the line of its declaration.
    private var braces: [(line: Int?, parentheses: Int)] = []

    static func functions(in code: String) -> [Function] {
        var scanner = FunctionScanner(bytes: Array(code.utf8))
        scanner.scan()
        return scanner.found.sorted { $0.line < $1.line }
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private mutating func scan() {
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\n"): line += 1
            case UInt8(ascii: "("), UInt8(ascii: "["): parentheses += 1
            case UInt8(ascii: ")"), UInt8(ascii: "]"): parentheses -= 1
            case UInt8(ascii: "{"): openBrace()
            case UInt8(ascii: "}"): closeBrace()
            case let byte where Self.isWord(byte): word()
            default: break
            }
            index += 1
        }
    }

    private mutating func openBrace() {
        let isBody = parentheses == 0 && pending != nil
        braces.append((isBody ? pending : nil, parentheses))
        if isBody { pending = nil }
        parentheses = 0
    }

    private mutating func closeBrace() {
        guard let brace = braces.popLast() else { return }
        parentheses = brace.parentheses
        if parentheses == 0, brace.line == nil { pending = nil }
        guard let start = brace.line else { return }
        found.append(Function(line: start, lineCount: line - start + 1))
    }

    private mutating func word() {
        let start = index
        while index + 1 < bytes.count, Self.isWord(bytes[index + 1]) { index += 1 }
        let word = String(decoding: bytes[start...index], as: UTF8.self)
        let isMember = start > 0 && bytes[start - 1] == UInt8(ascii: ".")
        if Self.keywords.contains(word), !isMember, parentheses == 0 { pending = line }
        if word == "var" || word == "let" || word == "case", parentheses == 0 { pending = nil }
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: byte >= 0x80
        }
    }
}
