/* The layers of nn/, forward next to backward: the same formulas, for this thread's share of the batch.

A layer reads x and dy, and writes y and dx; some of these are the same memory, where a layer doesn't need both.
Before each call all threads have met, so x and dy are whole. */
#pragma once
#include "base.h"
#include "optimizers.h"
#include "products.h"
#include "threads.h"

enum { DENSE, RELU, LEAKY_RELU, SIGMOID, TANH, GELU, SILU, DROPOUT, BATCH_NORM, LAYER_NORM };

typedef struct {
    int64_t kind, n_in, n_out;
    int64_t w, b;      /* where W and b, or gamma and beta, begin in theta */
    double value;      /* LeakyReLU's slope, dropout's rate, the eps of a normalisation */
    double momentum;   /* batch norm's */
    double *mean, *var; /* batch norm's running statistics */
    float *x, *y, *dy, *dx; /* dx may be null: not needed */
    float *kept;       /* dropout's random numbers [m, n], later its mask; a normalisation's x_hat [m, n] */
    float *inv_std;    /* layer norm [m], batch norm [n] */
} Layer;

#define STRIP 64 /* columns that are summed over rows together */

static void dense_forward(const Layer *l, const Optimizer *o, int64_t m, Thread t) {
    multiply(l->x, o->theta + l->w, 0, o->theta + l->b, l->y, m, l->n_out, l->n_in, t);
}

static void dense_backward(const Layer *l, const Optimizer *o, int64_t m, Thread t) {
    if (l->dx) {
        multiply(l->dy, o->theta + l->w, 1, 0, l->dx, m, l->n_in, l->n_out, t);
        barrier(t); /* all have used W before anyone moves it */
    }
    weight_gradient(l->x, l->dy, m, l->n_in, l->n_out, l->w, o, t);
    Range mine = share(l->n_out, LANES, t);
    for (int64_t j = mine.begin; j < mine.end; j += STRIP) {
        float sum[STRIP] = {0};
        int64_t width = min64(STRIP, mine.end - j);
        for (int64_t i = 0; i < m; i++)
            for (int64_t c = 0; c < width; c++) sum[c] += l->dy[i * l->n_out + j + c];
        take_gradients(o, rates_of(o, 0), l->b + j, sum, width);
    }
}

/* Phi, the distribution function of N(0, 1), to 1e-7: through erfc as in Numerical Recipes (3rd ed., section 6.2.2). */
INLINE float phi(float x) {
    float z = fabsf(x) * 0.70710678f, u = 1 / (1 + 0.5f * z);
    float series =
        -1.26551223f +
        u * (1.00002368f +
             u * (0.37409196f +
                  u * (0.09678418f +
                       u * (-0.18628806f +
                            u * (0.27886807f +
                                 u * (-1.13520398f + u * (1.48851587f + u * (-0.82215223f + u * 0.17087277f))))))));
    float tail = 0.5f * u * exp_(series - z * z);
    return x > 0 ? 1 - tail : tail;
}

/* tanh(x) = 2 sigmoid(2x) - 1, and its series near 0, where that would cancel. */
INLINE float tanh_(float x) {
    float s = x * x;
    float small = x * (1 + s * (-1.0f / 3 + s * (2.0f / 15 + s * (-17.0f / 315 + s * (62.0f / 2835)))));
    float large = 1 - 2 / (1 + exp_(2 * x));
    return fabsf(x) < 0.3f ? small : large;
}

static void activation_forward(const Layer *l, int64_t m, Thread t) {
    const float *x = l->x;
    float *y = l->y, slope = (float)l->value;
    Range r = share(m * l->n_out, LANES, t);
    int64_t i;
#define EACH for (i = r.begin; i < r.end; i++)
    switch (l->kind) {
    case RELU: EACH y[i] = x[i] < 0 ? 0 : x[i]; break;
    case LEAKY_RELU: EACH y[i] = x[i] > 0 ? x[i] : slope * x[i]; break;
    case SIGMOID: EACH y[i] = sigmoid(x[i]); break;
    case TANH: EACH y[i] = tanh_(x[i]); break;
    case GELU: EACH y[i] = x[i] * phi(x[i]); break;
    case SILU: EACH y[i] = x[i] * sigmoid(x[i]); break;
    }
}

