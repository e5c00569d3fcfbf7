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

    /// A folder with a pipe that nobody writes to or reads from.
    private func makePipe() throws -> String {
        try FileAccess.makeDirectory(directory)
        let path = "\(directory)/pipe"
        // SAFETY: Swift passes the string NUL-terminated for the call.
        try #require(unsafe mkfifo(path, 0o600) == 0)
        return path
    }

    private func link(_ name: String, to target: String) throws -> String {
        let path = "\(directory)/\(name)"
        // SAFETY: Swift passes both strings NUL-terminated for the call.
        try #require(unsafe symlink(target, path) == 0)
        return path
    }

    @Test func waitsForNoPipe() throws {
        let pipe = try makePipe()
        defer { try? FileAccess.remove(directory) }
        let link = try link("link", to: "pipe")
        for path in [pipe, link, directory] {
            let error = FileError.notRegular(path: path)
            #expect(throws: error) { try FileAccess.readRegular(path) }
            #expect(throws: error) { try FileAccess.requireRegular(path) }
        }
        #expect(throws: FileError.self) { _ = try AppendFile(pipe) }
        // With a reader it could be opened, and is not what the caller means.
        // SAFETY: as above; the descriptor is closed with its owner.
        let reader = FileDescriptor(owning: unsafe open(pipe, O_RDONLY | O_NONBLOCK))
        #expect(throws: FileError.notRegular(path: pipe)) { _ = try AppendFile(pipe) }
        #expect(reader.rawValue >= 0)
        #expect(throws: FileError.self) { try FileAccess.readRegular("\(directory)/none") }
        try FileAccess.requireRegular("\(directory)/none")
        try FileAccess.write([1, 2], to: "\(directory)/file")
        #expect(try FileAccess.readRegular("\(directory)/file", byteCountMax: 2) == [1, 2])
    }

    @Test func takesNoPipeAway() throws {
        let pipe = try makePipe()
        defer { try? FileAccess.remove(directory) }
        let link = try link("link", to: "pipe")
        for path in [pipe, link] {
            let error = FileError.notRegular(path: path)
            #expect(throws: error) { try FileAccess.replace(path, with: [1]) }
            #expect(throws: error) { _ = try FileWriter(path) }
            #expect(error.description == "\(path): not a regular file")
        }
        #expect(try FileAccess.list(directory) == ["link", "pipe"])
        #expect(try FileAccess.status(of: pipe)?.isRegularFile == false)
    }

    @Test func replacesWhatALinkNames() throws {
        try FileAccess.makeDirectory("\(directory)/a")
        defer { try? FileAccess.remove(directory) }
        let far = try link("far", to: "\(directory)/a/near")
        _ = try link("a/near", to: "file")
        // The first makes the file that the links lead to.
        for bytes: [UInt8] in [[1], [2, 3]] {
            try FileAccess.replace(far, with: bytes)
            #expect(try FileAccess.read("\(directory)/a/file") == bytes)
        }
        let writer = try FileWriter(far)
        try writer.append([4])
        try writer.commit()
        #expect(try FileAccess.read("\(directory)/a/file") == [4])
        #expect(try FileAccess.list("\(directory)/a") == ["file", "near"])
        // A link that is still one can be pointed elsewhere.
        try FileAccess.remove("\(directory)/a/file")
        #expect(try FileAccess.status(of: far) == nil)
    }

    @Test func linksInACircleLeadNowhere() throws {
        try FileAccess.makeDirectory(directory)
        defer { try? FileAccess.remove(directory) }
        let circle = try link("circle", to: "circle")
        #expect(try FileAccess.status(of: circle) == nil)
        let error = FileError.system(
            path: circle,
            SystemError(call: "readlink", errno: ELOOP)
        )
        #expect(throws: error) { try FileAccess.replace(circle, with: [1]) }
    }

    @Test func knowsTheSameDirectoryByTwoNames() throws {
        try FileAccess.makeDirectory("\(directory)/a")
        defer { try? FileAccess.remove(directory) }
        let link = try link("link", to: "a")
        #expect(FileAccess.isSame(link, "\(directory)/a"))
        #expect(!FileAccess.isSame(link, directory))
        #expect(!FileAccess.isSame("\(directory)/none", "\(directory)/none"))
    }

    @Test(arguments: [("a", "."), ("/a", "/"), ("a/b/", "a"), ("/a/b", "/a"), ("/", "/")])
    func findsTheParent(path: String, parent: String) {
        #expect(FileAccess.parent(of: path) == parent)
    }
}
