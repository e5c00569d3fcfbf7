// SPDX-License-Identifier: MIT

internal import Features

/// Rows by what became of their timestamps.
struct AdmissionCounts {
    var late = 0
    var stale = 0
    var duplicate = 0

    mutating func add(_ admission: Admission) {
        switch admission {
        case .inOrder: break
        case .late: late += 1
        case .stale: stale += 1
        case .duplicate: duplicate += 1
        }
    }
}
