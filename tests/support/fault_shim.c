/*
 * Preloaded into pgparity, lets what the system gives run out at a chosen point, counted from main():
 *
 *   FAULT_ALLOCATION=N[:COUNT]  the Nth allocation fails, and the COUNT-1 after it (0: all that follow)
 *   FAULT_COPY=N[:]             no allocation succeeds while the beginning of the Nth COPY is dealt with; with the colon,
 *                               none of its thread succeeds any more
 *   FAULT_ROOM=BYTES            files have room for so many bytes, then ENOSPC
 *   FAULT_KILL=N                the process kills itself before its Nth write to a file whose path contains FAULT_FILE
 *   FAULT_TOLD=FILE             gets the number of allocations at the end
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

static atomic_long allocations, room = -1;
static long first_failure, failures, failing_copy;
static atomic_long copies;
static atomic_int started;
static int for_good;
static _Thread_local int in_copy; /* from the arrival of its first message to the thread's next wait */

static int fails(void)
{
    if (!started)
        return 0;
    long number = ++allocations;
    if (in_copy) {
        errno = ENOMEM;
        return 1;
    }
    if (first_failure == 0 || number < first_failure || (failures > 0 && number >= first_failure + failures))
        return 0;
    errno = ENOMEM;
    return 1;
}

void *malloc(size_t size) { return fails() ? NULL : __libc_malloc(size); }
void *calloc(size_t count, size_t size) { return fails() ? NULL : __libc_calloc(count, size); }
void *realloc(void *old, size_t size) { return fails() ? NULL : __libc_realloc(old, size); }
void *aligned_alloc(size_t alignment, size_t size) { return fails() ? NULL : __libc_memalign(alignment, size); }

int posix_memalign(void **memory, size_t alignment, size_t size)
{
    if (fails())
        return ENOMEM;
    *memory = __libc_memalign(alignment, size);
    return *memory ? 0 : ENOMEM;
}

static int is_full(int descriptor, size_t bytes)
{
    struct stat status;
    if (room < 0 || fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode))
        return 0;
    if ((room -= (long)bytes) >= 0)
        return 0;
    room = 0;
    errno = ENOSPC;
    return 1;
}

static void kill_in_time(int descriptor)
{
    static atomic_long writes;
    const char *number = getenv("FAULT_KILL");
    char link[64], path[4096];
    if (!started || !number)
        return;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0)
        return;
    path[length] = 0;
    if (strstr(path, getenv("FAULT_FILE")) && ++writes == atol(number))
        kill(getpid(), SIGKILL);
}

#define WRITER(name, parameters, arguments)                                             \
    ssize_t name parameters                                                             \
    {                                                                                   \
        static ssize_t(*real) parameters;                                               \
        if (!real)                                                                      \
            real = (ssize_t(*) parameters)dlsym(RTLD_NEXT, #name);                      \
        kill_in_time(descriptor);                                                       \
        return is_full(descriptor, size) ? -1 : real arguments;                         \
    }
WRITER(write, (int descriptor, const void *data, size_t size), (descriptor, data, size))
WRITER(pwrite, (int descriptor, const void *data, size_t size, off_t at), (descriptor, data, size, at))
WRITER(pwrite64, (int descriptor, const void *data, size_t size, off64_t at), (descriptor, data, size, at))

ssize_t recv(int descriptor, void *data, size_t size, int flags)
{
    static ssize_t (*real)(int, void *, size_t, int);
    if (!real)
        real = (ssize_t(*)(int, void *, size_t, int))dlsym(RTLD_NEXT, "recv");
    ssize_t length = real(descriptor, data, size, flags);
    if (started && failing_copy && length > 0 && *(char *)data == 'H' && ++copies == failing_copy)
        in_copy = 1;
    return length;
}

int poll(struct pollfd *awaited, nfds_t count, int timeout)
{
    static int (*real)(struct pollfd *, nfds_t, int);
    if (!real)
        real = (int (*)(struct pollfd *, nfds_t, int))dlsym(RTLD_NEXT, "poll");
    in_copy = in_copy && for_good;
    return real(awaited, count, timeout);
}

static void tell(void)
{
    started = 0;
    const char *file = getenv("FAULT_TOLD");
    FILE *told = file ? fopen(file, "w") : NULL;
    if (!told)
        return;
    fprintf(told, "%ld\n", (long)allocations);
    fclose(told);
}

static int (*real_main)(int, char **, char **);

static int counted_main(int argc, char **argv, char **environment)
{
    const char *spec = getenv("FAULT_ALLOCATION");
    if (spec) {
        char *end;
        first_failure = strtol(spec, &end, 10);
        failures = *end == ':' ? strtol(end + 1, NULL, 10) : 1;
    }
    if (getenv("FAULT_COPY"))
        failing_copy = atol(getenv("FAULT_COPY")), for_good = strchr(getenv("FAULT_COPY"), ':') != NULL;
    if (getenv("FAULT_ROOM"))
        room = atol(getenv("FAULT_ROOM"));
    atexit(tell);
    started = 1;
    return real_main(argc, argv, environment);
}

typedef int main_function(int, char **, char **);
typedef int start_function(main_function *, int, char **, main_function *, void (*)(void), void (*)(void), void *);

int __libc_start_main(main_function *main, int argc, char **argv, main_function *init, void (*fini)(void),
                      void (*rtld_fini)(void), void *stack_end)
{
    start_function *real = (start_function *)dlsym(RTLD_NEXT, "__libc_start_main");
    real_main = main;
    return real(counted_main, argc, argv, init, fini, rtld_fini, stack_end);
}
