/* What the pool of threads asks of the system, by POSIX or by Windows: locks, sleeping, new threads, and their cores. In a
page there is one thread, and none can be started. */
#pragma once
#include "base.h"

#ifdef _WIN32
#define WIN32_LEAN_AND_MEAN
#define NOMINMAX
#pragma push_macro("SIZE") /* in windows.h it is a type */
#undef SIZE
#include <windows.h>
#pragma pop_macro("SIZE")
#undef near /* two words of 16-bit compilers that are names here */
#undef far

typedef SRWLOCK Lock;
typedef CONDITION_VARIABLE Wake;
#define FREE_LOCK SRWLOCK_INIT
#define NO_WAKE CONDITION_VARIABLE_INIT
#define THREAD_MAIN(name) static DWORD WINAPI name(void *argument)

INLINE int lock_at_once(Lock *lock) { return TryAcquireSRWLockExclusive(lock) != 0; }
INLINE void lock_(Lock *lock) { AcquireSRWLockExclusive(lock); }
INLINE void unlock_(Lock *lock) { ReleaseSRWLockExclusive(lock); }
INLINE void wait_for(Wake *wake, Lock *lock) { SleepConditionVariableSRW(wake, lock, INFINITE, 0); }
INLINE void wake_all(Wake *wake) { WakeAllConditionVariable(wake); }
INLINE void let_others_run(void) { SwitchToThread(); }
INLINE void after_fork(void (*function)(void)) { (void)function; } /* there is no fork */

/* Whether it could be started. */
INLINE int start_thread(DWORD(WINAPI *function)(void *), void *argument) {
    HANDLE thread = CreateThread(0, 0, function, argument, 0, 0);
    return thread && CloseHandle(thread);
}

INLINE int this_core(void) { return (int)GetCurrentProcessorNumber(); }

/* Go to another core than this, and be free to come back later. */
INLINE void go_elsewhere(int core) {
    DWORD_PTR all, others, machine;
    if (!GetProcessAffinityMask(GetCurrentProcess(), &all, &machine) || core >= (int)(8 * sizeof all)) return;
    others = all & ~((DWORD_PTR)1 << core);
    if (others && SetThreadAffinityMask(GetCurrentThread(), others)) SetThreadAffinityMask(GetCurrentThread(), all);
}

#elif defined(__wasm__)
typedef int Lock, Wake;
#define FREE_LOCK 0
#define NO_WAKE 0
#define THREAD_MAIN(name) static void *name(void *argument)

INLINE int lock_at_once(Lock *lock) { return (void)lock, 0; }
INLINE void lock_(Lock *lock) { (void)lock; }
INLINE void unlock_(Lock *lock) { (void)lock; }
INLINE void wait_for(Wake *wake, Lock *lock) { (void)wake, (void)lock; }
INLINE void wake_all(Wake *wake) { (void)wake; }
INLINE void let_others_run(void) {}
INLINE void after_fork(void (*function)(void)) { (void)function; }
INLINE int start_thread(void *(*function)(void *), void *argument) { return (void)function, (void)argument, 0; }
INLINE int this_core(void) { return -1; }
INLINE void go_elsewhere(int core) { (void)core; }

#else
#include <pthread.h>
#include <sched.h>

typedef pthread_mutex_t Lock;
typedef pthread_cond_t Wake;
#define FREE_LOCK PTHREAD_MUTEX_INITIALIZER
#define NO_WAKE PTHREAD_COND_INITIALIZER
#define THREAD_MAIN(name) static void *name(void *argument)

INLINE int lock_at_once(Lock *lock) { return !pthread_mutex_trylock(lock); }
INLINE void lock_(Lock *lock) { pthread_mutex_lock(lock); }
INLINE void unlock_(Lock *lock) { pthread_mutex_unlock(lock); }
INLINE void wait_for(Wake *wake, Lock *lock) { pthread_cond_wait(wake, lock); }
INLINE void wake_all(Wake *wake) { pthread_cond_broadcast(wake); }
INLINE void let_others_run(void) { sched_yield(); }
INLINE void after_fork(void (*function)(void)) { pthread_atfork(0, 0, function); }

INLINE int start_thread(void *(*function)(void *), void *argument) {
    pthread_t thread;
    return !pthread_create(&thread, 0, function, argument) && !pthread_detach(thread);
}

#ifdef __linux__
INLINE int this_core(void) { return sched_getcpu(); }

INLINE void go_elsewhere(int core) {
    cpu_set_t all, others;
    if (sched_getaffinity(0, sizeof all, &all)) return;
    others = all;
    CPU_CLR((size_t)core, &others);
    if (CPU_COUNT(&others) && !sched_setaffinity(0, sizeof others, &others)) sched_setaffinity(0, sizeof all, &all);
}
#else /* macOS says no thread where to run */
INLINE int this_core(void) { return -1; }
INLINE void go_elsewhere(int core) { (void)core; }
#endif
#endif
