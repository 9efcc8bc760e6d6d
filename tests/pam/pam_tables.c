/* pam_tables.c: prints the module's tables, for the tests that hold the manual against them.
 *   pam_tables keys      a key a line: name, default, and the smallest and largest count
 *   pam_tables helper    the same of the helper's own: [section] in front of the name
 *   pam_tables answers   a row a line: result, code, code in the account phase, reason */
#include <stdio.h>
#include <string.h>

#include "pam_module/answer.h"
#include "pam_module/conf.h"
#include "pam_module/helper_settings.h"

static void
print_keys(void)
{
	size_t count;
	const struct conf_key *keys = conf_keys(&count);

	for (size_t i = 0; i < count; i++)
		(void)printf("%s\t%s\t%d\t%d\t%s\n", keys[i].name, keys[i].initial, keys[i].min, keys[i].max, keys[i].summary);
}

static void
print_helper_keys(void)
{
	size_t count;
	const struct config_key *keys = helper_settings_own_keys(&count);

	for (size_t i = 0; i < count; i++)
		(void)printf("[%s] %s\t%s\t%lld\t%lld\t%s\n", keys[i].section, keys[i].name,
		    keys[i].initial != NULL ? keys[i].initial : "", keys[i].type == CONFIG_INTEGER ? (long long)keys[i].min : 0,
		    keys[i].type == CONFIG_INTEGER ? (long long)keys[i].max : 0, keys[i].summary);
}

static void
print_answers(void)
{
	unsigned count;
	const struct answer_row *rows = answer_rows(&count);

	for (unsigned i = 0; i < count; i++)
		(void)printf("%s %s %s %s\n", rows[i].result, answer_code_name(rows[i].code),
		    answer_code_name(rows[i].account_code), rows[i].reason);
}

int
main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "keys") == 0)
		print_keys();
	else if (argc == 2 && strcmp(argv[1], "helper") == 0)
		print_helper_keys();
	else if (argc == 2 && strcmp(argv[1], "answers") == 0)
		print_answers();
	else
		return 64;
	return 0;
}
