/* The layers of nn/embeddings.py. */
#pragma once
#include "layers.h"

/* The columns behind the embedded ones, from rows of x or dy to those of y or dx. */
INLINE void pass_plain(int64_t n, const real *from, real *to) { memcpy(to, from, (size_t)n * sizeof(real)); }

/* How many bins a feature has: it may have fewer than there is room for. */
INLINE int64_t bins_there(const real *inner, int64_t bins) {
    int64_t there = 1;
    while (there < bins && !isnan(inner[there - 1])) there++;
    return there;
}

/* The bin of each of `rows` values x, `stride` apart, and the share of it that lies below x. inner: the bins - 1 edges between
bins, NaN in place of those that the feature hasn't. How many of them aren't above x is the number of its bin. */
static void find_bins(const real *x, int64_t stride, int64_t rows, const real *edges, const real *inner, int64_t bins,
                      bits *bin, real *shares) {
    int64_t there = bins_there(inner, bins);
    for (int64_t first = 0; first < rows; first += LANES, x += LANES * stride) {
        int64_t n = min64(LANES, rows - first);
        real values[LANES] = {0}, low[LANES], high[LANES];
        bits found[LANES];
        for (int64_t i = 0; i < n; i++) values[i] = x[i * stride];
        bit_vec count = {0};
        for (int64_t e = 0; e < there - 1; e++) count -= (bit_vec)(*(const vec *)values >= inner[e]); /* true is -1 */
        *(bit_vec *)found = count;
        for (int64_t i = 0; i < LANES; i++) low[i] = edges[found[i]], high[i] = edges[found[i] + 1];
        for (int64_t i = 0; i < LANES; i++) values[i] = (values[i] - low[i]) / (high[i] - low[i]);
        memcpy(bin + first, found, (size_t)n * sizeof(bits));
        memcpy(shares + first, values, (size_t)n * sizeof(real));
    }
}

/* The parts of PiecewiseLinear for one feature: x, y, dy, dx are its entries in the first row, others n_in or n_out apart.
First bias + W[0] + ... + W[b - 1] for each bin b. */
INLINE void sums_below(int64_t bins, int64_t dim, const real *W, const real *bias, real *below) {
    memcpy(below, bias, (size_t)dim * sizeof(real));
    for (int64_t b = 1; b < bins; b++, W += dim, below += dim)
        APART for (int64_t c = 0; c < dim; c++) below[dim + c] = below[c] + W[c];
}

INLINE void embed(int64_t m, int64_t dim, const real *x, int64_t n_in, const bits *bin, const real *shares,
                  const real *W, const real *V, const real *below, real *y, int64_t n_out) {
    for (int64_t i = 0; i < m; i++, x += n_in, y += n_out) {
        const real *w = W + bin[i] * dim, *sum = below + bin[i] * dim;
        real s = shares[i], value = *x;
        if (V) APART for (int64_t c = 0; c < dim; c++) y[c] = sum[c] + s * w[c] + value * V[c];
        else APART for (int64_t c = 0; c < dim; c++) y[c] = sum[c] + s * w[c];
    }
}

INLINE void embed_dx(int64_t m, int64_t dim, const bits *bin, const real *edges, const real *W, const real *V,
                     const real *dy, int64_t n_out, real *dx, int64_t n_in) {
    for (int64_t i = 0; i < m; i++, dy += n_out, dx += n_in) {
        const real *w = W + bin[i] * dim;
        real slope = 0, linear = 0;
        for (int64_t c = 0; c < dim; c++) slope += dy[c] * w[c];
        for (int64_t c = 0; V && c < dim; c++) linear += dy[c] * V[c];
        *dx = slope / (edges[bin[i] + 1] - edges[bin[i]]) + linear;
    }
}

/* dW, dbias and dV, which are zeros before; G is memory like dW. */
INLINE void embed_gradients(int64_t m, int64_t dim, int64_t bins, const real *x, int64_t n_in, const bits *bin,
                            const real *shares, const real *dy, int64_t n_out, real *G, real *dW, real *dbias, real *dV) {
    memset(G, 0, (size_t)(bins * dim) * sizeof(real));
    for (int64_t i = 0; i < m; i++, x += n_in, dy += n_out) {
        real *g = G + bin[i] * dim, *h = dW + bin[i] * dim, s = shares[i], value = *x;
        APART for (int64_t c = 0; c < dim; c++) g[c] += dy[c], h[c] += s * dy[c], dV[c] += value * dy[c];
    }
    for (int64_t b = bins - 1; b >= 0; b--) { /* dbias is the sum of G above */
        real *g = G + b * dim, *h = dW + b * dim;
        APART for (int64_t c = 0; c < dim; c++) h[c] += dbias[c], dbias[c] += g[c];
    }
}

