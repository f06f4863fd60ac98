/* Training: one step, by threads that all run the same lines; and what the library tells of itself. */
#define _GNU_SOURCE /* sched_getcpu */
#include "distortions.h"
#include "inference.h"
#include "program.h"
#include <stdio.h>

#define CHUNK 4096 /* parameters whose squares are summed together */

/* Move the parameters from..to by their whole gradient: with L2, that of the penalty is added to it. */
static void move_part(const Optimizer *o, int64_t from, int64_t to, const Group *group) {
    Rates rates = rates_of(o, group);
    if (rates.l2 != 0)
        for (int64_t i = from; i < to; i++) o->grad[i] += rates.l2 * o->theta[i];
    rates.l2 = 0;
    move_row(o, rates, from, o->grad + from, to - from);
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
    for (int64_t g = 0; g < p->n_groups; g++) { /* what of it is in this thread's share */
        int64_t begin = max64(mine.begin, p->groups[g].begin), end = min64(mine.end, p->groups[g].end);
        if (begin < end) move_part(o, begin, end, &p->groups[g]);
    }
}

static void bound_all_norms(const Program *p, Thread t) {
    int bounded = 0;
    for (int64_t g = 0; g < p->n_groups; g++) bounded |= p->groups[g].max_norm > 0;
    if (!bounded) return;
    barrier(t); /* all have moved their share */
    for (int64_t g = 0; g < p->n_groups; g++)
        if (p->groups[g].max_norm > 0) bound_norms(&p->optimizer, &p->groups[g], t);
}

/* The gradient of a batch, or of a part of it; whether the loss is finite. Otherwise the weights stay, for the message. */
static int descend(Program *p, Thread t) {
    forward(p, 1, t);
    loss_rows(&p->loss, p->rows, p->m, t);
    barrier(t);
    if (!isfinite(mean_loss(&p->loss, p->m))) return 0;
    for (int64_t l = p->n_layers - 1; l >= p->first; l--) {
        layer_backward(&p->layers[l], &p->optimizer, p->m, t);
        barrier(t);
        if (t.id == 0) p->next = l - 1;
    }
    return 1;
}

static void find(void *program, Thread t) { descend(program, t); }

static void move(void *program, Thread t) {
    const Program *p = program;
    if (!p->optimizer.fused) clip_and_move(p, t);
    bound_all_norms(p, t);
}

static void step(void *program, Thread t) {
    if (descend(program, t)) move(program, t);
}

static void pass_on(void *program, Thread t) { forward(program, 1, t); }

/* Work on m rows of the training part, given by number, or on x in their place; returns their part of the loss. */
static double work(Work task, Program *p, const int64_t *rows, const void *x, const real *weights, int64_t m, int64_t whole,
                   int64_t threads) {
    p->rows = rows, p->x = x, p->loss.weights = weights, p->m = m, p->loss.whole = whole;
    run(task, p, threads, p->scratch, p->scratch_size);
    for (int64_t l = 0; l < p->n_layers; l++) p->layers[l].passes++;
    return mean_loss(&p->loss, m);
}

static void set_debias(Optimizer *o) {
    o->debias1 = 1 / (1 - pow(o->beta1, (double)(o->steps + 1)));
    o->debias2 = 1 / (1 - pow(o->beta2, (double)(o->steps + 1)));
}

/* One step on the rows of the training part that are given by number; returns the loss before it. */
double train(Program *p, const int64_t *rows, const void *x, const real *weights, int64_t m, int64_t threads) {
    set_debias(&p->optimizer);
    double loss = work(step, p, rows, x, weights, m, m, threads);
    p->optimizer.steps += isfinite(loss) != 0;
    return loss;
}

/* The gradient alone, of rows that are a part of a batch of `whole` rows: written to `to` [n_parameters], or added to what
is there. Returns their part of its loss. */
double gradient(Program *p, const int64_t *rows, const void *x, const real *weights, int64_t m, int64_t whole, real *to,
                int64_t adding, int64_t threads) {
    real *own = p->optimizer.grad;
    p->optimizer.grad = to, p->optimizer.fused = 0, p->optimizer.adding = adding;
    double loss = work(find, p, rows, x, weights, m, whole, threads);
    p->optimizer.grad = own, p->optimizer.adding = 0;
    return loss;
}

/* The rest of a step, by the gradient that is in `grad`. */
void move_weights(Program *p, int64_t threads) {
    p->optimizer.fused = 0;
    set_debias(&p->optimizer);
    run(move, p, threads, p->scratch, p->scratch_size);
    p->optimizer.steps++;
}

