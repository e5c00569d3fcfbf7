// SPDX-License-Identifier: MIT

internal import Features
internal import JSON
internal import Platform

/// Which version of a model serves: `registry.json` in its folder, which a server only reads.
///
///     {"format": 1, "champion": "20260101_000000", ...}
///
/// Other keys (the challenger, the history) mean nothing here yet and are ignored unless `requires`
/// names them.
struct ModelRegistry: Equatable {
    static let fileName = "registry.json"
    static let format = 1
    /// A registry holds a line per version that ever served.
    static let bytesMax = 4 << 20

    let champion: BundleVersion

    init(_ bytes: [UInt8]) throws(RegistryError) {
        let json: JSONView
        do throws(JSONError) {
            json = JSONView(try JSONValue.parse(bytes))
        } catch {
            throw .json(error)
        }
        do throws(JSONShapeError) {
            try json.checkFormat(Self.format, keys: ["champion"])
            let view = try json.required("champion")
            guard let version = BundleVersion(try view.string) else {
                throw view.refuse("YYYYMMDD_HHMMSS")
            }
            champion = version
        } catch {
            throw .shape(error)
        }
    }
}
