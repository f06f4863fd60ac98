/* The losses of nn/losses.py, row by row: each row's share of the loss, and dL/dy. */
#pragma once
#include "base.h"

NAMED(loss_kinds, LABELS, DISTRIBUTIONS, BINARY, SQUARED, ABSOLUTE, HUBER, POISSON)

typedef struct {
    int64_t kind, n_out, members; /* members: outputs in a row, for each row of the batch, that have the same target */
    double value;         /* label smoothing, or Huber's delta */
    const void *targets;  /* labels int32 [N], or real [N, n_out], of the whole training part */
    const real *weights;  /* [m], of the rows of the batch; null: all are 1 */
    real *y, *dy;        /* [m * members, n_out]: outputs, and the derivative */
    double *row;          /* [m * members] */
} Loss;

/* log sum exp(y) - q . y, and dy = (softmax(y) - q) / m; q is a label or a distribution, smoothed. */
INLINE real cross_entropy(const Loss *l, const real *y, const real *q, int32_t label, real *dy, real m) {
    int64_t n = l->n_out;
    real top = y[0], sum = 0, along = 0, keep = 1 - (real)l->value, even = (real)l->value / (real)n;
    for (int64_t j = 1; j < n; j++) top = y[j] < top ? top : y[j];
    for (int64_t j = 0; j < n; j++) sum += dy[j] = exp_(y[j] - top);
    for (int64_t j = 0; j < n; j++) {
        real target = keep * (q ? q[j] : j == label ? (real)1 : (real)0) + even;
        along += target * (y[j] - top);
        dy[j] = (dy[j] / sum - target) / m;
    }
    return log(sum) - along;
}

INLINE real entry(const Loss *l, real y, real t, real *dy) {
    real d = y - t, delta = (real)l->value, size = fabs(d), within = size > delta ? delta : size;
    switch (l->kind) {
    case SQUARED: *dy = 2 * d; return d * d;
    case ABSOLUTE: *dy = d > 0 ? 1 : d < 0 ? -1 : 0 * d; return size;
    case HUBER: *dy = d > delta ? delta : d < -delta ? -delta : d; return within * (size - within / 2);
    case POISSON: *dy = t > 0 ? 1 - t / y : 1; return y - t - (t > 0 ? t * (log(y) - log(t)) : 0);
    default: /* BINARY */ *dy = sigmoid(y) - t; return (y > 0 ? y : 0 * y) - y * t + log1p(exp_(-fabs(y)));
    }
}

/* This thread's outputs: row i of the batch is row rows[i] of the training part. */
static void loss_rows(const Loss *l, const int64_t *rows, int64_t m, Thread t) {
    int64_t n = l->n_out, k = l->members;
    m *= k;
    Range mine = share(m, 1, t);
    for (int64_t i = mine.begin; i < mine.end; i++) {
        const real *y = l->y + i * n, *target = (const real *)l->targets + rows[i / k] * n;
        real *dy = l->dy + i * n;
        if (l->kind == LABELS) {
            l->row[i] = cross_entropy(l, y, 0, ((const int32_t *)l->targets)[rows[i / k]], dy, (real)m);
        } else if (l->kind == DISTRIBUTIONS) {
            l->row[i] = cross_entropy(l, y, target, 0, dy, (real)m);
        } else {
            double sum = 0;
            for (int64_t j = 0; j < n; j++) {
                sum += entry(l, y[j], target[j], dy + j);
                dy[j] /= (real)(m * n);
            }
            l->row[i] = sum / (double)n;
        }
        if (l->weights) {
            l->row[i] *= l->weights[i / k];
            for (int64_t j = 0; j < n; j++) dy[j] *= l->weights[i / k];
        }
    }
}

/* The mean over the batch, the same for every thread. */
static double mean_loss(const Loss *l, int64_t m) {
    double sum = 0;
    for (int64_t i = 0; i < m * l->members; i++) sum += l->row[i];
    return sum / (double)(m * l->members);
}
