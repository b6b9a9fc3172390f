/* Makes the n-th call to the disk fail. Preloaded into a process, it counts the calls that touch anything below a root,
   in every thread, and lets those from the n-th on fail for as many as it is told, or hang. Nothing else is changed. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define MOST 4096
static char root[MOST], struck[64];
static size_t root_length;
static long from = -1, times, count;
static int number, hang_ms;
static unsigned char watched[MOST];

void faults_arm(const char *below, long first, long calls, int error, int milliseconds) {
    strncpy(root, below, MOST - 1);
    root_length = strlen(root);
    from = first, times = calls, number = error, hang_ms = milliseconds;
    struck[0] = 0;
    __atomic_store_n(&count, 0, __ATOMIC_SEQ_CST);
}
void faults_disarm(void) { from = -1; }
long faults_count(void) { return __atomic_load_n(&count, __ATOMIC_SEQ_CST); }
const char *faults_struck(void) { return struck; }

static int below(const char *path) { return root_length && path && !strncmp(path, root, root_length); }
static int ours(int fd) { return fd >= 0 && fd < MOST && watched[fd]; }

/* Whether this call fails now; errno is set then. */
static int fails(const char *call) {
    long n = __atomic_add_fetch(&count, 1, __ATOMIC_SEQ_CST);
    if (from < 1 || n < from || n >= from + times) return 0;
    if (!struck[0]) strncpy(struck, call, sizeof struck - 1);
    if (hang_ms) {
        usleep(1000 * hang_ms);
        return 0;
    }
    errno = number;
    return 1;
}

#define REAL(name) __typeof__(&name) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)
#define BY_PATH(type, failed, name, parameters, arguments, path) \
    type name parameters { REAL(name); return below(path) && fails(#name) ? failed : real arguments; }
#define BY_FD(type, failed, name, parameters, arguments) \
    type name parameters { REAL(name); return ours(fd) && fails(#name) ? failed : real arguments; }

static int opened(int fd, int is_ours) {
    if (fd >= 0 && fd < MOST) watched[fd] = is_ours;
    return fd;
}
#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        REAL(name); va_list rest; va_start(rest, flags); mode_t mode = va_arg(rest, mode_t); va_end(rest); \
        if (below(path) && fails(#name)) return -1; \
        return opened(real(path, flags, mode), below(path)); \
    }
OPEN(open)
OPEN(open64)
#define OPENAT(name) \
    int name(int at, const char *path, int flags, ...) { \
        REAL(name); va_list rest; va_start(rest, flags); mode_t mode = va_arg(rest, mode_t); va_end(rest); \
        if (below(path) && fails(#name)) return -1; \
        return opened(real(at, path, flags, mode), below(path)); \
    }
OPENAT(openat)
OPENAT(openat64)
int close(int fd) { REAL(close); opened(fd, 0); return real(fd); }

BY_FD(ssize_t, -1, write, (int fd, const void *data, size_t size), (fd, data, size))
BY_FD(ssize_t, -1, read, (int fd, void *data, size_t size), (fd, data, size))
BY_FD(int, -1, fsync, (int fd), (fd))
BY_FD(int, -1, fdatasync, (int fd), (fd))
BY_FD(int, -1, ftruncate, (int fd, off_t size), (fd, size))
BY_FD(int, -1, ftruncate64, (int fd, off64_t size), (fd, size))
BY_FD(int, -1, fchmod, (int fd, mode_t mode), (fd, mode))
BY_FD(int, -1, fstat, (int fd, struct stat *found), (fd, found))
BY_FD(int, -1, fstat64, (int fd, struct stat64 *found), (fd, found))
BY_FD(int, -1, flock, (int fd, int operation), (fd, operation))
BY_PATH(int, -1, stat, (const char *path, struct stat *found), (path, found), path)
BY_PATH(int, -1, stat64, (const char *path, struct stat64 *found), (path, found), path)
BY_PATH(int, -1, lstat, (const char *path, struct stat *found), (path, found), path)
BY_PATH(int, -1, lstat64, (const char *path, struct stat64 *found), (path, found), path)
BY_PATH(int, -1, fstatat, (int at, const char *path, struct stat *found, int flags), (at, path, found, flags), path)
BY_PATH(int, -1, fstatat64, (int at, const char *path, struct stat64 *found, int flags), (at, path, found, flags), path)
BY_PATH(int, -1, statvfs, (const char *path, struct statvfs *found), (path, found), path)
BY_PATH(int, -1, statvfs64, (const char *path, struct statvfs64 *found), (path, found), path)
BY_PATH(int, -1, mkdir, (const char *path, mode_t mode), (path, mode), path)
BY_PATH(int, -1, rename, (const char *path, const char *to), (path, to), path)
BY_PATH(int, -1, unlink, (const char *path), (path), path)
BY_PATH(int, -1, rmdir, (const char *path), (path), path)
BY_PATH(int, -1, chmod, (const char *path, mode_t mode), (path, mode), path)
BY_PATH(DIR *, NULL, opendir, (const char *path), (path), path)
