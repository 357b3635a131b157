/* A disk whose k-th call fails, beneath a whole program: built as a shared library and loaded by LD_PRELOAD.
 *
 * FAULT_FOLDER  only files below this folder are counted
 * FAULT_AT      number of the call, from 1; without it none fails
 * FAULT_CODE    number of the error; 0 kills the program by SIGKILL, a write after half of it
 * FAULT_ON      1: all calls after it fail, too
 * FAULT_LOG     file that gets a letter for each call that is counted
 *
 * Counted are what changes files: open for writing, write, fsync, rename, link, unlink and fchmod.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int is_below(const char *path) {
    const char *folder = getenv("FAULT_FOLDER");
    return folder != NULL && path != NULL && strncmp(path, folder, strlen(folder)) == 0;
}

static int is_ours(int handle) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", handle);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return is_below(path);
}

/* The error of this call, or 0; `half` is what a write does before it fails. */
static int fault(char letter, int handle, const void *data, size_t half) {
    static int calls = 0;
    const char *at = getenv("FAULT_AT"), *on = getenv("FAULT_ON"), *log = getenv("FAULT_LOG");
    int number = ++calls, wanted = at ? atoi(at) : 0, code = atoi(getenv("FAULT_CODE") ? getenv("FAULT_CODE") : "5");
    if (log != NULL) {
        int file = REAL(open)(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
        if (REAL(write)(file, &letter, 1) != 1) abort();
        REAL(close)(file);
    }
    if (!(number == wanted || (on && wanted && number > wanted))) return 0;
    if (letter == 'w' && (code == ENOSPC || code == 0) && half > 0 && REAL(write)(handle, data, half) < 0) abort();
    if (code == 0) kill(getpid(), SIGKILL);
    return code;
}

#define FAIL(letter) do { int code = fault(letter, -1, NULL, 0); if (code) { errno = code; return -1; } } while (0)

#define OPEN(name)                                                                        \
    int name(const char *path, int flags, ...) {                                          \
        va_list more;                                                                     \
        va_start(more, flags);                                                            \
        mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(more, mode_t) : 0;         \
        va_end(more);                                                                     \
        if ((flags & O_ACCMODE) != O_RDONLY && is_below(path)) FAIL('o');                 \
        return REAL(name)(path, flags, mode);                                             \
    }
OPEN(open)
OPEN(open64)

ssize_t write(int handle, const void *data, size_t size) {
    if (is_ours(handle)) {
        int code = fault('w', handle, data, size / 2);
        if (code) {
            errno = code;
            return -1;
        }
    }
    return REAL(write)(handle, data, size);
}

int fsync(int handle) {
    if (is_ours(handle)) FAIL('s');
    return REAL(fsync)(handle);
}

int fchmod(int handle, mode_t mode) {
    if (is_ours(handle)) FAIL('m');
    return REAL(fchmod)(handle, mode);
}

int rename(const char *from, const char *to) {
    if (is_below(to)) FAIL('r');
    return REAL(rename)(from, to);
}

int link(const char *from, const char *to) {
    if (is_below(to)) FAIL('l');
    return REAL(link)(from, to);
}

int unlink(const char *path) {
    if (is_below(path)) FAIL('u');
    return REAL(unlink)(path);
}
