// SPDX-License-Identifier: MIT

internal import Features
internal import ModelRuntime

extension PredictionEncoder {
    /// The fixed pieces of a prediction, each defined once.
    enum Keys {
        static let equipmentID = Array("{\"equipment_id\":".utf8)
        static let null = Array("null".utf8)
        static let prediction0 = Array(",\"prediction\":0,\"probability\":".utf8)
        static let prediction1 = Array(",\"prediction\":1,\"probability\":".utf8)
        static let inferenceTime = Array(",\"inference_time_ms\":".utf8)
        static let windowFill = Array(",\"window_fill\":{".utf8)
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

        /// The risk level and the key of the timestamp after it.
        static func riskLevel(_ level: RiskLevel) -> [UInt8] {
            switch level {
            case .low: low
            case .medium: medium
            case .high: high
            }
        }

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

        private static let low = Array(",\"risk_level\":\"LOW\",\"timestamp\":\"".utf8)
        private static let medium = Array(",\"risk_level\":\"MEDIUM\",\"timestamp\":\"".utf8)
        private static let high = Array(",\"risk_level\":\"HIGH\",\"timestamp\":\"".utf8)
        private static let late = Array("\"timestamp\":[\"late\"]".utf8)
        private static let stale = Array("\"timestamp\":[\"stale\"]".utf8)
        private static let duplicate = Array("\"timestamp\":[\"duplicate\"]".utf8)
    }
}
