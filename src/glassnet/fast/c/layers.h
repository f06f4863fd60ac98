/* The layers of nn/, forward next to backward: the same formulas, for this thread's share of the batch.

A layer reads x and dy, and writes y and dx; some of these are the same memory, where a layer doesn't need both.
Before each call all threads have met, so x and dy are whole. */
#pragma once
#include "base.h"
#include "narrow.h"
#include "optimizers.h"
#include "products.h"
#include "threads.h"

/* Which sizes, constants, arrays and memory a layer has is said in kernels.py, in the same order. Each kernel begins with
their names. */
typedef struct {
    int64_t kind, n_in, n_out;
    const Group *groups;   /* its parameters, in the order of the layer's class */
    int64_t size[3];       /* whole numbers that the layer was made with */
    double constant[2];    /* other numbers, which may change between two steps */
    void *array[3];        /* what was fitted or measured, not trained */
    void *memory[3];       /* what forward leaves for backward, and for itself */
    real *x, *y, *dy, *dx; /* dx may be null: not needed */
    uint64_t key, passes;  /* of Dropout: what its random numbers come from, and how many times it has drawn some */
} Layer;

/* What a layer does for a batch of m rows. */
#define FORWARD(name) static void name##_forward(const Layer *l, const Optimizer *o, int64_t m, int training, Thread t)
#define BACKWARD(name) static void name##_backward(const Layer *l, const Optimizer *o, int64_t m, Thread t)

/* The values of the layer's parameter of this number; null if it has none. */
INLINE const real *values(const Layer *l, const Optimizer *o, int number) {
    const Group *group = l->groups + number;
    return group->begin < group->end ? o->theta + group->begin : 0;
}

/* Give the gradients g of n of its entries, from `at` on, to the optimizer. */
INLINE void give(const Layer *l, const Optimizer *o, int number, int64_t at, const real *g, int64_t n) {
    const Group *group = l->groups + number;
    Rates rates = rates_of(o, group);
    if (group->decayed) {
        take_gradients(o, rates, group->begin + at, g, n);
    } else {
        rates.shrink = 1, rates.l2 = 0; /* as constants: a loop of its own, which leaves them out */
        take_gradients(o, rates, group->begin + at, g, n);
    }
}

/* A product of a dense layer. narrow: its terms are rounded to bfloat16. */
static void product(int64_t narrow, const real *a, const real *b, int transposed, const real *bias, real *c, int64_t m,
                    int64_t columns, int64_t n, Thread t) {
    (void)narrow;
#ifdef MATRIX_UNIT
    if (narrow) narrow_multiply(a, b, transposed, bias, c, m, columns, n, t);
    else
#endif
        multiply(a, b, transposed, bias, c, m, columns, n, t);
}

FORWARD(Dense) {
    const real *W = values(l, o, 0), *b = values(l, o, 1);
    product(training && l->size[0], l->x, W, 0, b, l->y, m, l->n_out, l->n_in, t);
}

BACKWARD(Dense) {
    const real *W = values(l, o, 0);
    if (l->dx) {
        product(l->size[0], l->dy, W, 1, 0, l->dx, m, l->n_in, l->n_out, t);
        barrier(t); /* all have used W before anyone moves it */
    }
#ifdef MATRIX_UNIT
    if (l->size[0]) narrow_gradient(l->x, l->dy, m, l->n_in, l->n_out, o, l->groups, t);
    else
#endif
        weight_gradient(l->x, l->n_in, l->dy, l->n_out, m, l->n_in, l->n_out, o, l->groups, 0, t);
    Range mine = share(l->n_out, LANES, t);
    for (int64_t j = mine.begin; j < mine.end; j += STRIP) {
        real sum[STRIP] = {0};
        int64_t width = min64(STRIP, mine.end - j);
        for (int64_t i = 0; i < m; i++)
            for (int64_t c = 0; c < width; c++) sum[c] += l->dy[i * l->n_out + j + c];
        give(l, o, 1, j, sum, width);
    }
}

