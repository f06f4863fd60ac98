/* The losses of nn/losses.py, row by row: each row's share of the loss, and dL/dy. */
#pragma once
#include "base.h"

#define ENTRYWISE(X) X(BinaryCrossEntropy) X(MSE) X(MAE) X(Huber) X(Poisson)
#define LOSSES(X) X(CrossEntropy) ENTRYWISE(X)
enum { LOSSES(KIND) };

typedef struct {
    int64_t kind, n_out;
    double constant;       /* label smoothing, or Huber's delta */
    const int32_t *labels; /* [N], of the whole training part; null: it has targets instead */
    const real *targets;   /* [N, n_out] */
    const real *weights;   /* [m], of the rows of the batch; null: all are 1 */
    int64_t whole;         /* rows that the mean is over: m, or more if these rows are a part of a batch */
    real *y, *dy;          /* [m, n_out]: outputs, and the derivative */
    double *row;           /* [m] */
} Loss;

/* log sum exp(y) - q . y, and dy = (softmax(y) - q) / m; q is a label or a distribution, smoothed. */
INLINE real cross_entropy(const Loss *l, const real *y, const real *q, int32_t label, real *dy, real m) {
    int64_t n = l->n_out;
    real top = y[0], sum = 0, along = 0, keep = 1 - (real)l->constant, even = (real)l->constant / (real)n;
    for (int64_t j = 1; j < n; j++) top = y[j] < top ? top : y[j];
    for (int64_t j = 0; j < n; j++) sum += dy[j] = exp_(y[j] - top);
    for (int64_t j = 0; j < n; j++) {
        real target = keep * (q ? q[j] : j == label ? (real)1 : (real)0) + even;
        along += target * (y[j] - top);
        dy[j] = (dy[j] / sum - target) / m;
    }
    return log(sum) - along;
}

/* The others are means over all entries. Each returns the loss of one output y with target t, and its derivative. */
#define ENTRY(name) INLINE real name##_entry(real y, real t, real constant, real *dy)

ENTRY(BinaryCrossEntropy) {
    *dy = sigmoid(y) - t;
    return (y > 0 ? y : 0 * y) - y * t + log1p(exp_(-fabs(y)));
}

ENTRY(MSE) {
    real d = y - t;
    *dy = 2 * d;
    return d * d;
}

ENTRY(MAE) {
    real d = y - t;
    *dy = d > 0 ? 1 : d < 0 ? -1 : 0 * d;
    return fabs(d);
}

ENTRY(Huber) {
    real d = y - t, size = fabs(d), within = size > constant ? constant : size;
    *dy = d > constant ? constant : d < -constant ? -constant : d;
    return within * (size - within / 2);
}

ENTRY(Poisson) {
    *dy = t > 0 ? 1 - t / y : 1;
    return y - t - (t > 0 ? t * (log(y) - log(t)) : 0);
}

INLINE real entry(const Loss *l, real y, real t, real *dy) {
    switch (l->kind) {
#define DO_ENTRY(name) case KIND_##name: return name##_entry(y, t, (real)l->constant, dy);
        ENTRYWISE(DO_ENTRY)
    }
    return NAN;
}

/* This thread's outputs: row i of the batch is row rows[i] of the training part. */
static void loss_rows(const Loss *l, const int64_t *rows, int64_t m, Thread t) {
    int64_t n = l->n_out;
    Range mine = share(m, 1, t);
    for (int64_t i = mine.begin; i < mine.end; i++) {
        const real *y = l->y + i * n, *target = l->targets ? l->targets + rows[i] * n : 0;
        real *dy = l->dy + i * n;
        if (l->labels) {
            l->row[i] = cross_entropy(l, y, 0, l->labels[rows[i]], dy, (real)l->whole);
        } else if (l->kind == KIND_CrossEntropy) {
            l->row[i] = cross_entropy(l, y, target, 0, dy, (real)l->whole);
        } else {
            double sum = 0;
            for (int64_t j = 0; j < n; j++) {
                sum += entry(l, y[j], target[j], dy + j);
                dy[j] /= (real)(l->whole * n);
            }
            l->row[i] = sum / (double)n;
        }
#ifdef __wasm__ /* it has no switch for what work_without_tiny says: squares of these are all that is too small */
        for (int64_t j = 0; j < n; j++) dy[j] = fabs(dy[j]) < 1e-18f ? 0 : dy[j];
#endif
        if (l->weights) {
            l->row[i] *= l->weights[i];
            for (int64_t j = 0; j < n; j++) dy[j] *= l->weights[i];
        }
    }
}

/* The mean over the batch, or the part of these rows in it; the same for every thread. */
static double mean_loss(const Loss *l, int64_t m) {
    double sum = 0;
    for (int64_t i = 0; i < m; i++) sum += l->row[i];
    return sum / (double)l->whole;
}
