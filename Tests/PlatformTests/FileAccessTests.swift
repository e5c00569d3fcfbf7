// SPDX-License-Identifier: MIT

import Glibc
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

    /// Nanoseconds since 1970 of years before 1677 and after 2262 fit into no 64 bits.
    @Test(arguments: [9_300_000_000, -9_300_000_000, 1 << 40])
    func looksAtFilesOfAnyTime(seconds: Int) throws {
        // In memory, where every time is kept as it is.
        let directory = "/dev/shm/platform-tests-\(UInt64.random(in: 0 ... .max))"
        try FileAccess.makeDirectory(directory)
        defer { try? FileAccess.remove(directory) }
        let path = "\(directory)/file"
        try FileAccess.write([7], to: path)
        let times = [timespec(tv_sec: seconds, tv_nsec: 5), timespec(tv_sec: seconds, tv_nsec: 5)]
        try #require(unsafe utimensat(AT_FDCWD, path, times, 0) == 0)
        let found = try #require(try FileAccess.status(of: path))
        #expect(found.modifiedNanoseconds == Int64(seconds) &* 1_000_000_000 &+ 5)
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
