/* The layers of nn/ that prepare raw rows: nn/columns.py, nn/rotations.py, nn/means.py, nn/preprocessing.py, in double.

A layer is a step from columns of x to columns of y, some rows at a time: x is [n_in, m], and y [n_out, m]. */
#pragma once
#include "base.h"
#include "threads.h"

enum { REALS, BYTES, DOUBLES, READY }; /* rows as given, of these types; or prepared already, real */

#define SLICE 128 /* rows at a time: their columns fit into a core's cache */
#define STEPS(X) X(Columns) X(Standardize) X(QuantileNormalize) X(RobustScale) X(Rotations) X(TargetMeans)
enum { STEPS(KIND) };

/* Which sizes and arrays a step has is said in preparing.py, in the same order. rounded: whether y is of the network's type. */
typedef struct {
    int64_t kind, n_in, n_out, rounded, size[3];
    const void *array[6];
} Step;

typedef struct {
    const Step *steps;
    int64_t n_steps, n_in, n_out, most; /* most: the widest of all rows */
    double *memory;                     /* of each thread: twice [most, SLICE] */
} Preparation;

#define STEP(name) static void name##_step(const Step *s, int64_t m, const double *x, double *y)

/* A place in a cycle: the product is rounded before it is taken off, as in NumPy, for it may meet a knot. */
INLINE double turn(double x, double length) {
    volatile double whole = length * floor(x / length);
    double place = (x - whole) / length - 0.5;
    return place != place ? 0 : place;
}

STEP(Columns) {
    int64_t width = s->size[0];
    const int64_t *categories = s->array[0], *missing = s->array[3], *turning = s->array[4];
    const double *median = s->array[1], *scale = s->array[2], *lengths = s->array[5];
    for (int64_t j = 0; j < width; j++) {
        if (categories[j]) continue;
        for (int64_t i = 0; i < m; i++) {
            double centred = (x[j * m + i] - median[j]) / scale[j];
            y[i] = centred != centred ? 0 : centred;
        }
        y += m;
    }
    for (int64_t c = 0; c < s->size[2]; c++, y += m)
        for (int64_t i = 0; i < m; i++) y[i] = turn(x[turning[c] * m + i], lengths[c]);
    for (int64_t c = 0; c < s->size[1]; c++, y += m)
        for (int64_t i = 0; i < m; i++) y[i] = x[missing[c] * m + i] != x[missing[c] * m + i];
    for (int64_t j = 0; j < width; j++) {
        memset(y, 0, (size_t)(categories[j] * m) * sizeof(double));
        for (int64_t i = 0; categories[j] && i < m; i++) {
            double code = x[j * m + i];
            if (code >= 0 && code < (double)categories[j] && code == floor(code)) y[(int64_t)code * m + i] = 1;
        }
        y += categories[j] * m;
    }
}

STEP(Standardize) {
    const double *mean = s->array[0], *scale = s->array[1];
    for (int64_t j = 0; j < s->n_in; j++)
        for (int64_t i = j * m; i < (j + 1) * m; i++) {
            double centred = x[i] - mean[j];
            y[i] = (s->rounded ? (double)(real)centred : centred) / scale[j];
        }
}

STEP(RobustScale) {
    const double *median = s->array[0], *scale = s->array[1], far = 1e100; /* far: in quartiles; its square is a number still */
    for (int64_t j = 0; j < s->n_in; j++)
        for (int64_t i = j * m; i < (j + 1) * m; i++) {
            double z = (x[i] - median[j]) * scale[j];
            z = z > far ? far : z < -far ? -far : z;
            y[i] = z / sqrt(1 + (z / 3) * (z / 3));
        }
}

STEP(Rotations) {
    int64_t width = s->size[0], added = s->size[1];
    const double *A = s->array[0];
    memcpy(y, x, (size_t)(width * m) * sizeof(double));
    memcpy(y + (width + added) * m, x + width * m, (size_t)((s->n_in - width) * m) * sizeof(double));
    double *restrict turned = memset(y + width * m, 0, (size_t)(added * m) * sizeof(double));
    for (int64_t j = 0; j < width; j++)
        for (int64_t k = 0; k < added; k++)
            for (int64_t i = 0; i < m; i++) turned[k * m + i] += x[j * m + i] * A[j * added + k];
}

#define SEARCHES 16 /* at a time: one needn't wait for another */

/* How many of n rising knots aren't above each x. */
INLINE void count_knots(const double *knots, int64_t n, const double *x, int64_t *count) {
    memset(count, 0, SEARCHES * sizeof(int64_t));
    for (int64_t left = n; left > 1; left -= left / 2)
        for (int g = 0; g < SEARCHES; g++) count[g] += knots[count[g] + left / 2 - 1] <= x[g] ? left / 2 : 0;
    for (int g = 0; g < SEARCHES; g++) count[g] += knots[count[g]] <= x[g];
}

