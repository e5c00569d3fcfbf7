# SPDX-License-Identifier: MIT
"""Lets system calls of a server fail for want of memory, and wants it to go on.

Usage: prove_faults.py SERVER BUNDLE CERTIFICATES

strace makes the calls fail, first all of a kind for a while, then one in seven. A client that the
fault hits may lose its connection; when the faults are over every request must be answered. That a
process gets no memory of its own is another matter: Linux ends it, and so does Swift.
"""

import os
import signal
import socket
import subprocess
import sys
import time

import wire_clients as wire

# Calls of each thread, in the order of what they are for.
FAULTS = {
    "accept4": "accept4:error=ENOMEM:when=2..40",
    "accept4, descriptors of the system": "accept4:error=ENFILE:when=2..40",
    "accept4, now and then": "accept4:error=ENOBUFS:when=2..120+7",
    "epoll_ctl": "epoll_ctl:error=ENOMEM:when=12..120+7",
    "recv": "recvfrom:error=ENOMEM:when=2..120+7",
    "send": "sendto:error=ENOMEM:when=2..120+7",
    "send, no buffers": "sendto:error=ENOBUFS:when=2..120+7",
    "write (TLS)": "write:error=ENOMEM:when=4..120+7",
}
CONNECTIONS = 40
SECONDS_MAX = 30


def start(program, bundle, certificates, fault):
    port, tls_port = wire.free_port(), wire.free_port()
    call = fault.split(":")[0]
    command = [
        "strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={fault}",
        program, "--port", str(port), "--tls-port", str(tls_port), "--model-dir", bundle,
        "--tls-certificate", f"{certificates}/server.pem", "--event-loops", "2",
        "--tls-key", f"{certificates}/server.key", "--log-level", "error",
    ]  # fmt: skip
    process = subprocess.Popen(command, start_new_session=True)
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex((wire.LOCALHOST, port)) == 0:
                return process, port, tls_port
        time.sleep(0.05)
    sys.exit("the server did not start")


def ask(port, authority):
    """Whether a request on a new connection is answered 200."""
    try:
        client = wire.HTTP1Client(port, authority)
        client.socket.settimeout(5)
        status, _ = client.ask(wire.http1_request())
        client.close()
        return status == 200
    except (OSError, wire.Lost):
        return False


def survives(program, bundle, certificates, fault):
    """How many of the requests were lost to the fault; what comes after must be answered."""
    process, port, tls_port = start(program, bundle, certificates, fault)
    authority = f"{certificates}/ca.pem"
    lost = 0
    begin = time.monotonic()
    try:
        in_a_row = 0
        while in_a_row < CONNECTIONS:
            if process.poll() is not None or time.monotonic() > begin + SECONDS_MAX:
                return None
            is_well = ask(port, None) and ask(tls_port, authority)
            lost += not is_well
            in_a_row = in_a_row + 1 if is_well else 0
        return lost
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=40)


def main():
    program, bundle, certificates = sys.argv[1:]
    is_well = True
    for name, fault in FAULTS.items():
        lost = survives(program, bundle, certificates, fault)
        is_well &= lost is not None
        print(f"{name:36} {'not survived' if lost is None else f'survived, {lost} lost'}")
    sys.exit(not is_well)


if __name__ == "__main__":
    main()
