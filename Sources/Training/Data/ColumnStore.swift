// SPDX-License-Identifier: MIT

/// What the parser does with a column: nothing, or fill the column of that number and kind.
enum ColumnPlan {
    case skip
    case number(Int)
    case text(Int)
    case category(Int)
    case timestamp(Int, TimestampForm)

    /// The finished column that this plan filled.
    func take(from columns: ColumnStore) -> TableColumn {
        switch self {
        case .skip: .texts([])
        case .number(let slot): .numbers(columns.numbers[slot])
        case .text(let slot): .texts(columns.texts[slot])
        case .category(let slot):
            .categories(
                CategoryColumn(
                    categories: columns.encoders[slot].texts(),
                    codes: columns.codes[slot]
                )
            )
        case .timestamp(let slot, _): .timestamps(columns.timestamps[slot])
        }
    }
}

/// The columns while they are filled, by kind: appending to an enum's payload would copy it.
struct ColumnStore {
    var numbers: [[Double]] = []
    var texts: [[String]] = []
    var encoders: [CategoryEncoder] = []
    var codes: [[Int32]] = []
    var timestamps: [[Int64]] = []

    /// Adds an empty column and says how to fill it.
    mutating func add(_ type: ColumnType) -> ColumnPlan {
        switch type {
        case .number:
            numbers.append([])
            return .number(numbers.count - 1)
        case .text:
            texts.append([])
            return .text(texts.count - 1)
        case .category:
            encoders.append(CategoryEncoder())
            codes.append([])
            return .category(codes.count - 1)
        case .timestamp(let form):
            timestamps.append([])
            return .timestamp(timestamps.count - 1, form)
        }
    }

    /// Makes room for that many rows in every column.
    mutating func reserve(_ rowCount: Int) {
        for slot in numbers.indices { numbers[slot].reserveCapacity(rowCount) }
        for slot in texts.indices { texts[slot].reserveCapacity(rowCount) }
        for slot in codes.indices { codes[slot].reserveCapacity(rowCount) }
        for slot in timestamps.indices { timestamps[slot].reserveCapacity(rowCount) }
    }
}
