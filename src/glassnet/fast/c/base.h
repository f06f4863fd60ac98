/* What all share: vectors of the machine's width, and a thread's share of the work. */
#pragma once
#include <math.h>
#include <stdint.h>
#include <string.h>

#if defined(__AVX512F__)
#define LANES 16 /* floats in a vector register */
#elif defined(__AVX__)
#define LANES 8
#else
#define LANES 4
#endif

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 16")

typedef float vec __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

/* One of the threads that run the same function side by side. */
typedef struct {
    int64_t id, count;
    float *scratch; /* its own memory: see scratch_size */
} Thread;

typedef struct {
    int64_t begin, end;
} Range;

INLINE int64_t min64(int64_t a, int64_t b) { return a < b ? a : b; }

/* The thread's part of 0..n, in whole units. */
INLINE Range share(int64_t n, int64_t unit, Thread t) {
    int64_t units = (n + unit - 1) / unit;
    return (Range){min64(n, units * t.id / t.count * unit), min64(n, units * (t.id + 1) / t.count * unit)};
}

/* exp(x) to 1e-7: 2^n exp(r) with |r| <= ln(2) / 2, exp(r) by its Taylor series. Unlike expf, loops over it vectorise. */
INLINE float exp_(float x) {
    x = x > 88.0f ? 88.0f : x < -87.0f ? -87.0f : x; /* a NaN stays */
    float n = rintf(x * 1.44269504f);
    float r = (x - n * 0.693359375f) + n * 2.12194440e-4f; /* ln 2 in two parts, the first exact */
    float y = 1.0f / 5040;
    y = y * r + 1.0f / 720;
    y = y * r + 1.0f / 120;
    y = y * r + 1.0f / 24;
    y = y * r + 1.0f / 6;
    y = y * r + 0.5f;
    y = y * r + 1.0f;
    y = y * r + 1.0f;
    union {
        int32_t bits;
        float value;
    } power = {((int32_t)n + 127) << 23};
    return y * power.value;
}

INLINE float sigmoid(float x) { return 1.0f / (1.0f + exp_(-x)); }
