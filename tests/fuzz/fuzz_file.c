#include "tests/fuzz/fuzz_file.h"

#include <unistd.h>

#include "tests/fuzz/fuzz.h"

static char path[64];
static int fd = -1;

static void
forget(void)
{
	(void)unlink(path);
}

static void
make(const char *folder)
{
	(void)snprintf(path, sizeof path, "%s/counterfoil-fuzz-XXXXXX", folder);
	fd = mkstemp(path);
}

const char *
fuzz_file(const uint8_t *data, size_t len)
{
	if (fd < 0) {
		make("/dev/shm");
		if (fd < 0)
			make("/tmp");
		INSIST(fd >= 0);
		(void)atexit(forget);
	}
	INSIST(ftruncate(fd, 0) == 0);
	INSIST(pwrite(fd, data, len, 0) == (ssize_t)len);
	return path;
}
