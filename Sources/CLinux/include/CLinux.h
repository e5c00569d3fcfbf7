// SPDX-License-Identifier: MIT
// Linux calls that Swift's Glibc module does not export. Header only.
#pragma once
// Without _GNU_SOURCE: Swift's Glibc module is built without it, and two definitions of fd_set in
// one program are refused by the module loader. What it would have given is declared here.
#include <fcntl.h>
#include <linux/filter.h>
#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include "X86Level.h"

int accept4(int, struct sockaddr *, socklen_t *, int);
int sched_getaffinity(pid_t, size_t, cpu_set_t *);

// recv and send as glibc has them, but for one thing: they are no cancellation points, which in a
// program with threads cost two atomic operations a call. We cancel no threads.
ssize_t pdm_recv(int, void *, size_t, int);
ssize_t pdm_send(int, const void *, size_t, int);
