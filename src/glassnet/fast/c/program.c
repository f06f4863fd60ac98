/* A network as a program: one training step, or inference, by threads that all run the same lines.

The structures are filled by program.py, which also owns all memory. */
#define _GNU_SOURCE /* sched_getcpu */
#include "base.h"
#include "kinds.h"
#include "losses.h"
#include "optimizers.h"
#include "threads.h"

#define AHEAD 4     /* rows that are asked for before they are needed */
#define CHUNK 4096  /* parameters whose squares are summed together */

enum { FLOATS, BYTES, READY }; /* rows as given, real or unsigned bytes; or preprocessed already, real */

typedef struct {
    Layer *layers; /* in inference, n_layers for each thread */
    int64_t n_layers, first; /* the first layer with parameters: backward ends there */
    const void *data;        /* [N, width] */
    int64_t format, width, batch; /* batch: the rows that each layer has room for */
    const real *mean, *scale; /* [width]: x = (data - mean) / scale; null: x = data */
    Loss loss;
    Optimizer optimizer;
    int64_t n_parameters, n_decayed;
    const int64_t *decayed; /* begin and end of each part of theta that decay acts on */
    double *squares;        /* [n_parameters / CHUNK + 1] */
    int64_t scratch_size;
    real *scratch;
    /* of the present call: */
    const int64_t *rows; /* [m]; null in inference: all */
    int64_t m;
    real *out;
    _Atomic int64_t next;
} Program;

/* Gather this thread's rows of the batch, standardised. */
static void gather(const Program *p, const int64_t *rows, int64_t first, int64_t m, real *to, Thread t) {
    Range mine = share(m, 1, t);
    int64_t n = p->width, bytes = p->format == BYTES, size = bytes ? 1 : (int64_t)sizeof(real);
    const real *mean = p->mean, *scale = p->format == READY ? 0 : p->scale;
    for (int64_t i = mine.begin; i < mine.end; i++) {
        const char *row = (const char *)p->data + (rows ? rows[i] : first + i) * n * size;
        if (rows && i + AHEAD < mine.end) {
            const char *next = (const char *)p->data + rows[i + AHEAD] * n * size;
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

/* Move the parameters from..to by their whole gradient: with L2, that of the penalty is added to it. */
static void move_part(const Optimizer *o, int64_t from, int64_t to, int decayed) {
    Rates rates = rates_of(o, decayed);
    if (rates.l2 != 0)
        for (int64_t i = from; i < to; i++) o->grad[i] += rates.l2 * o->theta[i];
    rates.l2 = 0;
    if (from < to) move_row(o, rates, from, o->grad + from, to - from);
}

/* Clip all gradients together, and move: what can't be done tile by tile. */
static void clip_and_move(const Program *p, Thread t) {
    const Optimizer *o = &p->optimizer;
    Range mine = share(p->n_parameters, CHUNK, t);
    if (o->clip_norm > 0) {
        double norm = 0;
        for (int64_t c = mine.begin; c < mine.end; c += CHUNK) { /* by chunks: the same sum for any number of threads */
            double sum = 0;
            for (int64_t i = c; i < min64(mine.end, c + CHUNK); i++) sum += (double)o->grad[i] * o->grad[i];
            p->squares[c / CHUNK] = sum;
        }
        barrier(t);
        for (int64_t c = 0; c * CHUNK < p->n_parameters; c++) norm += p->squares[c];
        norm = sqrt(norm);
        if (isfinite(norm) && norm > o->clip_norm)
            for (int64_t i = mine.begin; i < mine.end; i++) o->grad[i] *= (real)(o->clip_norm / norm);
    }
    int64_t at = mine.begin;
    for (int64_t part = 0; part < p->n_decayed; part++) { /* what lies before each decayed part, then the part */
        int64_t begin = min64(mine.end, p->decayed[2 * part]), end = min64(mine.end, p->decayed[2 * part + 1]);
        if (end <= at) continue;
        move_part(o, at, begin, 0);
        move_part(o, begin > at ? begin : at, end, 1);
        at = end;
    }
    move_part(o, at, mine.end, 0);
}

/* One batch through all layers, each thread doing its share of every layer. */
static void forward(const Program *p, int training, Thread t) {
    gather(p, p->rows, 0, p->m, p->layers->x, t);
    barrier(t);
    for (int64_t l = 0; l < p->n_layers; l++) {
        layer_forward(&p->layers[l], &p->optimizer, p->m, training, t);
        barrier(t);
    }
}

static void step(void *program, Thread t) {
    const Program *p = program;
    forward(p, 1, t);
    loss_rows(&p->loss, p->rows, p->m, t);
    barrier(t);
    if (!isfinite(mean_loss(&p->loss, p->m))) return; /* the weights stay as they were, for the error's message */
    for (int64_t l = p->n_layers - 1; l >= p->first; l--) {
        layer_backward(&p->layers[l], &p->optimizer, p->m, t);
        barrier(t);
    }
    if (!p->optimizer.fused) clip_and_move(p, t);
}

/* Of a single batch, all threads do their share. */
static void infer_batch(void *program, Thread t) {
    const Program *p = program;
    const Layer *last = &p->layers[p->n_layers - 1];
    forward(p, 0, t);
    if (t.id == 0) memcpy(p->out, last->y, (size_t)(p->m * last->n_out) * sizeof(real));
}

/* Of several, each thread takes the next, and has layers of its own to work in: nobody waits for anybody. */
static void infer_batches(void *program, Thread t) {
    Program *p = program;
    const Layer *layers = p->layers + t.id * p->n_layers, *last = layers + p->n_layers - 1;
    Thread alone = {0, 1, t.scratch};
    for (int64_t first; (first = atomic_fetch_add(&p->next, p->batch)) < p->m;) {
        int64_t m = min64(p->batch, p->m - first);
        gather(p, 0, first, m, layers->x, alone);
        for (int64_t l = 0; l < p->n_layers; l++) layer_forward(layers + l, &p->optimizer, m, 0, alone);
        memcpy(p->out + first * last->n_out, last->y, (size_t)(m * last->n_out) * sizeof(real));
    }
}

/* One step on the rows of the training part that are given by number; returns the loss before it. */
double train(Program *p, const int64_t *rows, const real *weights, int64_t m, int64_t threads) {
    p->rows = rows, p->loss.weights = weights, p->m = m;
    run(step, p, threads, p->scratch, p->scratch_size);
    return mean_loss(&p->loss, m);
}

/* The outputs of all m rows of `data`, in inference mode. */
void infer(Program *p, const void *data, int64_t format, int64_t m, real *out, int64_t threads) {
    p->data = data, p->format = format, p->m = m, p->out = out, p->next = 0;
    run(m > p->batch ? infer_batches : infer_batch, p, threads, p->scratch, p->scratch_size);
}

/* How many reals of memory of its own a thread needs for products of matrices at most n wide. */
int64_t scratch_size(int64_t n) { return (n + BLOCK) * TILE_COLUMNS; }