/* Of each of m values x: between the last knot that isn't above x and the next. at: the level at each knot, which is the mean
of two if several knots are the same. */
static void put_levels(const double *knots, const double *levels, const double *at, int64_t n, int64_t m, const double *x,
                       double *y) {
    for (int64_t first = 0; first < m; first += SEARCHES) {
        int64_t count[SEARCHES], some = min64(SEARCHES, m - first);
        double values[SEARCHES] = {0};
        memcpy(values, x + first, (size_t)some * sizeof(double));
        count_knots(knots, n, values, count);
        for (int64_t g = 0; g < some; g++) {
            int64_t above = count[g], before = above - 1;
            double value = values[g];
            y[first + g] = value != value ? value
                           : above == 0 ? levels[0]
                           : knots[before] == value ? at[before]
                           : above == n ? levels[n - 1]
                           : levels[before] + (levels[above] - levels[before]) / (knots[above] - knots[before]) *
                                                  (value - knots[before]);
        }
    }
}

/* A value often comes again at once: that of a category's column, 0 or 1. */
STEP(QuantileNormalize) {
    int64_t n = s->size[0], place[SLICE];
    const double *knots = s->array[0], *levels = s->array[1], *at = s->array[2];
    double different[SLICE], found[SLICE];
    for (int64_t j = 0; j < s->n_in; j++, x += m, y += m) {
        int64_t count = 0;
        for (int64_t i = 0; i < m; i++) {
            different[count] = x[i];
            count += i == m - 1 || x[i] != x[i + 1];
            place[i] = count - (i == m - 1 || x[i] != x[i + 1]);
        }
        put_levels(knots + j * n, levels, at + j * n, n, count, different, found);
        for (int64_t i = 0; i < m; i++) y[i] = found[place[i]];
    }
}

STEP(TargetMeans) {
    int64_t width = s->size[0], count = s->size[1], values = s->size[2];
    const int64_t *columns = s->array[0], *sizes = s->array[1];
    const double *keys = s->array[2], *means = s->array[3], *prior = s->array[4];
    memcpy(y, x, (size_t)(width * m) * sizeof(double));
    y += width * m;
    for (int64_t k = 0; k < count; k++) {
        for (int64_t i = 0; i < m; i++) {
            double value = x[columns[k] * m + i];
            int64_t above = 0; /* keys that aren't above it */
            for (int64_t left = sizes[k]; left > 1; left -= left / 2) above += keys[above + left / 2 - 1] <= value ? left / 2 : 0;
            above += keys[above] <= value;
            const double *mean = above && keys[above - 1] == value ? means + (above - 1) * values : prior;
            for (int64_t v = 0; v < values; v++) y[v * m + i] = mean[v];
        }
        y += values * m, keys += sizes[k], means += sizes[k] * values;
    }
}

static void do_step(const Step *s, int64_t m, const double *x, double *y) {
    switch (s->kind) {
#define DO_STEP(name) case KIND_##name: name##_step(s, m, x, y); break;
        STEPS(DO_STEP)
    }
    for (int64_t i = 0; s->rounded && i < s->n_out * m; i++) y[i] = (double)(real)y[i];
}

#define SIDE 8 /* columns at a time: rows and columns are far apart, and the cache has few places for such lines */

/* Rows x [m, n] of a type, as columns. */
static void read_columns(const void *x, int64_t format, int64_t n, int64_t m, double *columns) {
    for (int64_t j = 0; j < n; j += SIDE)
        for (int64_t i = 0; i < m; i++)
            for (int64_t k = j; k < min64(j + SIDE, n); k++)
                columns[k * m + i] = format == DOUBLES ? ((const double *)x)[i * n + k]
                                     : format == BYTES ? ((const uint8_t *)x)[i * n + k]
                                                       : ((const real *)x)[i * n + k];
}

/* Columns as rows y [m, n]. */
static void write_rows(const double *columns, int64_t n, int64_t m, real *y) {
    int64_t j = 0;
    for (; j + SIDE <= n; j += SIDE)
        for (int64_t i = 0; i < m; i++)
            for (int64_t k = 0; k < SIDE; k++) y[i * n + j + k] = (real)columns[(j + k) * m + i];
    for (; j < n; j++)
        for (int64_t i = 0; i < m; i++) y[i * n + j] = (real)columns[j * m + i];
}

typedef struct {
    const Preparation *preparation;
    const char *x;
    int64_t format, m;
    real *y;
} Raw;

static void prepare_part(void *argument, Thread t) {
    const Raw *raw = argument;
    const Preparation *p = raw->preparation;
    int64_t size = raw->format == BYTES ? 1 : raw->format == DOUBLES ? (int64_t)sizeof(double) : (int64_t)sizeof(real);
    Range mine = share(raw->m, SLICE, t);
    for (int64_t first = mine.begin; first < mine.end; first += SLICE) {
        int64_t m = min64(SLICE, mine.end - first);
        double *from = p->memory + t.id * 2 * p->most * SLICE, *to = from + p->most * SLICE;
        read_columns(raw->x + first * p->n_in * size, raw->format, p->n_in, m, from);
        for (int64_t k = 0; k < p->n_steps; k++) {
            do_step(p->steps + k, m, from, to);
            double *next = from;
            from = to, to = next;
        }
        write_rows(from, p->n_out, m, raw->y + first * p->n_out);
    }
}

/* Rows x [m, n_in] of a format after all steps: y [m, n_out]. */
void prepare(const Preparation *p, const void *x, int64_t format, int64_t m, real *y, int64_t threads) {
    Raw raw = {p, x, format, m, y};
    run(prepare_part, &raw, threads, 0, 0);
}
