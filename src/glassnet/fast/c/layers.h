/* The layers of nn/, forward next to backward: the same formulas, for this thread's share of the batch.

A layer reads x and dy, and writes y and dx; some of these are the same memory, where a layer doesn't need both.
Before each call all threads have met, so x and dy are whole. */
#pragma once
#include "base.h"
#include "optimizers.h"
#include "products.h"
#include "threads.h"

NAMED(
    layer_kinds,
    DENSE, RELU, LEAKY_RELU, SIGMOID, TANH, GELU, SILU, EXP, DROPOUT, BATCH_NORM, LAYER_NORM, PIECEWISE_LINEAR, PERIODIC,
    MEMBERS, MEMBER_SCALE, MEMBER_HEADS, MEMBER_MEAN, CATEGORY_EMBEDDING, GAUSSIAN_NOISE
)

typedef struct {
    int64_t kind, n_in, n_out;
    int64_t rows;      /* for each row of the batch: one for each member, after Members */
    int64_t w, b, c;   /* where the parameters begin in theta, in the layer's order: W and b, or gamma and beta */
    int64_t k;         /* members; of embeddings, bins or frequencies */
    int64_t width, dim; /* of embeddings: features, or all categories, and values for each */
    double value;      /* LeakyReLU's slope, dropout's rate, noise's std, the eps of a normalisation, of what members' mean is taken */
    double momentum;   /* batch norm's */
    double lr_factor;  /* of the parameters */
    double max_norm;   /* of each column of W; 0: any */
    double *mean, *var; /* batch norm's running statistics */
    real *x, *y, *dy, *dx; /* dx may be null: not needed */
    real *kept;       /* dropout's random numbers [m, n], later its mask; noise [m, n]; a normalisation's x_hat [m, n]; embeddings' t or u */
    real *inv_std;    /* layer norm [m], batch norm [n] */
    const real *edges; /* piecewise linear [width, bins + 1] */
    int64_t *bin;      /* [m, width] */
    real *below;       /* [width, bins, dim]: sums of W over the bins below */
    const int64_t *column;     /* category embedding [width]: which column's each category is */
    const double *low, *scale; /* [width] */
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
    weight_gradient(l->x, l->n_in, l->dy, l->n_out, m, l->n_in, l->n_out, l->w, o, rates_of(o, 1, l->lr_factor), t);
    Range mine = share(l->n_out, LANES, t);
    for (int64_t j = mine.begin; j < mine.end; j += STRIP) {
        real sum[STRIP] = {0};
        int64_t width = min64(STRIP, mine.end - j);
        for (int64_t i = 0; i < m; i++)
            for (int64_t c = 0; c < width; c++) sum[c] += l->dy[i * l->n_out + j + c];
        take_gradients(o, rates_of(o, 0, l->lr_factor), l->b + j, sum, width);
    }
}

