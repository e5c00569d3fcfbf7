// SPDX-License-Identifier: MIT

internal import Glibc
internal import Metrics
internal import Platform

/// The process metrics that Prometheus' client libraries agree on.
enum ProcessMetrics {
    static func register(in registry: Registry) {
        let start = Double(WallClock.system.nowMicroseconds) / 1e6
        registry.function(
            "process_cpu_seconds_total",
            help: "Processor time of the process, user and system.",
            kind: .counter
        ) { cpuSeconds }
        registry.derived(
            from: { ProcessMemory.size },
            [
                DerivedMetric(
                    "process_resident_memory_bytes",
                    help: "Memory of the process that is in RAM."
                ) { Double($0.residentByteCount) },
                DerivedMetric(
                    "process_virtual_memory_bytes",
                    help: "Address space of the process."
                ) { Double($0.virtualByteCount) },
            ]
        )
        registry.function("process_open_fds", help: "Open file descriptors.") { openDescriptors }
        registry.function("process_max_fds", help: "Limit of open file descriptors.") {
            descriptorsMax
        }
        registry.function(
            "process_start_time_seconds",
            help: "When the service started, seconds since the epoch."
        ) { start }
    }

    static var cpuSeconds: Double {
        var usage = rusage()
        // SAFETY: `usage` is a valid rusage for the duration of the call.
        guard unsafe getrusage(RUSAGE_SELF.rawValue, &usage) == 0 else { return 0 }
        return seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }

    private static var openDescriptors: Double {
        let path = "/proc/self/fd"
        // Since Linux 6.2 the folder's size is the number of its entries.
        if let status = try? FileAccess.status(of: path), status.byteCount > 0 {
            return Double(status.byteCount)
        }
        // Without the descriptor of this look.
        return Double(max(0, ((try? FileAccess.list(path).count) ?? 0) - 1))
    }

    private static var descriptorsMax: Double {
        var limit = rlimit()
        // SAFETY: `limit` is a valid rlimit for the duration of the call.
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            return 0
        }
        return Double(limit.rlim_cur)
    }

    private static func seconds(_ time: timeval) -> Double {
        Double(time.tv_sec) + Double(time.tv_usec) * 1e-6
    }
}
