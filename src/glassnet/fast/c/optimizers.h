/* How parameters move: the formulas of optim/optimizers.py, one parameter at a time.

A tile of the weight gradient is used the moment it is summed, while it is in the cache (`fused`); so the gradient as a
whole is never written to memory and read again, unless its norm is needed first, or somebody wants to see it. */
#pragma once
#include "base.h"

#define STRIP 64 /* columns that are summed over rows together */

#define OPTIMIZERS(X) X(SGD) X(Nesterov) X(Adam)
enum { OPTIMIZERS(KIND) };

typedef struct {
    int64_t kind;
    int64_t fused; /* move as soon as a gradient is known; otherwise write them all, and clip and move after that */
    int64_t adding; /* add the gradients to what `grad` holds, in place of writing them */
    double lr, momentum, weight_decay, l2, clip_norm, beta1, beta2, eps;
    int64_t steps; /* taken so far */
    double debias1, debias2; /* Adam's 1 / (1 - beta^t), of this step */
    real *theta, *grad, *slot1, *slot2; /* slots: the velocity, or Adam's m and v */
} Optimizer;

/* A parameter of a layer, as in nn/groups.py: its part of theta, and how it moves. */
typedef struct {
    int64_t begin, end, columns, decayed;
    double lr_factor, max_norm; /* max_norm: of each of its columns; 0: any */
} Group;

typedef struct {
    real lr, momentum, shrink, l2, beta1, beta2, rest1, rest2, eps, debias1, debias2;
} Rates; /* the same in single precision, for one parameter; rest: 1 - beta, which single precision would spoil */

/* How one parameter w moves by its gradient g. */
#define RULE(name, slot1, slot2) INLINE void name##_rule(Rates o, real g, real *w, real *slot1, real *slot2)

RULE(SGD, velocity, unused) {
    real before = *w * o.shrink, step = o.lr * (g + o.l2 * *w);
    *velocity = o.momentum * *velocity - step;
    *w = before + *velocity;
}

RULE(Nesterov, velocity, unused) {
    real before = *w * o.shrink, step = o.lr * (g + o.l2 * *w);
    *velocity = o.momentum * *velocity - step;
    *w = before - step + o.momentum * *velocity;
}

RULE(Adam, m, v) {
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
#define MOVE(name)                                                                                     \
    case KIND_##name:                                                                                  \
        APART for (int64_t i = 0; i < n; i++) name##_rule(rates, g[i], w + i, slot1 + i, slot2 + i);  \
        break;
        OPTIMIZERS(MOVE)
    }
}

INLINE Rates rates_of(const Optimizer *o, const Group *group) {
    double lr = o->lr * group->lr_factor;
    return (Rates){
        (real)lr, (real)o->momentum, group->decayed ? (real)(1 - lr * o->weight_decay) : 1,
        group->decayed ? (real)o->l2 : 0,
        (real)o->beta1, (real)o->beta2, (real)(1 - o->beta1), (real)(1 - o->beta2), (real)o->eps, (real)o->debias1,
        (real)o->debias2};
}

/* Give gradients g of n parameters from theta[offset] on to the optimizer. */
INLINE void take_gradients(const Optimizer *o, Rates rates, int64_t offset, const real *g, int64_t n) {
    if (o->fused) move_row(o, rates, offset, g, n);
    else if (o->adding) for (int64_t i = 0; i < n; i++) o->grad[offset + i] += g[i];
    else memcpy(o->grad + offset, g, (size_t)n * sizeof(real));
}

/* Scale this thread's share of the columns of a matrix W that have a larger norm than max_norm down to it. */
static void bound_norms(const Optimizer *o, const Group *group, Thread t) {
    real *W = o->theta + group->begin, most = (real)group->max_norm;
    int64_t columns = group->columns, rows = (group->end - group->begin) / columns;
    Range mine = share(columns, LANES, t);
    for (int64_t j = mine.begin; j < mine.end; j += STRIP) {
        real sum[STRIP] = {0}, scale[STRIP];
        int64_t width = min64(STRIP, mine.end - j), larger = 0;
        for (int64_t i = 0; i < rows; i++)
            for (int64_t c = 0; c < width; c++) sum[c] += W[i * columns + j + c] * W[i * columns + j + c];
        for (int64_t c = 0; c < width; c++) {
            real norm = sqrt(sum[c]);
            scale[c] = norm > most ? most / norm : 1;
            larger |= norm > most;
        }
        for (int64_t i = 0; larger && i < rows; i++)
            for (int64_t c = 0; c < width; c++) W[i * columns + j + c] *= scale[c];
    }
}
