/* capture_syslog.c: preloaded into a program under test: what it would send to syslog goes to the file that
 * CAPTURE_SYSLOG names, one line an entry: priority, space, text.  The name is read once, before the program clears
 * its environment, as sshd's children do. */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[512];

void capture_vsyslog(int priority, const char *format, va_list args);
void syslog(int priority, const char *format, ...);
void vsyslog(int priority, const char *format, va_list args);
void __syslog_chk(int priority, int flag, const char *format, ...);
void __vsyslog_chk(int priority, int flag, const char *format, va_list args);

__attribute__((constructor)) static void
remember_path(void)
{
	const char *wanted = getenv("CAPTURE_SYSLOG");

	if (wanted != NULL && strlen(wanted) < sizeof path)
		(void)strcpy(path, wanted);
}

__attribute__((format(printf, 2, 0))) void
capture_vsyslog(int priority, const char *format, va_list args)
{
	char line[2048];
	int fd, head, n;

	if (path[0] == '\0' || (fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666)) < 0)
		return;
	head = snprintf(line, sizeof line, "%d ", priority & 7);
	n = vsnprintf(line + head, sizeof line - (size_t)head - 1, format, args);
	n = head + (n < (int)sizeof line - head - 2 ? n : (int)sizeof line - head - 2);
	for (int i = 0; i < n; i++)
		if (line[i] == '\n')
			line[i] = '|';
	line[n] = '\n';
	if (write(fd, line, (size_t)n + 1) < 0)
		abort();
	(void)close(fd);
}

__attribute__((format(printf, 2, 0))) void
vsyslog(int priority, const char *format, va_list args)
{
	capture_vsyslog(priority, format, args);
}

__attribute__((format(printf, 2, 3))) void
syslog(int priority, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	capture_vsyslog(priority, format, args);
	va_end(args);
}

__attribute__((format(printf, 3, 4))) void
__syslog_chk(int priority, int flag, const char *format, ...)
{
	va_list args;

	(void)flag;
	va_start(args, format);
	capture_vsyslog(priority, format, args);
	va_end(args);
}

__attribute__((format(printf, 3, 0))) void
__vsyslog_chk(int priority, int flag, const char *format, va_list args)
{
	(void)flag;
	capture_vsyslog(priority, format, args);
}
