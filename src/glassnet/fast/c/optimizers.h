/* How parameters move: the formulas of optim/optimizers.py, one parameter at a time.

A tile of the weight gradient is used the moment it is summed, while it is in the cache (`fused`); so the gradient as a
whole is never written to memory and read again, unless its norm is needed first, or somebody wants to see it. */
#pragma once
#include "base.h"

enum { SGD, NESTEROV, ADAM };

typedef struct {
    int64_t kind;
    int64_t fused; /* move as soon as a gradient is known; otherwise write them all, and clip and move after that */
    double lr, momentum, weight_decay, l2, clip_norm, beta1, beta2, eps;
    double debias1, debias2; /* Adam's 1 / (1 - beta^t) */
    float *theta, *grad, *slot1, *slot2; /* slots: the velocity, or Adam's m and v */
} Optimizer;

typedef struct {
    float lr, momentum, shrink, l2, beta1, beta2, rest1, rest2, eps, debias1, debias2;
} Rates; /* the same in single precision, for one parameter; rest: 1 - beta, which single precision would spoil */

INLINE void sgd(Rates o, float g, float *w, float *velocity) {
    float before = *w * o.shrink, step = o.lr * (g + o.l2 * *w);
    *velocity = o.momentum * *velocity - step;
    *w = before + *velocity;
}

INLINE void nesterov(Rates o, float g, float *w, float *velocity) {
    float before = *w * o.shrink, step = o.lr * (g + o.l2 * *w);
    *velocity = o.momentum * *velocity - step;
    *w = before - step + o.momentum * *velocity;
}

INLINE void adam(Rates o, float g, float *w, float *m, float *v) {
    float before = *w * o.shrink;
    g += o.l2 * *w;
    *m = o.beta1 * *m + o.rest1 * g;
    *v = o.beta2 * *v + o.rest2 * (g * g);
    *w = before - o.lr * o.debias1 * *m / (sqrtf(o.debias2 * *v) + o.eps);
}

/* Move n parameters, from theta[offset] on, by their gradients g. */
INLINE void move_row(const Optimizer *o, Rates rates, int64_t offset, const float *restrict g, int64_t n) {
    float *restrict w = o->theta + offset, *restrict slot1 = o->slot1 + offset, *restrict slot2 = o->slot2 + offset;
    switch (o->kind) {
    case SGD:
        for (int64_t i = 0; i < n; i++) sgd(rates, g[i], w + i, slot1 + i);
        break;
    case NESTEROV:
        for (int64_t i = 0; i < n; i++) nesterov(rates, g[i], w + i, slot1 + i);
        break;
    case ADAM:
        for (int64_t i = 0; i < n; i++) adam(rates, g[i], w + i, slot1 + i, slot2 + i);
    }
}

INLINE Rates rates_of(const Optimizer *o, int decayed) {
    return (Rates){
        (float)o->lr, (float)o->momentum, decayed ? (float)(1 - o->lr * o->weight_decay) : 1, decayed ? (float)o->l2 : 0,
        (float)o->beta1, (float)o->beta2, (float)(1 - o->beta1), (float)(1 - o->beta2), (float)o->eps, (float)o->debias1, (float)o->debias2};
}

/* Give gradients g of n parameters from theta[offset] on to the optimizer. */
INLINE void take_gradients(const Optimizer *o, Rates rates, int64_t offset, const float *g, int64_t n) {
    if (o->fused) move_row(o, rates, offset, g, n);
    else memcpy(o->grad + offset, g, (size_t)n * sizeof(float));
}
