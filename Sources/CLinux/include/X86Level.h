// SPDX-License-Identifier: MIT
// The x86-64 microarchitecture level of this CPU and system.
#pragma once

// 1, 3 or 4, or 0 on other processors. Every feature that -march=x86-64-v3 or -v4 turns on is
// checked, and that the system saves the registers: the compiler may use any of them.
// (/proc/cpuinfo is wrong under emulation.)
int pdm_x86_level(void);
