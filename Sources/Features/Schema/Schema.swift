// SPDX-License-Identifier: MIT

/// What a data set's columns mean: the one description that files, requests and models share.
///
/// Its JSON form is described in docs/feature-spec.md.
package struct Schema: Equatable, Sendable {
    /// The form of the files that hold the data.
    package struct FileForm: Equatable, Sendable {
        /// What stands between two fields; a blank means any run of blanks.
        package var separator: UInt8
        /// The columns' names where the file has no header line.
        package var columns: [String]?

        /// Describes a file with a header line unless `columns` are given.
        package init(separator: UInt8 = UInt8(ascii: ","), columns: [String]? = nil) {
            self.separator = separator
            self.columns = columns
        }
    }

    /// The column that orders a machine's readings.
    package struct TimeColumn: Equatable, Sendable {
        /// How a file's timestamps are to be read.
        package enum Unit: String, Sendable, CaseIterable {
            /// RFC 3339 text.
            case rfc3339
            /// Seconds since the epoch.
            case seconds
            /// Hours since the epoch.
            case hours
            /// Working cycles, each taken for one hour.
            case cycles
        }

        /// The column's name.
        package var column: String
        /// The unit of its values.
        package var unit: Unit
        /// Minutes east of UTC, for text without zone and for the calendar features.
        package var offsetMinutes: Int

        /// Describes the column.
        package init(column: String, unit: Unit, offsetMinutes: Int = 0) {
            self.column = column
            self.unit = unit
            self.offsetMinutes = offsetMinutes
        }
    }

    /// Where the answer to be learnt stands.
    package enum Label: Equatable, Sendable {
        /// A column of zeros and ones.
        case column(String)
        /// One where the machine's remaining life is at most this many hours. A machine's life ends
        /// with its last row, or as a file of remaining lives says.
        case remainingLife(hoursMax: Double)
    }

    /// The schema's name.
    package var name: String
    /// The form of its data files.
    package var file: FileForm
    /// The column that names the machine; nil where rows do not belong to machines.
    package var entityColumn: String?
    /// The column that orders a machine's readings; nil where rows have no time.
    package var time: TimeColumn?
    /// The measured quantities, in the order of the feature row.
    package var sensors: [Sensor]
    /// What is to be predicted.
    package var label: Label
    /// How far ahead the label looks, in hours; nil where it does not look ahead.
    package var horizonHours: Double?
    /// Columns that must never become inputs: they number the rows or spell out the label.
    package var excludedColumns: [String]
    /// Keys of the JSON form that a reader must know.
    package var requires: [String] = []

    /// Describes a data set; ``validate()`` says whether the parts fit.
    package init(
        name: String,
        file: FileForm = FileForm(),
        entityColumn: String?,
        time: TimeColumn?,
        sensors: [Sensor],
        label: Label,
        horizonHours: Double?,
        excludedColumns: [String] = []
    ) {
        self.name = name
        self.file = file
        self.entityColumn = entityColumn
        self.time = time
        self.sensors = sensors
        self.label = label
        self.horizonHours = horizonHours
        self.excludedColumns = excludedColumns
    }

    /// Whether machines have windows at all: both entity and timestamp are known.
    package var hasState: Bool { entityColumn != nil && time != nil }

    /// The index of the sensor with this name.
    package func sensorIndex(_ name: String) -> Int? {
        sensors.firstIndex { $0.name == name }
    }

    /// Names that requests, answers and the files of `pdm` use themselves.
    static let reservedNames: Set<String> = [
        "equipment_id", "timestamp", "history", "unknown_fields", "flags", "failure", "context",
        "hour", "day_of_week", "is_weekend",
    ]

    /// Checks what the parts cannot check alone.
    ///
    /// - Throws: ``SpecError`` naming the first sensor or column that does not fit.
    package func validate() throws(SpecError) {
        guard !sensors.isEmpty, sensors.count <= SpecLimits.sensorsMax else {
            throw .count(what: "sensors", count: sensors.count, limit: SpecLimits.sensorsMax)
        }
        if let time, abs(time.offsetMinutes) > SpecLimits.offsetMinutesMax {
            throw .invalid(what: time.column, why: "its zone is more than a day off UTC")
        }
        if let fault = SpecLimits.fault(ofHorizonHours: horizonHours) {
            throw .invalid(what: "horizon_hours", why: fault)
        }
        var names: Set<String> = []
        for sensor in sensors {
            guard !Self.reservedNames.contains(sensor.name) else {
                throw .invalid(what: sensor.name, why: "the name is reserved")
            }
            guard names.insert(sensor.name).inserted else { throw .duplicate(sensor.name) }
            guard !excludedColumns.contains(sensor.column) else {
                throw .invalid(what: sensor.name, why: "its column is excluded from the inputs")
            }
            if case .column(let label) = label, label == sensor.column {
                throw .invalid(what: sensor.name, why: "it is the label")
            }
            if (sensor.kind == .category) == sensor.categories.isEmpty {
                throw .invalid(what: sensor.name, why: "categories belong to kind category")
            }
            try sensor.validate()
        }
    }

    /// The standard schema: five gauges and the hour counter of a rotating machine.
    package static let standard = Schema(
        name: "default",
        entityColumn: "equipment_id",
        time: TimeColumn(column: "timestamp", unit: .rfc3339),
        sensors: [
            Sensor(
                name: "temperature",
                unit: "degC",
                range: -50...250,
                warn: 85,
                alarm: 105,
                stuckAfter: 6
            ),
            Sensor(
                name: "vibration",
                unit: "mm/s",
                range: 0...50,
                warn: 4.5,
                alarm: 7.1,
                stuckAfter: 6
            ),
            Sensor(
                name: "pressure",
                unit: "bar",
                range: 0...250,
                warn: 88,
                alarm: 70,
                stuckAfter: 6
            ),
            Sensor(
                name: "rotation_speed",
                unit: "rpm",
                range: 0...5000,
                warn: 1290,
                alarm: 1230,
                stuckAfter: 6
            ),
            Sensor(
                name: "current",
                unit: "A",
                range: 0...150,
                warn: 28,
                alarm: 35,
                stuckAfter: 6
            ),
            Sensor(
                name: "operating_hours",
                unit: "h",
                kind: .counter,
                range: 0...1_000_000
            ),
        ],
        label: .column("failure"),
        horizonHours: 24
    )
}
