/* The products of a dense layer with terms rounded to bfloat16 and sums in float32, by a processor's matrix unit (Intel's
AMX: Architectures Software Developer's Manual, volume 1, chapter 18).

Its instruction adds, to 16 x 16 sums, the products of 16 lines of 32 terms and 16 columns of 32 terms. Lines lie as in
memory. Columns lie in pairs: two terms of each of the 16 columns, then the next two. Transposing 16 x 16 pairs turns the
one into the other, so that either matrix may be taken transposed. */
#pragma once
#include "base.h"
#include "optimizers.h"

#if !defined(DOUBLE) && defined(__x86_64__) && defined(__linux__) && (defined(__clang__) || __GNUC__ >= 11)
#include <cpuid.h>
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MATRIX_UNIT __attribute__((target("avx512f,avx512bw,avx512bf16,amx-tile,amx-bf16")))
#define SIDE 16          /* lines, or columns, of a tile */
#define DEPTH 32         /* terms */
#define EDGE (2 * SIDE)  /* lines and columns of four tiles, which are summed together */
#define DEEP 1024        /* rows of a batch that are packed together */
#define LINES 512        /* lines of the left matrix */

typedef uint32_t Pair; /* of bfloat16 */
typedef Pair pairs __attribute__((vector_size(64), aligned(4), may_alias));

/* Whether this process may use the matrix unit: the processor has one, and the system keeps its registers. */
int64_t has_matrix_unit(void) {
    unsigned a, b, c, d, feature = 18 /* XTILEDATA */, permission = 0x1023 /* ARCH_REQ_XCOMP_PERM */;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(d >> 22 & 1) || !(d >> 24 & 1)) return 0; /* AMX-BF16, AMX-TILE */
    if (!__get_cpuid_count(7, 1, &a, &b, &c, &d) || !(a >> 5 & 1)) return 0;                    /* AVX512-BF16 */
    return syscall(SYS_arch_prctl, permission, feature) == 0;
}