/* Scale this thread's share of the columns of W that have a larger norm than max_norm down to it. */
static void bound_norms(const Layer *l, const Optimizer *o, Thread t) {
    real *W = o->theta + l->w, most = (real)l->max_norm;
    Range mine = share(l->n_out, LANES, t);
    for (int64_t j = mine.begin; j < mine.end; j += STRIP) {
        real sum[STRIP] = {0}, scale[STRIP];
        int64_t width = min64(STRIP, mine.end - j), larger = 0;
        for (int64_t i = 0; i < l->n_in; i++)
            for (int64_t c = 0; c < width; c++) sum[c] += W[i * l->n_out + j + c] * W[i * l->n_out + j + c];
        for (int64_t c = 0; c < width; c++) {
            real norm = sqrt(sum[c]);
            scale[c] = norm > most ? most / norm : 1;
            larger |= norm > most;
        }
        for (int64_t i = 0; larger && i < l->n_in; i++)
            for (int64_t c = 0; c < width; c++) W[i * l->n_out + j + c] *= scale[c];
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

static void activation_forward(const Layer *l, int64_t m, Thread t) {
    const real *x = l->x;
    real *y = l->y, slope = (real)l->value;
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
    case EXP: EACH y[i] = exp(x[i]); break; /* which overflows to infinity, as exp_ doesn't */
    }
}

static void activation_backward(const Layer *l, int64_t m, Thread t) {
    const real *x = l->x, *y = l->y, *dy = l->dy;
    real *dx = l->dx, slope = (real)l->value;
    Range r = share(m * l->n_out, LANES, t);
    int64_t i;
    switch (l->kind) {
    case RELU: EACH dx[i] = y[i] > 0 ? dy[i] : 0 * dy[i]; break; /* a NaN stays one */
    case LEAKY_RELU: EACH dx[i] = x[i] > 0 ? dy[i] : slope * dy[i]; break;
    case SIGMOID: EACH dx[i] = dy[i] * y[i] * (1 - y[i]); break;
    case TANH: EACH dx[i] = dy[i] * (1 - y[i] * y[i]); break;
    case GELU: EACH dx[i] = dy[i] * (phi(x[i]) + x[i] * (real)0.3989422804014327 * exp_((real)-0.5 * x[i] * x[i])); break;
    case EXP: EACH dx[i] = dy[i] * y[i]; break;
    case SILU: EACH {
        real s = sigmoid(x[i]);
        dx[i] = dy[i] * s * (1 + x[i] * (1 - s));
    }
    }
#undef EACH
}

static void dropout_forward(const Layer *l, int64_t m, int training, Thread t) {
    Range r = share(m * l->n_out, LANES, t);
    real rate = (real)l->value, scale = (real)(1 / (1 - l->value));
    for (int64_t i = r.begin; i < r.end; i++) {
        if (training) l->kept[i] = l->kept[i] >= rate ? scale : 0;
        l->y[i] = training ? l->x[i] * l->kept[i] : l->x[i];
    }
}

static void dropout_backward(const Layer *l, int64_t m, Thread t) {
    Range r = share(m * l->n_out, LANES, t);
    for (int64_t i = r.begin; i < r.end; i++) l->dx[i] = l->dy[i] * l->kept[i];
}

static void gaussian_noise_forward(const Layer *l, int64_t m, int training, Thread t) {
    Range r = share(m * l->n_out, LANES, t);
    real std = training ? (real)l->value : 0;
    for (int64_t i = r.begin; i < r.end; i++) l->y[i] = l->x[i] + std * l->kept[i];
}

static void layer_norm_forward(const Layer *l, const Optimizer *o, int64_t m, Thread t) {
    int64_t n = l->n_out;
    const real *gamma = o->theta + l->w, *beta = o->theta + l->b;
    Range mine = share(m, 1, t);
    for (int64_t i = mine.begin; i < mine.end; i++) {
        const real *x = l->x + i * n;
        real *x_hat = l->kept + i * n, *y = l->y + i * n, mean = 0, var = 0;
        for (int64_t j = 0; j < n; j++) mean += x[j];
        mean /= (real)n;
        for (int64_t j = 0; j < n; j++) var += (x[j] - mean) * (x[j] - mean);
        real inv_std = l->inv_std[i] = 1 / sqrt(var / (real)n + (real)l->value);
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
    for (int64_t i = 0; i < m; i++) {
        const real *dy = l->dy + i * l->n_out + j, *x_hat = l->kept + i * l->n_out + j;
        for (int64_t c = 0; c < width; c++) dgamma[c] += dy[c] * x_hat[c], dbeta[c] += dy[c];
    }
}

static void layer_norm_backward(const Layer *l, const Optimizer *o, int64_t m, Thread t) {
    int64_t n = l->n_out;
    if (l->dx) {
        const real *gamma = o->theta + l->w;
        Range mine = share(m, 1, t);
        for (int64_t i = mine.begin; i < mine.end; i++) {
            const real *dy = l->dy + i * n, *x_hat = l->kept + i * n;
            real *dx = l->dx + i * n, mean = 0, along = 0;
            for (int64_t j = 0; j < n; j++) mean += gamma[j] * dy[j], along += gamma[j] * dy[j] * x_hat[j];
            mean /= (real)n, along /= (real)n;
            for (int64_t j = 0; j < n; j++) dx[j] = l->inv_std[i] * (gamma[j] * dy[j] - mean - x_hat[j] * along);
        }
        barrier(t); /* all have used gamma before anyone moves it */
    }
    Range mine = share(n, LANES, t);
    for (int64_t j = mine.begin; j < mine.end; j += STRIP) {
        real dgamma[STRIP], dbeta[STRIP];
        int64_t width = min64(STRIP, mine.end - j);
        column_sums(l, m, j, width, dgamma, dbeta);
        take_gradients(o, rates_of(o, 0, l->lr_factor), l->w + j, dgamma, width);
        take_gradients(o, rates_of(o, 0, l->lr_factor), l->b + j, dbeta, width);
    }
}

static void batch_norm_forward(const Layer *l, const Optimizer *o, int64_t m, int training, Thread t) {
    int64_t n = l->n_out;
    const real *gamma = o->theta + l->w, *beta = o->theta + l->b;
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
                l->mean[j + c] += l->momentum * (mean[c] - l->mean[j + c]);
                l->var[j + c] += l->momentum * (var[c] * ((double)m / (double)(m - 1)) - l->var[j + c]);
            }
        } else {
            for (int64_t c = 0; c < width; c++) mean[c] = (real)l->mean[j + c], var[c] = (real)l->var[j + c];
        }
        for (int64_t c = 0; c < width; c++) l->inv_std[j + c] = 1 / sqrt(var[c] + (real)l->value);
        for (int64_t i = 0; i < m; i++)
            for (int64_t c = 0; c < width; c++) {
                real x_hat = l->kept[i * n + j + c] = (l->x[i * n + j + c] - mean[c]) * l->inv_std[j + c];
                l->y[i * n + j + c] = gamma[j + c] * x_hat + beta[j + c];
            }
    }
}

static void batch_norm_backward(const Layer *l, const Optimizer *o, int64_t m, Thread t) {
    int64_t n = l->n_out;
    const real *gamma = o->theta + l->w;
    Range mine = share(n, LANES, t);
    for (int64_t j = mine.begin; j < mine.end; j += STRIP) {
        real dgamma[STRIP], dbeta[STRIP];
        int64_t width = min64(STRIP, mine.end - j);
        column_sums(l, m, j, width, dgamma, dbeta);
        for (int64_t i = 0; l->dx && i < m; i++)
            for (int64_t c = 0; c < width; c++) {
                int64_t at = i * n + j + c;
                l->dx[at] = l->inv_std[j + c] * gamma[j + c] *
                            (l->dy[at] - dbeta[c] / (real)m - l->kept[at] * (dgamma[c] / (real)m));
            }
        take_gradients(o, rates_of(o, 0, l->lr_factor), l->w + j, dgamma, width);
        take_gradients(o, rates_of(o, 0, l->lr_factor), l->b + j, dbeta, width);
    }
}
