/* fake_paths.c: the module with a helper that tests hold in their hand. */
#include "pam_module/paths.h"

#include <stdlib.h>

const char paths_conf[] = "/nonexistent/counterfoil/pam.conf";
const char paths_helper[] = COUNTERFOIL_FAKE_HELPER;

const char *
paths_repeats(void)
{
	return getenv("COUNTERFOIL_FAKE_REPEATS");
}