#define USUAL 8 /* a dim that the compiler knows, so that its loops become single instructions */
#define WITH_DIM(function, n, ...) (dim == USUAL ? function(n, USUAL, __VA_ARGS__) : function(n, dim, __VA_ARGS__))

FORWARD(PiecewiseLinear) {
    int64_t width = l->size[0], dim = l->size[1], bins = l->size[2], plain = l->n_in - width, all = m;
    const real *W = values(l, o, 0), *V = values(l, o, 1), *bias = values(l, o, 2);
    const real *edges = l->array[0], *inner = l->array[1];
    real *shares = l->memory[0], *below = l->memory[2];
    bits *bin = l->memory[1];
    Range features = share(width, 1, t), mine = share(m, 1, t);
    for (int64_t f = features.begin; f < features.end; f++)
        WITH_DIM(sums_below, bins, W + f * bins * dim, bias + f * dim, below + f * bins * dim);
    barrier(t);
    const real *x = l->x + mine.begin * l->n_in;
    real *y = l->y + mine.begin * l->n_out;
    m = mine.end - mine.begin;
    for (int64_t f = 0; f < width; f++) {
        int64_t at = f * all + mine.begin, w = f * bins * dim;
        find_bins(x + f, l->n_in, m, edges + f * (bins + 1), inner + f * (bins - 1), bins, bin + at, shares + at);
        WITH_DIM(embed, m, x + f, l->n_in, bin + at, shares + at, W + w, V ? V + f * dim : 0, below + w, y + f * dim,
                 l->n_out);
    }
    for (int64_t i = 0; i < m; i++) pass_plain(plain, x + i * l->n_in + width, y + i * l->n_out + width * dim);
}

BACKWARD(PiecewiseLinear) {
    int64_t width = l->size[0], dim = l->size[1], bins = l->size[2], plain = l->n_in - width, all = m;
    const real *W = values(l, o, 0), *V = values(l, o, 1), *edges = l->array[0], *shares = l->memory[0];
    const bits *bin = l->memory[1];
    if (l->dx) {
        Range mine = share(m, 1, t);
        const real *dy = l->dy + mine.begin * l->n_out;
        real *dx = l->dx + mine.begin * l->n_in;
        m = mine.end - mine.begin;
        for (int64_t f = 0; f < width; f++)
            WITH_DIM(embed_dx, m, bin + f * all + mine.begin, edges + f * (bins + 1), W + f * bins * dim,
                     V ? V + f * dim : 0, dy + f * dim, l->n_out, dx + f, l->n_in);
        for (int64_t i = 0; i < m; i++) pass_plain(plain, dy + i * l->n_out + width * dim, dx + i * l->n_in + width);
        m = all;
        barrier(t); /* all have used W before anyone moves it */
    }
    Range features = share(width, 1, t);
    for (int64_t f = features.begin; f < features.end; f++) {
        real *G = t.scratch, *dW = G + bins * dim, *dbias = dW + bins * dim, *dV = dbias + dim;
        memset(dW, 0, (size_t)((bins + 2) * dim) * sizeof(real));
        WITH_DIM(embed_gradients, m, bins, l->x + f, l->n_in, bin + f * m, shares + f * m, l->dy + f * dim, l->n_out, G,
                 dW, dbias, dV);
        give(l, o, 0, f * bins * dim, dW, bins * dim);
        if (V) give(l, o, 1, f * dim, dV, dim);
        give(l, o, 2, f * dim, dbias, dim);
    }
}

#define TOGETHER 4 /* features whose tables are in use at a time: for a tile's columns, they fit into a core's first cache */

