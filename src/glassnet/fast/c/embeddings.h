/* The layers of nn/embeddings.py and nn/categories.py. */
#pragma once
#include "layers.h"

/* The columns behind the embedded ones, from rows of x or dy to those of y or dx. */
INLINE void pass_plain(int64_t n, const real *from, real *to) { memcpy(to, from, (size_t)n * sizeof(real)); }

FORWARD(PiecewiseLinear) {
    int64_t width = l->size[0], dim = l->size[1], bins = l->size[2], plain = l->n_in - width;
    const real *W = values(l, o, 0), *V = values(l, o, 1), *bias = values(l, o, 2), *all_edges = l->array[0];
    real *shares = l->memory[0], *all_below = l->memory[2];
    int64_t *bins_of = l->memory[1];
    Range features = share(width, 1, t);
    for (int64_t f = features.begin; f < features.end; f++) {
        real *below = all_below + f * bins * dim;
        memset(below, 0, (size_t)dim * sizeof(real));
        for (int64_t i = dim; i < bins * dim; i++) below[i] = below[i - dim] + W[f * bins * dim + i - dim];
    }
    barrier(t);
    Range mine = share(m, 1, t);
    for (int64_t i = mine.begin; i < mine.end; i++) {
        const real *x = l->x + i * l->n_in;
        real *restrict y = l->y + i * l->n_out;
        for (int64_t f = 0; f < width; f++) {
            const real *edges = all_edges + f * (bins + 1);
            int64_t bin = 0, above = bins; /* the first edge at or below x, and the first above it */
            while (above - bin > 1) {
                int64_t middle = (bin + above) / 2;
                if (edges[middle] <= x[f] && edges[middle + 1] < INFINITY) bin = middle;
                else above = middle;
            }
            real s = shares[i * width + f] = (x[f] - edges[bin]) / (edges[bin + 1] - edges[bin]);
            bins_of[i * width + f] = bin;
            const real *w = W + (f * bins + bin) * dim, *below = all_below + (f * bins + bin) * dim;
            for (int64_t c = 0; c < dim; c++) y[f * dim + c] = below[c] + s * w[c] + bias[f * dim + c];
            for (int64_t c = 0; V && c < dim; c++) y[f * dim + c] += x[f] * V[f * dim + c];
        }
        pass_plain(plain, x + width, y + width * dim);
    }
}

BACKWARD(PiecewiseLinear) {
    int64_t width = l->size[0], dim = l->size[1], bins = l->size[2], plain = l->n_in - width;
    const real *W = values(l, o, 0), *V = values(l, o, 1), *all_edges = l->array[0], *shares = l->memory[0];
    const int64_t *bins_of = l->memory[1];
    if (l->dx) {
        Range mine = share(m, 1, t);
        for (int64_t i = mine.begin; i < mine.end; i++) {
            const real *dy = l->dy + i * l->n_out;
            real *dx = l->dx + i * l->n_in;
            for (int64_t f = 0; f < width; f++) {
                int64_t bin = bins_of[i * width + f];
                const real *w = W + (f * bins + bin) * dim, *edges = all_edges + f * (bins + 1) + bin;
                real slope = 0, linear = 0;
                for (int64_t c = 0; c < dim; c++) slope += dy[f * dim + c] * w[c];
                for (int64_t c = 0; V && c < dim; c++) linear += dy[f * dim + c] * V[f * dim + c];
                dx[f] = slope / (edges[1] - edges[0]) + linear;
            }
            pass_plain(plain, dy + width * dim, dx + width);
        }
        barrier(t); /* all have used W before anyone moves it */
    }
    Range features = share(width, 1, t);
    for (int64_t f = features.begin; f < features.end; f++) {
        real *G = t.scratch, *H = G + bins * dim, *dV = H + bins * dim, *dbias = dV + dim;
        memset(G, 0, (size_t)(2 * (bins + 1) * dim) * sizeof(real));
        for (int64_t i = 0; i < m; i++) {
            const real *dy = l->dy + i * l->n_out + f * dim;
            real x = l->x[i * l->n_in + f], s = shares[i * width + f];
            real *restrict g = G + bins_of[i * width + f] * dim, *restrict h = H + bins_of[i * width + f] * dim;
            for (int64_t c = 0; c < dim; c++) g[c] += dy[c], h[c] += s * dy[c], dV[c] += x * dy[c];
        }
        for (int64_t b = bins - 1; b >= 0; b--) /* dbias holds the sum of G above */
            for (int64_t c = 0; c < dim; c++) H[b * dim + c] += dbias[c], dbias[c] += G[b * dim + c];
        give(l, o, 0, f * bins * dim, H, bins * dim);
        if (V) give(l, o, 1, f * dim, dV, dim);
        give(l, o, 2, f * dim, dbias, dim);
    }
}

#define TAU (real)6.283185307179586

