/* How parameters move: the formulas of optim/optimizers.py, one parameter at a time.

A tile of the weight gradient is used the moment it is summed, while it is in the cache (`fused`); so the gradient as a
whole is never written to memory and read again, unless its norm is needed first, or somebody wants to see it. */
#pragma once
#include "base.h"

NAMED(optimizer_kinds, CLASSIC, NESTEROV, ADAM)

typedef struct {
    int64_t kind;
    int64_t fused; /* move as soon as a gradient is known; otherwise write them all, and clip and move after that */
    double lr, momentum, weight_decay, l2, clip_norm, beta1, beta2, eps;
    double debias1, debias2; /* Adam's 1 / (1 - beta^t) */
    real *theta, *grad, *slot1, *slot2; /* slots: the velocity, or Adam's m and v */
} Optimizer;

typedef struct {
    real lr, momentum, shrink, l2, beta1, beta2, rest1, rest2, eps, debias1, debias2;
} Rates; /* the same in single precision, for one parameter; rest: 1 - beta, which single precision would spoil */

INLINE void sgd(Rates o, real g, real *w, real *velocity) {
    real before = *w * o.shrink, step = o.lr * (g + o.l2 * *w);
    *velocity = o.momentum * *velocity - step;
    *w = before + *velocity;
}

INLINE void nesterov(Rates o, real g, real *w, real *velocity) {
    real before = *w * o.shrink, step = o.lr * (g + o.l2 * *w);
    *velocity = o.momentum * *velocity - step;
    *w = before - step + o.momentum * *velocity;
}

INLINE void adam(Rates o, real g, real *w, real *m, real *v) {
    real before = *w * o.shrink;
    g += o.l2 * *w;
    *m = o.beta1 * *m + o.rest1 * g;
    *v = o.beta2 * *v + o.rest2 * (g * g);
    *w = before - o.lr * o.debias1 * *m / (sqrt(o.debias2 * *v) + o.eps);
}

/* Move n parameters, from theta[offset] on, by their gradients g. */
INLINE void move_row(const Optimizer *o, Rates rates, int64_t offset, const real *restrict g, int64_t n) {
    real *restrict w = o->theta + offset, *restrict slot1 = o->slot1 + offset, *restrict slot2 = o->slot2 + offset;
    switch (o->kind) {
    case CLASSIC:
        for (int64_t i = 0; i < n; i++) sgd(rates, g[i], w + i, slot1 + i);
        break;
    case NESTEROV:
        for (int64_t i = 0; i < n; i++) nesterov(rates, g[i], w + i, slot1 + i);
        break;
    case ADAM:
        for (int64_t i = 0; i < n; i++) adam(rates, g[i], w + i, slot1 + i, slot2 + i);
    }
}

/* Of parameters whose learning rate is lr * factor. */
INLINE Rates rates_of(const Optimizer *o, int decayed, double factor) {
    double lr = o->lr * factor;
    return (Rates){
        (real)lr, (real)o->momentum, decayed ? (real)(1 - lr * o->weight_decay) : 1, decayed ? (real)o->l2 : 0,
        (real)o->beta1, (real)o->beta2, (real)(1 - o->beta1), (real)(1 - o->beta2), (real)o->eps, (real)o->debias1, (real)o->debias2};
}

/* Give gradients g of n parameters from theta[offset] on to the optimizer. */
INLINE void take_gradients(const Optimizer *o, Rates rates, int64_t offset, const real *g, int64_t n) {
    if (o->fused) move_row(o, rates, offset, g, n);
    else memcpy(o->grad + offset, g, (size_t)n * sizeof(real));
}
