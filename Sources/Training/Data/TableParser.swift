// SPDX-License-Identifier: MIT

/// The state of reading one table: where it is and the columns so far.
///
/// Positions are indices into the bytes that every call is given; a field's `end` is the position
/// of the separator or line feed after it, or the count of the bytes.
struct TableParser {
    /// The first line of a table.
    struct FirstLine {
        /// The columns' names, empty where they have none.
        var names: [String] = []
        /// Number of fields.
        var columnCount = 0
        /// Position of the second line.
        var end = 0
    }

    /// A field as it stands in the bytes.
    struct Field {
        /// Its content, without the quotes around it.
        let content: Range<Int>
        /// Position of what ends it.
        let end: Int
        /// Whether the content has quotes doubled.
        let hasDoubledQuotes: Bool
    }

    static let quote = UInt8(ascii: "\"")
    static let lineFeed = UInt8(ascii: "\n")
    static let carriageReturn = UInt8(ascii: "\r")

    let limits: TableLimits
    let isBlankSeparated: Bool
    private let separator: UInt8
    private let otherSeparator: UInt8
    private let hasHeader: Bool
    private let powersOfTen = ShortDecimal.powersOfTen
    private var names: [String]
    var columns = ColumnStore()
    /// The line that is being read, 1 for the first.
    private(set) var line = 1
    private var lineOfRow = 1

    init(format: TableFormat, limits: TableLimits) {
        self.limits = limits
        hasHeader = format.hasHeader
        names = format.names
        switch format.separator {
        case .byte(let byte):
            isBlankSeparated = false
            separator = byte
            otherSeparator = byte
        case .blanks:
            isBlankSeparated = true
            separator = UInt8(ascii: " ")
            otherSeparator = UInt8(ascii: "\t")
        }
    }

    mutating func add(_ type: ColumnType) -> ColumnPlan { columns.add(type) }

    consuming func finish() -> ColumnStore { columns }

    /// The position after a byte order mark.
    func start(of bytes: Span<UInt8>) -> Int {
        bytes.count >= 3 && bytes[0] == 0xEF && bytes[1] == 0xBB && bytes[2] == 0xBF ? 3 : 0
    }

    /// Reads the first line: the names where it is a header, else only how many fields it has.
    mutating func firstLine(_ bytes: Span<UInt8>) throws(TableError) -> FirstLine {
        var head = FirstLine()
        var position = start(of: bytes)
        guard !isAtEnd(bytes, position) else { throw .empty }
        while true {
            let field = try locate(
                bytes,
                from: skipBlanks(bytes, position),
                column: head.columnCount
            )
            guard head.columnCount < limits.columnCountMax else {
                throw .tooMany("columns", place(head.columnCount), limit: limits.columnCountMax)
            }
            head.columnCount += 1
            if hasHeader {
                names.append(try string(bytes, field, column: head.columnCount - 1))
            }
            let next = nextField(bytes, after: field.end)
            position = next.position
            if next.isRowEnd { break }
        }
        if !hasHeader { line = 1 }
        guard names.isEmpty || names.count == head.columnCount else {
            throw ragged(found: head.columnCount, expected: names.count)
        }
        head.names = names
        head.end = position
        return head
    }

    /// Reads all rows from a position on.
    ///
    /// - Returns: The line of each.
    mutating func parseRows(
        _ bytes: Span<UInt8>,
        from start: Int,
        plan: [ColumnPlan]
    ) throws(TableError) -> RowLines {
        var position = start
        var lines = RowLines(first: line)
        while position < bytes.count {
            let first = bytes[position]
            if first == Self.lineFeed || first == Self.carriageReturn || isSeparator(first),
                isAtEnd(bytes, position)
            {
                break
            }
            lineOfRow = line
            guard lines.count < limits.rowCountMax else {
                throw .tooMany("rows", place(0), limit: limits.rowCountMax)
            }
            lines.append(line)
            let rowStart = position
            position = try parseRow(bytes, from: position, plan: plan)
            if lines.count == 1 {
                // Rows are of much the same length: one reservation instead of many growths.
                columns.reserve((bytes.count - rowStart) / (position - rowStart) * 17 / 16 + 16)
            }
        }
        return lines
    }

    private mutating func parseRow(
        _ bytes: Span<UInt8>,
        from start: Int,
        plan: [ColumnPlan]
    ) throws(TableError) -> Int {
        var position = skipBlanks(bytes, start)
        for column in 0..<plan.count {
            let end = try parseField(bytes, from: position, column: column, plan: plan[column])
            let next = nextField(bytes, after: end)
            position = next.position
            guard next.isRowEnd == (column == plan.count - 1) else {
                let found =
                    next.isRowEnd
                    ? column + 1 : try countFields(bytes, from: position, after: column + 1)
                throw ragged(found: found, expected: plan.count)
            }
        }
        return position
    }

