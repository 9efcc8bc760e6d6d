/* options.h: authd's command line. */
#ifndef COUNTERFOIL_AUTHD_OPTIONS_H
#define COUNTERFOIL_AUTHD_OPTIONS_H

#include <stdbool.h>

enum options_action { OPTIONS_SERVE, OPTIONS_CHECK, OPTIONS_ROUTES, OPTIONS_EXIT };

struct options {
	const char *config_path;
	enum options_action action;
	int exit_code;          /* of OPTIONS_EXIT: help, version or a usage error were printed */
};

void options_parse(int argc, char **argv, struct options *out);

#endif
