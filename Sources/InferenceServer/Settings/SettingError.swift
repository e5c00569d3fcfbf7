// SPDX-License-Identifier: MIT

/// Why a setting's text was refused.
struct SettingError: Error, Equatable, CustomStringConvertible {
    /// The flag or variable that held the text.
    let source: String
    /// The text.
    let text: String
    /// What is taken instead.
    let accepted: String
    /// Whether it came from a variable: then it is a fault of the configuration, not of the usage.
    let isEnvironment: Bool

    var description: String { "\(source): \"\(text)\" is not \(accepted)" }

    /// EX_USAGE or EX_CONFIG of sysexits.h.
    var exitCode: Int32 { isEnvironment ? 78 : 64 }
}
