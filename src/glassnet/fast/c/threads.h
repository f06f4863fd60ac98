/* A pool of threads that run one function together and meet at barriers.

Waiting threads spin for some microseconds, as a step has many short waits; then they yield, so that other trainings on
the same cores go on; and between calls they sleep. The numbers don't depend on how many threads there are, so a call
that finds the pool in use, by a training in another thread, simply runs alone. */
#pragma once
#include "base.h"
#include "system.h"
#include <stdatomic.h>

#define MAX_THREADS 64 /* and one more than can be had */
#define SPINS 4000

typedef void (*Work)(void *argument, Thread thread);

static struct {
    Lock in_use, lock;
    Wake wake;
    Work work;
    void *argument;
    real *scratch;
    int64_t scratch_size, started;
    unsigned born;     /* the call before the first that the youngest workers take part in */
    int caller;        /* the core of the thread that calls */
    atomic_uint call;  /* a number for each call, and in it how many threads take part: number * MAX_THREADS + threads */
    atomic_uint phase; /* how many barriers were passed */
    atomic_int arrived;
} pool = {.in_use = FREE_LOCK, .lock = FREE_LOCK, .wake = NO_WAKE};

INLINE void pause_(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* Wait until all threads of the call are here. */
static void barrier(Thread t) {
    if (t.count == 1) return;
    unsigned phase = atomic_load(&pool.phase);
    if (atomic_fetch_add(&pool.arrived, 1) == t.count - 1) {
        atomic_store(&pool.arrived, 0);
        atomic_store(&pool.phase, phase + 1);
        return;
    }
    for (int i = 0; atomic_load_explicit(&pool.phase, memory_order_acquire) == phase; i += i < SPINS)
        i < SPINS ? pause_() : let_others_run();
}

/* Do the work with numbers too small for all their digits (in a float: below 1e-38) taken for 0. Adam's momentum of a weight
without a gradient gets there within 1000 steps, and stays: arithmetic with it takes 100 times as long as any other. */
static void work_without_tiny(Work work, void *argument, Thread t) {
#if defined(__SSE__)
    unsigned before = __builtin_ia32_stmxcsr();
    __builtin_ia32_ldmxcsr(before | 0x8040); /* results, and operands */
    work(argument, t);
    __builtin_ia32_ldmxcsr(before);
#elif defined(__aarch64__)
    uint64_t before;
    __asm__ volatile("mrs %0, fpcr" : "=r"(before));
    __asm__ volatile("msr fpcr, %0" ::"r"(before | 1 << 24) : "memory");
    work(argument, t);
    __asm__ volatile("msr fpcr, %0" ::"r"(before) : "memory");
#else
    work(argument, t);
#endif
}

static void take_part(int64_t id, int64_t count) {
    Thread t = {id, count, pool.scratch + id * pool.scratch_size};
    work_without_tiny(pool.work, pool.argument, t);
    barrier(t);
}

/* A thread may start or wake on its caller's core, and be left there as long as it sleeps most of the time: go elsewhere. */
static void leave_caller(void) {
    int core = this_core();
    if (core >= 0 && core == pool.caller) go_elsewhere(core);
}

/* Whether there is a call after the one seen last, and with so many threads that this one takes part. */
static int is_called(int64_t id, unsigned seen) {
    unsigned call = atomic_load(&pool.call);
    return call != seen && id < call % MAX_THREADS;
}

THREAD_MAIN(worker) {
    int64_t id = (intptr_t)argument;
    unsigned seen = pool.born;
    leave_caller();
    for (;;) {
        for (int i = 0; i < SPINS && !is_called(id, seen); i++) pause_();
        if (!is_called(id, seen)) {
            lock_(&pool.lock);
            while (!is_called(id, seen)) wait_for(&pool.wake, &pool.lock);
            unlock_(&pool.lock);
            leave_caller();
        }
        seen = atomic_load(&pool.call); /* it can't end, and another begin, without this thread */
        take_part(id, seen % MAX_THREADS);
    }
    return 0;
}

/* After fork() the child has no workers: it starts its own. */
static void forget_workers(void) {
    pool.in_use = pool.lock = (Lock)FREE_LOCK;
    pool.wake = (Wake)NO_WAKE;
    pool.started = 0;
    atomic_store(&pool.arrived, 0);
}

/* Run `work` on `threads` threads, or on fewer if the system gives no more. Each has scratch_size reals of `scratch`. */
static void run(Work work, void *argument, int64_t threads, real *scratch, int64_t scratch_size) {
    if (threads > MAX_THREADS - 1) threads = MAX_THREADS - 1;
    if (threads < 2 || !lock_at_once(&pool.in_use)) {
        work_without_tiny(work, argument, (Thread){0, 1, scratch});
        return;
    }
    if (pool.started == 0) {
        static int once = 0;
        if (!once++) after_fork(forget_workers);
        pool.started = 1; /* this thread */
    }
    pool.born = atomic_load(&pool.call);
    pool.caller = this_core();
    while (pool.started < threads && start_thread(worker, (void *)(intptr_t)pool.started)) pool.started++;
    threads = min64(threads, pool.started);
    pool.work = work, pool.argument = argument, pool.scratch = scratch, pool.scratch_size = scratch_size;
    lock_(&pool.lock);
    atomic_store(&pool.call, (pool.born / MAX_THREADS + 1) * MAX_THREADS + (unsigned)threads);
    wake_all(&pool.wake);
    unlock_(&pool.lock);
    take_part(0, threads);
    unlock_(&pool.in_use);
}
