#include "cli/prompt.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sysexits.h>
#include <termios.h>
#include <unistd.h>

#include "cli/output.h"
#include "core/base/text.h"

enum { TRIES = 3, QUESTION_BYTES = 512 };

/* --- one line ------------------------------------------------------------------------------------------------------ */

/* Byte by byte, so that nothing behind the newline is taken, into memory that is wiped.  errno tells a signal. */
static int
read_line(int fd, size_t max, struct secret **out)
{
	struct secret *line = NULL;
	size_t len = 0;
	ssize_t got;
	char c = '\0';

	if (secret_new(max + 1, &line) != STATUS_OK)
		return output_fail_status(STATUS_NO_MEMORY, "the answer");
	while ((got = read(fd, &c, 1)) == 1 && c != '\n') {
		if (len <= max)
			secret_data(line)[len] = (uint8_t)c;
		len++;
	}
	secret_wipe(&c, 1);
	if (got < 0 || len > max) {
		int cause = errno;

		secret_free(&line);
		errno = cause;
		return got < 0 ? EX_IOERR : output_fail(EX_DATAERR, "the answer is longer than %zu bytes", max);
	}
	if (got == 0 && len == 0) {
		secret_free(&line);
		return EX_OK;
	}
	secret_truncate(line, len);
	*out = line;
	return EX_OK;
}

int
prompt_line(const char *question, size_t max, struct secret **out)
{
	int rc;

	(void)fflush(stdout);
	if (isatty(STDIN_FILENO))
		(void)fprintf(stderr, "%s", question);
	if ((rc = read_line(STDIN_FILENO, max, out)) == EX_IOERR)
		(void)output_fail(rc, "standard input cannot be read");
	return rc;
}

/* --- without echo -------------------------------------------------------------------------------------------------- */

static volatile sig_atomic_t caught;

static void
catch(int number)
{
	caught = number;
}

static const int fatal_signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
enum { FATAL_COUNT = sizeof fatal_signals / sizeof fatal_signals[0] };

/* A signal must not leave a terminal that does not echo: it ends the read, and ends us when the terminal is mended. */
static void
hold_signals(struct sigaction saved[static FATAL_COUNT])
{
	struct sigaction hold = { .sa_handler = catch };

	caught = 0;
	(void)sigemptyset(&hold.sa_mask);
	for (unsigned i = 0; i < FATAL_COUNT; i++)
		(void)sigaction(fatal_signals[i], &hold, &saved[i]);
}

static void
release_signals(const struct sigaction saved[static FATAL_COUNT])
{
	for (unsigned i = 0; i < FATAL_COUNT; i++)
		(void)sigaction(fatal_signals[i], &saved[i], NULL);
	if (caught != 0)
		(void)raise(caught);
}

static int
read_hidden(int terminal, const char *question, struct secret **out)
{
	struct sigaction saved_signals[FATAL_COUNT];
	struct termios saved, quiet;
	int rc;

	if (tcgetattr(terminal, &saved) != 0)
		return output_fail(EX_IOERR, "the terminal does not answer");
	quiet = saved;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
	quiet.c_cc[VSUSP] = _POSIX_VDISABLE;
	hold_signals(saved_signals);
	/* TCSAFLUSH: what was typed before the question, and was seen, is no answer. */
	(void)tcsetattr(terminal, TCSAFLUSH, &quiet);
	(void)dprintf(terminal, "%s", question);
	rc = read_line(terminal, TEXT_PASSWORD_MAX_BYTES, out);
	(void)tcsetattr(terminal, TCSAFLUSH, &saved);
	(void)dprintf(terminal, "\n");
	release_signals(saved_signals);
	if (rc == EX_IOERR)
		(void)output_fail(rc, "the terminal cannot be read");
	return rc;
}

/* --- passwords ---------------------------------------------------------------------------------------------------- */

static void
ask_for(const char *what, const char *login, char out[static QUESTION_BYTES])
{
	char clean[TEXT_LOGIN_MAX_BYTES + 1];

	text_sanitize(bytes_of(login), clean, sizeof clean);
	(void)snprintf(out, QUESTION_BYTES, "%s for %s: ", what, clean);
}

/* EX_OK with *out NULL: the two answers differ, ask again. */
static int
ask_twice(int terminal, const char *login, struct secret **out)
{
	struct secret *first = NULL, *second = NULL;
	char question[QUESTION_BYTES];
	int rc;

	ask_for("New password", login, question);
	if ((rc = read_hidden(terminal, question, &first)) != EX_OK ||
	    (rc = read_hidden(terminal, "The same again: ", &second)) != EX_OK)
		goto out;
	if (first == NULL || second == NULL || secret_view(first).len == 0) {
		rc = output_fail(EX_NOINPUT, "no password was given; nothing was changed");
	} else if (secret_equal(secret_view(first), secret_view(second))) {
		*out = first;
		first = NULL;
	}
out:
	secret_free(&first);
	secret_free(&second);
	return rc;
}

static int
open_terminal(int *out)
{
	*out = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (*out < 0)
		return output_fail(EX_NOINPUT, "there is no terminal to ask for the password on; use --password-stdin");
	return EX_OK;
}

static int
ask_until_same(const char *login, struct secret **out)
{
	int terminal, rc;

	if ((rc = open_terminal(&terminal)) != EX_OK)
		return rc;
	for (unsigned tries = TRIES; tries > 0 && rc == EX_OK && *out == NULL; tries--) {
		rc = ask_twice(terminal, login, out);
		if (rc == EX_OK && *out == NULL)
			rc = tries > 1 ? (dprintf(terminal, "The two differ. Again:\n"), EX_OK) :
			    output_fail(EX_DATAERR, "the two differ; nothing was changed");
	}
	(void)close(terminal);
	return rc;
}

static int
ask_once(const char *login, struct secret **out)
{
	char question[QUESTION_BYTES];
	int terminal, rc;

	if ((rc = open_terminal(&terminal)) != EX_OK)
		return rc;
	ask_for("Password", login, question);
	rc = read_hidden(terminal, question, out);
	(void)close(terminal);
	if (rc == EX_OK && (*out == NULL || secret_view(*out).len == 0)) {
		secret_free(out);
		return output_fail(EX_NOINPUT, "no password was given");
	}
	return rc;
}

static int
take_from_input(struct secret **out)
{
	int rc;

	if ((rc = read_line(STDIN_FILENO, TEXT_PASSWORD_MAX_BYTES, out)) == EX_IOERR)
		return output_fail(rc, "standard input cannot be read");
	if (rc == EX_OK && (*out == NULL || secret_view(*out).len == 0)) {
		secret_free(out);
		return output_fail(EX_NOINPUT, "standard input holds no password");
	}
	return rc;
}

int
prompt_new_password(const struct invocation *in, const char *login, struct secret **out)
{
	return in->values[OPTION_PASSWORD_STDIN] != NULL ? take_from_input(out) : ask_until_same(login, out);
}

int
prompt_password(const struct invocation *in, const char *login, struct secret **out)
{
	return in->values[OPTION_PASSWORD_STDIN] != NULL ? take_from_input(out) : ask_once(login, out);
}
