/* The layers of nn/embeddings.py and nn/categories.py. */
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

#define TOGETHER 4 /* features whose tables are in use at a time: they fit into a core's cache */

/* PiecewiseLinear and the Dense behind it, in inference. Within a bin, what a feature adds to y is low + s rise, s being the
share of the bin. A table holds both for each bin, or for each row if there are fewer. So rows take no product. */
FORWARD(Folded) {
    int64_t width = l->size[0], dim = l->size[1], bins = l->size[2], plain = l->n_in - width, n = l->n_out;
    const real *W = values(l, o, 0), *V = values(l, o, 1), *bias = values(l, o, 2);
    const real *dense = values(l, o, 3), *b = values(l, o, 4), *all_edges = l->array[0], *inner = l->array[1];
    Range mine = share(m, 1, t);
    int64_t rows = mine.end - mine.begin, by_row = rows < bins;
    real *below = t.scratch, *terms = below + bins * dim, *zeros = terms + 2 * bins * dim, *tables = zeros + 2 * n;
    Thread alone = {0, 1, tables + TOGETHER * 2 * bins * n};
    real *shares[TOGETHER];
    bits *bin[TOGETHER];
    for (int64_t g = 0; g < TOGETHER; g++) {
        shares[g] = (real *)l->memory[0] + g * m + mine.begin;
        bin[g] = (bits *)l->memory[1] + g * m + mine.begin;
    }
    const real *x = l->x + mine.begin * l->n_in;
    real *all_y = l->y + mine.begin * n;
    multiply_rows(x + width, l->n_in, dense + width * dim * n, 0, b, all_y, n, rows, n, plain, alone);
    memset(zeros, 0, (size_t)(2 * n) * sizeof(real));
    for (int64_t first = 0; first < width; first += TOGETHER) {
        int64_t count = min64(TOGETHER, width - first);
        for (int64_t g = 0; g < count; g++) {
            int64_t f = first + g;
            const real *edges = all_edges + f * (bins + 1), *w = W + f * bins * dim;
            find_bins(x + f, l->n_in, rows, edges, inner + f * (bins - 1), bins, bin[g], shares[g]);
            WITH_DIM(sums_below, bins, w, bias + f * dim, below);
            int64_t places = by_row ? rows : bins_there(inner + f * (bins - 1), bins);
            for (int64_t p = 0; p < places; p++) {
                int64_t of = by_row ? bin[g][p] : p;
                real *restrict low = terms + 2 * p * dim, *restrict rise = low + dim;
                for (int64_t c = 0; c < dim; c++) {
                    real v = V ? V[f * dim + c] : 0;
                    low[c] = below[of * dim + c] + edges[of] * v;
                    rise[c] = w[of * dim + c] + (edges[of + 1] - edges[of]) * v;
                }
            }
            real *table = tables + g * 2 * bins * n;
            multiply_rows(terms, dim, dense + f * dim * n, 0, 0, table, n, 2 * places, n, dim, alone);
        }
        for (int64_t i = 0; i < rows; i++) {
            real *restrict y = all_y + i * n, s[TOGETHER];
            const real *low[TOGETHER];
            for (int64_t g = 0; g < TOGETHER; g++) {
                low[g] = g < count ? tables + 2 * (g * bins + (by_row ? i : (int64_t)bin[g][i])) * n : zeros;
                s[g] = g < count ? shares[g][i] : 0;
            }
            for (int64_t j = 0; j < n; j++) {
                real sum = y[j];
                UNROLL for (int g = 0; g < TOGETHER; g++) sum += low[g][j] + s[g] * low[g][n + j];
                y[j] = sum;
            }
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

/* Sines and cosines of 2 pi x c. Counted in turns, the nearest whole number is taken off without an error. */
INLINE void put_waves(int64_t n, real x, const real *c, real *restrict sines, real *restrict cosines) {
    for (int64_t p = 0; p < n; p++) {
        real turns = x * c[p], r = turns - rint(turns), size = fabs(r);
        cosines[p] = quarter_sine((real)0.25 - size);
        sines[p] = quarter_sine(size > (real)0.25 ? copysign((real)0.5 - size, r) : r);
    }
}

typedef real eight __attribute__((vector_size(8 * SIZE), aligned(SIZE), may_alias));

/* y = max(0, waves W + b), for the waves of one feature. */
INLINE void put_products(int64_t n, int64_t dim, const real *waves, const real *W, const real *b, real *restrict y) {
    if (dim == 8) { /* what packs have: y stays in a register */
        eight sum = *(const eight *)b, other = {0};
        for (int64_t p = 0; p < n; p += 2) {
            sum += waves[p] * *(const eight *)(W + p * 8);
            other += waves[p + 1] * *(const eight *)(W + p * 8 + 8);
        }
        *(eight *)y = sum + other;
    } else {
        memcpy(y, b, (size_t)dim * sizeof(real));
        for (int64_t p = 0; p < n; p++)
            for (int64_t d = 0; d < dim; d++) y[d] += waves[p] * W[p * dim + d];
    }
    for (int64_t d = 0; d < dim; d++) y[d] = y[d] > 0 ? y[d] : 0;
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

FORWARD(Periodic) {
    int64_t width = l->size[0], dim = l->size[1], n = l->size[2], plain = l->n_in - width;
    const real *frequencies = values(l, o, 0), *W = values(l, o, 1), *b = values(l, o, 2);
    Range mine = share(m, 1, t);
    for (int64_t i = mine.begin; i < mine.end; i++) {
        const real *x = l->x + i * l->n_in;
        real *y = l->y + i * l->n_out;
        for (int64_t f = 0; f < width; f++) {
            real *waves = (real *)l->memory[0] + (i * width + f) * 2 * n;
            put_waves(n, x[f], frequencies + f * n, waves, waves + n);
            put_products(2 * n, dim, waves, W + f * 2 * n * dim, b + f * dim, y + f * dim);
        }
        pass_plain(plain, x + width, y + width * dim);
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

/* The parts of CategoryEmbedding for one row, most of whose u is 0: the `there` others are listed, with their numbers. */
INLINE int64_t list_categories(int64_t width, const real *x, const double *low, const double *scale, real *u, bits *which) {
    int64_t there = 0;
    for (int64_t c = 0; c < width; c++) which[there] = (bits)c, there += x[c] != low[c];
    for (int64_t k = 0; k < there; k++) u[k] = (real)((x[which[k]] - low[which[k]]) / scale[which[k]]);
    return there;
}

INLINE void add_categories(int64_t there, int64_t dim, const real *u, const bits *which, const int64_t *column, const real *W,
                           real *y) {
    for (int64_t k = 0; k < there; k++) {
        const real *w = W + which[k] * dim;
        real *to = y + column[which[k]] * dim, share = u[k];
        APART for (int64_t d = 0; d < dim; d++) to[d] += share * w[d];
    }
}

/* Those from `begin` to `end` alone. */
INLINE void category_gradients(int64_t there, int64_t dim, const real *u, const bits *which, const int64_t *column,
                               const real *dy, int64_t begin, int64_t end, real *dW) {
    for (int64_t k = 0; k < there; k++) {
        int64_t c = which[k];
        if (c < begin || c >= end) continue;
        const real *from = dy + column[c] * dim;
        real *to = dW + (c - begin) * dim, share = u[k];
        APART for (int64_t d = 0; d < dim; d++) to[d] += share * from[d];
    }
}

FORWARD(CategoryEmbedding) {
    int64_t width = l->size[0], dim = l->size[1], plain = l->n_in - width;
    const real *W = values(l, o, 0);
    const double *low = l->array[0], *scale = l->array[1];
    const int64_t *column = l->array[2];
    real *u = l->memory[0];
    bits *which = l->memory[1], *there = l->memory[2];
    Range mine = share(m, 1, t);
    for (int64_t i = mine.begin; i < mine.end; i++) {
        const real *x = l->x + i * l->n_in;
        real *y = l->y + i * l->n_out;
        pass_plain(plain, x, y);
        memset(y + plain, 0, (size_t)(l->n_out - plain) * sizeof(real));
        int64_t n = list_categories(width, x + plain, low, scale, u + i * width, which + i * width);
        there[i] = (bits)n;
        WITH_DIM(add_categories, n, u + i * width, which + i * width, column, W, y + plain);
    }
}

BACKWARD(CategoryEmbedding) {
    int64_t width = l->size[0], dim = l->size[1], plain = l->n_in - width;
    const real *W = values(l, o, 0), *u = l->memory[0];
    const bits *which = l->memory[1], *there = l->memory[2];
    const double *scale = l->array[1];
    const int64_t *column = l->array[2];
    if (l->dx) {
        Range rows = share(m, 1, t);
        for (int64_t i = rows.begin; i < rows.end; i++) {
            const real *dy = l->dy + i * l->n_out;
            real *restrict dx = l->dx + i * l->n_in;
            pass_plain(plain, dy, dx);
            dy += plain, dx += plain;
            for (int64_t c = 0; c < width; c++) {
                real du = 0;
                for (int64_t d = 0; d < dim; d++) du += dy[column[c] * dim + d] * W[c * dim + d];
                dx[c] = (real)(du / scale[c]);
            }
        }
        barrier(t); /* all have used W before anyone moves it */
    }
    Range mine = share(width, 1, t);
    real *dW = t.scratch;
    int64_t size = (mine.end - mine.begin) * dim;
    memset(dW, 0, (size_t)size * sizeof(real));
    for (int64_t i = 0; i < m; i++)
        WITH_DIM(category_gradients, there[i], u + i * width, which + i * width, column, l->dy + i * l->n_out + plain,
                 mine.begin, mine.end, dW);
    give(l, o, 0, mine.begin * dim, dW, size);
}
