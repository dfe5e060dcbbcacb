// Stands between a program and the disk: preloaded, it notes what the program writes and syncs below one folder, makes
// chosen calls fail, and kills the program at a call of a given number. conformance-tests/peer/disk.py steers it.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum Kind { OPEN = 1, WRITE = 2, SYNC = 4, TRUNCATE = 8, UNLINK = 16, SEND = 32, READ = 64, SHORT = 128 };

// As disk.py packs it.
struct Control {
  _Atomic uint64_t calls;
  uint64_t kill_at;     // number of a call; 0 for none
  uint32_t kill_after;  // whether that call is still made
  uint32_t failing;     // kinds of calls; SHORT: writes take half of what they are given
  int32_t error;
  uint32_t recording;
};
struct Record {
  uint64_t begun, ended, inode, offset, length;
  uint32_t kind;
  int32_t error;
};

enum { FILES_MAX = 4096 };
static struct Control* control;
static struct Control nothing;
static const char* folder;
static int log_file = -1;
static _Atomic uint64_t inode_of[FILES_MAX];  // by descriptor; 0 for files that are not looked at

__attribute__((constructor)) static void begin(void) {
  folder = getenv("DISK_FOLDER");
  control = &nothing;
  const int file = (int)syscall(SYS_open, getenv("DISK_CONTROL"), O_RDWR | O_CLOEXEC, 0);
  void* at = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (at != MAP_FAILED) control = at;
  log_file = (int)syscall(SYS_open, getenv("DISK_LOG"), O_WRONLY | O_APPEND | O_CLOEXEC, 0);
}

static uint64_t now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (uint64_t)at.tv_sec * 1000000000u + (uint64_t)at.tv_nsec;
}

static int is_looked_at(const char* path) {
  const size_t length = strlen(path);
  if (!folder || strncmp(path, folder, strlen(folder)) != 0) return 0;
  return length < 4 || strcmp(path + length - 4, "-shm") != 0;  // of no worth after a crash
}

static uint64_t inode(int file) { return file >= 0 && file < FILES_MAX ? inode_of[file] : 0; }

// Counts the call. Where it is its turn the program ends here, before it; or 1 says that it is to end after it.
static int dies_after(void) {
  const uint64_t number = ++control->calls;
  if (control->kill_at == 0 || number != control->kill_at) return 0;
  if (!control->kill_after) kill(getpid(), SIGKILL);
  return 1;
}

static int fails(enum Kind kind) {
  if (!(control->failing & kind)) return 0;
  errno = control->error;
  return 1;
}

static void record(enum Kind kind, uint64_t begun, uint64_t of, uint64_t offset, const void* data, uint64_t length,
                   int error) {
  if (!control->recording) return;
  struct Record row = {begun, now(), of, offset, length, kind, error};
  struct iovec parts[] = {{&row, sizeof row}, {(void*)data, data ? length : 0}};
  const int kept = errno;
  syscall(SYS_writev, log_file, parts, 2);
  errno = kept;
}

// Makes the call `real`, which is counted and may fail; `then` notes it: `result` is what it gave, `error` why not.
#define CALL(kind, result_type, real, then)                            \
  const int dies = dies_after();                                       \
  const uint64_t begun = now();                                        \
  const result_type result = fails(kind) ? (result_type)(-1) : (real); \
  const int error = result < 0 ? errno : 0;                            \
  (void)begun;                                                         \
  then;                                                                \
  if (dies) kill(getpid(), SIGKILL);                                   \
  if (error) errno = error;                                            \
  return result

static int opened(const char* path, int flags, mode_t mode) {
  if (!is_looked_at(path)) return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
  if ((flags & O_ACCMODE) == O_RDONLY) {
    const int file = (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    struct stat found;
    if (file >= 0 && file < FILES_MAX && fstat(file, &found) == 0) inode_of[file] = found.st_ino;
    return file;
  }
  const int was_there = access(path, F_OK) == 0;
  CALL(OPEN, int, (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode), {
    struct stat found;
    if (result >= 0 && result < FILES_MAX && fstat(result, &found) == 0) {
      inode_of[result] = found.st_ino;
      if (!was_there) record(OPEN, begun, found.st_ino, 0, path, strlen(path), 0);
    }
  });
}

#define OPEN_AS(name)                                                  \
  int name(const char* path, int flags, ...) {                         \
    va_list more;                                                      \
    va_start(more, flags);                                             \
    const mode_t mode = (flags & O_CREAT) ? va_arg(more, mode_t) : 0;  \
    va_end(more);                                                      \
    return opened(path, flags, mode);                                  \
  }
OPEN_AS(open)
OPEN_AS(open64)

int close(int file) {
  if (file >= 0 && file < FILES_MAX) inode_of[file] = 0;
  return (int)syscall(SYS_close, file);
}

static size_t taken(size_t length) { return (control->failing & SHORT) ? length / 2 : length; }

ssize_t write(int file, const void* data, size_t length) {
  if (!inode(file)) return syscall(SYS_write, file, data, length);
  CALL(WRITE, ssize_t, syscall(SYS_write, file, data, taken(length)), {
    const off_t end = (off_t)syscall(SYS_lseek, file, 0, SEEK_CUR);
    if (result > 0) record(WRITE, begun, inode(file), (uint64_t)(end - result), data, (uint64_t)result, 0);
  });
}

ssize_t pwrite64(int file, const void* data, size_t length, off64_t offset) {
  if (!inode(file)) return syscall(SYS_pwrite64, file, data, length, offset);
  CALL(WRITE, ssize_t, syscall(SYS_pwrite64, file, data, taken(length), offset), {
    if (result > 0) record(WRITE, begun, inode(file), (uint64_t)offset, data, (uint64_t)result, 0);
  });
}
ssize_t pwrite(int file, const void* data, size_t length, off_t offset) { return pwrite64(file, data, length, offset); }

ssize_t pread64(int file, void* data, size_t length, off64_t offset) {
  if (inode(file) && fails(READ)) return -1;
  return syscall(SYS_pread64, file, data, length, offset);
}
ssize_t pread(int file, void* data, size_t length, off_t offset) { return pread64(file, data, length, offset); }

int fdatasync(int file) {
  if (!inode(file)) return (int)syscall(SYS_fdatasync, file);
  CALL(SYNC, int, (int)syscall(SYS_fdatasync, file), record(SYNC, begun, inode(file), 0, NULL, 0, error));
}
int fsync(int file) { return fdatasync(file); }

int ftruncate64(int file, off64_t length) {
  if (!inode(file)) return (int)syscall(SYS_ftruncate, file, length);
  CALL(TRUNCATE, int, (int)syscall(SYS_ftruncate, file, length), {
    if (!error) record(TRUNCATE, begun, inode(file), (uint64_t)length, NULL, 0, 0);
  });
}
int ftruncate(int file, off_t length) { return ftruncate64(file, length); }

int unlink(const char* path) {
  if (!is_looked_at(path)) return (int)syscall(SYS_unlink, path);
  CALL(UNLINK, int, (int)syscall(SYS_unlink, path), {
    if (!error) record(UNLINK, begun, 0, 0, path, strlen(path), 0);
  });
}

// Answers leave by these two.
ssize_t sendmsg(int socket, const struct msghdr* message, int flags) {
  CALL(SEND, ssize_t, syscall(SYS_sendmsg, socket, message, flags), );
}
ssize_t send(int socket, const void* data, size_t length, int flags) {
  CALL(SEND, ssize_t, syscall(SYS_sendto, socket, data, length, flags, NULL, 0), );
}
