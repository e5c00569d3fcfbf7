#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Shows that a release server answers /predict without a heap allocation: 10,000 requests for
machines that it knows, on one connection and on 32 at a time, and not one call of malloc and its
kin by the event loop.

A small library is compiled and preloaded that counts such calls by thread. That it counts at all is
shown by a scrape of /metrics, which does allocate. Skipped, and said so, without a C compiler.

    scripts/check_allocations.py SERVER MODEL_DIR
"""

import contextlib
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REQUESTS = 10_000
CONNECTIONS = 32
MACHINES = 200
SLOTS = 256
LIBRARY = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

// One slot for each thread: its id and its count, in a file that the checker reads.
struct slot { long thread, count; };
static struct slot *slots;
static int taken;
static __thread struct slot *mine __attribute__((tls_model("initial-exec")));

static void count(void) {
    if (!slots) return;
    if (!mine) {
        int next = __atomic_fetch_add(&taken, 1, __ATOMIC_RELAXED);
        if (next >= SLOTS) abort();
        mine = &slots[next];
        mine->thread = syscall(SYS_gettid);
    }
    mine->count++;
}

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("ALLOCATIONS_FILE");
    int file = path ? open(path, O_RDWR) : -1;
    if (file < 0) abort();
    void *map = mmap(0, SLOTS * sizeof(struct slot), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (map == MAP_FAILED) abort();
    slots = map;
}

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
void *malloc(size_t size) { count(); return __libc_malloc(size); }
void *calloc(size_t n, size_t size) { count(); return __libc_calloc(n, size); }
void *realloc(void *old, size_t size) { count(); return __libc_realloc(old, size); }
void *memalign(size_t border, size_t size) { count(); return __libc_memalign(border, size); }
void *aligned_alloc(size_t border, size_t size) { count(); return __libc_memalign(border, size); }
int posix_memalign(void **out, size_t border, size_t size) {
    count();
    *out = __libc_memalign(border, size);
    return *out ? 0 : ENOMEM;
}
"""


def compile_library(folder):
    source, library = Path(folder, "count.c"), Path(folder, "count.so")
    source.write_text(LIBRARY)
    command = [shutil.which("cc"), "-O1", "-shared", "-fPIC", f"-DSLOTS={SLOTS}"]
    subprocess.run([*command, "-o", library, source], check=True)
    return library


def start(server, models, library, folder):
    """The server with one event loop, and its port."""
    counts, log = Path(folder, "counts"), Path(folder, "log")
    counts.write_bytes(bytes(16 * SLOTS))
    environment = dict(os.environ, LD_PRELOAD=str(library), ALLOCATIONS_FILE=str(counts))
    command = [server, "--port", "0", "--event-loops", "1", "--model-dir", models]
    process = subprocess.Popen(command, env=environment, stderr=log.open("w"))
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        for line in log.read_text().splitlines(keepends=True):
            if line.endswith("\n") and json.loads(line).get("event") == "listening":
                return process, json.loads(line)["port"], counts
        time.sleep(0.02)
    process.kill()
    sys.exit(f"the server did not start: {log.read_text()}")


def counts_by_thread(path):
    pairs = struct.iter_unpack("ll", path.read_bytes())
    return {thread: count for thread, count in pairs if thread}


def work_by_thread(process):
    """Nanoseconds that each thread has run."""
    tasks = Path(f"/proc/{process.pid}/task").iterdir()
    return {int(task.name): int((task / "schedstat").read_text().split()[0]) for task in tasks}


def receive_answer(connection):
    """Reads an answer to its end; it has to be 200."""
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += receive(connection)
    head, _, body = answer.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].split()[0])
    while len(body) < length:
        body += receive(connection)
    if not head.startswith(b"HTTP/1.1 200 "):
        sys.exit(f"answered {answer!r}")


def receive(connection):
    data = connection.recv(65536)
    if not data:
        sys.exit("the server closed the connection")
    return data


def reading(number):
    """A request; no value of a machine comes twice in a row, which would be flagged."""
    body = json.dumps({
        "equipment_id": f"EQ{number % MACHINES:06}", "temperature": 85.5 + number % 7 / 10,
        "vibration": 2.3 + number % 5 / 100, "pressure": 95.0 + number % 3,
        "rotation_speed": 1350 + number % 11, "current": 22.5 + number % 13 / 10,
        "operating_hours": 1500 + number,
    })
    head = "POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()


def predict(connections, first, count):
    """Sends so many readings, one on each connection at a time, and reads the answers."""
    for start in range(first, first + count, len(connections)):
        for place, connection in enumerate(connections):
            connection.sendall(reading(start + place))
        for connection in connections:
            receive_answer(connection)


def predict_at_once(connections, process):
    """Has the server find a reading on each connection in one turn, the most there can be."""
    process.send_signal(signal.SIGSTOP)
    for place, connection in enumerate(connections):
        connection.sendall(reading(place))
    process.send_signal(signal.SIGCONT)
    for connection in connections:
        receive_answer(connection)


def count(connections, process, path):
    """The event loop's allocations for the requests and for a scrape."""
    predict(connections, 0, 10 * MACHINES)
    predict_at_once(connections, process)
    counts, work = counts_by_thread(path), work_by_thread(process)
    predict(connections, 10 * MACHINES, REQUESTS)
    # The event loop is what has worked meanwhile.
    worked = {thread: now - work.get(thread, 0) for thread, now in work_by_thread(process).items()}
    thread = max(worked, key=worked.get)
    during = counts_by_thread(path).get(thread, 0) - counts.get(thread, 0)
    connections[0].sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
    receive_answer(connections[0])
    return during, counts_by_thread(path).get(thread, 0) - counts.get(thread, 0) - during


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    if not shutil.which("cc"):
        print("SKIPPED: no C compiler, so allocations of /predict are not counted")
        return
    with tempfile.TemporaryDirectory() as folder:
        library = compile_library(folder)
        process, port, path = start(sys.argv[1], sys.argv[2], library, folder)
        with contextlib.ExitStack() as stack:
            stack.callback(process.wait, 60)
            stack.callback(process.terminate)
            address = ("127.0.0.1", port)
            connections = [
                stack.enter_context(socket.create_connection(address, timeout=10))
                for _ in range(CONNECTIONS)
            ]
            results = [count(some, process, path) for some in (connections[:1], connections)]
    for number, (during, scrape) in zip((1, CONNECTIONS), results, strict=True):
        if scrape == 0:
            sys.exit("the counter counts nothing: a scrape must allocate")
        if during > 0:
            sys.exit(
                f"{during} allocations in {REQUESTS} requests on {number} connections;"
                " there may be none"
            )
        print(
            f"no allocation in {REQUESTS} requests of /predict on {number} connections"
            f" (a scrape of /metrics: {scrape})"
        )


if __name__ == "__main__":
    main()