/* The sum of all squared weights that decay. */
double decaying_squares(const Program *p) {
    double total = 0;
    for (int64_t g = 0; g < p->n_groups; g++) {
        const Group *group = p->groups + g;
        const real *w = p->optimizer.theta;
        for (int64_t i = group->begin; group->decayed && i < group->end;) { /* by chunks, as a real keeps few digits */
            int64_t end = min64(group->end, i + CHUNK);
            vec sum = {0};
            for (; i + LANES <= end; i += LANES) sum += *(const vec *)(w + i) * *(const vec *)(w + i);
            for (int lane = 0; lane < LANES; lane++) total += sum[lane];
            for (; i < end; i++) total += w[i] * w[i];
        }
    }
    return total;
}

/* As many steps as there are batches in n rows, of these weights, with these learning rates. l2, eps: the optimizer's in each
step, or null: those that it has. squares: is given the sum of all squared weights that decay before each step, if it isn't
null. The last is the first whose loss isn't finite. Returns how many there were. */
int64_t train_many(Program *p, const int64_t *rows, const real *weights, int64_t n, const double *lr, const double *l2,
                   const double *eps, double *squares, double *losses, int64_t threads) {
    int64_t count = 0;
    for (int64_t first = 0; first < n; first += p->batch) {
        p->optimizer.lr = lr[count];
        if (l2) p->optimizer.l2 = l2[count];
        if (eps) p->optimizer.eps = eps[count];
        if (squares) squares[count] = decaying_squares(p);
        losses[count] = train(p, rows + first, 0, weights ? weights + first : 0, min64(p->batch, n - first), threads);
        if (!isfinite(losses[count++])) break;
    }
    return count;
}

/* Forward alone, in training mode. */
void observe(Program *p, const int64_t *rows, const void *x, int64_t m, int64_t threads) {
    p->rows = rows, p->x = x, p->m = m;
    run(pass_on, p, threads, p->scratch, p->scratch_size);
    for (int64_t l = 0; l < p->n_layers; l++) p->layers[l].passes++;
}

typedef struct {
    const real *theta;
    real *mean, share;
    int64_t n;
} Mean;

static void move_part_of_mean(void *argument, Thread t) {
    Mean a = *(const Mean *)argument;
    Range mine = share(a.n, LANES, t);
    for (int64_t i = mine.begin; i < mine.end; i++) a.mean[i] += a.share * (a.theta[i] - a.mean[i]);
}

/* Move mean weights [n_parameters] towards the present ones by a share of the way. */
void move_mean(const Program *p, real *mean, double share, int64_t threads) {
    Mean a = {p->optimizer.theta, mean, (real)share, p->n_parameters};
    run(move_part_of_mean, &a, threads, p->scratch, p->scratch_size);
}

/* What structures.py must say the same of: the sizes of structures, and constants. */
const char *layout(void) {
    static char text[512];
    snprintf(text, sizeof text,
             "Layer %zu; Group %zu; Loss %zu; Optimizer %zu; Program %zu; Step %zu; Preparation %zu; Inference %zu; CHUNK %d; "
             "TOGETHER %d; MAX_THREADS %d; SLICE %d; PORTION %d; REALS %d; BYTES %d; DOUBLES %d; READY %d",
             sizeof(Layer), sizeof(Group), sizeof(Loss), sizeof(Optimizer), sizeof(Program), sizeof(Step), sizeof(Preparation),
             sizeof(Inference), CHUNK, TOGETHER, MAX_THREADS, SLICE, PORTION, REALS, BYTES, DOUBLES, READY);
    return text;
}

/* The names of all kinds, numbered in each table from 0 on. */
const char *kinds(void) {
    return LAYERS(NAME) ";" LOSSES(NAME) ";" OPTIMIZERS(NAME) ";" STEPS(NAME);
}

/* What the last bits of results depend on: the processor's features that the compiler was to use, and the compiler. */
const char *built(void) {
    static char text[64];
#ifdef __clang__
    snprintf(text, sizeof text, "%s, clang %d.%d.%d", VECTORS, __clang_major__, __clang_minor__, __clang_patchlevel__);
#else
    snprintf(text, sizeof text, "%s, gcc %d.%d.%d", VECTORS, __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
#endif
    return text;
}

/* How many reals of memory of its own a thread needs for products of matrices at most n wide. */
int64_t scratch_size(int64_t n) { return (n + BLOCK) * TILE_COLUMNS; }
