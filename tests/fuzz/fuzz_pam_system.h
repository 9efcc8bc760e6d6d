/* fuzz_pam_system.h: put before every file of the PAM module in the build of fuzz_pam_call: what the module asks of the
 * system goes to a system of the fuzzer's (fuzz_pam_system.c), in which any call may fail.  The macros take arguments, so
 * (free)(p) in parentheses is still the library's. */
#ifndef COUNTERFOIL_FUZZ_PAM_SYSTEM_H
#define COUNTERFOIL_FUZZ_PAM_SYSTEM_H

#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

void *fuzz_calloc(size_t count, size_t size);
void *fuzz_malloc(size_t size);
char *fuzz_strdup(const char *text);
void fuzz_free(void *memory);
void *fuzz_map(size_t len);
int fuzz_unmap(void *memory, size_t len);
int fuzz_openat(int folder, const char *name, int flags);
int fuzz_fstat(int fd, struct stat *out);
ssize_t fuzz_read(int fd, void *out, size_t capacity);
int fuzz_close(int fd);
int fuzz_fcntl(int fd, int command, int argument);
int fuzz_socketpair(int pair[2]);
int fuzz_sigmask(int how, const sigset_t *set, sigset_t *old);
pid_t fuzz_fork(void);
int fuzz_pidfd_open(pid_t pid);
int fuzz_end_child(void);
int fuzz_poll(const struct pollfd *one, int timeout_ms, short *out_ready);
ssize_t fuzz_send(int fd, const void *data, size_t len);
ssize_t fuzz_recv(int fd, void *out, size_t capacity);
int fuzz_waitid(siginfo_t *out);
ssize_t fuzz_getrandom(void *out, size_t len);
int fuzz_clock(clockid_t which, struct timespec *out);
unsigned long fuzz_getauxval(unsigned long type);
int fuzz_gethostname(char *out, size_t capacity);
int fuzz_ttyname(char *out, size_t capacity);

#define calloc(count, size) fuzz_calloc(count, size)
#define malloc(size) fuzz_malloc(size)
#define strdup(text) fuzz_strdup(text)
#define free(memory) fuzz_free(memory)
#define mmap(at, len, protection, flags, fd, offset) fuzz_map(len)
#define munmap(memory, len) fuzz_unmap(memory, len)
#define madvise(memory, len, advice) 0
#define mlock(memory, len) 0
#define openat(folder, name, flags) fuzz_openat(folder, name, flags)
#define fstat(fd, out) fuzz_fstat(fd, out)
#define read(fd, out, capacity) fuzz_read(fd, out, capacity)
#define close(fd) fuzz_close(fd)
#define fcntl(fd, command, argument) fuzz_fcntl(fd, command, argument)
#define socketpair(domain, type, protocol, pair) fuzz_socketpair(pair)
#define pthread_sigmask(how, set, old) fuzz_sigmask(how, set, old)
#define _Fork() fuzz_fork()
#define pidfd_open(pid, flags) fuzz_pidfd_open(pid)
#define pidfd_send_signal(fd, number, info, flags) fuzz_end_child()
#define kill(pid, number) fuzz_end_child()
#define waitpid(pid, status, options) fuzz_waitid(NULL)
#define poll(one, count, timeout_ms) fuzz_poll(one, timeout_ms, &(one)->revents)
#define send(fd, data, len, flags) fuzz_send(fd, data, len)
#define recv(fd, out, capacity, flags) fuzz_recv(fd, out, capacity)
#define waitid(type, id, out, options) fuzz_waitid(out)
#define getrandom(out, len, flags) fuzz_getrandom(out, len)
#define clock_gettime(which, out) fuzz_clock(which, out)
#define getauxval(type) fuzz_getauxval(type)
#define gethostname(out, capacity) fuzz_gethostname(out, capacity)
#define ttyname_r(fd, out, capacity) fuzz_ttyname(out, capacity)
#define geteuid() 0U
#define getuid() 0U

#endif
