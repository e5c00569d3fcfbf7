// SPDX-License-Identifier: MIT

import Platform
import Testing

struct FileAccessTests {
    private let directory = "/tmp/platform-tests-\(UInt64.random(in: 0 ... .max))"

    @Test func writesReplacesListsAndRemoves() throws {
        try FileAccess.makeDirectory("\(directory)/a/b")
        defer { try? FileAccess.remove(directory) }
        try FileAccess.write([1, 2, 3], to: "\(directory)/a/file")
        try FileAccess.replace("\(directory)/a/file", with: [4])
        #expect(try FileAccess.read("\(directory)/a/file") == [4])
        #expect(try FileAccess.list("\(directory)/a") == ["b", "file"])
        try FileAccess.remove("\(directory)/a")
        #expect(try FileAccess.status(of: "\(directory)/a") == nil)
    }

    @Test func readsUpToTheLimitAndRefusesOneByteMore() throws {
        try FileAccess.makeDirectory(directory)
        defer { try? FileAccess.remove(directory) }
        let path = "\(directory)/file"
        try FileAccess.write([UInt8](repeating: 7, count: 100), to: path)
        #expect(try FileAccess.read(path, byteCountMax: 100).count == 100)
        #expect(throws: FileError.tooLarge(path: path, limit: 99)) {
            try FileAccess.read(path, byteCountMax: 99)
        }
    }

    @Test func namesThePathAndTheCallThatFailed() throws {
        let error = #expect(throws: FileError.self) { try FileAccess.read("\(directory)/none") }
        #expect(error?.description.contains("\(directory)/none: open: No such file") == true)
    }

    @Test(arguments: [("a", "."), ("/a", "/"), ("a/b/", "a"), ("/a/b", "/a"), ("/", "/")])
    func findsTheParent(path: String, parent: String) {
        #expect(FileAccess.parent(of: path) == parent)
    }
}
