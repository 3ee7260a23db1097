/* A file system that has no room left below one folder while a file is there: preloaded into Postgres by full_disk.py.
 *
 * As on a real one, what is there already may be written again; what would make a file longer is refused with ENOSPC.
 * FULL_DISK_BELOW is the folder, FULL_DISK_WHILE the file.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static int no_room(int fd, off_t end) {
    const char *below = getenv("FULL_DISK_BELOW"), *full = getenv("FULL_DISK_WHILE");
    char link[64], path[PATH_MAX];
    struct stat found;
    ssize_t length;
    if (!below || !full || access(full, F_OK) != 0)
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    length = readlink(link, path, sizeof path - 1);
    if (length < 0)
        return 0;
    path[length] = 0;
    if (strncmp(path, below, strlen(below)) != 0)
        return 0;
    return fstat(fd, &found) == 0 && end > found.st_size;
}

static off_t total(const struct iovec *pieces, int count) {
    off_t sum = 0;
    for (int at = 0; at < count; at++)
        sum += pieces[at].iov_len;
    return sum;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define REFUSED(fd, end)     \
    if (no_room(fd, end)) {  \
        errno = ENOSPC;      \
        return -1;           \
    }

ssize_t pwrite(int fd, const void *data, size_t size, off_t at) {
    REFUSED(fd, at + (off_t)size)
    return REAL(pwrite)(fd, data, size, at);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
    REFUSED(fd, at + (off_t)size)
    return REAL(pwrite64)(fd, data, size, at);
}

ssize_t pwritev(int fd, const struct iovec *pieces, int count, off_t at) {
    REFUSED(fd, at + total(pieces, count))
    return REAL(pwritev)(fd, pieces, count, at);
}

ssize_t pwritev64(int fd, const struct iovec *pieces, int count, off64_t at) {
    REFUSED(fd, at + total(pieces, count))
    return REAL(pwritev64)(fd, pieces, count, at);
}

int posix_fallocate(int fd, off_t at, off_t size) {
    return no_room(fd, at + size) ? ENOSPC : REAL(posix_fallocate)(fd, at, size);
}

int posix_fallocate64(int fd, off64_t at, off64_t size) {
    return no_room(fd, at + size) ? ENOSPC : REAL(posix_fallocate64)(fd, at, size);
}
