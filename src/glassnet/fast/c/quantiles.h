/* QuantileNormalize of nn/preprocessing.py. */
#pragma once
#include "base.h"

/* How many of n rising knots aren't above x, or aren't above or at it. No branch depends on x, so that one search overlaps
the next. */
INLINE int64_t knots_below(const double *knots, int64_t n, double x, int or_at) {
    int64_t count = 0;
    for (int64_t left = n; left > 0;) {
        int64_t half = (left + 1) / 2;
        double knot = knots[count + half - 1];
        int below = or_at ? knot <= x : knot < x;
        count += below ? half : 0;
        left = below ? left - half : half - 1;
    }
    return count;
}

/* y between the last knot that isn't above x and the first that isn't below; x may be one of them, or several. */
INLINE double level_of(const double *knots, const double *levels, int64_t n, double x) {
    int64_t above = knots_below(knots, n, x, 1), before = above - 1;
    if (above == 0) return x != x ? x : levels[0];
    if (knots[before] == x) return (levels[knots_below(knots, n, x, 0)] + levels[before]) / 2;
    if (above == n) return levels[n - 1];
    return levels[before] + (levels[above] - levels[before]) / (knots[above] - knots[before]) * (x - knots[before]);
}

/* y [m, width] of x [m, width]; knots: [width, n]. A value often comes again at once: that of a category's column, 0 or 1. */
void normalize_quantiles(const double *knots, const double *levels, int64_t n, const double *x, int64_t m, int64_t width,
                         real *y) {
    for (int64_t j = 0; j < width; j++) {
        double last = NAN;
        real level = 0;
        for (int64_t i = j; i < m * width; i += width) {
            if (x[i] != last) last = x[i], level = (real)level_of(knots + j * n, levels, n, last);
            y[i] = level;
        }
    }
}
