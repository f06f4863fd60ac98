/* What all share: the number type, vectors of the machine's width, exp, and a thread's share of the work.

The sources are compiled to one library for float and, with -DDOUBLE, to another for double. tgmath.h makes sqrt, log
and the like those of their argument's type. */
#pragma once
#include <stdint.h>
#include <string.h>
#include <tgmath.h>

#ifdef DOUBLE
typedef double real;
typedef uint64_t bits; /* of a real */
#define SIZE 8         /* bytes of a real */
#else
typedef float real;
typedef uint32_t bits;
#define SIZE 4
#endif

#if defined(__AVX512F__)
#define BYTES_OF_VECTOR 64
#define VECTORS "AVX-512"
#elif defined(__AVX2__)
#define BYTES_OF_VECTOR 32
#define VECTORS "AVX2"
#elif defined(__AVX__)
#define BYTES_OF_VECTOR 32
#define VECTORS "AVX"
#else
#define BYTES_OF_VECTOR 16
#if defined(__aarch64__)
#define VECTORS "NEON"
#else
#define VECTORS "SSE"
#endif
#endif
#define LANES (BYTES_OF_VECTOR / SIZE) /* reals in a vector register */

/* A table is a macro TABLE(X) that says X(name, ...) of each of its kinds: `enum { TABLE(KIND) }` numbers them, and
TABLE(NAME) are their names, by which structures.py finds the numbers. */
#define KIND(name, ...) KIND_##name,
#define NAME(name, ...) #name " "

#define INLINE static inline __attribute__((always_inline))
/* UNROLL: a loop of so few turns that they are written out. APART: what this loop writes, no other turn of it reads, so
that the compiler needn't make sure. (clang would do it at run time, and go one by one where a layer works in place.) */
#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#define APART _Pragma("clang loop vectorize(assume_safety)")
#else
#define UNROLL _Pragma("GCC unroll 32")
#define APART _Pragma("GCC ivdep")
#endif

typedef real vec __attribute__((vector_size(SIZE * LANES), aligned(SIZE), may_alias));
typedef bits bit_vec __attribute__((vector_size(SIZE * LANES), aligned(SIZE), may_alias));

/* One of the threads that run the same function side by side. */
typedef struct {
    int64_t id, count;
    real *scratch; /* its own memory: see scratch_size */
} Thread;

typedef struct {
    int64_t begin, end;
} Range;

INLINE int64_t min64(int64_t a, int64_t b) { return a < b ? a : b; }
INLINE int64_t max64(int64_t a, int64_t b) { return a > b ? a : b; }

INLINE int64_t rounded_up(int64_t n, int64_t unit) { return (n + unit - 1) / unit * unit; }

/* The thread's part of 0..n, in whole units. */
INLINE Range share(int64_t n, int64_t unit, Thread t) {
    int64_t units = (n + unit - 1) / unit;
    return (Range){min64(n, units * t.id / t.count * unit), min64(n, units * (t.id + 1) / t.count * unit)};
}

/* For exp: how many terms its series takes, its domain, ln 2 in two parts, of which the first times n is exact, and
the bits of a real. */
#ifdef DOUBLE
enum { TERMS = 13, MANTISSA = 52, BIAS = 1023 };
static const real LOWEST = -708, HIGHEST = 709, LN2_HIGH = 6.93147180369123816490e-01, LN2_LOW = 1.90821492927058770002e-10;
#else
enum { TERMS = 7, MANTISSA = 23, BIAS = 127 };
static const real LOWEST = -87, HIGHEST = 88, LN2_HIGH = 0.693359375f, LN2_LOW = -2.12194440e-4f;
#endif

/* x = n ln 2 + r with |r| <= ln(2) / 2, so that exp(x) = 2^n exp(r). */
typedef struct {
    real r, power; /* 2^n */
} Reduced;

INLINE Reduced reduce(real x) {
    x = x > HIGHEST ? HIGHEST : x < LOWEST ? LOWEST : x; /* a NaN stays */
    real n = rint(x * (real)1.4426950408889634);
    union {
        real value;
        bits bits;
    } power = {n + (real)1.5 * (real)((bits)1 << MANTISSA)}; /* its last bits are those of n */
    power.bits = (power.bits + BIAS) << MANTISSA;
    return (Reduced){(x - n * LN2_HIGH) - n * LN2_LOW, power.value};
}

/* (exp(r) - 1) / r = 1 + r / 2 + r^2 / 6 + ... */
INLINE real series(real r) {
    static const double factorials[] = {1, 1, 2, 6, 24, 120, 720, 5040, 40320, 362880, 3628800, 39916800, 479001600, 6227020800};
    real y = 1 / (real)factorials[TERMS];
    UNROLL for (int n = TERMS - 1; n > 0; n--) y = y * r + 1 / (real)factorials[n];
    return y;
}

/* exp(x) to the last bit or two. Unlike the C library's, loops over it vectorise. */
INLINE real exp_(real x) {
    Reduced a = reduce(x);
    return (series(a.r) * a.r + 1) * a.power;
}

INLINE real sigmoid(real x) { return 1 / (1 + exp_(-x)); }