/* Phi, the distribution function of N(0, 1), by a polynomial for log(erfc(z) / u) + z^2 where u = 1 / (1 + z / 2): that
of Numerical Recipes (3rd ed., section 6.2.2) to 1e-7, or its Chebyshev series to 1e-15 in powers of 2u - 1. */
INLINE real phi(real x) {
#ifdef DOUBLE
    static const real powers[] = {
        -0.6717940840566922, 0.6726432239776583, 0.04734330684186364, -0.04689561023133001, -0.009872689364101994,
        0.00882493856133901, 0.0017589335074224002, -0.0023458125532600316, -0.00014624628745472,
        0.00067367913666432, -9.373894792601599e-05, -0.0001743041344256, 7.141810598912e-05,
        3.1746944958463994e-05, -3.0237845200895998e-05, 1.3988043161600056e-07, 8.662543007744e-06,
        -2.9634719252480004e-06, -1.4094536540160003e-06, 1.28338755584e-06, -4.1463840768000004e-08,
        -2.89560068096e-07, 7.745411481599998e-08, 2.9804724224e-08, -1.2775849984e-08};
    enum { DEGREE = sizeof powers / sizeof *powers - 1 };
    real z = fabs(x) * 0.7071067811865476, u = 1 / (1 + z / 2), s = 2 * u - 1, exponent = powers[DEGREE];
    UNROLL for (int n = DEGREE - 1; n >= 0; n--) exponent = exponent * s + powers[n];
#else
    real z = fabs(x) * 0.70710678f, u = 1 / (1 + 0.5f * z);
    real exponent =
        -1.26551223f +
        u * (1.00002368f +
             u * (0.37409196f +
                  u * (0.09678418f +
                       u * (-0.18628806f +
                            u * (0.27886807f +
                                 u * (-1.13520398f + u * (1.48851587f + u * (-0.82215223f + u * 0.17087277f))))))));
#endif
    real tail = u / 2 * exp_(exponent - z * z);
    return x > 0 ? 1 - tail : tail;
}

/* tanh(x) = 1 - 2 / (1 + exp(2x)), which cancels near 0: there a float takes the series, a double exp(2x) - 1. */
INLINE real tanh_(real x) {
#ifdef DOUBLE
    Reduced a = reduce(2 * x);
    real e = series(a.r) * a.r * a.power + (a.power - 1); /* exp(2x) - 1 */
    return e / (e + 2);
#else
    real s = x * x;
    real small = x * (1 + s * (-1.0f / 3 + s * (2.0f / 15 + s * (-17.0f / 315 + s * (62.0f / 2835)))));
    real large = 1 - 2 / (1 + exp_(2 * x));
    return fabs(x) < 0.3f ? small : large;
#endif
}

INLINE real silu_gradient(real x, real dy) {
    real s = sigmoid(x);
    return dy * s * (1 + x * (1 - s));
}

/* Each activation: its name, y, and dx. A NaN stays one. exp overflows to infinity, as exp_ doesn't. */
#define ACTIVATIONS(X)                                                                                        \
    X(ReLU, x < 0 ? 0 : x, y > 0 ? dy : 0 * dy)                                                               \
    X(LeakyReLU, x > 0 ? x : slope * x, x > 0 ? dy : slope * dy)                                              \
    X(Sigmoid, sigmoid(x), dy * y * (1 - y))                                                                  \
    X(Tanh, tanh_(x), dy * (1 - y * y))                                                                       \
    X(GELU, x * phi(x), dy * (phi(x) + x * (real)0.3989422804014327 * exp_((real)-0.5 * x * x)))              \
    X(SiLU, x * sigmoid(x), silu_gradient(x, dy))                                                             \
    X(Exp, exp(x), dy * y)

#define ACTIVATION(name, forward, backward)                                                                    \
    FORWARD(name) {                                                                                           \
        const real *from = l->x, slope = (real)l->constant[0];                                                \
        real *to = l->y;                                                                                      \
        Range r = share(m * l->n_out, LANES, t);                                                              \
        APART for (int64_t i = r.begin; i < r.end; i++) {                                                     \
            real x = from[i];                                                                                 \
            to[i] = forward;                                                                                  \
        }                                                                                                     \
    }                                                                                                         \
    BACKWARD(name) {                                                                                          \
        const real *inputs = l->x, *outputs = l->y, *from = l->dy, slope = (real)l->constant[0];              \
        real *to = l->dx;                                                                                     \
        Range r = share(m * l->n_out, LANES, t);                                                              \
        APART for (int64_t i = r.begin; i < r.end; i++) {                                                     \
            real x = inputs[i], y = outputs[i], dy = from[i];                                                 \
            to[i] = backward;                                                                                 \
        }                                                                                                     \
    }
