/* A network as a program, for one training step or for inference, by threads that all run the same lines.

The structures are filled by program.py, which also owns all memory. */
#pragma once
#include "kinds.h"
#include "losses.h"
#include "preparing.h"

#define AHEAD 4 /* rows that are asked for before they are needed */

typedef struct Program {
    Layer *layers; /* in inference, n_layers for each thread */
    int64_t n_layers, first; /* the first layer with parameters: backward ends there */
    const void *data;        /* [N, width] */
    int64_t format, width, batch; /* batch: the rows that each layer has room for */
    const real *mean, *scale; /* [width]: x = (data - mean) / scale; null: x = data */
    Loss loss;
    Optimizer optimizer;
    int64_t n_parameters, n_groups;
    const Group *groups; /* one for each parameter, in the order of theta */
    double *squares;        /* [n_parameters / CHUNK + 1] */
    int64_t scratch_size;
    real *scratch;
    /* of the present call: */
    const int64_t *rows; /* [m]; null in inference: all */
    const void *x;       /* [m, width], what to take for these rows of `data`; or null */
    int64_t m;
    real *out;
    _Atomic int64_t next; /* in training: the layer whose gradient comes next. In inference: the next row */
    /* in inference: */
    int64_t preparation;       /* the number of what prepares its rows */
    int64_t family, n_shared;  /* networks of a family have the same layers, with so many parameters before the last one */
    struct Program *twin;      /* one of the family whose shared parameters are the same: it differs in the last layer */
} Program;

/* Gather this thread's rows of the batch from `data`, standardised. */
static void gather(const Program *p, const void *data, const int64_t *rows, int64_t first, int64_t m, real *to,
                   Thread t) {
    Range mine = share(m, 1, t);
    int64_t n = p->width, bytes = p->format == BYTES, size = bytes ? 1 : (int64_t)sizeof(real);
    const real *mean = p->mean, *scale = p->format == READY ? 0 : p->scale;
    for (int64_t i = mine.begin; i < mine.end; i++) {
        const char *row = (const char *)data + (rows ? rows[i] : first + i) * n * size;
        if (rows && i + AHEAD < mine.end) {
            const char *next = (const char *)data + rows[i + AHEAD] * n * size;
            for (int64_t line = 0; line < n * size; line += 64) __builtin_prefetch(next + line);
        }
        real *restrict x = to + i * n;
        const real *reals = (const real *)row;
        const uint8_t *pixels = (const uint8_t *)row;
        if (bytes && scale) for (int64_t j = 0; j < n; j++) x[j] = ((real)pixels[j] - mean[j]) / scale[j];
        else if (bytes) for (int64_t j = 0; j < n; j++) x[j] = (real)pixels[j];
        else if (scale) for (int64_t j = 0; j < n; j++) x[j] = (reals[j] - mean[j]) / scale[j];
        else memcpy(x, reals, (size_t)n * sizeof(real));
    }
}

/* One batch through all layers, each thread doing its share of every layer. */
static void forward(const Program *p, int training, Thread t) {
    if (p->x) gather(p, p->x, 0, 0, p->m, p->layers->x, t);
    else gather(p, p->data, p->rows, 0, p->m, p->layers->x, t);
    barrier(t);
    for (int64_t l = 0; l < p->n_layers; l++) {
        layer_forward(&p->layers[l], &p->optimizer, p->m, training, t);
        barrier(t);
    }
}
