/* NumPy's random numbers, so that equal seeds make equal networks here and there: SeedSequence, PCG64, standard_normal of
float32, and the order of Generator.permutation. */
#pragma once
#include "base.h"

typedef unsigned __int128 word;

typedef struct {
    word state, increment;
    uint32_t kept; /* the upper half of the latest number, if only the lower one was taken */
    int has_kept;
} Random;

static uint32_t hashed(uint32_t value, uint32_t *constant, uint32_t factor) {
    value ^= *constant;
    value *= *constant *= factor;
    return value ^ value >> 16;
}

static uint32_t mixed(uint32_t x, uint32_t y) {
    uint32_t z = 0xca01f9dd * x - 0x4973f715 * y;
    return z ^ z >> 16;
}

/* SeedSequence(seed).generate_state(n, uint64) of a list of n_seed numbers below 2^32. (M. O'Neill 2015, randutils) */
static void seed_sequence(const uint32_t *seed, int64_t n_seed, uint64_t *out, int n) {
    uint32_t pool[4], constant = 0x43b0d7e5, a = 0x931e8875;
    for (int i = 0; i < 4; i++) pool[i] = hashed(i < n_seed ? seed[i] : 0, &constant, a);
    for (int from = 0; from < 4; from++)
        for (int to = 0; to < 4; to++)
            if (from != to) pool[to] = mixed(pool[to], hashed(pool[from], &constant, a));
    for (int64_t from = 4; from < n_seed; from++)
        for (int to = 0; to < 4; to++) pool[to] = mixed(pool[to], hashed(seed[from], &constant, a));
    constant = 0x8b51f9dd;
    for (int i = 0; i < 2 * n; i++) {
        uint64_t half = hashed(pool[i % 4], &constant, 0x58f38ded);
        out[i / 2] = i % 2 ? out[i / 2] | half << 32 : half;
    }
}

/* PCG XSL RR 128/64. (M. O'Neill 2014, HMC-CS-2014-0905) */
static uint64_t next64(Random *r) {
    r->state = r->state * ((word)0x2360ed051fc65da4 << 64 | 0x4385df649fccf645) + r->increment;
    uint64_t value = (uint64_t)(r->state >> 64) ^ (uint64_t)r->state;
    int turn = (int)(r->state >> 122);
    return value >> turn | value << (-turn & 63);
}

static uint32_t next32(Random *r) {
    if (r->has_kept) return r->has_kept = 0, r->kept;
    uint64_t value = next64(r);
    r->kept = (uint32_t)(value >> 32), r->has_kept = 1;
    return (uint32_t)value;
}

/* default_rng(seed). */
static Random seeded(const uint32_t *seed, int64_t n_seed) {
    uint64_t s[4];
    seed_sequence(seed, n_seed, s, 4);
    Random r = {0, ((word)s[2] << 64 | s[3]) << 1 | 1, 0, 0};
    next64(&r);
    r.state += (word)s[0] << 64 | s[1];
    next64(&r);
    return r;
}

/* rng.permutation(n) */
static void permuted(Random *r, int64_t n, int64_t *out) {
    for (int64_t i = 0; i < n; i++) out[i] = i;
    for (int64_t i = n - 1; i > 0; i--) {
        uint32_t mask = 0xffffffff >> __builtin_clz((uint32_t)i), j;
        while ((j = next32(r) & mask) > (uint32_t)i) {}
        int64_t other = out[j];
        out[j] = out[i], out[i] = other;
    }
}

#define STRIPS 256 /* of the ziggurat, under the curve exp(-x^2 / 2) */
static const double TAIL = 3.6541528853610088, STRIP_AREA = 0.00492867323399; /* of the base strip: where the tail begins */

typedef struct {
    uint32_t inside[STRIPS];
    float width[STRIPS], height[STRIPS];
} Ziggurat;

/* After Doornik 2005, "An improved ziggurat method to generate normal random samples". */
static Ziggurat ziggurat(void) {
    Ziggurat z;
    const double scale = 8388608; /* 2^23 */
    double x = TAIL, before = TAIL;
    z.inside[0] = (uint32_t)(TAIL * exp(-TAIL * TAIL / 2) / STRIP_AREA * scale);
    z.width[0] = (float)(STRIP_AREA / exp(-TAIL * TAIL / 2) / scale), z.height[0] = 1;
    z.inside[1] = 0;
    z.width[STRIPS - 1] = (float)(TAIL / scale), z.height[STRIPS - 1] = (float)exp(-TAIL * TAIL / 2);
    for (int i = STRIPS - 2; i > 0; i--) {
        x = sqrt(-2 * log(STRIP_AREA / x + exp(-x * x / 2)));
        z.inside[i + 1] = (uint32_t)(x / before * scale);
        before = x;
        z.width[i] = (float)(x / scale), z.height[i] = (float)exp(-x * x / 2);
    }
    return z;
}

static float uniform(Random *r) { return (float)(next32(r) >> 8) * (1.0f / 16777216.0f); }

static float beyond_tail(Random *r, int negative) {
    for (;;) {
        float x = (float)(-1 / TAIL) * log1pf(-uniform(r)), y = -log1pf(-uniform(r));
        if (y + y > x * x) return negative ? -((float)TAIL + x) : (float)TAIL + x;
    }
}

/* rng.standard_normal(dtype=float32) */
static float normal(Random *r, const Ziggurat *z) {
    for (;;) {
        uint32_t drawn = next32(r), strip = drawn & 0xff, place = drawn >> 9 & 0x7fffff;
        float x = (float)place * z->width[strip];
        if (drawn >> 8 & 1) x = -x;
        if (place < z->inside[strip]) return x;
        if (strip == 0) return beyond_tail(r, place >> 8 & 1);
        float drop = z->height[strip - 1] - z->height[strip];
        if (drop * uniform(r) + z->height[strip] < exp(-0.5 * (double)x * (double)x)) return x;
    }
}
