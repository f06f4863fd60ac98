/* All layers that have kernels. */
#pragma once
#include "categories.h"
#include "embeddings.h"
#include "layers.h"

#define LAYERS(X)                                                                                     \
    ACTIVATIONS(X)                                                                                    \
    X(Dense) X(Dropout) X(GaussianNoise) X(BatchNorm) X(LayerNorm)                                    \
    X(PiecewiseLinear) X(Folded) X(Periodic) X(CategoryEmbedding)
enum { LAYERS(KIND) };

static void layer_forward(const Layer *l, const Optimizer *o, int64_t m, int training, Thread t) {
    switch (l->kind) {
#define DO_FORWARD(name, ...) case KIND_##name: name##_forward(l, o, m, training, t); break;
        LAYERS(DO_FORWARD)
    }
}

static void layer_backward(const Layer *l, const Optimizer *o, int64_t m, Thread t) {
    switch (l->kind) {
#define DO_BACKWARD(name, ...) case KIND_##name: name##_backward(l, o, m, t); break;
        LAYERS(DO_BACKWARD)
    }
}
