// SPDX-License-Identifier: MIT

internal import Features

extension PredictionEncoder {
    /// The pieces of batches and of readings with flags, each defined once.
    enum Keys {
        static let quality = Array(",\"quality\":{".utf8)
        static let unknownFields = Array("\"unknown_fields\":[".utf8)
        static let predictions = Array("{\"predictions\":[".utf8)
        static let count = Array("],\"count\":".utf8)

        /// The names of a sensor's flags.
        static let sensorFlags: [(SensorFlags, [UInt8])] = [
            (.missing, Array("\"missing\"".utf8)),
            (.outOfRange, Array("\"out_of_range\"".utf8)),
            (.imputed, Array("\"imputed\"".utf8)),
            (.stuck, Array("\"stuck\"".utf8)),
        ]

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
