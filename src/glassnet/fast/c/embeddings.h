/* The layers of nn/embeddings.py and nn/categories.py. */
#pragma once
#include "layers.h"

/* The columns behind the embedded ones, from rows of x or dy to those of y or dx. */
INLINE void pass_plain(const Layer *l, const real *from, real *to) {
    memcpy(to, from, (size_t)(l->n_in - l->width) * sizeof(real));
}

static void piecewise_linear_forward(const Layer *l, const Optimizer *o, int64_t m, Thread t) {
    int64_t width = l->width, dim = l->dim, bins = l->k;
    const real *W = o->theta + l->w, *V = l->b == l->c ? 0 : o->theta + l->b, *bias = o->theta + l->c;
    Range features = share(width, 1, t);
    for (int64_t f = features.begin; f < features.end; f++) {
        real *below = l->below + f * bins * dim;
        memset(below, 0, (size_t)dim * sizeof(real));
        for (int64_t i = dim; i < bins * dim; i++) below[i] = below[i - dim] + W[f * bins * dim + i - dim];
    }
    barrier(t);
    Range mine = share(m, 1, t);
    for (int64_t i = mine.begin; i < mine.end; i++) {
        const real *x = l->x + i * l->n_in;
        real *restrict y = l->y + i * l->n_out;
        for (int64_t f = 0; f < width; f++) {
            const real *edges = l->edges + f * (bins + 1);
            int64_t bin = 0, above = bins; /* the first edge at or below x, and the first above it */
            while (above - bin > 1) {
                int64_t middle = (bin + above) / 2;
                if (edges[middle] <= x[f] && edges[middle + 1] < INFINITY) bin = middle;
                else above = middle;
            }
            real s = l->kept[i * width + f] = (x[f] - edges[bin]) / (edges[bin + 1] - edges[bin]);
            l->bin[i * width + f] = bin;
            const real *w = W + (f * bins + bin) * dim, *below = l->below + (f * bins + bin) * dim;
            for (int64_t c = 0; c < dim; c++) y[f * dim + c] = below[c] + s * w[c] + bias[f * dim + c];
            for (int64_t c = 0; V && c < dim; c++) y[f * dim + c] += x[f] * V[f * dim + c];
        }
        pass_plain(l, x + width, y + width * dim);
    }
}

static void piecewise_linear_backward(const Layer *l, const Optimizer *o, int64_t m, Thread t) {
    int64_t width = l->width, dim = l->dim, bins = l->k;
    const real *W = o->theta + l->w, *V = l->b == l->c ? 0 : o->theta + l->b;
    if (l->dx) {
        Range mine = share(m, 1, t);
        for (int64_t i = mine.begin; i < mine.end; i++) {
            const real *dy = l->dy + i * l->n_out;
            real *dx = l->dx + i * l->n_in;
            for (int64_t f = 0; f < width; f++) {
                int64_t bin = l->bin[i * width + f];
                const real *w = W + (f * bins + bin) * dim, *edges = l->edges + f * (bins + 1) + bin;
                real slope = 0, linear = 0;
                for (int64_t c = 0; c < dim; c++) slope += dy[f * dim + c] * w[c];
                for (int64_t c = 0; V && c < dim; c++) linear += dy[f * dim + c] * V[f * dim + c];
                dx[f] = slope / (edges[1] - edges[0]) + linear;
            }
            pass_plain(l, dy + width * dim, dx + width);
        }
        barrier(t); /* all have used W before anyone moves it */
    }
    Range features = share(width, 1, t);
    for (int64_t f = features.begin; f < features.end; f++) {
        real *G = t.scratch, *H = G + bins * dim, *dV = H + bins * dim, *dbias = dV + dim;
        memset(G, 0, (size_t)(2 * (bins + 1) * dim) * sizeof(real));
        for (int64_t i = 0; i < m; i++) {
            const real *dy = l->dy + i * l->n_out + f * dim;
            real x = l->x[i * l->n_in + f], s = l->kept[i * width + f];
            real *restrict g = G + l->bin[i * width + f] * dim, *restrict h = H + l->bin[i * width + f] * dim;
            for (int64_t c = 0; c < dim; c++) g[c] += dy[c], h[c] += s * dy[c], dV[c] += x * dy[c];
        }
        for (int64_t b = bins - 1; b >= 0; b--) /* dbias holds the sum of G above */
            for (int64_t c = 0; c < dim; c++) H[b * dim + c] += dbias[c], dbias[c] += G[b * dim + c];
        take_gradients(o, rates_of(o, 1, l->lr_factor), l->w + f * bins * dim, H, bins * dim);
        if (V) take_gradients(o, rates_of(o, 1, l->lr_factor), l->b + f * dim, dV, dim);
        take_gradients(o, rates_of(o, 0, l->lr_factor), l->c + f * dim, dbias, dim);
    }
}

#define TAU (real)6.283185307179586

