// SPDX-License-Identifier: MIT

internal import Glibc

/// The environment variables of the process.
package enum ProcessEnvironment {
    /// All variables by name, as they are now.
    package static var variables: [String: String] {
        var result: [String: String] = [:]
        // SAFETY: environ is a NULL-terminated array of C strings; this program never changes it.
        var entry = unsafe environ
        // SAFETY: every entry before the NULL is a NUL-terminated string.
        while let text = unsafe entry.pointee {
            // SAFETY: as above; the string is copied.
            let line = unsafe String(cString: text)
            if let equals = line.firstIndex(of: "=") {
                result[String(line[..<equals])] = String(line[line.index(after: equals)...])
            }
            // SAFETY: the NULL that ends the array has not been reached.
            unsafe entry += 1
        }
        return result
    }
}
