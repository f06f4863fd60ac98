/* Distortions of images: data/augmentation.py, one image at a time. */
#pragma once
#include "base.h"
#include "products.h"

enum { EDGE = 3 }; /* zeros around an image: a row above, two below; a column on the left, two on the right */

/* How many reals of memory an image of this size needs: padded, shifts, the noise smoothed across, which is later used
for three rows of places, and for products. */
int64_t distortion_memory(int64_t height, int64_t width) {
    return (height + EDGE) * (width + EDGE) + 4 * (height + 1) * width + max64(height, width) * TILE_COLUMNS;
}

/* Where the pixels of the new image come from in the old one, and what is there, between four pixels. Row by row, so
that all loops vectorise; `places` is memory for 3 rows. */
static void warp(const real *padded, const real *map, const real *shifts, int64_t height, int64_t width, real *places,
                 uint8_t *out) {
    int32_t line = (int32_t)(width + EDGE);
    real *restrict y = places, *restrict x = places + width, last_row = (real)height, last = (real)width;
    int32_t *restrict corner = (int32_t *)(places + 2 * width);
    for (int32_t i = 0; i < height; i++, out += width, shifts += shifts ? width : 0) {
        for (int32_t j = 0; j < width; j++) {
            y[j] = map[0] * (real)i + (map[1] * (real)j + map[2]);
            x[j] = map[3] * (real)i + (map[4] * (real)j + map[5]);
        }
        for (int32_t j = 0; shifts && j < width; j++) y[j] += shifts[j], x[j] += shifts[height * width + j];
        for (int32_t j = 0; j < width; j++) {
            real v = y[j] > -1 ? y[j] : -1, u = x[j] > -1 ? x[j] : -1;
            v = v < last_row ? v : last_row, u = u < last ? u : last;
            int32_t top = (int32_t)(v + 1), left = (int32_t)(u + 1); /* of what isn't negative, cutting is floor */
            y[j] = v - (real)(top - 1), x[j] = u - (real)(left - 1);
            corner[j] = top * line + left;
        }
        for (int32_t j = 0; j < width; j++) {
            int32_t at = corner[j], under = at + line;
            real above = padded[at] + x[j] * (padded[at + 1] - padded[at]);
            real below = padded[under] + x[j] * (padded[under + 1] - padded[under]);
            y[j] = rint(above + y[j] * (below - above));
        }
        for (int32_t j = 0; j < width; j++) out[j] = (uint8_t)(int32_t)y[j];
    }
}

/* images, out [m, height, width]; maps [m, 2, 3]; noise [m, 2, height, width] or null; down [height, height], across
[width, width]: an image's shifts are down noise across. */
void distort(const uint8_t *images, const real *maps, const real *noise, const real *down, const real *across,
             int64_t m, int64_t height, int64_t width, real *memory, uint8_t *out) {
    int64_t size = height * width;
    real *padded = memory, *shifts = padded + (height + EDGE) * (width + EDGE), *smooth = shifts + 2 * size;
    Thread alone = {0, 1, smooth + 2 * (height + 1) * width};
    memset(padded, 0, (size_t)((height + EDGE) * (width + EDGE)) * sizeof(real));
    for (int64_t image = 0; image < m; image++) {
        const uint8_t *pixels = images + image * size;
        for (int64_t i = 0; i < height; i++)
            for (int64_t j = 0; j < width; j++) padded[(i + 1) * (width + EDGE) + j + 1] = pixels[i * width + j];
        if (noise) {
            multiply(noise + 2 * image * size, across, 0, 0, smooth, 2 * height, width, width, alone);
            multiply(down, smooth, 0, 0, shifts, height, width, height, alone);
            multiply(down, smooth + size, 0, 0, shifts + size, height, width, height, alone);
        }
        warp(padded, maps + 6 * image, noise ? shifts : 0, height, width, smooth, out + image * size);
    }
}
