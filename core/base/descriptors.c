#include "core/base/descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum status
descriptors_hold_standard(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
			continue;
		/* the wrong way round, so that using it fails as it would have; children inherit it, for the same reason */
		if (open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
			return STATUS_UNAVAILABLE;
	}
	return STATUS_OK;
}
