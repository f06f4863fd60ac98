/* The two matrix products of a dense layer, in tiles that stay in registers. (After Goto & van de Geijn 2008, "Anatomy of
high-performance matrix multiplication"; the blocking there for large matrices isn't needed here.) */
#pragma once
#include "base.h"
#include "optimizers.h"

#if defined(__AVX512F__) || defined(__aarch64__)
#define TILE_ROWS 8 /* with 32 registers: 16 sums, 2 of b */
#elif defined(__wasm__)
#define TILE_ROWS 4 /* with 16, of which the engine keeps one, and each product takes one more before it is added */
#else
#define TILE_ROWS 6
#endif
#define TILE_COLUMNS (2 * LANES)
#define WIDE 8 /* vectors of a tile of a single row: enough sums for none to wait for the one before */

/* c[rows, vectors * LANES] = start + a b, over n terms. a's entry (i, p) is a[i * row + p * term], b's row p at b[p * ldb];
a null start means that c goes on from what is in it. */
INLINE void tile_of(int rows, int vectors, int64_t n, const real *a, int64_t row, int64_t term, const real *b,
                    int64_t ldb, const real *start, real *c, int64_t ldc) {
    vec sum[TILE_ROWS][WIDE];
    UNROLL for (int i = 0; i < rows; i++)
        UNROLL for (int v = 0; v < vectors; v++) sum[i][v] = *(const vec *)((start ? start : c + i * ldc) + v * LANES);
    for (int64_t p = 0; p < n; p++) {
        vec terms[WIDE];
        UNROLL for (int v = 0; v < vectors; v++) terms[v] = *(const vec *)(b + p * ldb + v * LANES);
        UNROLL for (int i = 0; i < rows; i++) {
            real s = a[i * row + p * term];
            UNROLL for (int v = 0; v < vectors; v++) sum[i][v] += s * terms[v];
        }
    }
    UNROLL for (int i = 0; i < rows; i++)
        UNROLL for (int v = 0; v < vectors; v++) *(vec *)(c + i * ldc + v * LANES) = sum[i][v];
}

#define CASE(r) case r: tile_of(r, vectors, n, a, row, term, b, ldb, start, c, ldc); break;
INLINE void tile_rows(int64_t rows, int vectors, int64_t n, const real *a, int64_t row, int64_t term, const real *b,
                      int64_t ldb, const real *start, real *c, int64_t ldc) {
    switch (rows) {
        CASE(1) CASE(2) CASE(3) CASE(4)
#if TILE_ROWS >= 6
        CASE(5) CASE(6)
#endif
#if TILE_ROWS == 8
        CASE(7) CASE(8)
#endif
    }
}

/* The tiles that are needed: wide or narrow, and for a as it lies ("rows") or its transpose ("across"). */
typedef void Tile(int64_t rows, int64_t n, const real *a, int64_t lda, const real *b, int64_t ldb, const real *start,
                  real *c, int64_t ldc);
#define TILE(name, vectors, row, term)                                                                                 \
    static __attribute__((noinline)) void name(int64_t rows, int64_t n, const real *a, int64_t lda, const real *b,   \
                                               int64_t ldb, const real *start, real *c, int64_t ldc) {               \
        (void)lda;                                                                                                     \
        tile_rows(rows, vectors, n, a, row, term, b, ldb, start, c, ldc);                                              \
    }
TILE(wide_rows, 2, lda, 1)
TILE(narrow_rows, 1, lda, 1)
TILE(wide_across, 2, 1, lda)
TILE(narrow_across, 1, 1, lda)

static __attribute__((noinline)) void wide_row(int64_t n, const real *a, const real *b, int64_t ldb,
                                               const real *start, real *c) {
    tile_of(1, WIDE, n, a, 0, 1, b, ldb, start, c, 0);
}

/* Copy `columns` columns of b [n, ldb] next to each other: [n, TILE_COLUMNS], zeros on the right. */
static void pack(const real *b, int64_t ldb, int64_t n, int64_t columns, real *packed) {
    for (int64_t p = 0; p < n; p++, b += ldb, packed += TILE_COLUMNS) {
        if (columns == TILE_COLUMNS) {
            UNROLL for (int v = 0; v < 2; v++) *(vec *)(packed + v * LANES) = *(const vec *)(b + v * LANES);
        } else {
            memcpy(packed, b, (size_t)columns * sizeof(real));
            memset(packed + columns, 0, (size_t)(TILE_COLUMNS - columns) * sizeof(real));
        }
    }
}

