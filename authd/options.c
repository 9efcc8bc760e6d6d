#include "authd/options.h"

#include <getopt.h>
#include <stdio.h>
#include <sysexits.h>

#include "authd/settings.h"
#include "config.h"

static void
print_help(void)
{
	size_t count;
	const struct config_key *keys = settings_own_keys(&count);

	(void)puts("Usage: authd [--config FILE] [--check]\n"
	    "Counterfoil's HTTP service: two-factor sign-in for shops.\n\n"
	    "  -c, --config FILE  read FILE instead of " COUNTERFOIL_CONFDIR "/authd.conf\n"
	    "  -t, --check        read configuration, keys and certificates, say what is wrong, and exit\n"
	    "  -p, --print-config print authd's part of a configuration file, with every default\n"
	    "  -V, --version      print the version\n"
	    "  -h, --help         print this\n\n"
	    "SIGHUP takes certificates anew; SIGTERM finishes what is in flight and ends.\n\n"
	    "Settings of its own (authd.conf(5) has all):");
	for (size_t i = 0; i < count; i++)
		(void)printf("  [%s] %s\n      %s Default: %s\n", keys[i].section, keys[i].name, keys[i].summary,
		    keys[i].initial != NULL && keys[i].initial[0] != '\0' ? keys[i].initial : "none");
}

static void
finish(struct options *out, int code)
{
	out->action = OPTIONS_EXIT;
	out->exit_code = code;
}

void
options_parse(int argc, char **argv, struct options *out)
{
	static const struct option known[] = {
		{ "config", required_argument, NULL, 'c' }, { "check", no_argument, NULL, 't' },
		{ "print-config", no_argument, NULL, 'p' },
		{ "routes", no_argument, NULL, 'r' }, { "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 }
	};
	size_t count;
	int c;

	*out = (struct options){ .config_path = COUNTERFOIL_CONFDIR "/authd.conf", .action = OPTIONS_SERVE };
	while ((c = getopt_long(argc, argv, "c:tpVh", known, NULL)) != -1) {
		if (c == 'c')
			out->config_path = optarg;
		else if (c == 't')
			out->action = OPTIONS_CHECK;
		else if (c == 'r')
			out->action = OPTIONS_ROUTES;
		else if (c == 'V') {
			(void)puts("authd (counterfoil) " PACKAGE_VERSION);
			finish(out, EX_OK);
			return;
		} else if (c == 'p') {
			const struct config_key *keys = settings_own_keys(&count);

			config_print(stdout, keys, count, NULL, 0);
			finish(out, fflush(stdout) == 0 ? EX_OK : EX_IOERR);
			return;
		} else if (c == 'h') {
			print_help();
			finish(out, EX_OK);
			return;
		} else {
			(void)fputs("Try: authd --help\n", stderr);
			finish(out, EX_USAGE);
			return;
		}
	}
	if (optind < argc) {
		(void)fprintf(stderr, "authd: unexpected argument: %s\nTry: authd --help\n", argv[optind]);
		finish(out, EX_USAGE);
	}
}
