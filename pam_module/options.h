/* options.h: what stands behind pam_counterfoil.so on a line of /etc/pam.d.  Small: the rest is in pam.conf. */
#ifndef COUNTERFOIL_PAM_OPTIONS_H
#define COUNTERFOIL_PAM_OPTIONS_H

#include <stdbool.h>

#include "pam_module/conf.h"

#define OPTIONS_ERROR_BYTES 160

struct options {
	const char *conf;               /* conf=/abs/path; borrowed from argv, as are the others */
	const char *profile;            /* profile=NAME: the section of pam.conf; NULL: the PAM service */
	const char *factors;            /* factors=...: over pam.conf; NULL: what that says */
	bool use_first_pass, try_first_pass, forward_pass, debug;
};

/* False: an unknown or doubled option, or two that exclude each other; ERROR names it. */
bool options_parse(int argc, const char **argv, struct options *out, char error[static OPTIONS_ERROR_BYTES]);

/* What the options change of CONF.  False: they contradict it, so that nobody gets in; ERROR says how. */
bool options_apply(const struct options *options, struct conf *conf, char error[static CONF_ERROR_BYTES]);

#endif