/* What a feature adds to a row of y is low + s rise, s being the share of its bin that lies below x. The products of both with
a tile's columns of the dense layer are in a table [bins, 2, TILE_COLUMNS]. This adds what TOGETHER features do; y is [rows,
n]. */
INLINE void add_looked_up(int64_t rows, const real *tables, int64_t bins, bits *const bin[], real *const shares[], real *y,
                          int64_t n, int64_t columns) {
    for (int64_t i = 0; i < rows; i++, y += n) {
        real few[TILE_COLUMNS], *to = columns == TILE_COLUMNS ? y : memcpy(few, y, (size_t)columns * sizeof(real));
        vec sum[2] = {*(const vec *)to, *(const vec *)(to + LANES)};
        UNROLL for (int g = 0; g < TOGETHER; g++) {
            const real *low = tables + (g * bins + (int64_t)bin[g][i]) * 2 * TILE_COLUMNS;
            UNROLL for (int v = 0; v < 2; v++)
                sum[v] += *(const vec *)(low + v * LANES) + shares[g][i] * *(const vec *)(low + TILE_COLUMNS + v * LANES);
        }
        UNROLL for (int v = 0; v < 2; v++) *(vec *)(to + v * LANES) = sum[v];
        if (to == few) memcpy(y, few, (size_t)columns * sizeof(real));
    }
}

/* PiecewiseLinear and the Dense behind it, in inference: rows take no product. A table holds every bin, or every row if there
are fewer. */
FORWARD(Folded) {
    int64_t width = l->size[0], dim = l->size[1], bins = l->size[2], plain = l->n_in - width, n = l->n_out;
    const real *W = values(l, o, 0), *V = values(l, o, 1), *bias = values(l, o, 2);
    const real *dense = values(l, o, 3), *b = values(l, o, 4), *all_edges = l->array[0], *inner = l->array[1];
    static const real zeros[TILE_COLUMNS];
    Range mine = share(m, 1, t);
    int64_t rows = mine.end - mine.begin, by_row = rows < bins, places[TOGETHER];
    real *below = t.scratch, *terms = below + bins * dim, *tables = terms + TOGETHER * 2 * bins * dim;
    Thread alone = {0, 1, tables + TOGETHER * 2 * bins * TILE_COLUMNS};
    real *shares[TOGETHER], *packed = alone.scratch;
    bits *bin[TOGETHER];
    for (int64_t g = 0; g < TOGETHER; g++) {
        shares[g] = (real *)l->memory[0] + g * m + mine.begin;
        bin[g] = (bits *)l->memory[1] + g * m + mine.begin;
    }
    const real *x = l->x + mine.begin * l->n_in;
    real *y = l->y + mine.begin * n;
    multiply_rows(x + width, l->n_in, dense + width * dim * n, 0, b, y, n, rows, n, plain, alone);
    for (int64_t first = 0; first < width; first += TOGETHER) {
        for (int64_t g = 0; g < TOGETHER; g++) {
            int64_t f = first + g;
            if (f >= width) { /* one that adds nothing */
                places[g] = 0;
                memset(tables + g * 2 * bins * TILE_COLUMNS, 0, 2 * TILE_COLUMNS * sizeof(real));
                memset(shares[g], 0, (size_t)rows * sizeof(real));
                memset(bin[g], 0, (size_t)rows * sizeof(bits));
                continue;
            }
            const real *edges = all_edges + f * (bins + 1), *w = W + f * bins * dim;
            find_bins(x + f, l->n_in, rows, edges, inner + f * (bins - 1), bins, bin[g], shares[g]);
            WITH_DIM(sums_below, bins, w, bias + f * dim, below);
            places[g] = by_row ? rows : bins_there(inner + f * (bins - 1), bins);
            for (int64_t p = 0; p < places[g]; p++) {
                int64_t of = by_row ? (int64_t)bin[g][p] : p;
                real *restrict low = terms + 2 * (g * bins + p) * dim, *restrict rise = low + dim;
                for (int64_t c = 0; c < dim; c++) {
                    real v = V ? V[f * dim + c] : 0;
                    low[c] = below[of * dim + c] + edges[of] * v;
                    rise[c] = w[of * dim + c] + (edges[of + 1] - edges[of]) * v;
                }
                if (by_row) bin[g][p] = (bits)p;
            }
        }
        for (int64_t j = 0; j < n; j += TILE_COLUMNS) {
            int64_t columns = min64(TILE_COLUMNS, n - j);
            for (int64_t g = 0; g < TOGETHER; g++) {
                if (places[g]) pack(dense + (first + g) * dim * n + j, n, dim, columns, packed);
                for (int64_t p = 0; p < 2 * places[g]; p += TILE_ROWS)
                    wide_rows(min64(TILE_ROWS, 2 * places[g] - p), dim, terms + (2 * g * bins + p) * dim, dim, packed,
                              TILE_COLUMNS, zeros, tables + (2 * g * bins + p) * TILE_COLUMNS, TILE_COLUMNS);
            }
            add_looked_up(rows, tables, bins, bin, shares, y + j, n, columns);
        }
    }
}

