#include "pam_module/paths.h"

const char paths_conf[] = COUNTERFOIL_CONFDIR "/pam.conf";
const char paths_helper[] = COUNTERFOIL_HELPERDIR "/pam-helper";

const char *
paths_repeats(void)
{
	return COUNTERFOIL_RUNDIR "/repeats";
}