ACTIVATIONS(ACTIVATION)

/* Random bits of every number i in this pass, as `random_bits` of noise.py: nothing is carried from one to the next. */
INLINE uint64_t mix64(uint64_t z) {
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

INLINE uint32_t mix32(uint32_t x) {
    x = (x ^ x >> 16) * 0x7feb352du;
    x = (x ^ x >> 15) * 0x846ca68bu;
    return x ^ x >> 16;
}

/* Noise is for training alone: a program for inference leaves it out. At rate 0 no number is below it. */
FORWARD(Dropout) {
    real *mask = l->memory[0], scale = (real)(1 / (1 - l->constant[0]));
    uint64_t key = mix64(l->key + l->passes * 0x9e3779b97f4a7c15u);
    uint32_t low = (uint32_t)key, high = (uint32_t)(key >> 32), rate = (uint32_t)(l->constant[0] * 0x1p32);
    Range r = share(m * l->n_out, LANES, t);
    APART for (int64_t i = r.begin; i < r.end; i++) {
        mask[i] = mix32(mix32((uint32_t)i + low) ^ high) >= rate ? scale : 0;
        l->y[i] = l->x[i] * mask[i];
    }
}

BACKWARD(Dropout) {
    const real *mask = l->memory[0];
    Range r = share(m * l->n_out, LANES, t);
    APART for (int64_t i = r.begin; i < r.end; i++) l->dx[i] = l->dy[i] * mask[i];
}

FORWARD(GaussianNoise) {
    const real *noise = l->memory[0], std = (real)l->constant[0];
    Range r = share(m * l->n_out, LANES, t);
    APART for (int64_t i = r.begin; i < r.end; i++) l->y[i] = l->x[i] + std * noise[i];
}

BACKWARD(GaussianNoise) {} /* dx is dy, in place */

FORWARD(LayerNorm) {
    int64_t n = l->n_out;
    const real *gamma = values(l, o, 0), *beta = values(l, o, 1), eps = (real)l->constant[0];
    real *x_hats = l->memory[0], *inv_stds = l->memory[1];
    Range mine = share(m, 1, t);
    for (int64_t i = mine.begin; i < mine.end; i++) {
        const real *x = l->x + i * n;
        real *x_hat = x_hats + i * n, *y = l->y + i * n, mean = 0, var = 0;
        for (int64_t j = 0; j < n; j++) mean += x[j];
        mean /= (real)n;
        for (int64_t j = 0; j < n; j++) var += (x[j] - mean) * (x[j] - mean);
        real inv_std = inv_stds[i] = 1 / sqrt(var / (real)n + eps);
        for (int64_t j = 0; j < n; j++) {
            x_hat[j] = (x[j] - mean) * inv_std;
            y[j] = gamma[j] * x_hat[j] + beta[j];
        }
    }
}

/* dgamma = sum over rows of dy * x_hat and dbeta = sum of dy, of at most STRIP columns from j on. */
INLINE void column_sums(const Layer *l, int64_t m, int64_t j, int64_t width, real *dgamma, real *dbeta) {
    memset(dgamma, 0, STRIP * sizeof(real));
    memset(dbeta, 0, STRIP * sizeof(real));
    const real *x_hats = l->memory[0];
    for (int64_t i = 0; i < m; i++) {
        const real *dy = l->dy + i * l->n_out + j, *x_hat = x_hats + i * l->n_out + j;
        for (int64_t c = 0; c < width; c++) dgamma[c] += dy[c] * x_hat[c], dbeta[c] += dy[c];
    }
}

BACKWARD(LayerNorm) {
    int64_t n = l->n_out;
    const real *gamma = values(l, o, 0), *x_hats = l->memory[0], *inv_std = l->memory[1];
    if (l->dx) {
        Range mine = share(m, 1, t);
        for (int64_t i = mine.begin; i < mine.end; i++) {
            const real *dy = l->dy + i * n, *x_hat = x_hats + i * n;
            real *dx = l->dx + i * n, mean = 0, along = 0;
            for (int64_t j = 0; j < n; j++) mean += gamma[j] * dy[j], along += gamma[j] * dy[j] * x_hat[j];
            mean /= (real)n, along /= (real)n;
            for (int64_t j = 0; j < n; j++) dx[j] = inv_std[i] * (gamma[j] * dy[j] - mean - x_hat[j] * along);
        }
        barrier(t); /* all have used gamma before anyone moves it */
    }
    Range mine = share(n, LANES, t);
    for (int64_t j = mine.begin; j < mine.end; j += STRIP) {
        real dgamma[STRIP], dbeta[STRIP];
        int64_t width = min64(STRIP, mine.end - j);
        column_sums(l, m, j, width, dgamma, dbeta);
        give(l, o, 0, j, dgamma, width);
        give(l, o, 1, j, dbeta, width);
    }
}

FORWARD(BatchNorm) {
    int64_t n = l->n_out;
    const real *gamma = values(l, o, 0), *beta = values(l, o, 1), eps = (real)l->constant[0];
    double *running_mean = l->array[0], *running_var = l->array[1], momentum = l->constant[1];
    real *x_hat = l->memory[0], *inv_std = l->memory[1];
    Range mine = share(n, LANES, t);
    for (int64_t j = mine.begin; j < mine.end; j += STRIP) {
        real mean[STRIP] = {0}, var[STRIP] = {0};
        int64_t width = min64(STRIP, mine.end - j);
        if (training) {
            for (int64_t i = 0; i < m; i++)
                for (int64_t c = 0; c < width; c++) mean[c] += l->x[i * n + j + c];
            for (int64_t c = 0; c < width; c++) mean[c] /= (real)m;
            for (int64_t i = 0; i < m; i++)
                for (int64_t c = 0; c < width; c++) {
                    real centred = l->x[i * n + j + c] - mean[c];
                    var[c] += centred * centred;
                }
            for (int64_t c = 0; c < width; c++) var[c] /= (real)m;
            for (int64_t c = 0; m > 1 && c < width; c++) { /* of one row, the variance is no estimate */
                running_mean[j + c] += momentum * (mean[c] - running_mean[j + c]);
                running_var[j + c] += momentum * (var[c] * ((double)m / (double)(m - 1)) - running_var[j + c]);
            }
        } else {
            for (int64_t c = 0; c < width; c++)
                mean[c] = (real)running_mean[j + c], var[c] = (real)running_var[j + c];
        }
        for (int64_t c = 0; c < width; c++) inv_std[j + c] = 1 / sqrt(var[c] + eps);
        for (int64_t i = 0; i < m; i++)
            for (int64_t c = 0; c < width; c++) {
                int64_t at = i * n + j + c;
                x_hat[at] = (l->x[at] - mean[c]) * inv_std[j + c];
                l->y[at] = gamma[j + c] * x_hat[at] + beta[j + c];
            }
    }
}

BACKWARD(BatchNorm) {
    int64_t n = l->n_out;
    const real *gamma = values(l, o, 0), *x_hat = l->memory[0], *inv_std = l->memory[1];
    Range mine = share(n, LANES, t);
    for (int64_t j = mine.begin; j < mine.end; j += STRIP) {
        real dgamma[STRIP], dbeta[STRIP];
        int64_t width = min64(STRIP, mine.end - j);
        column_sums(l, m, j, width, dgamma, dbeta);
        for (int64_t i = 0; l->dx && i < m; i++)
            for (int64_t c = 0; c < width; c++) {
                int64_t at = i * n + j + c;
                l->dx[at] = inv_std[j + c] * gamma[j + c] *
                            (l->dy[at] - dbeta[c] / (real)m - x_hat[at] * (dgamma[c] / (real)m));
            }
        give(l, o, 0, j, dgamma, width);
        give(l, o, 1, j, dbeta, width);
    }
}