BACKWARD(Folded) {} /* it isn't trained */

#define TAU (real)6.283185307179586

/* sin(2 pi r) for |r| <= 1 / 4, by its series: 2 pi r (1 - z^2 / 3! + z^4 / 5! - ...) with z = 2 pi r. */
INLINE real quarter_sine(real r) {
#ifdef DOUBLE
    enum { LAST = 21 };
#else
    enum { LAST = 13 };
#endif
    real z = TAU * r, y = 1;
    UNROLL for (int n = LAST; n > 1; n -= 2) y = 1 - y * (z * z) * (1 / (real)(n * (n - 1)));
    return y * z;
}

/* Sines and cosines of 2 pi x c, of LANES rows. Counted in turns, the nearest whole number is taken off without an error. */
INLINE void put_waves(int64_t n, const real *x, const real *c, real *restrict sines, real *restrict cosines) {
    for (int64_t p = 0; p < n; p++, sines += LANES, cosines += LANES)
        APART for (int i = 0; i < LANES; i++) {
            real turns = x[i] * c[p], r = turns - rint(turns), size = fabs(r);
            cosines[i] = quarter_sine((real)0.25 - size);
            sines[i] = quarter_sine(size > (real)0.25 ? copysign((real)0.5 - size, r) : r);
        }
}

/* y [dim, LANES] = max(0, W^T waves + b), for the n waves of one feature, of LANES rows. */
INLINE void put_products(int64_t n, int64_t dim, const real *waves, const real *W, const real *b, real *y) {
    if (dim == 8) { /* what packs have: y stays in registers, in two sums that needn't wait for each other */
        vec sum[8], other[8];
        UNROLL for (int d = 0; d < 8; d++) sum[d] = (vec){0} + b[d], other[d] = (vec){0};
        for (int64_t p = 0; p < n; p += 2) {
            vec even = *(const vec *)(waves + p * LANES), odd = *(const vec *)(waves + p * LANES + LANES);
            UNROLL for (int d = 0; d < 8; d++) sum[d] += even * W[p * 8 + d], other[d] += odd * W[p * 8 + 8 + d];
        }
        UNROLL for (int d = 0; d < 8; d++) *(vec *)(y + d * LANES) = sum[d] + other[d];
    } else {
        for (int64_t d = 0; d < dim; d++) {
            vec sum = (vec){0} + b[d];
            for (int64_t p = 0; p < n; p++) sum += *(const vec *)(waves + p * LANES) * W[p * dim + d];
            *(vec *)(y + d * LANES) = sum;
        }
    }
    for (int64_t i = 0; i < dim * LANES; i++) y[i] = y[i] > 0 ? y[i] : 0;
}

/* pull = g W and dW += g waves, with the n waves along the rows of W and dW (dim, n). */
INLINE void pull_back(int64_t n, int64_t dim, const real *g, const real *waves, const real *W, real *dW, real *pull) {
    int64_t p = 0;
    for (; p + LANES <= n; p += LANES) {
        vec sum = {0}, some = *(const vec *)(waves + p);
        for (int64_t d = 0; d < dim; d++) {
            sum += g[d] * *(const vec *)(W + d * n + p);
            *(vec *)(dW + d * n + p) += g[d] * some;
        }
        *(vec *)(pull + p) = sum;
    }
    for (; p < n; p++) {
        pull[p] = 0;
        for (int64_t d = 0; d < dim; d++) pull[p] += g[d] * W[d * n + p], dW[d * n + p] += g[d] * waves[p];
    }
}

