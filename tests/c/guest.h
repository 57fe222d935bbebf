/* What a guest must not change: each watch writes the state of one thing as text, to be compared before and after a
 * call. One row a thing. */
#ifndef GUEST_H
#define GUEST_H

#ifndef _GNU_SOURCE
#error "define _GNU_SOURCE before the first include"
#endif
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <fenv.h>
#include <locale.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>
#ifdef _OPENMP
#include <omp.h>
#endif
#if defined(__SSE__)
#include <xmmintrin.h>
#endif

extern char **environ;

enum { WATCH_TEXT = 8192 };

static unsigned control_word(void) {
#if defined(__SSE__)
    return _mm_getcsr();
#else
    return 0;
#endif
}

static void watch_threads(char *text) {
#ifdef _OPENMP
    omp_sched_t kind;
    int chunk;
    omp_get_schedule(&kind, &chunk);
    snprintf(text, WATCH_TEXT, "%d threads, dynamic %d, %d levels, schedule %d %d", omp_get_max_threads(),
             omp_get_dynamic(), omp_get_max_active_levels(), (int)kind, chunk);
#else
    snprintf(text, WATCH_TEXT, "no OpenMP");
#endif
}
static void watch_floating_point(char *text) {
    const unsigned control = control_word();
    snprintf(text, WATCH_TEXT, "traps %x, rounding %x, flags %x, control %x", fegetexcept(), fegetround(),
             fetestexcept(FE_ALL_EXCEPT & ~FE_INEXACT), control);
}
/* Traps, rounding and flushing of the threads that the host's own parallel regions run on. */
static void watch_workers(char *text) {
    unsigned words[64] = {0};
    int traps[64] = {0}, count = 1, i;
    size_t used = 0;
#ifdef _OPENMP
#pragma omp parallel
    {
        const int me = omp_get_thread_num();
        if (me < 64) {
            words[me] = control_word() & ~0x3fu; /* without the flags */
            traps[me] = fegetexcept();
        }
#pragma omp single
        count = omp_get_num_threads();
    }
#else
    words[0] = control_word() & ~0x3fu;
    traps[0] = fegetexcept();
#endif
    for (i = 0; i < count && i < 64; ++i)
        used += (size_t)snprintf(text + used, WATCH_TEXT - used, "%d: %x %x; ", i, words[i], traps[i]);
}
static void watch_locale(char *text) {
    snprintf(text, WATCH_TEXT, "%s, thread's %p, point '%s'", setlocale(LC_ALL, NULL), (void *)uselocale((locale_t)0),
             localeconv()->decimal_point);
}
static size_t list_signals(char *text, size_t used, const sigset_t *set) {
    int s;
    for (s = 1; s < 65; ++s)
        used += (size_t)snprintf(text + used, WATCH_TEXT - used, "%d", sigismember(set, s) == 1);
    return used;
}
static void watch_signal_mask(char *text) {
    sigset_t set;
    pthread_sigmask(SIG_SETMASK, NULL, &set);
    list_signals(text, 0, &set);
}
static void watch_signal_handlers(char *text) {
    stack_t stack;
    size_t used = 0;
    int s;
    for (s = 1; s < 65; ++s) {
        struct sigaction action;
        if (sigaction(s, NULL, &action) == 0 && action.sa_handler != SIG_DFL)
            used += (size_t)snprintf(text + used, WATCH_TEXT - used, "%d: %p %x; ", s,
                                     *(void **)(void *)&action.sa_handler, (unsigned)action.sa_flags);
    }
    sigaltstack(NULL, &stack);
    snprintf(text + used, WATCH_TEXT - used, "stack %p", stack.ss_sp);
}
static void watch_folder(char *text) {
    if (!getcwd(text, WATCH_TEXT))
        strcpy(text, "?");
}
static void watch_umask(char *text) {
    const mode_t mask = umask(0);
    umask(mask);
    snprintf(text, WATCH_TEXT, "%o", (unsigned)mask);
}
static void watch_environment(char *text) {
    uint64_t hash = 14695981039346656037u; /* FNV-1a */
    int count = 0;
    const char *c;
    for (; environ && environ[count]; ++count)
        for (c = environ[count]; *c; ++c)
            hash = (hash ^ (unsigned char)*c) * 1099511628211u;
    snprintf(text, WATCH_TEXT, "%d variables, hash %llx", count, (unsigned long long)hash);
}
static void watch_descriptors(char *text) {
    size_t used = 0;
    int d;
    for (d = 0; d < 1024; ++d) {
        const int flags = fcntl(d, F_GETFD);
        if (flags != -1)
            used +=
                (size_t)snprintf(text + used, WATCH_TEXT - used, "%d (%d %x) ", d, flags, (unsigned)fcntl(d, F_GETFL));
    }
}
static void watch_output(char *text) {
    struct stat out, error;
    fflush(NULL);
    if (fstat(1, &out) == 0 && fstat(2, &error) == 0)
        snprintf(text, WATCH_TEXT, "%lld and %lld bytes", (long long)out.st_size, (long long)error.st_size);
}
static void watch_scheduling(char *text) {
    struct rlimit stack, files, core;
    struct itimerval timer;
    cpu_set_t cpus;
    size_t used;
    char name[32] = "";
    int i;
    CPU_ZERO(&cpus);
    sched_getaffinity(0, sizeof cpus, &cpus);
    getrlimit(RLIMIT_STACK, &stack);
    getrlimit(RLIMIT_NOFILE, &files);
    getrlimit(RLIMIT_CORE, &core);
    getitimer(ITIMER_REAL, &timer);
    prctl(PR_GET_NAME, name);
    used = (size_t)snprintf(text, WATCH_TEXT, "'%s', nice %d, limits %llu %llu %llu, timer %ld, cores ", name,
                            getpriority(PRIO_PROCESS, 0), (unsigned long long)stack.rlim_cur,
                            (unsigned long long)files.rlim_cur, (unsigned long long)core.rlim_cur,
                            (long)timer.it_interval.tv_sec);
    for (i = 0; i < CPU_SETSIZE; ++i)
        if (CPU_ISSET(i, &cpus))
            used += (size_t)snprintf(text + used, WATCH_TEXT - used, "%d ", i);
}
static void watch_cuda_device(char *text) {
    int device = -1;
    int (*get)(int *);
    *(void **)(void *)&get = dlsym(RTLD_DEFAULT, "cudaGetDevice");
    strcpy(text, "no CUDA");
    if (get && get(&device) == 0)
        snprintf(text, WATCH_TEXT, "device %d", device);
}