/* Two rows of 16 numbers, of which so many are there, as pairs: each column's two. */
MATRIX_UNIT static inline pairs paired(const float *first, const float *second, int64_t there) {
    static const uint16_t order[32] = {0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23,
                                       8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
    __mmask16 some = (__mmask16)(there >= SIDE ? 0xffff : (1 << there) - 1);
    __m512 low = _mm512_maskz_loadu_ps(some, first), high = second ? _mm512_maskz_loadu_ps(some, second) : _mm512_setzero_ps();
    return (pairs)_mm512_permutexvar_epi16(_mm512_loadu_si512(order), (__m512i)_mm512_cvtne2ps_pbh(high, low));
}

/* 32 numbers of a line, of which so many are there, as its pairs. */
MATRIX_UNIT static inline pairs lined(const float *line, int64_t there) {
    __mmask32 some = there >= DEPTH ? 0xffffffffu : (1u << there) - 1;
    __m512 low = _mm512_maskz_loadu_ps((__mmask16)some, line);
    __m512 high = _mm512_maskz_loadu_ps((__mmask16)(some >> 16), line + SIDE);
    return (pairs)_mm512_cvtne2ps_pbh(high, low);
}

#define LOW_PAIRS(a, b) __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define HIGH_PAIRS(a, b) __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)

/* Transpose 16 x 16 pairs: four times, interleave the rows' first half with their second half. */
MATRIX_UNIT static inline void transpose_pairs(pairs *rows) {
    pairs next[SIDE];
    UNROLL for (int step = 1; step < SIDE; step *= 2) {
        UNROLL for (int i = 0; i < SIDE / 2; i++) {
            next[2 * i] = LOW_PAIRS(rows[i], rows[i + SIDE / 2]);
            next[2 * i + 1] = HIGH_PAIRS(rows[i], rows[i + SIDE / 2]);
        }
        UNROLL for (int i = 0; i < SIDE; i++) rows[i] = next[i];
    }
}

/* Pack `count` <= 16 lines of n terms into tiles, one for each 32 terms, zeros where nothing is. Line i has its term p at
a[i * ld + p], or, across, at a[p * ld + i]. in_lines: the tile's rows are the lines; otherwise the pairs of terms. */
MATRIX_UNIT static void pack_tiles(const float *a, int64_t ld, int across, int in_lines, int64_t count, int64_t n, Pair *to) {
    pairs rows[SIDE];
    for (int64_t p = 0; p < n; p += DEPTH, to += SIDE * SIDE) {
        int64_t terms = n - p;
        if (across) {
            UNROLL for (int i = 0; i < SIDE; i++) {
                const float *first = a + (p + 2 * i) * ld;
                rows[i] = 2 * i < terms ? paired(first, 2 * i + 1 < terms ? first + ld : 0, count) : (pairs){0};
            }
        } else {
            UNROLL for (int i = 0; i < SIDE; i++) rows[i] = i < count ? lined(a + i * ld + p, terms) : (pairs){0};
        }
        if (across == in_lines) transpose_pairs(rows);
        UNROLL for (int i = 0; i < SIDE; i++) ((pairs *)to)[i] = rows[i];
    }
}

/* Set the tiles up: each of 16 rows of 64 bytes. */
MATRIX_UNIT static void tiles_up(void) {
    struct {
        uint8_t palette, start, reserved[14];
        uint16_t bytes[16];
        uint8_t rows[16];
    } shape = {.palette = 1};
    for (int i = 0; i < 8; i++) shape.bytes[i] = 64, shape.rows[i] = SIDE;
    _tile_loadconfig(&shape);
}

/* c [32, 32], rows ldc apart, = start + the products of two tiles of lines and two of columns, over `steps` x 32 terms, each
`apart` pairs from the tile beside it. A start 0 rows apart is one row, for all. */
MATRIX_UNIT static inline void four_tiles(int64_t steps, const Pair *a, int64_t a_apart, const Pair *b, int64_t b_apart,
                                          const float *start, int64_t ld_start, float *c, int64_t ldc) {
    const float *below = start + SIDE * ld_start;
    float *under = c + SIDE * ldc;
    _tile_loadd(0, start, ld_start * 4);
    _tile_loadd(1, start + SIDE, ld_start * 4);
    _tile_loadd(2, below, ld_start * 4);
    _tile_loadd(3, below + SIDE, ld_start * 4);
    for (int64_t s = 0; s < steps; s++, a += SIDE * SIDE, b += SIDE * SIDE) {
        _tile_loadd(4, a, 64);
        _tile_loadd(6, b, 64);
        _tile_loadd(5, a + a_apart, 64);
        _tile_loadd(7, b + b_apart, 64);
        _tile_dpbf16ps(0, 4, 6);
        _tile_dpbf16ps(1, 4, 7);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
    }
    _tile_stored(0, c, ldc * 4);
    _tile_stored(1, c + SIDE, ldc * 4);
    _tile_stored(2, under, ldc * 4);
    _tile_stored(3, under + SIDE, ldc * 4);
}

/* Pack any number of lines as pack_tiles does, 16 after 16, up to a multiple of 32. */
MATRIX_UNIT static void pack_lines(const float *a, int64_t ld, int across, int in_lines, int64_t count, int64_t n, Pair *to) {
    int64_t apart = rounded_up(n, DEPTH) / DEPTH * SIDE * SIDE;
    for (int64_t i = 0; i < rounded_up(count, EDGE); i += SIDE, to += apart)
        pack_tiles(across ? a + i : a + i * ld, ld, across, in_lines, max64(0, min64(SIDE, count - i)), n, to);
}

/* This thread's share of c [m, columns] = a [m, n] b (+ bias), as multiply does it. */
MATRIX_UNIT static void narrow_multiply(const float *a, const float *b, int transposed, const float *bias, float *c, int64_t m,
                                        int64_t columns, int64_t n, Thread t) {
    int64_t blocks = (columns + EDGE - 1) / EDGE, strips = (m + EDGE - 1) / EDGE;
    int64_t most_blocks = (blocks + t.count - 1) / t.count, most_strips = (strips + t.count - 1) / t.count;
    int by_columns = most_blocks * strips <= most_strips * blocks;
    Thread alone = {0, 1, 0};
    Range mine = share(columns, EDGE, by_columns ? t : alone), rows = share(m, EDGE, by_columns ? alone : t);
    int64_t steps = (n + DEPTH - 1) / DEPTH, apart = steps * SIDE * SIDE;
    Pair *right = (Pair *)t.scratch, *left = right + 2 * apart;
    tiles_up();
    for (int64_t begin = rows.begin; begin < rows.end; begin += LINES) {
        int64_t end = min64(begin + LINES, rows.end);
        pack_lines(a + begin * n, n, 0, 1, end - begin, n, left);
        for (int64_t j = mine.begin; j < mine.end; j += EDGE) {
            int64_t width = min64(EDGE, columns - j);
            float start[EDGE], out[EDGE * EDGE];
            for (int64_t i = 0; i < EDGE; i++) start[i] = bias && i < width ? bias[j + i] : 0;
            pack_lines(transposed ? b + j * n : b + j, transposed ? n : columns, !transposed, 0, width, n, right);
            for (int64_t i = begin; i < end; i += EDGE) {
                int64_t height = min64(EDGE, end - i);
                int whole = width == EDGE && height == EDGE;
                float *to = c + i * columns + j;
                four_tiles(steps, left + (i - begin) / SIDE * apart, apart, right, apart, start, 0, whole ? to : out,
                           whole ? columns : EDGE);
                for (int64_t r = 0; !whole && r < height; r++)
                    memcpy(to + r * columns, out + r * EDGE, (size_t)width * sizeof(float));
            }
        }
    }
    _tile_release();
}

/* This thread's share of dW [n_in, n_out] = x^T dy, as weight_gradient does it. */
MATRIX_UNIT static void narrow_gradient(const float *x, const float *dy, int64_t m, int64_t n_in, int64_t n_out,
                                        const Optimizer *o, const Group *W, Thread t) {
    Rates rates = rates_of(o, W);
    static const float zeros[EDGE];
    Range mine = share(n_in, EDGE, t);
    int64_t most = rounded_up(min64(m, DEEP), DEPTH) / DEPTH * SIDE * SIDE;
    Pair *right = (Pair *)t.scratch, *left = right + 2 * most;
    float *sums = (float *)(left + rounded_up(mine.end - mine.begin, EDGE) / SIDE * most); /* of several parts: [n_in, 32] */
    tiles_up();
    for (int64_t j = 0; j < n_out; j += EDGE) {
        int64_t width = min64(EDGE, n_out - j);
        for (int64_t begin = 0; begin < m; begin += DEEP) {
            int64_t rows = min64(DEEP, m - begin), steps = (rows + DEPTH - 1) / DEPTH, apart = steps * SIDE * SIDE;
            if (j == 0 || m > DEEP) pack_lines(x + begin * n_in + mine.begin, n_in, 1, 1, mine.end - mine.begin, rows, left);
            pack_lines(dy + begin * n_out + j, n_out, 1, 0, width, rows, right);
            for (int64_t i = 0; i < mine.end - mine.begin; i += EDGE) {
                float *g = m > DEEP ? sums + i * EDGE : sums;
                four_tiles(steps, left + i / SIDE * apart, apart, right, apart, begin ? g : zeros, begin ? EDGE : 0, g, EDGE);
                int64_t height = min64(EDGE, mine.end - mine.begin - i), place = W->begin + (mine.begin + i) * n_out + j;
                for (int64_t r = 0; begin + rows == m && r < height; r++, place += n_out) {
                    if (width == EDGE) take_gradients(o, rates, place, g + r * EDGE, EDGE);
                    else take_gradients(o, rates, place, g + r * EDGE, width);
                }
            }
        }
    }
    _tile_release();
}

#else
int64_t has_matrix_unit(void) { return 0; }
#endif