FORWARD(Periodic) {
    int64_t width = l->size[0], dim = l->size[1], n = l->size[2], plain = l->n_in - width;
    const real *frequencies = values(l, o, 0), *W = values(l, o, 1), *b = values(l, o, 2);
    real *all_waves = l->memory[0];
    Range mine = share(m, 1, t);
    for (int64_t i = mine.begin; i < mine.end; i++) {
        const real *x = l->x + i * l->n_in;
        real *restrict y = l->y + i * l->n_out;
        for (int64_t f = 0; f < width; f++) {
            const real *c = frequencies + f * n, *w = W + f * 2 * n * dim;
            real *waves = all_waves + (i * width + f) * 2 * n;
            for (int64_t p = 0; p < n; p++) waves[p] = sin(TAU * x[f] * c[p]), waves[n + p] = cos(TAU * x[f] * c[p]);
            memcpy(y + f * dim, b + f * dim, (size_t)dim * sizeof(real));
            for (int64_t p = 0; p < 2 * n; p++)
                for (int64_t d = 0; d < dim; d++) y[f * dim + d] += waves[p] * w[p * dim + d];
            for (int64_t d = 0; d < dim; d++) y[f * dim + d] = y[f * dim + d] > 0 ? y[f * dim + d] : 0;
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
        real *dW = t.scratch, *dc = dW + 2 * n * dim, *db = dc + n, *g = db + dim, *pull = g + dim;
        memset(dW, 0, (size_t)(2 * n * dim + n + dim) * sizeof(real));
        for (int64_t i = 0; i < m; i++) {
            const real *waves = all_waves + (i * width + f) * 2 * n, *y = l->y + i * l->n_out + f * dim;
            const real *dy = l->dy + i * l->n_out + f * dim;
            real x = l->x[i * l->n_in + f], dx = 0;
            for (int64_t d = 0; d < dim; d++) g[d] = y[d] > 0 ? dy[d] : 0, db[d] += g[d];
            for (int64_t p = 0; p < 2 * n; p++) {
                pull[p] = 0;
                for (int64_t d = 0; d < dim; d++) dW[p * dim + d] += waves[p] * g[d], pull[p] += g[d] * w[p * dim + d];
            }
            for (int64_t p = 0; p < n; p++) {
                real dz = TAU * (pull[p] * waves[n + p] - pull[n + p] * waves[p]);
                dc[p] += x * dz, dx += c[p] * dz;
            }
            if (l->dx) l->dx[i * l->n_in + f] = dx;
        }
        give(l, o, 0, f * n, dc, n);
        give(l, o, 1, f * 2 * n * dim, dW, 2 * n * dim);
        give(l, o, 2, f * dim, db, dim);
    }
    Range mine = share(m, 1, t);
    for (int64_t i = mine.begin; l->dx && i < mine.end; i++)
        pass_plain(plain, l->dy + i * l->n_out + width * dim, l->dx + i * l->n_in + width);
}

/* Most of u is 0: that is skipped. */
FORWARD(CategoryEmbedding) {
    int64_t width = l->size[0], dim = l->size[1], plain = l->n_in - width;
    const real *W = values(l, o, 0);
    const double *low = l->array[0], *scale = l->array[1];
    const int64_t *column = l->array[2];
    real *all_u = l->memory[0];
    Range mine = share(m, 1, t);
    for (int64_t i = mine.begin; i < mine.end; i++) {
        const real *x = l->x + i * l->n_in;
        real *restrict y = l->y + i * l->n_out, *restrict u = all_u + i * width;
        pass_plain(plain, x, y);
        x += plain, y += plain;
        memset(y, 0, (size_t)(l->n_out - plain) * sizeof(real));
        for (int64_t c = 0; c < width; c++) u[c] = (real)((x[c] - low[c]) / scale[c]);
        for (int64_t c = 0; c < width; c++)
            for (int64_t d = 0; u[c] != 0 && d < dim; d++) y[column[c] * dim + d] += u[c] * W[c * dim + d];
    }
}

BACKWARD(CategoryEmbedding) {
    int64_t width = l->size[0], dim = l->size[1], plain = l->n_in - width;
    const real *W = values(l, o, 0), *all_u = l->memory[0];
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
    size_t size = (size_t)(mine.end - mine.begin) * (size_t)dim;
    memset(dW, 0, size * sizeof(real));
    for (int64_t i = 0; i < m; i++) {
        const real *u = all_u + i * width, *dy = l->dy + i * l->n_out + plain;
        for (int64_t c = mine.begin; c < mine.end; c++)
            for (int64_t d = 0; u[c] != 0 && d < dim; d++)
                dW[(c - mine.begin) * dim + d] += u[c] * dy[column[c] * dim + d];
    }
    give(l, o, 0, mine.begin * dim, dW, (int64_t)size);
}