    @inline(__always)
    private mutating func parseField(
        _ bytes: Span<UInt8>,
        from start: Int,
        column: Int,
        plan: ColumnPlan
    ) throws(TableError) -> Int {
        if case .number(let slot) = plan,
            let number = ShortDecimal.scan(bytes, from: start, powers: powersOfTen),
            isFieldEnd(bytes, number.end)
        {
            columns.numbers[slot].append(number.value)
            return number.end
        }
        let field = try locate(bytes, from: start, column: column)
        if case .skip = plan { return field.end }
        if field.hasDoubledQuotes {
            let plain = Self.withoutDoubledQuotes(bytes, field.content)
            try store(plain.span, 0..<plain.count, column: column, plan: plan)
        } else {
            try store(bytes, field.content, column: column, plan: plan)
        }
        return field.end
    }
}

// MARK: - Fields and lines

extension TableParser {
    /// Finds the extent of the field that starts at a position.
    mutating func locate(
        _ bytes: Span<UInt8>,
        from start: Int,
        column: Int
    ) throws(TableError) -> Field {
        if !isBlankSeparated, start < bytes.count, bytes[start] == Self.quote {
            return try locateQuoted(bytes, from: start, column: column)
        }
        var end = start
        while end < bytes.count {
            let byte = bytes[end]
            if byte == Self.lineFeed || isSeparator(byte) { break }
            end += 1
        }
        // The carriage return belongs to the line end, before a line feed or the end of the file.
        let isLineEnd = end == bytes.count || bytes[end] == Self.lineFeed
        let contentEnd =
            isLineEnd && end > start && bytes[end - 1] == Self.carriageReturn
            ? end - 1 : end
        return Field(content: start..<contentEnd, end: end, hasDoubledQuotes: false)
    }

    private mutating func locateQuoted(
        _ bytes: Span<UInt8>,
        from start: Int,
        column: Int
    ) throws(TableError) -> Field {
        let place = place(column)
        var hasDoubledQuotes = false
        var position = start + 1
        while position < bytes.count {
            let byte = bytes[position]
            if byte == Self.lineFeed { line += 1 }
            if byte == Self.quote {
                guard position + 1 < bytes.count, bytes[position + 1] == Self.quote else { break }
                hasDoubledQuotes = true
                position += 1
            }
            position += 1
        }
        guard position < bytes.count else { throw .unterminatedQuote(place) }
        guard isFieldEnd(bytes, position + 1) else { throw .textAfterQuote(place) }
        return Field(
            content: start + 1..<position,
            end: position + 1,
            hasDoubledQuotes: hasDoubledQuotes
        )
    }

    /// Whether a field may end at a position: at a separator, a line end or the end of the file.
    @inline(__always)
    func isFieldEnd(_ bytes: Span<UInt8>, _ position: Int) -> Bool {
        guard position < bytes.count else { return true }
        let byte = bytes[position]
        if isSeparator(byte) || byte == Self.lineFeed { return true }
        return byte == Self.carriageReturn
            && (position + 1 == bytes.count || bytes[position + 1] == Self.lineFeed)
    }

    /// Where the next field starts after one that ended at `end`, and whether in a new row.
    @inline(__always)
    mutating func nextField(
        _ bytes: Span<UInt8>,
        after end: Int
    ) -> (position: Int, isRowEnd: Bool) {
        var position = isBlankSeparated ? skipBlanks(bytes, end) : end
        guard position < bytes.count else { return (position, true) }
        if !isBlankSeparated, bytes[position] == separator { return (position + 1, false) }
        if bytes[position] == Self.carriageReturn { position += 1 }
        if position == bytes.count { return (position, true) }
        if bytes[position] == Self.lineFeed {
            line += 1
            return (position + 1, true)
        }
        return (position, false)
    }

    @inline(__always)
    func isSeparator(_ byte: UInt8) -> Bool { byte == separator || byte == otherSeparator }

    /// The next position without a blank where blanks separate; the position itself elsewhere.
    @inline(__always)
    func skipBlanks(_ bytes: Span<UInt8>, _ start: Int) -> Int {
        guard isBlankSeparated else { return start }
        var position = start
        while position < bytes.count, isSeparator(bytes[position]) { position += 1 }
        return position
    }

    /// Whether only blank lines follow.
    private func isAtEnd(_ bytes: Span<UInt8>, _ start: Int) -> Bool {
        var position = start
        while position < bytes.count {
            let byte = bytes[position]
            let isBlank =
                byte == Self.lineFeed || byte == Self.carriageReturn
                || (isBlankSeparated && isSeparator(byte))
            guard isBlank else { return false }
            position += 1
        }
        return true
    }

    /// The number of the row's fields, of which `counted` stand before `start`.
    private mutating func countFields(
        _ bytes: Span<UInt8>,
        from start: Int,
        after counted: Int
    ) throws(TableError) -> Int {
        var count = counted
        var position = start
        while true {
            let field = try locate(bytes, from: position, column: count)
            count += 1
            let next = nextField(bytes, after: field.end)
            if next.isRowEnd { return count }
            position = next.position
        }
    }

    private func ragged(found: Int, expected: Int) -> TableError {
        .ragged(place(min(found, expected)), found: found, expected: expected)
    }

    /// Where that column of the row stands that is being read.
    func place(_ column: Int) -> TablePlace {
        TablePlace(
            line: lineOfRow,
            column: column + 1,
            name: column < names.count ? names[column] : nil
        )
    }
}