#if !defined(__clang__) && __GNUC__ < 12 /* the older name */
typedef bits places __attribute__((vector_size(SIZE * LANES)));
#define __builtin_shufflevector(a, b, ...) __builtin_shuffle(a, b, (places){__VA_ARGS__})
#endif
#if LANES == 16
#define LOW(a, b) __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define HIGH(a, b) __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
#elif LANES == 8
#define LOW(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
#define HIGH(a, b) __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15)
#elif LANES == 4
#define LOW(a, b) __builtin_shufflevector(a, b, 0, 4, 1, 5)
#define HIGH(a, b) __builtin_shufflevector(a, b, 2, 6, 3, 7)
#else
#define LOW(a, b) __builtin_shufflevector(a, b, 0, 2)
#define HIGH(a, b) __builtin_shufflevector(a, b, 1, 3)
#endif

/* Transpose a square of LANES x LANES, of which so many rows are there and the others 0: log2(LANES) times, interleave the
rows' first half with their second half. */
INLINE void transpose_square(const real *b, int64_t ldb, int64_t there, real *packed) {
    vec rows[LANES], next[LANES];
    UNROLL for (int i = 0; i < LANES; i++) rows[i] = i < there ? *(const vec *)(b + i * ldb) : (vec){0};
    UNROLL for (int step = 1; step < LANES; step *= 2) {
        UNROLL for (int i = 0; i < LANES / 2; i++) {
            next[2 * i] = LOW(rows[i], rows[i + LANES / 2]);
            next[2 * i + 1] = HIGH(rows[i], rows[i + LANES / 2]);
        }
        UNROLL for (int i = 0; i < LANES; i++) rows[i] = next[i];
    }
    UNROLL for (int i = 0; i < LANES; i++) *(vec *)(packed + i * TILE_COLUMNS) = rows[i];
}

/* The same as `pack` of b's transpose: take `columns` rows of b [., ldb]. */
static void pack_transposed(const real *b, int64_t ldb, int64_t n, int64_t columns, real *packed) {
    int64_t whole = n / LANES * LANES;
    for (int64_t p = 0; p < whole; p += LANES)
        for (int64_t j = 0; j < TILE_COLUMNS; j += LANES)
            transpose_square(b + j * ldb + p, ldb, columns - j, packed + p * TILE_COLUMNS + j);
    for (int64_t p = whole; p < n; p++)
        for (int64_t j = 0; j < TILE_COLUMNS; j++) packed[p * TILE_COLUMNS + j] = j < columns ? b[j * ldb + p] : 0;
}

#define ENOUGH 256 /* gradients that the optimizer takes at once, if it can */
#define BLOCK 512 /* rows that are worked on together: what fits into a core's cache */

/* This thread's share of c [m, columns] = a [m, n] b (+ bias), b being [n, columns] or, transposed, [columns, n]; rows of
a are lda apart, those of c ldc.

Rows or blocks of columns are shared out, whichever comes out more even; each entry is the same sum in either. */
static void multiply_rows(const real *a, int64_t lda, const real *b, int transposed, const real *bias, real *c,
                          int64_t ldc, int64_t m, int64_t columns, int64_t n, Thread t) {
    int64_t blocks = (columns + TILE_COLUMNS - 1) / TILE_COLUMNS, strips = (m + TILE_ROWS - 1) / TILE_ROWS;
    int64_t most_blocks = (blocks + t.count - 1) / t.count, most_strips = (strips + t.count - 1) / t.count;
    int by_columns = most_blocks * strips <= most_strips * blocks;
    Thread alone = {0, 1, 0};
    Range mine = share(columns, TILE_COLUMNS, by_columns ? t : alone), rows = share(m, TILE_ROWS, by_columns ? alone : t);
    real *packed = t.scratch;
    for (; m == 1 && bias && !transposed && mine.begin + WIDE * LANES <= mine.end; mine.begin += WIDE * LANES)
        wide_row(n, a, b + mine.begin, columns, bias + mine.begin, c + mine.begin);
    for (int64_t begin = rows.begin; begin < rows.end; begin += BLOCK) {
        for (int64_t j = mine.begin; j < mine.end; j += TILE_COLUMNS) {
            int64_t width = min64(TILE_COLUMNS, columns - j), ldb = TILE_COLUMNS, end = min64(begin + BLOCK, rows.end);
            real start[TILE_COLUMNS], out[TILE_ROWS * TILE_COLUMNS];
            for (int64_t i = 0; i < TILE_COLUMNS; i++) start[i] = bias && i < width ? bias[j + i] : 0;
            const real *terms = packed;
            if (transposed) pack_transposed(b + j * n, n, n, width, packed);
            else if (width < TILE_COLUMNS || m > TILE_ROWS) pack(b + j, columns, n, width, packed);
            else terms = b + j, ldb = columns; /* a single strip of rows: packing wouldn't pay */
            for (int64_t i = begin; i < end; i += TILE_ROWS) {
                int64_t height = min64(TILE_ROWS, end - i);
                if (width == TILE_COLUMNS) {
                    wide_rows(height, n, a + i * lda, lda, terms, ldb, start, c + i * ldc + j, ldc);
                    continue;
                }
                (width > LANES ? wide_rows : narrow_rows)(height, n, a + i * lda, lda, terms, ldb, start, out, TILE_COLUMNS);
                for (int64_t r = 0; r < height; r++)
                    memcpy(c + (i + r) * ldc + j, out + r * TILE_COLUMNS, (size_t)width * sizeof(real));
            }
        }
    }
}

