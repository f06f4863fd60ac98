/* Inference: the outputs of networks that answer the same rows, in one call. */
#pragma once
#include "program.h"

#define PORTION 4096 /* rows at a time, for all networks */

typedef struct {
    Program **programs;
    const Preparation *preparations;
    real **prepared; /* of each preparation: [PORTION, its n_out] */
    int64_t *ready;  /* of each: whether these rows are there */
    int64_t n_programs, n_preparations, n_in;
} Inference;

/* Of a single batch, all threads do their share. */
static void infer_batch(void *program, Thread t) {
    const Program *p = program;
    const Layer *last = &p->layers[p->n_layers - 1];
    forward(p, 0, t);
    if (t.id == 0) memcpy(p->out, last->y, (size_t)(p->m * last->n_out) * sizeof(real));
}

/* Of several, each thread takes the next, and has layers of its own to work in: nobody waits for anybody. They are of a size
that gives all threads the same to do. */
static void infer_batches(void *program, Thread t) {
    Program *p = program;
    const Layer *layers = p->layers + t.id * p->n_layers, *last = layers + p->n_layers - 1;
    Thread alone = {0, 1, t.scratch};
    int64_t times = rounded_up(p->m, t.count * p->batch) / (t.count * p->batch);
    int64_t batch = min64(p->batch, rounded_up(p->m, t.count * times * TILE_ROWS) / (t.count * times));
    for (int64_t first; (first = atomic_fetch_add(&p->next, batch)) < p->m;) {
        int64_t m = min64(batch, p->m - first);
        gather(p, p->data, 0, first, m, layers->x, alone);
        for (const Layer *l = layers; l < last; l++) layer_forward(l, &p->optimizer, m, 0, alone);
        for (const Program *each = p; each; each = each->twin) {
            Layer l = each->layers[t.id * each->n_layers + each->n_layers - 1];
            l.x = last->x;
            layer_forward(&l, &each->optimizer, m, 0, alone);
            memcpy(each->out + first * l.n_out, l.y, (size_t)(m * l.n_out) * sizeof(real));
        }
    }
}

/* The program's twins are those behind it that aren't some other's. */
static void find_twins(const Inference *a, int64_t number) {
    Program *p = a->programs[number], *last = p;
    for (int64_t k = number + 1; k < a->n_programs; k++) {
        Program *other = a->programs[k];
        if (other->family == p->family && !other->m &&
            !memcmp(other->optimizer.theta, p->optimizer.theta, (size_t)p->n_shared * sizeof(real))) {
            last->twin = other, last = other;
            other->m = p->m;
        }
    }
}

/* The outputs of m rows x [m, n_in], which are REALS, BYTES or DOUBLES; or prepared already, for a single program. out:
[n_programs, room, n_out], with room for at least m rows. */
void infer(Inference *a, const void *x, int64_t format, int64_t m, real *out, int64_t room, int64_t threads) {
    int64_t n_out = a->programs[0]->layers[a->programs[0]->n_layers - 1].n_out, batch = a->programs[0]->batch;
    int64_t width = format == READY ? a->programs[0]->width : a->n_in;
    int64_t size = width * (format == BYTES ? 1 : format == DOUBLES ? (int64_t)sizeof(double) : (int64_t)sizeof(real));
    for (int64_t first = 0; first < m; first += PORTION) {
        const char *rows = (const char *)x + first * size;
        int64_t n = min64(PORTION, m - first);
        memset(a->ready, 0, (size_t)a->n_preparations * sizeof(int64_t));
        for (int64_t k = 0; k < a->n_programs; k++) {
            Program *p = a->programs[k];
            p->m = 0, p->twin = 0, p->out = out + (k * room + first) * n_out;
        }
        for (int64_t k = 0; k < a->n_programs; k++) {
            Program *p = a->programs[k];
            int64_t from = p->preparation;
            if (p->m) continue; /* it has answered with a twin */
            p->data = rows, p->format = format, p->m = n, p->next = 0;
            if (format == DOUBLES || (format != READY && a->preparations[from].n_steps && !p->scale)) {
                if (!a->ready[from]) prepare(a->preparations + from, rows, format, n, a->prepared[from], threads);
                a->ready[from] = 1;
                p->data = a->prepared[from], p->format = READY;
            }
            if (n > batch) find_twins(a, k);
            run(n > batch ? infer_batches : infer_batch, p, threads, p->scratch, p->scratch_size);
        }
    }
}