/* to [rows, n], rows `apart`, of columns [n, LANES] */
INLINE void put_rows(int64_t rows, int64_t n, const real *columns, real *to, int64_t apart) {
    for (int64_t i = 0; i < rows; i++)
        for (int64_t k = 0; k < n; k++) to[i * apart + k] = columns[k * LANES + i];
}

FORWARD(Periodic) {
    int64_t width = l->size[0], dim = l->size[1], n = l->size[2], plain = l->n_in - width;
    const real *frequencies = values(l, o, 0), *W = values(l, o, 1), *b = values(l, o, 2);
    real *waves = t.scratch, *columns = waves + 2 * n * LANES;
    Range mine = share(m, LANES, t);
    for (int64_t i = mine.begin; i < mine.end; i += LANES) {
        const real *x = l->x + i * l->n_in;
        real *y = l->y + i * l->n_out;
        int64_t rows = min64(LANES, mine.end - i);
        for (int64_t f = 0; f < width; f++) {
            real some[LANES] = {0};
            for (int64_t k = 0; k < rows; k++) some[k] = x[k * l->n_in + f];
            put_waves(n, some, frequencies + f * n, waves, waves + n * LANES);
            put_products(2 * n, dim, waves, W + f * 2 * n * dim, b + f * dim, columns);
            put_rows(rows, dim, columns, y + f * dim, l->n_out);
            if (training) put_rows(rows, 2 * n, waves, (real *)l->memory[0] + (i * width + f) * 2 * n, width * 2 * n);
        }
        for (int64_t k = 0; k < rows; k++) pass_plain(plain, x + k * l->n_in + width, y + k * l->n_out + width * dim);
    }
}

BACKWARD(Periodic) {
    int64_t width = l->size[0], dim = l->size[1], n = l->size[2], plain = l->n_in - width;
    const real *frequencies = values(l, o, 0), *W = values(l, o, 1), *all_waves = l->memory[0];
    Range features = share(width, 1, t); /* all of a feature is done by one thread, as nobody else uses its parameters */
    for (int64_t f = features.begin; f < features.end; f++) {
        const real *c = frequencies + f * n, *w = W + f * 2 * n * dim;
        /* With the waves along their rows, W and dW are read by vectors. */
        real *dW = t.scratch, *dW_rows = dW + 2 * n * dim, *W_rows = dW_rows + 2 * n * dim, *dc = W_rows + 2 * n * dim;
        real *db = dc + n, *g = db + dim, *pull = g + dim;
        memset(dW_rows, 0, (size_t)(2 * n * dim) * sizeof(real));
        memset(dc, 0, (size_t)(n + dim) * sizeof(real));
        for (int64_t p = 0; p < 2 * n; p++)
            for (int64_t d = 0; d < dim; d++) W_rows[d * 2 * n + p] = w[p * dim + d];
        for (int64_t i = 0; i < m; i++) {
            const real *waves = all_waves + (i * width + f) * 2 * n, *y = l->y + i * l->n_out + f * dim;
            const real *dy = l->dy + i * l->n_out + f * dim;
            real x = TAU * l->x[i * l->n_in + f], dx = 0;
            for (int64_t d = 0; d < dim; d++) g[d] = y[d] > 0 ? dy[d] : 0, db[d] += g[d];
            pull_back(2 * n, dim, g, waves, W_rows, dW_rows, pull);
            for (int64_t p = 0; p < n; p++) {
                pull[p] = pull[p] * waves[n + p] - pull[n + p] * waves[p];
                dc[p] += x * pull[p];
            }
            if (!l->dx) continue;
            for (int64_t p = 0; p < n; p++) dx += c[p] * pull[p];
            l->dx[i * l->n_in + f] = TAU * dx;
        }
        for (int64_t p = 0; p < 2 * n; p++)
            for (int64_t d = 0; d < dim; d++) dW[p * dim + d] = dW_rows[d * 2 * n + p];
        give(l, o, 0, f * n, dc, n);
        give(l, o, 1, f * 2 * n * dim, dW, 2 * n * dim);
        give(l, o, 2, f * dim, db, dim);
    }
    Range mine = share(m, 1, t);
    for (int64_t i = mine.begin; l->dx && i < mine.end; i++)
        pass_plain(plain, l->dy + i * l->n_out + width * dim, l->dx + i * l->n_in + width);
}
