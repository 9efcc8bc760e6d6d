/* load_often.c: loads and unloads the module as an application does that calls pam_start() and pam_end() for years. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/pam/host_state.h"

static const char *const functions[] = { "pam_sm_authenticate", "pam_sm_setcred", "pam_sm_acct_mgmt", "pam_sm_open_session",
	"pam_sm_close_session", "pam_sm_chauthtok" };

static int
load(const char *path)
{
	void *module = dlopen(path, RTLD_NOW);
	int found = 0;

	if (module == NULL) {
		(void)fprintf(stderr, "%s\n", dlerror());
		exit(1);
	}
	for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++)
		found += dlsym(module, functions[i]) != NULL;
	(void)dlclose(module);
	return found;
}

int
main(int argc, char **argv)
{
	static struct host_state before, after;
	int times, found = 0;

	if (argc != 3)
		return 64;
	times = atoi(argv[2]);
	found = load(argv[1]);
	host_state_take(&before);
	for (int i = 0; i < times; i++)
		found = load(argv[1]);
	host_state_take(&after);
	(void)printf("loaded %d times, %d functions, state %s\n", times, found,
	    host_state_difference(&before, &after) == NULL ? "same" : "changed");
	return 0;
}
