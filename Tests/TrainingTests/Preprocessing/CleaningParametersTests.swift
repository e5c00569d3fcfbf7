// SPDX-License-Identifier: MIT

import Features
import Testing
import Training

struct CleaningParametersTests {
    private func table(_ heat: [Double], _ load: [Double]? = nil) -> ReadingTable {
        ReadingTable(
            schema: SampleReadings.schema,
            entities: nil,
            timestamps: nil,
            values: [heat, load ?? heat, heat],
            labels: Array(repeating: 0, count: heat.count)
        )
    }

    private func learn(
        _ table: ReadingTable,
        isTest: [Bool]? = nil,
        z: Double? = 2
    ) throws(TrainingError) -> [CleaningParameters.SensorParameters] {
        try CleaningParameters(
            table: table,
            isTest: isTest ?? table.isContext,
            forwardFill: true,
            zThreshold: z
        ).sensors
    }

    @Test func averagesMeasuredValuesInRange() throws {
        let sensors = try learn(table([1, .nan, 5, -999, 3]))
        #expect(sensors[0].mean == 3)
        #expect(sensors[0].standardDeviation == (8.0 / 3).squareRoot())
        let reach = 2 * (8.0 / 3).squareRoot()
        #expect(sensors[0].clip == 3 - reach...3 + reach)
        // Without a physical range -999 is a value like another.
        #expect(sensors[1].mean == -247.5)
    }

    @Test func widensTheTrainingRangeOfAGaugeByItsSpan() throws {
        let sensors = try learn(table([2, 4, 8]))
        #expect(sensors[0].range == -100...1000)
        #expect(sensors[1].range == -4...14)
        #expect(sensors[2].range == nil)
        #expect(try learn(table([5, 5]))[1].range == 0...10)
        #expect(try learn(table([0, 0]))[1].range == -1...1)
    }

    @Test func clipsNoCounterNoConstantAndNothingWithoutThreshold() throws {
        #expect(try learn(table([1, 2, 3]))[2].clip == nil)
        #expect(try learn(table([0.1, 0.1, 0.1]))[0].clip == nil)
        #expect(try learn(table([1, 2, 3]), z: nil)[0].clip == nil)
        #expect(try learn(table([1, 9, 3]), z: .greatestFiniteMagnitude)[0].clip == nil)
    }

    @Test func learnsNothingOfTestRows() throws {
        let isTest = [false, true, false, true, false]
        let one = try learn(table([1, 7, 2, 9, 4]), isTest: isTest)
        let other = try learn(table([1, -55, 2, .nan, 4]), isTest: isTest)
        #expect(one == other)
        #expect(one != (try learn(table([1, 7, 3, 9, 4]), isTest: isTest)))
    }

    @Test func standsForASensorThatWasNeverMeasured() throws {
        let sensors = try learn(table([.nan, .nan]))
        #expect(sensors.map(\.mean) == [0, 0, 0])
        #expect(sensors.map(\.range) == [-100...1000, nil, nil])
        #expect(sensors.allSatisfy { $0.clip == nil })
    }

    @Test(arguments: [[1e308, -1e308], [1.7e308, 1e308, 1.2e308], [1e200, 0]])
    func refusesValuesTooLargeToAverage(load: [Double]) throws {
        let heat = load.map { _ in 1.0 }
        let error = refusal { () throws(TrainingError) in try learn(table(heat, load)) }
        #expect(error?.hasPrefix("load: its values, ") == true)
    }

    @Test func readsBackItsFile() throws {
        let folder = try TestFolder()
        let parameters = try SampleReadings.parameters(SampleReadings.table(machines: 3, hours: 9))
        let path = "\(folder.path)/preprocessing.json"
        try JSONFile.write(parameters.json, to: path)
        #expect(try CleaningParameters(path: path) == parameters)
    }

    @Test func keepsTheRangesOfALayoutThatIsThereAlready() throws {
        let rows = table([1, 2, 3, 90])
        let layout = StateLayout(
            paneSeconds: 3600,
            paneCount: 24,
            gauges: [
                StateLayout.Gauge(sensor: 1, range: 0...50, keepsSquares: true, keepsMaximum: false)
            ]
        )
        let parameters = try CleaningParameters(
            table: rows,
            isTest: rows.isContext,
            forwardFill: true,
            zThreshold: nil,
            layout: layout
        )
        // What the records take for impossible is no measured value here either.
        #expect(parameters.sensors[1].range == 0...50 && parameters.sensors[1].mean == 2)
        #expect(parameters.sensors[0].mean == 24)
        let folder = try TestFolder()
        let path = "\(folder.path)/preprocessing.json"
        try JSONFile.write(parameters.json, to: path)
        #expect(try CleaningParameters(path: path) == parameters)
    }

    @Test(arguments: [
        ("{", "the text ends"), ("[]", "expected an object"), ("{\"format\": 2}", "/format"),
        ("{\"format\": 1, \"schema\": 3}", "/schema"),
    ])
    func refusesAnotherFile(text: String, message: String) throws {
        let folder = try TestFolder()
        let path = try folder.write(text, "preprocessing.json")
        let error = refusal { () throws(TrainingError) in try CleaningParameters(path: path) }
        #expect(error?.hasPrefix("\(path): ") == true)
        #expect(error?.contains(message) == true, "\(error ?? "nothing")")
    }
}
