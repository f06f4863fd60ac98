/* The losses of nn/losses.py, row by row: each row's share of the loss, and dL/dy. */
#pragma once
#include "base.h"

enum { CROSS_ENTROPY_LABELS, CROSS_ENTROPY, BINARY_CROSS_ENTROPY, MSE, MAE, HUBER };

typedef struct {
    int64_t kind, n_out;
    double value;         /* label smoothing, or Huber's delta */
    const void *targets;  /* labels int32 [N], or float [N, n_out], of the whole training part */
    float *y, *dy;        /* [m, n_out]: outputs, and the derivative */
    double *row;          /* [m] */
} Loss;

/* log sum exp(y) - q . y, and dy = (softmax(y) - q) / m; q is a label or a distribution, smoothed. */
INLINE float cross_entropy(const Loss *l, const float *y, const float *q, int32_t label, float *dy, float m) {
    int64_t n = l->n_out;
    float top = y[0], sum = 0, along = 0, keep = 1 - (float)l->value, even = (float)l->value / (float)n;
    for (int64_t j = 1; j < n; j++) top = y[j] < top ? top : y[j];
    for (int64_t j = 0; j < n; j++) sum += dy[j] = exp_(y[j] - top);
    for (int64_t j = 0; j < n; j++) {
        float target = keep * (q ? q[j] : j == label ? 1.0f : 0.0f) + even;
        along += target * (y[j] - top);
        dy[j] = (dy[j] / sum - target) / m;
    }
    return logf(sum) - along;
}

INLINE float entry(const Loss *l, float y, float t, float *dy) {
    float d = y - t, delta = (float)l->value, size = fabsf(d), within = size > delta ? delta : size;
    switch (l->kind) {
    case MSE: *dy = 2 * d; return d * d;
    case MAE: *dy = d > 0 ? 1 : d < 0 ? -1 : 0 * d; return size;
    case HUBER: *dy = d > delta ? delta : d < -delta ? -delta : d; return within * (size - within / 2);
    default: /* BINARY_CROSS_ENTROPY */ *dy = sigmoid(y) - t; return (y > 0 ? y : 0 * y) - y * t + log1pf(exp_(-fabsf(y)));
    }
}

/* This thread's rows: row i of the batch is row rows[i] of the training part. */
static void loss_rows(const Loss *l, const int64_t *rows, int64_t m, Thread t) {
    int64_t n = l->n_out;
    Range mine = share(m, 1, t);
    for (int64_t i = mine.begin; i < mine.end; i++) {
        const float *y = l->y + i * n, *target = (const float *)l->targets + rows[i] * n;
        float *dy = l->dy + i * n;
        if (l->kind == CROSS_ENTROPY_LABELS) {
            l->row[i] = cross_entropy(l, y, 0, ((const int32_t *)l->targets)[rows[i]], dy, (float)m);
        } else if (l->kind == CROSS_ENTROPY) {
            l->row[i] = cross_entropy(l, y, target, 0, dy, (float)m);
        } else {
            double sum = 0;
            for (int64_t j = 0; j < n; j++) {
                sum += entry(l, y[j], target[j], dy + j);
                dy[j] /= (float)(m * n);
            }
            l->row[i] = sum / (double)n;
        }
    }
}

/* The mean over the batch, the same for every thread. */
static double mean_loss(const Loss *l, int64_t m) {
    double sum = 0;
    for (int64_t i = 0; i < m; i++) sum += l->row[i];
    return sum / (double)m;
}