static void activation_backward(const Layer *l, int64_t m, Thread t) {
    const float *x = l->x, *y = l->y, *dy = l->dy;
    float *dx = l->dx, slope = (float)l->value;
    Range r = share(m * l->n_out, LANES, t);
    int64_t i;
    switch (l->kind) {
    case RELU: EACH dx[i] = y[i] > 0 ? dy[i] : 0 * dy[i]; break; /* a NaN stays one */
    case LEAKY_RELU: EACH dx[i] = x[i] > 0 ? dy[i] : slope * dy[i]; break;
    case SIGMOID: EACH dx[i] = dy[i] * y[i] * (1 - y[i]); break;
    case TANH: EACH dx[i] = dy[i] * (1 - y[i] * y[i]); break;
    case GELU: EACH dx[i] = dy[i] * (phi(x[i]) + x[i] * 0.39894228f * exp_(-0.5f * x[i] * x[i])); break;
    case SILU: EACH {
        float s = sigmoid(x[i]);
        dx[i] = dy[i] * s * (1 + x[i] * (1 - s));
    }
    }
#undef EACH
}

static void dropout_forward(const Layer *l, int64_t m, int training, Thread t) {
    Range r = share(m * l->n_out, LANES, t);
    float rate = (float)l->value, scale = (float)(1 / (1 - l->value));
    for (int64_t i = r.begin; i < r.end; i++) {
        if (training) l->kept[i] = l->kept[i] >= rate ? scale : 0;
        l->y[i] = training ? l->x[i] * l->kept[i] : l->x[i];
    }
}

static void dropout_backward(const Layer *l, int64_t m, Thread t) {
    Range r = share(m * l->n_out, LANES, t);
    for (int64_t i = r.begin; i < r.end; i++) l->dx[i] = l->dy[i] * l->kept[i];
}

static void layer_norm_forward(const Layer *l, const Optimizer *o, int64_t m, Thread t) {
    int64_t n = l->n_out;
    const float *gamma = o->theta + l->w, *beta = o->theta + l->b;
    Range mine = share(m, 1, t);
    for (int64_t i = mine.begin; i < mine.end; i++) {
        const float *x = l->x + i * n;
        float *x_hat = l->kept + i * n, *y = l->y + i * n, mean = 0, var = 0;
        for (int64_t j = 0; j < n; j++) mean += x[j];
        mean /= (float)n;
        for (int64_t j = 0; j < n; j++) var += (x[j] - mean) * (x[j] - mean);
        float inv_std = l->inv_std[i] = 1 / sqrtf(var / (float)n + (float)l->value);
        for (int64_t j = 0; j < n; j++) {
            x_hat[j] = (x[j] - mean) * inv_std;
            y[j] = gamma[j] * x_hat[j] + beta[j];
        }
    }
}

/* dgamma = sum over rows of dy * x_hat and dbeta = sum of dy, of at most STRIP columns from j on. */
INLINE void column_sums(const Layer *l, int64_t m, int64_t j, int64_t width, float *dgamma, float *dbeta) {
    memset(dgamma, 0, STRIP * sizeof(float));
    memset(dbeta, 0, STRIP * sizeof(float));
    for (int64_t i = 0; i < m; i++) {
        const float *dy = l->dy + i * l->n_out + j, *x_hat = l->kept + i * l->n_out + j;
        for (int64_t c = 0; c < width; c++) dgamma[c] += dy[c] * x_hat[c], dbeta[c] += dy[c];
    }
}

static void layer_norm_backward(const Layer *l, const Optimizer *o, int64_t m, Thread t) {
    int64_t n = l->n_out;
    if (l->dx) {
        const float *gamma = o->theta + l->w;
        Range mine = share(m, 1, t);
        for (int64_t i = mine.begin; i < mine.end; i++) {
            const float *dy = l->dy + i * n, *x_hat = l->kept + i * n;
            float *dx = l->dx + i * n, mean = 0, along = 0;
            for (int64_t j = 0; j < n; j++) mean += gamma[j] * dy[j], along += gamma[j] * dy[j] * x_hat[j];
            mean /= (float)n, along /= (float)n;
            for (int64_t j = 0; j < n; j++) dx[j] = l->inv_std[i] * (gamma[j] * dy[j] - mean - x_hat[j] * along);
        }
        barrier(t); /* all have used gamma before anyone moves it */
    }
    Range mine = share(n, LANES, t);
    for (int64_t j = mine.begin; j < mine.end; j += STRIP) {
        float dgamma[STRIP], dbeta[STRIP];
        int64_t width = min64(STRIP, mine.end - j);
        column_sums(l, m, j, width, dgamma, dbeta);
        take_gradients(o, rates_of(o, 0), l->w + j, dgamma, width);
        take_gradients(o, rates_of(o, 0), l->b + j, dbeta, width);
    }
}

