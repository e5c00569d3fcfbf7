// SPDX-License-Identifier: MIT

import Foundation

/// What the commands say to the person who runs them.
enum Console {
    /// A line of result on standard output, at once even where that is a pipe.
    static func line(_ text: String = "") {
        try? FileHandle.standardOutput.write(contentsOf: Data("\(text)\n".utf8))
    }

    /// A line of trouble or progress on standard error; addresses in it lose users and queries.
    static func error(_ text: String) {
        let line = "\(RemoteClient.withoutSecrets(text))\n"
        try? FileHandle.standardError.write(contentsOf: Data(line.utf8))
    }

    /// A number with so many decimals, `-` for none.
    static func number(_ value: Double?, decimals: Int = 4) -> String {
        value.map { String(format: "%.\(decimals)f", $0) } ?? "-"
    }
}
