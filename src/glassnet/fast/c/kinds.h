/* Which function does a layer, for a batch of m rows. */
#pragma once
#include "embeddings.h"
#include "layers.h"
#include "members.h"

static void layer_forward(const Layer *l, const Optimizer *o, int64_t m, int training, Thread t) {
    m *= l->rows;
    switch (l->kind) {
    case DENSE: dense_forward(l, o, m, t); break;
    case DROPOUT: dropout_forward(l, m, training, t); break;
    case GAUSSIAN_NOISE: gaussian_noise_forward(l, m, training, t); break;
    case BATCH_NORM: batch_norm_forward(l, o, m, training, t); break;
    case LAYER_NORM: layer_norm_forward(l, o, m, t); break;
    case PIECEWISE_LINEAR: piecewise_linear_forward(l, o, m, t); break;
    case PERIODIC: periodic_forward(l, o, m, t); break;
    case MEMBERS: members_forward(l, o, m, t); break;
    case MEMBER_SCALE: member_scale_forward(l, o, m, t); break;
    case MEMBER_HEADS: member_heads_forward(l, o, m, t); break;
    case MEMBER_MEAN: member_mean_forward(l, m, t); break;
    case CATEGORY_EMBEDDING: category_embedding_forward(l, o, m, t); break;
    default: activation_forward(l, m, t);
    }
}

static void layer_backward(const Layer *l, const Optimizer *o, int64_t m, Thread t) {
    m *= l->rows;
    switch (l->kind) {
    case DENSE: dense_backward(l, o, m, t); break;
    case DROPOUT: dropout_backward(l, m, t); break;
    case GAUSSIAN_NOISE: break; /* dx is dy, in place */
    case BATCH_NORM: batch_norm_backward(l, o, m, t); break;
    case LAYER_NORM: layer_norm_backward(l, o, m, t); break;
    case PIECEWISE_LINEAR: piecewise_linear_backward(l, o, m, t); break;
    case PERIODIC: periodic_backward(l, o, m, t); break;
    case MEMBERS: members_backward(l, o, m, t); break;
    case MEMBER_SCALE: member_scale_backward(l, o, m, t); break;
    case MEMBER_HEADS: member_heads_backward(l, o, m, t); break;
    case CATEGORY_EMBEDDING: category_embedding_backward(l, o, m, t); break;
    default: activation_backward(l, m, t);
    }
}