/* The same of rows that lie next to each other. */
static void multiply(const real *a, const real *b, int transposed, const real *bias, real *c, int64_t m,
                     int64_t columns, int64_t n, Thread t) {
    multiply_rows(a, n, b, transposed, bias, c, columns, m, columns, n, t);
}

/* Gradients of parameters that lie next to each other, until there are enough for whole vectors. */
typedef struct {
    int64_t place, count;
    real g[ENOUGH + TILE_ROWS * TILE_COLUMNS];
} Gathered;

INLINE void pass_gathered(const Optimizer *o, Rates rates, Gathered *some) {
    take_gradients(o, rates, some->place, some->g, some->count);
    some->place += some->count, some->count = 0;
}

/* This thread's share of dW [n_in, n_out] = x^T dy, over m rows, ldx and ldy apart; dW begins at `offset` in
the parameter W. */
static void weight_gradient(const real *x, int64_t ldx, const real *dy, int64_t ldy, int64_t m, int64_t n_in,
                            int64_t n_out, const Optimizer *o, const Group *W, int64_t offset, Thread t) {
    Rates rates = rates_of(o, W);
    static const real zeros[TILE_COLUMNS];
    Range mine = share(n_in, TILE_ROWS, t);
    real *packed = t.scratch, *sums = t.scratch + BLOCK * TILE_COLUMNS; /* of several blocks: [n_in, TILE_COLUMNS] */
    Gathered some; /* of a matrix that is narrower than a tile */
    some.place = W->begin + offset + mine.begin * n_out, some.count = 0;
    for (int64_t j = 0; j < n_out; j += TILE_COLUMNS) {
        int64_t width = min64(TILE_COLUMNS, n_out - j);
        for (int64_t begin = 0; begin < m; begin += BLOCK) {
            int64_t rows = min64(BLOCK, m - begin), last = begin + rows == m;
            pack(dy + begin * ldy + j, ldy, rows, width, packed);
            for (int64_t i = mine.begin; i < mine.end; i += TILE_ROWS) {
                int64_t height = min64(TILE_ROWS, mine.end - i), place = W->begin + offset + i * n_out + j;
                real *g = m > BLOCK ? sums + (i - mine.begin) * TILE_COLUMNS : sums;
                (width > LANES ? wide_across : narrow_across)(height, rows, x + begin * ldx + i, ldx, packed, TILE_COLUMNS,
                                                              begin ? 0 : zeros, g, TILE_COLUMNS);
                for (int64_t r = 0; last && width == n_out && r < height; r++, some.count += n_out)
                    for (int64_t c = 0; c < n_out; c++) some.g[some.count + c] = g[r * TILE_COLUMNS + c];
                if (some.count >= ENOUGH) pass_gathered(o, rates, &some);
                for (int64_t r = 0; last && width < n_out && r < height; r++, place += n_out) {
                    if (width == TILE_COLUMNS) take_gradients(o, rates, place, g + r * TILE_COLUMNS, TILE_COLUMNS);
                    else take_gradients(o, rates, place, g + r * TILE_COLUMNS, width);
                }
            }
        }
    }
    if (some.count) pass_gathered(o, rates, &some);
}
