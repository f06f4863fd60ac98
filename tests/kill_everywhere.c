/* Counts what is done to files below a folder, and ends the program by SIGKILL just before the operation of a number, or,
   if that writes, in the middle of it. Preloaded by kill_everywhere.py, which shares the counter with all processes. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

struct counter { long done, last, program; };  /* operations so far, the one to end at, the process to end */
static volatile struct counter *counter;
static const char *below;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("KILL_COUNTER");
    below = getenv("KILL_BELOW");
    int file = path && below ? REAL(open)(path, O_RDWR) : -1;
    if (file < 0)
        return;
    void *shared = mmap(NULL, sizeof *counter, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    counter = shared == MAP_FAILED ? NULL : shared;
    close(file);
}

static void end(void)
{
    kill((pid_t)counter->program, SIGKILL);
    kill(getpid(), SIGKILL);
    for (;;)
        pause();
}

static int is_last(const char *path)
{
    if (!counter || !counter->program || (path[0] == '/' && strncmp(path, below, strlen(below))))
        return 0;
    return __sync_add_and_fetch(&counter->done, 1) == counter->last;
}

static int is_last_of(int file)
{
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0 || path[0] != '/')  /* a pipe, a socket */
        return 0;
    path[length] = 0;
    return is_last(path);
}

#define OPEN(name, before, before_values)                                               \
    int name(before const char *path, int flags, ...)                                   \
    {                                                                                   \
        va_list rest;                                                                   \
        va_start(rest, flags);                                                          \
        mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(rest, mode_t) : 0;       \
        va_end(rest);                                                                   \
        if (flags & (O_CREAT | O_TRUNC | O_WRONLY | O_RDWR) && is_last(path))           \
            end();                                                                      \
        return REAL(name)(before_values path, flags, mode);                             \
    }
#define COMMA ,
OPEN(open, , )
OPEN(open64, , )
OPEN(openat, int folder COMMA, folder COMMA)
OPEN(openat64, int folder COMMA, folder COMMA)

#define BY_PATH(name, parameters, path, values) \
    int name parameters                         \
    {                                           \
        if (is_last(path))                      \
            end();                              \
        return REAL(name) values;               \
    }
BY_PATH(mkdir, (const char *path, mode_t mode), path, (path, mode))
BY_PATH(mkdirat, (int folder, const char *path, mode_t mode), path, (folder, path, mode))
BY_PATH(rmdir, (const char *path), path, (path))
BY_PATH(unlink, (const char *path), path, (path))
BY_PATH(unlinkat, (int folder, const char *path, int flags), path, (folder, path, flags))
BY_PATH(rename, (const char *from, const char *to), to, (from, to))
BY_PATH(renameat, (int a, const char *from, int b, const char *to), to, (a, from, b, to))
BY_PATH(symlink, (const char *target, const char *path), path, (target, path))
BY_PATH(link, (const char *from, const char *to), to, (from, to))

#define BY_FILE(type, name, parameters, half, values) \
    type name parameters                              \
    {                                                 \
        if (is_last_of(file)) {                       \
            half;                                     \
            end();                                    \
        }                                             \
        return REAL(name) values;                     \
    }
BY_FILE(ssize_t, write, (int file, const void *data, size_t n), REAL(write)(file, data, n / 2), (file, data, n))
BY_FILE(ssize_t, pwrite64, (int file, const void *data, size_t n, off64_t at), REAL(pwrite64)(file, data, n / 2, at), (file, data, n, at))
BY_FILE(ssize_t, writev, (int file, const struct iovec *parts, int n), REAL(writev)(file, parts, n / 2), (file, parts, n))
BY_FILE(ssize_t, sendfile, (int file, int from, off_t *at, size_t n), REAL(sendfile)(file, from, at, n / 2), (file, from, at, n))
BY_FILE(ssize_t, sendfile64, (int file, int from, off64_t *at, size_t n), REAL(sendfile64)(file, from, at, n / 2), (file, from, at, n))
BY_FILE(int, fsync, (int file), , (file))
BY_FILE(int, fdatasync, (int file), , (file))
BY_FILE(int, ftruncate64, (int file, off64_t size), , (file, size))
