/* The layers of nn/members.py. Of m examples, rows i * k + j of x and y are those of member j. */
#pragma once
#include "layers.h"

FORWARD(Members) {
    int64_t n = l->n_in, k = l->size[0];
    const real *scales = values(l, o, 0);
    Range mine = share(m, 1, t);
    for (int64_t i = mine.begin; i < mine.end; i++)
        for (int64_t j = 0; j < k; j++) {
            const real *x = l->x + i * n, *r = scales + j * n;
            real *restrict y = l->y + (i * k + j) * n;
            for (int64_t c = 0; c < n; c++) y[c] = r[c] * x[c];
        }
}

/* The sums over m examples of dy * x, and of dy, of member j and at most STRIP columns from c on; x's row i is at
x + i * ldx, dy's at dy + i * ldy. */
INLINE void member_sums(const real *x, int64_t ldx, const real *dy, int64_t ldy, int64_t m, int64_t width, real *along,
                        real *sum) {
    memset(along, 0, STRIP * sizeof(real));
    memset(sum, 0, STRIP * sizeof(real));
    for (int64_t i = 0; i < m; i++, x += ldx, dy += ldy)
        for (int64_t c = 0; c < width; c++) along[c] += dy[c] * x[c], sum[c] += dy[c];
}

BACKWARD(Members) {
    int64_t n = l->n_in, k = l->size[0];
    const real *scales = values(l, o, 0);
    if (l->dx) {
        Range rows = share(m, 1, t);
        for (int64_t i = rows.begin; i < rows.end; i++) {
            real *restrict dx = l->dx + i * n;
            memset(dx, 0, (size_t)n * sizeof(real));
            for (int64_t j = 0; j < k; j++) {
                const real *dy = l->dy + (i * k + j) * n, *r = scales + j * n;
                for (int64_t c = 0; c < n; c++) dx[c] += dy[c] * r[c];
            }
        }
        barrier(t); /* all have used r before anyone moves it */
    }
    Range mine = share(k, 1, t);
    for (int64_t j = mine.begin; j < mine.end; j++)
        for (int64_t c = 0; c < n; c += STRIP) {
            real along[STRIP], sum[STRIP];
            int64_t width = min64(STRIP, n - c);
            member_sums(l->x + c, n, l->dy + j * n + c, k * n, m, width, along, sum);
            give(l, o, 0, j * n + c, along, width);
        }
}

FORWARD(MemberScale) {
    int64_t n = l->n_in, k = l->size[0];
    const real *scales = values(l, o, 0), *shifts = values(l, o, 1);
    Range mine = share(m, 1, t);
    for (int64_t i = mine.begin; i < mine.end; i++) {
        const real *x = l->x + i * n, *s = scales + i % k * n, *b = shifts + i % k * n;
        real *restrict y = l->y + i * n;
        for (int64_t c = 0; c < n; c++) y[c] = s[c] * x[c] + b[c];
    }
}

BACKWARD(MemberScale) {
    int64_t n = l->n_in, k = l->size[0];
    const real *scales = values(l, o, 0);
    if (l->dx) {
        Range rows = share(m, 1, t);
        for (int64_t i = rows.begin; i < rows.end; i++) {
            const real *dy = l->dy + i * n, *s = scales + i % k * n;
            real *restrict dx = l->dx + i * n;
            for (int64_t c = 0; c < n; c++) dx[c] = dy[c] * s[c];
        }
        barrier(t);
    }
    Range mine = share(k, 1, t);
    for (int64_t j = mine.begin; j < mine.end; j++)
        for (int64_t c = 0; c < n; c += STRIP) {
            real along[STRIP], sum[STRIP];
            int64_t width = min64(STRIP, n - c);
            member_sums(l->x + j * n + c, k * n, l->dy + j * n + c, k * n, m / k, width, along, sum);
            give(l, o, 0, j * n + c, along, width);
            give(l, o, 1, j * n + c, sum, width);
        }
}

FORWARD(MemberHeads) {
    int64_t n_in = l->n_in, n_out = l->n_out, k = l->size[0];
    const real *W = values(l, o, 0), *b = values(l, o, 1);
    Thread alone = {0, 1, t.scratch};
    Range mine = share(k, 1, t);
    for (int64_t j = mine.begin; j < mine.end; j++)
        multiply_rows(l->x + j * n_in, k * n_in, W + j * n_in * n_out, 0, b + j * n_out, l->y + j * n_out, k * n_out,
                      m / k, n_out, n_in, alone);
}

BACKWARD(MemberHeads) {
    int64_t n_in = l->n_in, n_out = l->n_out, k = l->size[0];
    const real *W = values(l, o, 0);
    Thread alone = {0, 1, t.scratch};
    Range mine = share(k, 1, t); /* nobody else uses these members' W */
    for (int64_t j = mine.begin; j < mine.end; j++) {
        const real *x = l->x + j * n_in, *dy = l->dy + j * n_out;
        if (l->dx)
            multiply_rows(dy, k * n_out, W + j * n_in * n_out, 1, 0, l->dx + j * n_in, k * n_in, m / k, n_in, n_out,
                          alone);
        weight_gradient(x, k * n_in, dy, k * n_out, m / k, n_in, n_out, o, l->groups, j * n_in * n_out, alone);
        for (int64_t c = 0; c < n_out; c += STRIP) {
            real along[STRIP], sum[STRIP];
            int64_t width = min64(STRIP, n_out - c);
            member_sums(dy + c, k * n_out, dy + c, k * n_out, m / k, width, along, sum);
            give(l, o, 1, j * n_out + c, sum, width);
        }
    }
}

/* What the members' mean is taken of. */
#define MEANS(X) X(values) X(classes) X(logits)
enum { MEANS(KIND) };

/* The mean of what the members say of each example; only inference takes it. */
FORWARD(MemberMean) {
    int64_t n = l->n_in, k = l->size[0];
    Range mine = share(m / k, 1, t);
    int of = (int)l->constant[0];
    real tiny = SIZE == 4 ? (real)1.17549435e-38 : (real)2.2250738585072014e-308;
    for (int64_t i = mine.begin; i < mine.end; i++) {
        real *restrict y = l->y + i * n, *restrict p = t.scratch, *restrict rest = t.scratch + n;
        for (int64_t c = 0; c < n; c++) y[c] = rest[c] = 0;
        for (int64_t j = 0; j < k; j++) {
            const real *x = l->x + (i * k + j) * n;
            real top = x[0], sum = 0;
            if (of == KIND_classes) {
                for (int64_t c = 1; c < n; c++) top = x[c] > top ? x[c] : top;
                for (int64_t c = 0; c < n; c++) sum += p[c] = exp_(x[c] - top);
                for (int64_t c = 0; c < n; c++) y[c] += p[c] / sum;
            } else if (of == KIND_logits) {
                for (int64_t c = 0; c < n; c++) y[c] += sigmoid(x[c]), rest[c] += sigmoid(-x[c]);
            } else {
                for (int64_t c = 0; c < n; c++) y[c] += x[c];
            }
        }
        for (int64_t c = 0; c < n; c++) {
            y[c] /= (real)k, rest[c] /= (real)k;
            real mean = y[c] < tiny ? tiny : y[c], other = rest[c] < tiny ? tiny : rest[c];
            if (of == KIND_classes) y[c] = log(mean);
            if (of == KIND_logits) y[c] = log(mean) - log(other);
        }
    }
}

BACKWARD(MemberMean) {}
