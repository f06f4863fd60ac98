/* The layer of nn/categories.py. */
#pragma once
#include "embeddings.h"

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
