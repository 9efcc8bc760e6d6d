/* memory_canary.c: signs in, and looks through its own memory for the password and the code.
 *   memory_canary DIR SERVICE apart|combined|enroll <two lines: the password, the code; for enroll, which goes on with two
 *   codes and Enter, three more: the key as it comes from the helper, how its prompt begins to show it, a recovery code
 * It keeps both masked, so that whatever it finds in clear is not its own.  Prints "during found" when the conversation's
 * answer is there (or the search is worth nothing), "result CODE", and "after found" or "after clean".
 *   memory_canary DIR SERVICE apart core <the same two lines
 * does not look, but dies after pam_end() and leaves a core to whoever looks. */
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <security/pam_appl.h>

enum { MASK = 0x5a, MAX = 64 };

struct masked { uint8_t bytes[MAX]; size_t len; };

static struct masked password, code, shown[3];
static bool combined, enrolling, dying, seen_during;
static unsigned asked;

static void
read_masked(struct masked *out)
{
	char c;

	while (read(STDIN_FILENO, &c, 1) == 1 && c != '\n' && out->len < MAX)
		out->bytes[out->len++] = (uint8_t)((uint8_t)c ^ MASK);
	explicit_bzero(&c, sizeof c);
}

static bool
is_here(const uint8_t *at, const struct masked *wanted)
{
	for (size_t i = 0; i < wanted->len; i++)
		if ((at[i] ^ MASK) != wanted->bytes[i])
			return false;
	return true;
}

/* Through a copy of each page, so that pages which cannot be read are no trouble. */
static bool
search(int memory, uintptr_t from, uintptr_t to, const struct masked *wanted, uint8_t *copy, size_t copy_len)
{
	bool found = false;

	for (uintptr_t at = from; at < to && !found; at += copy_len - MAX) {
		ssize_t n = pread(memory, copy, to - at < copy_len ? to - at : copy_len, (off_t)at);

		for (ssize_t i = 0; !found && i + (ssize_t)wanted->len <= n; i++)
			found = is_here(copy + i, wanted);
		explicit_bzero(copy, copy_len);
	}
	return found;
}

static bool
in_memory(const struct masked *wanted)
{
	static uint8_t copy[65536];
	FILE *maps = fopen("/proc/self/maps", "re");
	int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	unsigned long from, to;
	char line[512], mode[8];
	bool found = dying;     /* then a copy to look through would be in the core itself */

	if (maps == NULL || memory < 0)
		abort();
	while (!found && fgets(line, sizeof line, maps) != NULL) {
		if (sscanf(line, "%lx-%lx %7s", &from, &to, mode) != 3 || mode[0] != 'r' || mode[1] != 'w')
			continue;
		found = search(memory, from, to, wanted, copy, sizeof copy);
	}
	(void)fclose(maps);
	(void)close(memory);
	return found;
}

static void
unmask(char *out, const struct masked *from)
{
	for (size_t i = 0; i < from->len; i++)
		out[i] = (char)(from->bytes[i] ^ MASK);
}

static int
converse(int count, const struct pam_message **messages, struct pam_response **out, void *cookie)
{
	struct pam_response *response = calloc(1, sizeof *response);
	char *text = calloc(1, 2 * MAX + 1);

	(void)count;
	(void)cookie;
	if (response == NULL || text == NULL)
		abort();
	if (messages[0]->msg_style == PAM_ERROR_MSG || messages[0]->msg_style == PAM_TEXT_INFO) {
		free(text);
		*out = response;
		return PAM_SUCCESS;
	}
	if (asked++ == 0) {
		unmask(text, &password);
		if (combined)
			unmask(text + password.len, &code);
		seen_during = in_memory(&password);
	} else if (asked > 2) {
		(void)strcpy(text, asked == 3 ? "111111" : "222222");
		seen_during = seen_during && (asked != 3 || (in_memory(&shown[0]) && in_memory(&shown[1])));
	} else {
		unmask(text, &code);
		seen_during = seen_during && in_memory(&code);
	}
	response->resp = text;
	*out = response;
	return PAM_SUCCESS;
}

int
main(int argc, char **argv)
{
	const struct pam_conv conversation = { converse, NULL };
	pam_handle_t *pamh = NULL;
	bool seen_after;
	int result;

	if (argc != 4 && argc != 5)
		return 64;
	dying = argc == 5;
	combined = strcmp(argv[3], "combined") == 0;
	enrolling = strcmp(argv[3], "enroll") == 0;
	(void)setvbuf(stdout, NULL, _IONBF, 0);
	read_masked(&password);
	read_masked(&code);
	for (size_t i = 0; enrolling && i < 3; i++)
		read_masked(&shown[i]);
	if (pam_start_confdir(argv[2], "root", &conversation, argv[1], &pamh) != PAM_SUCCESS)
		return 1;
	if (enrolling)
		(void)pam_set_item(pamh, PAM_RHOST, "192.0.2.7");
	result = pam_authenticate(pamh, 0);
	(void)pam_end(pamh, result);
	if (dying)
		abort();
	(void)printf("during %s\n", seen_during ? "found" : "clean");
	(void)printf("result %d\n", result);
	seen_after = in_memory(&password) || in_memory(&code);
	for (size_t i = 0; enrolling && i < 3; i++)
		seen_after = seen_after || in_memory(&shown[i]);
	(void)printf("after %s\n", seen_after ? "found" : "clean");
	return 0;
}
