/* What a page needs of the kernels besides training: answers with every layer's output, scores, and random numbers; and a
trained network's row, layer by layer.

Compiled for WebAssembly with one thread. The page fills the same structures as program.py, by structures.py. */
#include "program.c"
#include "random.h"

static Thread alone(const Program *p) { return (Thread){0, 1, p->scratch}; }

/* All layers' outputs for m rows x [m, width], as in inference. */
void answer(Program *p, const void *x, int64_t m) {
    p->x = x, p->m = m;
    forward(p, 0, alone(p));
}

/* The same, and the loss of each row: row i has target i. Returns their mean. */
double score(Program *p, const void *x, const int64_t *rows, int64_t m) {
    answer(p, x, m);
    p->loss.whole = m;
    loss_rows(&p->loss, rows, m, alone(p));
    return mean_loss(&p->loss, m);
}

/* train_many, and what is too small for all its digits taken for 0 afterwards, as threads.h says. A processor is told so
once, but WebAssembly has no such switch. */
int64_t train_some(Program *p, const int64_t *rows, int64_t n, const double *lr, double *losses) {
    int64_t steps = train_many(p, rows, 0, n, lr, 0, 0, 0, losses, 1);
    real *slots[] = {p->optimizer.slot1, p->optimizer.slot2};
    for (int k = 0; k < 2; k++)
        for (int64_t i = 0; i < p->n_parameters; i++) slots[k][i] = fabs(slots[k][i]) < 0x1p-126f ? 0 : slots[k][i];
    return steps;
}

/* The rows of an epoch in their order. seed: its n_seed numbers. */
void order(const uint32_t *seed, int64_t n_seed, int64_t n, int64_t *out) {
    Random r = seeded(seed, n_seed);
    permuted(&r, n, out);
}

/* The key of a layer's random numbers in an epoch. */
uint64_t key(const uint32_t *seed, int64_t n_seed) {
    uint64_t state[1];
    seed_sequence(seed, n_seed, state, 1);
    return *state;
}

static Random drawing; /* of initial weights: layer after layer, from one stream */

void start_drawing(const uint32_t *seed, int64_t n_seed) { drawing = seeded(seed, n_seed); }

/* n numbers of N(0, std^2). */
void draw(real *out, int64_t n, double std) {
    static Ziggurat z;
    if (!z.height[0]) z = ziggurat();
    for (int64_t i = 0; i < n; i++) out[i] = normal(&drawing, &z) * (real)std;
}

/* One row through a layer, as in inference. */
void pass(const Layer *l, const Optimizer *o, real *scratch) { layer_forward(l, o, 1, 0, (Thread){0, 1, scratch}); }

/* nn/activations.py's Softmax, for one row of n: what CrossEntropy takes off to have its gradient. */
void softmax(const real *x, int64_t n, real *y) {
    Loss none = {.n_out = n};
    cross_entropy(&none, x, 0, -1, y, 1);
}

/* nn/preprocessing.py's Unstandardize, in double as there. low, high: null without a margin. */
void unstandardize(const double *mean, const double *scale, const double *low, const double *high, const real *x, int64_t n,
                   double *y) {
    for (int64_t j = 0; j < n; j++) {
        y[j] = mean[j] + scale[j] * (double)x[j];
        if (low) y[j] = y[j] < low[j] ? low[j] : y[j] > high[j] ? high[j] : y[j];
    }
}

/* Functions that formulas and answers speak of. */
double logistic(double x) { return sigmoid((real)x); }
double normal_share(double x) { return phi((real)x); }

/* The checksum of all sources that this was built from. */
const char *sources(void) { return SOURCES; }
