// SPDX-License-Identifier: MIT

internal import Features

extension PredictionEncoder {
    /// The pieces of batches and of readings with flags, each defined once.
    enum Keys {
        static let quality = Array(",\"quality\":{".utf8)
        static let unknownFields = Array("\"unknown_fields\":[".utf8)
        /// What stands for the rest of a name that is cut.
        static let ellipsis = Array("\u{2026}".utf8)
        static let predictions = Array("{\"predictions\":[".utf8)
        static let count = Array("],\"count\":".utf8)

        /// A flag of a sensor, its name, and that in quotes.
        struct SensorFlag {
            let value: SensorFlags
            let text: String
            let quoted: [UInt8]

            init(_ value: SensorFlags, _ text: String) {
                self.value = value
                self.text = text
                quoted = Array("\"\(text)\"".utf8)
            }
        }

        /// The flags of a sensor in the order of an answer.
        static let sensorFlags = [
            SensorFlag(.missing, "missing"),
            SensorFlag(.outOfRange, "out_of_range"),
            SensorFlag(.imputed, "imputed"),
            SensorFlag(.stuck, "stuck"),
        ]

        /// The bytes of all flags of a sensor, with brackets and commas.
        static let flagsByteCountMax = sensorFlags.reduce(3) { $0 + $1.quoted.count + 1 }

        /// The bytes of a quality without sensors and names of unknown fields, whose quotes and
        /// commas are as many in the request.
        static let qualityByteCountMax = quality.count + unknownFields.count + duplicate.count + 8

        /// What the reading's time was flagged with; it stands at the name `timestamp`, which no
        /// sensor may have.
        static func flag(of admission: Admission) -> [UInt8]? {
            switch admission {
            case .inOrder: nil
            case .late: late
            case .stale: stale
            case .duplicate: duplicate
            }
        }

        private static let late = Array("\"timestamp\":[\"late\"]".utf8)
        private static let stale = Array("\"timestamp\":[\"stale\"]".utf8)
        private static let duplicate = Array("\"timestamp\":[\"duplicate\"]".utf8)
    }
}
