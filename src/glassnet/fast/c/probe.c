/* Which of the builds in a wheel this processor can run, best first. A library of its own, built for the oldest processor. */
#if defined(__x86_64__)
#include <cpuid.h>

/* The bits of cpuid that belong to a level beyond the one before: of leaf 1, of leaf 7, and of leaf 0x80000001. */
#define V3_1 (bit_SSE3 | bit_SSSE3 | bit_FMA | bit_CMPXCHG16B | bit_SSE4_1 | bit_SSE4_2 | bit_MOVBE | bit_POPCNT | \
              bit_OSXSAVE | bit_AVX | bit_F16C)
#define V3_7 (bit_BMI | bit_AVX2 | bit_BMI2)
#define V3_EXTENDED (bit_LAHF_LM | bit_LZCNT)
#define V4_7 (bit_AVX512F | bit_AVX512DQ | bit_AVX512CD | bit_AVX512BW | bit_AVX512VL)
/* Registers that the system saves: of SSE and AVX, and those of AVX-512. */
#define V3_SAVED 0x06u
#define V4_SAVED 0xe6u

static int all(unsigned bits, unsigned wanted) { return (bits & wanted) == wanted; }

const char *levels(void) {
    unsigned a, b, c1, c8, b7, d, saved;
    if (!__get_cpuid(1, &a, &b, &c1, &d) || !all(c1, V3_1)) return "x86-64";
    if (!__get_cpuid_count(7, 0, &a, &b7, &c8, &d) || !all(b7, V3_7)) return "x86-64";
    if (!__get_cpuid(0x80000001, &a, &b, &c8, &d) || !all(c8, V3_EXTENDED)) return "x86-64";
    __asm__ volatile("xgetbv" : "=a"(saved), "=d"(d) : "c"(0));
    if (!all(saved, V3_SAVED)) return "x86-64";
    return all(b7, V4_7) && all(saved, V4_SAVED) ? "x86-64-v4 x86-64-v3 x86-64" : "x86-64-v3 x86-64";
}
#else
const char *levels(void) { return "aarch64"; }
#endif