/* kept: the waves [m, width, 2 n]. */
static void periodic_forward(const Layer *l, const Optimizer *o, int64_t m, Thread t) {
    int64_t width = l->width, dim = l->dim, n = l->k;
    Range mine = share(m, 1, t);
    for (int64_t i = mine.begin; i < mine.end; i++) {
        const real *x = l->x + i * l->n_in;
        real *restrict y = l->y + i * l->n_out;
        for (int64_t f = 0; f < width; f++) {
            const real *c = o->theta + l->w + f * n, *W = o->theta + l->b + f * 2 * n * dim;
            real *waves = l->kept + (i * width + f) * 2 * n;
            for (int64_t p = 0; p < n; p++) waves[p] = sin(TAU * x[f] * c[p]), waves[n + p] = cos(TAU * x[f] * c[p]);
            memcpy(y + f * dim, o->theta + l->c + f * dim, (size_t)dim * sizeof(real));
            for (int64_t p = 0; p < 2 * n; p++)
                for (int64_t d = 0; d < dim; d++) y[f * dim + d] += waves[p] * W[p * dim + d];
            for (int64_t d = 0; d < dim; d++) y[f * dim + d] = y[f * dim + d] > 0 ? y[f * dim + d] : 0;
        }
        pass_plain(l, x + width, y + width * dim);
    }
}

static void periodic_backward(const Layer *l, const Optimizer *o, int64_t m, Thread t) {
    int64_t width = l->width, dim = l->dim, n = l->k;
    Range features = share(width, 1, t); /* all of a feature is done by one thread, as nobody else uses its parameters */
    for (int64_t f = features.begin; f < features.end; f++) {
        const real *frequencies = o->theta + l->w + f * n, *W = o->theta + l->b + f * 2 * n * dim;
        real *dW = t.scratch, *dc = dW + 2 * n * dim, *db = dc + n, *g = db + dim, *pull = g + dim;
        memset(dW, 0, (size_t)(2 * n * dim + n + dim) * sizeof(real));
        for (int64_t i = 0; i < m; i++) {
            const real *waves = l->kept + (i * width + f) * 2 * n, *y = l->y + i * l->n_out + f * dim;
            const real *dy = l->dy + i * l->n_out + f * dim;
            real x = l->x[i * l->n_in + f], dx = 0;
            for (int64_t d = 0; d < dim; d++) g[d] = y[d] > 0 ? dy[d] : 0, db[d] += g[d];
            for (int64_t p = 0; p < 2 * n; p++) {
                pull[p] = 0;
                for (int64_t d = 0; d < dim; d++) dW[p * dim + d] += waves[p] * g[d], pull[p] += g[d] * W[p * dim + d];
            }
            for (int64_t p = 0; p < n; p++) {
                real dz = TAU * (pull[p] * waves[n + p] - pull[n + p] * waves[p]);
                dc[p] += x * dz, dx += frequencies[p] * dz;
            }
            if (l->dx) l->dx[i * l->n_in + f] = dx;
        }
        take_gradients(o, rates_of(o, 0, l->lr_factor), l->w + f * n, dc, n);
        take_gradients(o, rates_of(o, 1, l->lr_factor), l->b + f * 2 * n * dim, dW, 2 * n * dim);
        take_gradients(o, rates_of(o, 0, l->lr_factor), l->c + f * dim, db, dim);
    }
    Range mine = share(m, 1, t);
    for (int64_t i = mine.begin; l->dx && i < mine.end; i++)
        pass_plain(l, l->dy + i * l->n_out + width * dim, l->dx + i * l->n_in + width);
}

/* kept: u [m, width], of which most is 0: that is skipped. */
static void category_embedding_forward(const Layer *l, const Optimizer *o, int64_t m, Thread t) {
    int64_t width = l->width, dim = l->dim, plain = l->n_in - width;
    const real *W = o->theta + l->w;
    Range mine = share(m, 1, t);
    for (int64_t i = mine.begin; i < mine.end; i++) {
        const real *x = l->x + i * l->n_in;
        real *restrict y = l->y + i * l->n_out, *restrict u = l->kept + i * width;
        pass_plain(l, x, y);
        x += plain, y += plain;
        memset(y, 0, (size_t)(l->n_out - plain) * sizeof(real));
        for (int64_t c = 0; c < width; c++) u[c] = (real)((x[c] - l->low[c]) / l->scale[c]);
        for (int64_t c = 0; c < width; c++)
            for (int64_t d = 0; u[c] != 0 && d < dim; d++) y[l->column[c] * dim + d] += u[c] * W[c * dim + d];
    }
}

static void category_embedding_backward(const Layer *l, const Optimizer *o, int64_t m, Thread t) {
    int64_t width = l->width, dim = l->dim, plain = l->n_in - width;
    const real *W = o->theta + l->w;
    if (l->dx) {
        Range rows = share(m, 1, t);
        for (int64_t i = rows.begin; i < rows.end; i++) {
            const real *dy = l->dy + i * l->n_out;
            real *restrict dx = l->dx + i * l->n_in;
            pass_plain(l, dy, dx);
            dy += plain, dx += plain;
            for (int64_t c = 0; c < width; c++) {
                real du = 0;
                for (int64_t d = 0; d < dim; d++) du += dy[l->column[c] * dim + d] * W[c * dim + d];
                dx[c] = (real)(du / l->scale[c]);
            }
        }
        barrier(t); /* all have used W before anyone moves it */
    }
    Range mine = share(width, 1, t);
    real *dW = t.scratch;
    size_t size = (size_t)(mine.end - mine.begin) * (size_t)dim;
    memset(dW, 0, size * sizeof(real));
    for (int64_t i = 0; i < m; i++) {
        const real *u = l->kept + i * width, *dy = l->dy + i * l->n_out + plain;
        for (int64_t c = mine.begin; c < mine.end; c++)
            for (int64_t d = 0; u[c] != 0 && d < dim; d++)
                dW[(c - mine.begin) * dim + d] += u[c] * dy[l->column[c] * dim + d];
    }
    take_gradients(o, rates_of(o, 1, l->lr_factor), l->w + mine.begin * dim, dW, (int64_t)size);
}
