// SPDX-License-Identifier: MIT

import Drift
import Features
import Testing

@testable import Training

struct DriftTablesTests {
    private let folder: TestFolder

    init() throws { folder = try TestFolder() }

    private func tables(
        _ reference: String,
        _ current: String,
        schema: Schema? = nil
    ) throws -> DriftTables {
        try DriftTables(
            referencePath: try folder.write(reference, "reference.csv"),
            currentPath: try folder.write(current, "current.csv"),
            schema: schema,
            transform: nil,
            machineColumn: "equipment_id"
        )
    }

    @Test func columnsAreNumbersOrCategoriesAsTheReferenceHasThem() throws {
        let tables = try tables(
            "timestamp,equipment_id,a,mode,failure\n1,m1,1.5,on,0\n2,m2,,off,0\n3,m1,2,,0\n",
            "mode,a,equipment_id,extra\nstandby,3,m9,x\non,4,m9,y\n"
        )
        #expect(tables.columns.map(\.name) == ["a", "mode"])
        #expect(tables.columns[1].kind == .category(["on", "off"]))
        #expect(tables.reference.columns[0][0] == 1.5 && tables.reference.columns[0][1].isNaN)
        #expect(tables.reference.columns[1].prefix(2) == [0, 1])
        #expect(tables.reference.columns[1][2].isNaN)
        #expect(tables.current.columns == [[3, 4], [2, 0]])
        #expect(tables.machines == ["m9"] && tables.reference.machines?.count == 2)
    }

    @Test func refusesAColumnThatIsMissingOrNoNumber() throws {
        let missing = refusal { () throws(TrainingError) in
            try DriftTables(
                referencePath: (try? folder.write("a,b\n1,2\n", "r.csv")) ?? "",
                currentPath: (try? folder.write("a\n1\n", "c.csv")) ?? "",
                schema: nil,
                transform: nil,
                machineColumn: "equipment_id"
            )
        }
        #expect(missing?.contains("no column b") == true)
        let text = refusal { () throws(TrainingError) in
            try DriftTables(
                referencePath: (try? folder.write("a\n1\n", "r.csv")) ?? "",
                currentPath: (try? folder.write("a\nx\n", "c.csv")) ?? "",
                schema: nil,
                transform: nil,
                machineColumn: "equipment_id"
            )
        }
        #expect(text?.contains("c.csv: line 2, column 1 (a)") == true, "\(text ?? "")")
    }

    @Test func leavesOutTextsThatAreNoCategories() throws {
        let rows = (0..<257).map { "\($0),id\($0)" }.joined(separator: "\n")
        let tables = try tables("a,id\n\(rows)\n", "a,id\n1,x\n")
        #expect(tables.columns.map(\.name) == ["a"])
        #expect(tables.omitted == ["id: 257 different texts are no categories"])
    }

    @Test func schemaGivesRangesNamesAndMachines() throws {
        var schema = Schema.standard
        schema.sensors = [
            Sensor(name: "flow", column: "Flow", range: 0...10, stuckAfter: 3),
            Sensor(name: "grade", kind: .category, categories: ["L", "M"]),
        ]
        schema.entityColumn = "pump"
        let text = "pump,Flow,grade\np1,1,M\np1,11,L\np1,2,X\n"
        let tables = try tables(text, text, schema: schema)
        #expect(tables.columns.map(\.name) == ["flow", "grade"])
        #expect(tables.columns[0].range == 0...10 && tables.columns[0].stuckAfter == 3)
        #expect(tables.current.columns[1] == [1, 0, 2] && tables.machines == ["p1"])
        let report = tables.report(rule: DriftRule())
        #expect(report.features[0].drift.current.outOfRange == 1 && !report.isDrift)
    }

    @Test func pageShowsHostileNamesAsText() throws {
        let name = "<script>alert(1)</script>"
        let rows = (0..<60).map { "\($0)" }.joined(separator: "\n")
        let tables = try tables("\(name)\n\(rows)\n", "\(name)\n\(rows)\n")
        let report = tables.report(rule: DriftRule())
        let page = String(decoding: DriftPage(report, machines: []).bytes, as: UTF8.self)
        #expect(!page.contains("<script") && page.contains("&lt;script&gt;"))
        #expect(report.lines(machines: [], countMax: 3)[0].hasPrefix("No drift: 0 of 1"))
    }
}