/* Threads of this process with a number above `newest` that would take a signal of the host's. */
static int threads_open_to_signals(long newest) {
    DIR *folder = opendir("/proc/self/task");
    const struct dirent *entry;
    int found = 0;
    while (folder && (entry = readdir(folder)) != NULL) {
        char path[300], line[256];
        unsigned long long blocked = ~0ull;
        FILE *status;
        if (atol(entry->d_name) <= newest)
            continue;
        snprintf(path, sizeof path, "/proc/self/task/%s/status", entry->d_name);
        status = fopen(path, "r");
        while (status && fgets(line, sizeof line, status))
            sscanf(line, "SigBlk: %llx", &blocked);
        if (status)
            fclose(status);
        /* Of 1 to 31 all but SIGKILL and SIGSTOP, which nobody can block. */
        found += (blocked & 0x7ffbfeffull) != 0x7ffbfeffull;
    }
    if (folder)
        closedir(folder);
    return found;
}
static long newest_thread(void) {
    DIR *folder = opendir("/proc/self/task");
    const struct dirent *entry;
    long newest = 0;
    while (folder && (entry = readdir(folder)) != NULL)
        if (atol(entry->d_name) > newest)
            newest = atol(entry->d_name);
    if (folder)
        closedir(folder);
    return newest;
}

struct watch {
    const char *name;
    void (*look)(char *text);
};

/* The floating-point state first: looking at the rest may change its flags. */
static const struct watch watches[] = {
    {"floating-point environment", watch_floating_point},
    {"OpenMP settings", watch_threads},
    {"floating-point environment of OpenMP workers", watch_workers},
    {"locale", watch_locale},
    {"signal mask", watch_signal_mask},
    {"signal handlers", watch_signal_handlers},
    {"working folder", watch_folder},
    {"umask", watch_umask},
    {"environment variables", watch_environment},
    {"file descriptors", watch_descriptors},
    {"standard output and error", watch_output},
    {"scheduling and limits", watch_scheduling},
    {"current CUDA device", watch_cuda_device},
};
enum { WATCHES = sizeof watches / sizeof *watches };

static void look_at_all(char (*texts)[WATCH_TEXT]) {
    int i;
    for (i = 0; i < WATCHES; ++i) {
        texts[i][0] = '\0';
        watches[i].look(texts[i]);
    }
}

#endif
