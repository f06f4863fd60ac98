/* Makes the calls that record.py has written down, with 1 to 8 threads, and compares what they give.

    replay LIBRARY CALLS
    replay PROBE

With every number of threads the bits must be the same. Beside the ones written down, made by another compiler, numbers
may differ by rounding. The second way prints the levels that this processor can run. Runs on Windows and elsewhere. */
#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef _WIN32
#include <windows.h>
static void *function(const char *library, const char *name) {
    static HMODULE loaded;
    if (!loaded) loaded = LoadLibraryA(library);
    return loaded ? (void *)(uintptr_t)GetProcAddress(loaded, name) : 0;
}
#else
#include <dlfcn.h>
static void *function(const char *library, const char *name) {
    void *loaded = dlopen(library, RTLD_NOW);
    return loaded ? dlsym(loaded, name) : 0;
}
#endif

enum { THREADS = 8, LINE = 64 };

typedef int64_t word;
typedef double (*Train)(word, word, word, word, word, word);
typedef void (*Infer)(word, word, word, word, word, word, word);

typedef struct {
    word address, size; /* where it was written down */
    char *before, *raw, *now;
} Block;

static FILE *file;
static Block *blocks;
static word n_blocks;

static void fail(const char *what) {
    fprintf(stderr, "%s\n", what);
    exit(2);
}

static void get(void *to, word size) {
    if (size && fread(to, (size_t)size, 1, file) != 1) fail("the file of calls ends too early");
}

static void *room(word size) {
    void *place = calloc((size_t)size + 1, 1);
    if (!place) fail("there isn't enough memory");
    return place;
}

/* Where something is now that was written down at an address, which may be no address but a number. */
static word moved(word address) {
    for (word i = 0; i < n_blocks; i++)
        if (blocks[i].address <= address && address < blocks[i].address + blocks[i].size)
            return (word)(intptr_t)(blocks[i].now + (address - blocks[i].address));
    return address;
}

/* How far numbers are from those written down, at most, as a share of the largest. */
static double difference(const char *now, const char *then, word bytes, word size) {
    double largest = 1e-3, worst = 0;
    for (word i = 0; i < bytes; i += size) {
        double wanted = size == 4 ? (double)*(const float *)(then + i) : *(const double *)(then + i);
        double found = size == 4 ? (double)*(const float *)(now + i) : *(const double *)(now + i);
        largest = fmax(largest, fabs(wanted));
        if (memcmp(now + i, then + i, (size_t)size)) worst = isnan(found - wanted) ? INFINITY : fmax(worst, fabs(found - wanted));
    }
    return worst / largest;
}

int main(int count, char **arguments) {
    if (count == 2) {
        const char *(*levels)(void) = (const char *(*)(void))(uintptr_t)function(arguments[1], "levels");
        if (!levels) fail("the probe can't be loaded");
        return puts(levels()) < 0;
    }
    if (count != 3) fail("usage: replay LIBRARY CALLS, or replay PROBE");
    file = fopen(arguments[2], "rb");
    if (!file) fail("the file of calls can't be opened");
    Train train = (Train)(uintptr_t)function(arguments[1], "train");
    Infer infer = (Infer)(uintptr_t)function(arguments[1], "infer");
    if (!train || !infer) fail("the library can't be loaded");
    word head[5], calls = 0, wrong = 0;
    double worst = 0;
    for (; fread(head, sizeof head, 1, file) == 1; calls++) {
        word size = head[1], n_pointers = head[3], a[6], result[2], *pointers = room(8 * n_pointers);
        double returns, returned[THREADS], tolerance = size == 4 ? 1e-4 : 1e-11;
        n_blocks = head[2], blocks = room(n_blocks * (word)sizeof *blocks);
        for (Block *b = blocks; b < blocks + n_blocks; b++) {
            get(&b->address, 8), get(&b->size, 8);
            b->before = room(b->size), b->raw = room(b->size + LINE);
            b->now = b->raw + ((b->address - (word)(intptr_t)b->raw) & (LINE - 1)); /* it lies in its cache line as then */
            get(b->before, b->size);
        }
        get(pointers, 8 * n_pointers), get(a, 8 * head[4]), get(result, sizeof result);
        char *wanted = room(result[1]), *first = room(result[1]), *found = (char *)(intptr_t)moved(result[0]);
        get(wanted, result[1]), get(&returns, 8);
        for (int i = 0; i < head[4]; i++) a[i] = moved(a[i]);
        for (word threads = 1; threads <= THREADS; threads++) {
            for (Block *b = blocks; b < blocks + n_blocks; b++) memcpy(b->now, b->before, (size_t)b->size);
            for (word i = 0; i < n_pointers; i++) {
                word *place = (word *)(intptr_t)moved(pointers[i]);
                *place = moved(*place);
            }
            returned[threads - 1] = 0;
            if (head[0] == 0) returned[threads - 1] = train(a[0], a[1], a[2], a[3], a[4], threads);
            else infer(a[0], a[1], a[2], a[3], a[4], a[5], threads);
            if (threads == 1) memcpy(first, found, (size_t)result[1]);
            double off = fmax(difference(found, wanted, result[1], size),
                              difference((char *)&returned[threads - 1], (char *)&returns, 8, 8));
            int same = !memcmp(first, found, (size_t)result[1]) && !memcmp(returned, &returned[threads - 1], 8);
            worst = fmax(worst, off);
            if (same && off <= tolerance) continue;
            wrong++;
            printf("call %" PRId64 " with %" PRId64 " threads: off by %g%s\n", calls, threads, off,
                   same ? "" : ", and not as with one thread");
        }
        for (Block *b = blocks; b < blocks + n_blocks; b++) free(b->before), free(b->raw);
        free(blocks), free(pointers), free(wanted), free(first);
    }
    printf("%" PRId64 " calls with 1 to %d threads: %" PRId64 " wrong, and none further than %.1g from what was written down\n", calls, THREADS,
           wrong, worst);
    return wrong || !calls;
}
