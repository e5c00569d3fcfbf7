// SPDX-License-Identifier: MIT

/// What rows of a fleet look like by the age of their machines: a sketch of each stratum.
package struct FleetReference: Equatable, Sendable {
    /// Strata into which ages are parted.
    package static let strataMax = 6

    /// How rows are counted.
    package let shape: SketchShape
    /// The sketches by stratum; a sketch has rows in its own stratum only.
    package private(set) var strata: [FleetSketch]
    /// The machines whose rows they are.
    package let machineCount: Double

    /// Without rows yet.
    package init(_ shape: SketchShape, machineCount: Int) {
        self.shape = shape
        self.machineCount = Double(machineCount)
        strata = Array(repeating: FleetSketch(shape), count: shape.stratumCount)
    }

    /// Takes counts over as ``tensor`` gives them.
    package init(_ shape: SketchShape, machineCount: Double, tensor: [Float]) {
        self.shape = shape
        self.machineCount = machineCount
        let size = SketchShape.groupCount * SketchShape.binCount * shape.columnCount
        precondition(tensor.count == size * shape.stratumCount, "one count for each cell")
        strata = (0..<shape.stratumCount).map { stratum in
            let cells = tensor[stratum * size..<(stratum + 1) * size]
            return FleetSketch(shape, stratum: stratum, tensor: cells)
        }
    }

    /// The counts by stratum, then group, then bin, then column.
    package var tensor: [Float] { strata.flatMap(\.tensor) }

    /// Counts a row; see ``FleetSketch/add(_:at:score:machine:)``.
    package mutating func add(_ values: Span<Float>, at start: Int, score: Float, machine: UInt64) {
        let stratum = shape.stratum(of: values, at: start)
        strata[stratum].add(values, at: start, score: score, machine: machine)
    }
}

extension FleetSketch {
    /// A sketch with the rows of one stratum, whose counts stand by group, then bin, then column.
    fileprivate init(_ shape: SketchShape, stratum: Int, tensor: ArraySlice<Float>) {
        self.init(shape)
        let (bins, columns) = (SketchShape.binCount, shape.columnCount)
        var place = tensor.startIndex
        for group in 0..<SketchShape.groupCount {
            var rows: UInt32 = 0
            for bin in 0..<bins {
                for column in 0..<columns {
                    let count = UInt32(tensor[place])
                    counts[(group * columns + column) * bins + bin] = count
                    if column == 0 { rows &+= count }
                    place += 1
                }
            }
            self.rows[group * shape.stratumCount + stratum] = rows
        }
    }

    fileprivate var tensor: [Float] {
        let (bins, columns) = (SketchShape.binCount, shape.columnCount)
        return (0..<SketchShape.groupCount).flatMap { group in
            (0..<bins).flatMap { bin in
                (0..<columns).map { Float(counts[(group * columns + $0) * bins + bin]) }
            }
        }
    }
}