static void batch_norm_forward(const Layer *l, const Optimizer *o, int64_t m, int training, Thread t) {
    int64_t n = l->n_out;
    const float *gamma = o->theta + l->w, *beta = o->theta + l->b;
    Range mine = share(n, LANES, t);
    for (int64_t j = mine.begin; j < mine.end; j += STRIP) {
        float mean[STRIP] = {0}, var[STRIP] = {0};
        int64_t width = min64(STRIP, mine.end - j);
        if (training) {
            for (int64_t i = 0; i < m; i++)
                for (int64_t c = 0; c < width; c++) mean[c] += l->x[i * n + j + c];
            for (int64_t c = 0; c < width; c++) mean[c] /= (float)m;
            for (int64_t i = 0; i < m; i++)
                for (int64_t c = 0; c < width; c++) {
                    float centred = l->x[i * n + j + c] - mean[c];
                    var[c] += centred * centred;
                }
            for (int64_t c = 0; c < width; c++) var[c] /= (float)m;
            for (int64_t c = 0; m > 1 && c < width; c++) { /* of one row, the variance is no estimate */
                l->mean[j + c] += l->momentum * (mean[c] - l->mean[j + c]);
                l->var[j + c] += l->momentum * (var[c] * ((double)m / (double)(m - 1)) - l->var[j + c]);
            }
        } else {
            for (int64_t c = 0; c < width; c++) mean[c] = (float)l->mean[j + c], var[c] = (float)l->var[j + c];
        }
        for (int64_t c = 0; c < width; c++) l->inv_std[j + c] = 1 / sqrtf(var[c] + (float)l->value);
        for (int64_t i = 0; i < m; i++)
            for (int64_t c = 0; c < width; c++) {
                float x_hat = l->kept[i * n + j + c] = (l->x[i * n + j + c] - mean[c]) * l->inv_std[j + c];
                l->y[i * n + j + c] = gamma[j + c] * x_hat + beta[j + c];
            }
    }
}

static void batch_norm_backward(const Layer *l, const Optimizer *o, int64_t m, Thread t) {
    int64_t n = l->n_out;
    const float *gamma = o->theta + l->w;
    Range mine = share(n, LANES, t);
    for (int64_t j = mine.begin; j < mine.end; j += STRIP) {
        float dgamma[STRIP], dbeta[STRIP];
        int64_t width = min64(STRIP, mine.end - j);
        column_sums(l, m, j, width, dgamma, dbeta);
        for (int64_t i = 0; l->dx && i < m; i++)
            for (int64_t c = 0; c < width; c++) {
                int64_t at = i * n + j + c;
                l->dx[at] = l->inv_std[j + c] * gamma[j + c] *
                            (l->dy[at] - dbeta[c] / (float)m - l->kept[at] * (dgamma[c] / (float)m));
            }
        take_gradients(o, rates_of(o, 0), l->w + j, dgamma, width);
        take_gradients(o, rates_of(o, 0), l->b + j, dbeta, width);
    }
}

static void layer_forward(const Layer *l, const Optimizer *o, int64_t m, int training, Thread t) {
    switch (l->kind) {
    case DENSE: dense_forward(l, o, m, t); break;
    case DROPOUT: dropout_forward(l, m, training, t); break;
    case BATCH_NORM: batch_norm_forward(l, o, m, training, t); break;
    case LAYER_NORM: layer_norm_forward(l, o, m, t); break;
    default: activation_forward(l, m, t);
    }
}

static void layer_backward(const Layer *l, const Optimizer *o, int64_t m, Thread t) {
    switch (l->kind) {
    case DENSE: dense_backward(l, o, m, t); break;
    case DROPOUT: dropout_backward(l, m, t); break;
    case BATCH_NORM: batch_norm_backward(l, o, m, t); break;
    case LAYER_NORM: layer_norm_backward(l, o, m, t); break;
    default: activation_backward(l, m, t);
    }
}
