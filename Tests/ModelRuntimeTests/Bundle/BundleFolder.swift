// SPDX-License-Identifier: MIT

import Integrity
import JSON
import ModelRuntime
import Platform

/// A temporary directory that goes away with its owner.
struct TemporaryDirectory: ~Copyable {
    let path: String

    init() throws {
        path = "/tmp/pdm-bundle-tests-\(UInt64.random(in: 0 ... .max))"
        try FileAccess.makeDirectory(path)
    }

    deinit { try? FileAccess.remove(path) }
}

/// The sample bundle on disk, to be damaged.
struct BundleFolder: ~Copyable {
    let directory: TemporaryDirectory
    let path: String

    init(_ contents: BundleContents? = nil) throws {
        let contents = try contents ?? BundleSample.contents()
        let directory = try TemporaryDirectory()
        path = try BundleWriter.write(contents, to: directory.path).path
        self.directory = directory
    }

    func read(_ name: String) throws -> [UInt8] { try FileAccess.read("\(path)/\(name)") }

    func write(_ bytes: [UInt8], _ name: String) throws {
        try FileAccess.write(bytes, to: "\(path)/\(name)")
    }

    func remove(_ name: String) throws { try FileAccess.remove("\(path)/\(name)") }

    /// Replaces a file and puts the sums right, as a writer would that makes such bundles.
    func replace(_ name: String, with bytes: [UInt8]) throws {
        try write(bytes, name)
        try sum()
    }

    /// Changes a JSON file by the pointer of an object's member, nil removing it.
    func set(_ keys: [String], in name: String, to value: JSONValue?) throws {
        let json = try JSONValue.parse(try read(name))
        try replace(name, with: (json.setting(keys[...], to: value) ?? json).serialized())
    }

    /// Writes SHA256SUMS anew over all files that are there.
    func sum() throws {
        var lines = ""
        for name in try FileAccess.list(path)
        where name != BundleFile.sums && name != BundleFile.signature {
            lines += "\(SHA256.digest(of: try read(name)).hex)  \(name)\n"
        }
        try write(Array(lines.utf8), BundleFile.sums)
    }

    /// Why the bundle is refused; nil where it loads.
    func refusal(limits: BundleLimits = BundleLimits()) -> BundleError? {
        do throws(BundleError) {
            _ = try BundleReader.load(path: path, limits: limits)
            return nil
        } catch {
            return error
        }
    }
}

extension JSONValue {
    /// The value with the member at the end of `keys` replaced; numbers step into arrays.
    func setting(_ keys: ArraySlice<String>, to value: JSONValue?) -> JSONValue? {
        guard let key = keys.first else { return value }
        switch self {
        case .object(var object):
            object[key] =
                keys.count == 1 ? value : object[key]?.setting(keys.dropFirst(), to: value)
            return .object(object)
        case .array(var elements):
            guard let index = Int(key) else { return self }
            if let element = elements[index].setting(keys.dropFirst(), to: value) {
                elements[index] = element
            } else {
                elements.remove(at: index)
            }
            return .array(elements)
        default: return self
        }
    }
}
