// SPDX-License-Identifier: MIT

import JSON
import ModelRuntime
import Platform
import TestSupport
import Testing

struct SafeTensorsTests {
    private let tensors = [
        Tensor(name: "b", shape: [2, 3], values: [1, -2, 3.5, 0, -0.0, 1e-38]),
        Tensor(name: "a", shape: [1], values: [.infinity]),
        Tensor(name: "scalar", shape: [], values: [7]),
    ]

    @Test func readsWhatItWrote() throws {
        #expect(try SafeTensors.read(SafeTensors.write(tensors)) == tensors)
    }

    @Test func keepsNaN() throws {
        let bytes = SafeTensors.write([Tensor(name: "x", shape: [1], values: [.nan])])
        #expect(try SafeTensors.read(bytes)[0].values[0].isNaN)
    }

    @Test func writesAnAlignedHeaderAndLittleEndianData() {
        let bytes = SafeTensors.write([Tensor(name: "x", shape: [1], values: [1])])
        let header = #"{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#
        let padded = header + String(repeating: " ", count: (8 - header.utf8.count % 8) % 8)
        #expect(bytes[..<8] == [UInt8(padded.utf8.count), 0, 0, 0, 0, 0, 0, 0])
        #expect(String(decoding: bytes[8..<bytes.count - 4], as: UTF8.self) == padded)
        #expect(bytes.suffix(4) == [0, 0, 0x80, 0x3F])
    }

    /// Made by Fixtures/safetensors_sample.py with the reference implementation.
    @Test func readsAFileOfTheReferenceImplementation() throws {
        let tensors = try SafeTensors.read(try Fixture.read("safetensors_sample.safetensors"))
        #expect(Set(tensors.map(\.name)) == ["layers.0.weight", "layers.0.bias"])
        let weight = try #require(tensors.first { $0.name == "layers.0.weight" })
        #expect(weight.shape == [2, 3])
        #expect(weight.values == [0, 0.5, 1, 1.5, 2, 2.5])
        let bias = try #require(tensors.first { $0.name == "layers.0.bias" })
        #expect(bias.values == [-1, 1e-3, 65504])
    }

    @Test(arguments: [
        (#"{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 4),
        (
            #"{"__metadata__":{"a":"b"},"x":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}"#,
            4
        ),
        (#"{"x":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1],"data_offsets":[0,4]}}   "#, 4),
        (#"{}"#, 0),
    ])
    func accepts(header: String, dataByteCount: Int) throws {
        _ = try SafeTensors.read(file(header, dataByteCount))
    }

    @Test(arguments: [
        (#"[]"#, 0),
        (#"{"x":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}}"#, 4),
        (#"{"x":{"shape":[1],"data_offsets":[0,4]}}"#, 4),
        (#"{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, 4),
        (#"{"x":{"dtype":"F32","shape":[0],"data_offsets":[0,4]}}"#, 4),
        (#"{"x":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#, 4),
        (#"{"x":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}"#, 4),
        (#"{"x":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,4]}}"#, 4),
        (#"{"x":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}}"#, 4),
        (#"{"x":{"dtype":"F32","shape":[4294967296,1073741825],"data_offsets":[0,4]}}"#, 4),
        (#"{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 3),
        (#"{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 5),
        (#"{"x":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, 8),
        (#"{"x":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#, 4),
        (#"{"x":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}"#, 4),
        (#"{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}}"#, 4),
        (#"{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,9007199254740993]}}"#, 4),
        (
            #"{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"#
                + #""y":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 4
        ),
        (
            #"{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"#
                + #""y":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, 8
        ),
        (#"{"__metadata__":{"format":1}}"#, 0),
        (#"{"x":{"dtype":"F32","shape":[[1]],"data_offsets":[0,4]}}"#, 4),
        (
            #"{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"#
                + #""x":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, 8
        ),
        (#"{}"#, 1),
    ])
    func refuses(header: String, dataByteCount: Int) {
        #expect(throws: SafeTensorsError.self) {
            try SafeTensors.read(file(header, dataByteCount))
        }
    }

    @Test func refusesEveryTruncation() {
        let bytes = SafeTensors.write(tensors)
        for count in 0..<bytes.count {
            #expect(throws: SafeTensorsError.self, "\(count) bytes") {
                try SafeTensors.read(Array(bytes[..<count]))
            }
        }
    }

    @Test func refusesAHeaderLengthBeyondTheFile() {
        for byte in [0x7F, 0xFF] as [UInt8] {
            let bytes = [UInt8](repeating: byte, count: 8) + Array("{}".utf8)
            #expect(throws: SafeTensorsError.headerTooLong(limit: 1 << 20)) {
                try SafeTensors.read(bytes)
            }
        }
    }

    @Test func limitsHeaderAndTensors() throws {
        let bytes = SafeTensors.write(tensors)
        var limits = BundleLimits()
        limits.tensorsMax = 3
        limits.tensorHeaderBytesMax = Int(bytes[0]) | Int(bytes[1]) << 8
        _ = try SafeTensors.read(bytes, limits: limits)
        limits.tensorsMax = 2
        #expect(throws: SafeTensorsError.tensorCount(actual: 3, limit: 2)) {
            try SafeTensors.read(bytes, limits: limits)
        }
        limits.tensorHeaderBytesMax -= 1
        #expect(throws: SafeTensorsError.headerTooLong(limit: limits.tensorHeaderBytesMax)) {
            try SafeTensors.read(bytes, limits: limits)
        }
    }

    @Test func survivesDamage() {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SplitMix(seed: seed)
        let valid = SafeTensors.write(tensors)
        var refused = 0
        for _ in 0..<3000 {
            let bytes = random.damaged(valid)
            do throws(SafeTensorsError) {
                // What passes has to be whole: written again, it reads the same.
                let read = try SafeTensors.read(bytes)
                #expect(read.allSatisfy { $0.shape.reduce(1, *) == $0.values.count })
            } catch {
                refused += 1
            }
        }
        #expect(refused > 1000, "seed \(seed)")
    }

    private func file(_ header: String, _ dataByteCount: Int) -> [UInt8] {
        let text = Array(header.utf8)
        let length = (0..<8).map { UInt8(truncatingIfNeeded: text.count >> ($0 * 8)) }
        return length + text + [UInt8](repeating: 0, count: dataByteCount)
    }
}

/// Files beside the tests.
enum Fixture {
    static let path: String = {
        let components = #filePath.split(separator: "/").dropLast(2)
        return "/" + components.joined(separator: "/") + "/Fixtures"
    }()

    static func read(_ name: String) throws -> [UInt8] {
        try FileAccess.read("\(path)/\(name)")
    }
}

extension SplitMix {
    /// The bytes with a few changed, cut out, or doubled.
    mutating func damaged(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...4, using: &self) {
            guard !bytes.isEmpty else { return bytes }
            let index = Int.random(in: bytes.indices, using: &self)
            switch Int.random(in: 0..<5, using: &self) {
            case 0: bytes[index] = UInt8.random(in: 0...255, using: &self)
            case 1: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &self)
            case 2: bytes.remove(at: index)
            case 3:
                let end = min(index + Int.random(in: 1...16, using: &self), bytes.count)
                bytes.insert(contentsOf: Array(bytes[index..<end]), at: index)
            default:
                bytes[index] = Array("[]{},:\"0123456789-.e ".utf8).randomElement(using: &self) ?? 0
            }
        }
        return bytes
    }
}
