// SPDX-License-Identifier: MIT
#include "X86Level.h"

#if defined(__x86_64__)
#include <cpuid.h>

static int has(unsigned value, unsigned mask) { return (value & mask) == mask; }

int pdm_x86_level(void) {
    unsigned a, b, c, d, features, extended;
    if (!__get_cpuid(1, &a, &b, &features, &d)) return 1;
    // FMA 12, CX16 13, SSE4.1 19, SSE4.2 20, MOVBE 22, POPCNT 23, OSXSAVE 27, AVX 28, F16C 29;
    // SSE3 0 and SSSE3 9 belong to v2.
    if (!has(features, 1u << 0 | 1u << 9 | 1u << 12 | 1u << 13 | 1u << 19 | 1u << 20 | 1u << 22
                           | 1u << 23 | 1u << 27 | 1u << 28 | 1u << 29)) return 1;
    unsigned low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    if (!has(low, 0x6)) return 1;
    if (!__get_cpuid_count(7, 0, &a, &extended, &c, &d)) return 1;
    // BMI1 3, AVX2 5, BMI2 8.
    if (!has(extended, 1u << 3 | 1u << 5 | 1u << 8)) return 1;
    // LAHF 0, LZCNT 5.
    if (!__get_cpuid(0x80000001, &a, &b, &c, &d) || !has(c, 1u << 0 | 1u << 5)) return 1;
    // F 16, DQ 17, CD 28, BW 30, VL 31 of AVX-512; the system saves mask and upper registers.
    if (!has(extended, 1u << 16 | 1u << 17 | 1u << 28 | 1u << 30 | 1u << 31)) return 3;
    return has(low, 0xe6) ? 4 : 3;
}
#else
int pdm_x86_level(void) { return 0; }
#endif
