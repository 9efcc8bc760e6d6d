/* fake_helper.c: in the place of pam-helper: it does what the file behind --config says, one "key = value" a line, and
 * notes each request in requests.txt beside it, so that a test sees what was asked, and whether.
 *
 *   answer = N            the answer's number (answer.h); 23294 allows
 *   reason, detail, user_digest, ssh_key, password_right, must_change, enrolled, retry_after_s
 *   factor_id, enroll_key, enroll_url, recovery_codes
 *   offline               how an allow came about without the back end
 *   look, start, confirm, ticket = N      the answer to those operations, in the place of the other
 *   fault = NAME          what is wrong with the reply: see faults[] */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pam_module/wire.h"

struct script {
	struct wire_reply reply;
	char fault[32];
	char look_answer[16], start_answer[16], confirm_answer[16], ticket_answer[16];
};

static char texts[12][400];

static void
take_line(struct script *script, char *line, size_t number)
{
	char *equals = strchr(line, '='), *value;
	struct wire_reply *reply = &script->reply;

	if (equals == NULL)
		return;
	value = texts[number % 12];
	(void)snprintf(value, sizeof texts[0], "%s", equals + 2);
	value[strcspn(value, "\n")] = '\0';
	equals[-1] = '\0';
	if (strcmp(line, "answer") == 0)
		reply->answer = (uint32_t)strtoul(value, NULL, 0);
	else if (strcmp(line, "reason") == 0)
		reply->reason = value;
	else if (strcmp(line, "detail") == 0)
		reply->detail = value;
	else if (strcmp(line, "user_digest") == 0)
		reply->user_digest = value;
	else if (strcmp(line, "ssh_key") == 0)
		reply->ssh_key = value;
	else if (strcmp(line, "password_right") == 0)
		reply->password_right = (uint32_t)strtoul(value, NULL, 0);
	else if (strcmp(line, "retry_after_s") == 0)
		reply->retry_after_s = (uint32_t)strtoul(value, NULL, 0);
	else if (strcmp(line, "must_change") == 0)
		reply->must_change = (uint32_t)strtoul(value, NULL, 0);
	else if (strcmp(line, "enrolled") == 0)
		reply->enrolled = (uint32_t)strtoul(value, NULL, 0);
	else if (strcmp(line, "training_due") == 0)
		reply->training_due = (uint32_t)strtoul(value, NULL, 0);
	else if (strcmp(line, "look") == 0)
		(void)snprintf(script->look_answer, sizeof script->look_answer, "%.15s", value);
	else if (strcmp(line, "start") == 0)
		(void)snprintf(script->start_answer, sizeof script->start_answer, "%.15s", value);
	else if (strcmp(line, "confirm") == 0)
		(void)snprintf(script->confirm_answer, sizeof script->confirm_answer, "%.15s", value);
	else if (strcmp(line, "ticket") == 0)
		(void)snprintf(script->ticket_answer, sizeof script->ticket_answer, "%.15s", value);
	else if (strcmp(line, "offline") == 0)
		reply->offline = (uint32_t)strtoul(value, NULL, 0);
	else if (strcmp(line, "factor_id") == 0)
		reply->factor_id = value;
	else if (strcmp(line, "enroll_key") == 0)
		reply->enroll_key = value;
	else if (strcmp(line, "enroll_url") == 0)
		reply->enroll_url = value;
	else if (strcmp(line, "recovery_codes") == 0)
		reply->recovery_codes = value;
	else if (strcmp(line, "fault") == 0)
		(void)snprintf(script->fault, sizeof script->fault, "%.31s", value);
}

static void
read_script(const char *path, struct script *script)
{
	FILE *in = fopen(path, "re");
	char line[512];

	if (in == NULL)
		_exit(70);
	for (size_t number = 0; fgets(line, sizeof line, in) != NULL; number++)
		take_line(script, line, number);
	(void)fclose(in);
}

static const char *
shown(const char *text)
{
	return text != NULL ? text : "-";
}

static void
note(const char *conf, const struct wire_request *request)
{
	char path[600], line[4096];
	int fd, n;

	(void)snprintf(path, sizeof path, "%.*s/requests.txt", (int)(strrchr(conf, '/') - conf), conf);
	n = snprintf(line, sizeof line, "operation=%u factors=%u user=%s service=%s rhost=%s tty=%s ssh_key=%s password=%s "
	    "code=%s new=%s budget=%u connect=%u uid=%u\n", request->operation, request->factors, request->user,
	    request->service, shown(request->rhost), shown(request->tty), shown(request->ssh_key), shown(request->password),
	    shown(request->code), shown(request->new_password), request->budget_ms, request->connect_ms, getuid());
	if ((fd = open(path, O_WRONLY | O_APPEND | O_CREAT, 0600)) < 0 || write(fd, line, (size_t)n) != n)
		_exit(71);
	(void)close(fd);
}

/* What the helper inherited: the test reads it when it asks for fault "inherited". */
static void
note_inheritance(const char *conf)
{
	char path[600], name[64], target[256];
	sigset_t mask;
	FILE *out;

	(void)snprintf(path, sizeof path, "%.*s/inherited.txt", (int)(strrchr(conf, '/') - conf), conf);
	if ((out = fopen(path, "we")) == NULL)
		_exit(72);
	for (int fd = 0; fd < 4096; fd++) {
		ssize_t n;

		(void)snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
		if (fd == fileno(out) || (n = readlink(name, target, sizeof target - 1)) < 0)
			continue;
		target[n] = '\0';
		(void)fprintf(out, "descriptor %d %s\n", fd, target);
	}
	for (char **variable = environ; *variable != NULL; variable++)
		(void)fprintf(out, "environment %s\n", *variable);
	(void)sigprocmask(SIG_BLOCK, NULL, &mask);
	for (int number = 1; number < NSIG; number++) {
		struct sigaction action;

		if (sigaction(number, NULL, &action) == 0 && (action.sa_handler != SIG_DFL || sigismember(&mask, number)))
			(void)fprintf(out, "signal %d\n", number);
	}
	(void)fprintf(out, "directory %s\n", getcwd(target, sizeof target));
	(void)fclose(out);
}

static void
send_bytes(const uint8_t *data, size_t len)
{
	while (len > 0) {
		ssize_t sent = send(STDIN_FILENO, data, len, MSG_NOSIGNAL);

		if (sent <= 0)
			_exit(73);
		data += sent;
		len -= (size_t)sent;
	}
}

static void
choose_answer(struct script *script, uint32_t operation)
{
	const char *answer = operation == WIRE_LOOK ? script->look_answer : operation == WIRE_ENROLL_START ?
	    script->start_answer : operation == WIRE_ENROLL_CONFIRM ? script->confirm_answer : operation == WIRE_TICKET ?
	    script->ticket_answer : "";

	if (answer[0] != '\0')
		script->reply.answer = (uint32_t)strtoul(answer, NULL, 0);
}

static void
before_reply(const struct script *script, const char *conf)
{
	if (strcmp(script->fault, "exit") == 0)
		_exit(3);
	if (strcmp(script->fault, "silent") == 0)
		_exit(0);
	if (strcmp(script->fault, "kill") == 0)
		(void)kill(getpid(), SIGKILL);
	if (strcmp(script->fault, "segv") == 0)
		(void)raise(SIGSEGV);
	if (strcmp(script->fault, "hang") == 0)
		for (;;)
			(void)pause();
	if (strcmp(script->fault, "inherited") == 0)
		note_inheritance(conf);
	if (strcmp(script->fault, "flood") == 0)
		for (;;)
			send_bytes((const uint8_t[4096]){ 0, 0, 16, 0 }, 4096);
}

/* Spoil the whole message in place; returns its new length. */
static size_t
spoil(const struct script *script, uint8_t *message, size_t len)
{
	const char *fault = script->fault;

	if (strcmp(fault, "short") == 0)
		return len - 1;
	if (strcmp(fault, "length-only") == 0 || strcmp(fault, "hang-half") == 0)
		return WIRE_LENGTH_BYTES;
	if (strcmp(fault, "magic") == 0)
		message[WIRE_LENGTH_BYTES] ^= 1;
	if (strcmp(fault, "id") == 0)
		message[WIRE_LENGTH_BYTES + 4 + 3] ^= 1;
	if (strcmp(fault, "length") == 0)
		message[3]++;
	if (strcmp(fault, "text") == 0)
		(void)memcpy(message, "HTTP/1.1 200 OK\r\n\r\nallow", 24);
	if (strcmp(fault, "trailing") == 0)
		message[len++] = 0;
	if (strcmp(fault, "twice") == 0) {
		memcpy(message + len, message, len);
		len *= 2;
	}
	return len;
}

int
main(int argc, char **argv)
{
	static uint8_t in[WIRE_MESSAGE_MAX], out[2 * WIRE_MESSAGE_MAX];
	struct script script = { .reply = { .answer = 1, .reason = "scripted" } };
	struct wire_request request;
	size_t len = 0, body_len = 0;
	ssize_t got;

	if (argc != 3 || strcmp(argv[1], "--config") != 0)
		_exit(64);
	read_script(argv[2], &script);
	while ((len < WIRE_LENGTH_BYTES || (body_len = wire_body_len(in)) == 0 || len < WIRE_LENGTH_BYTES + body_len) &&
	    (got = read(STDIN_FILENO, in + len, sizeof in - len)) > 0)
		len += (size_t)got;
	if (!wire_decode_request(in + WIRE_LENGTH_BYTES, body_len, &request))
		_exit(65);
	note(argv[2], &request);
	memcpy(script.reply.id, request.id, sizeof script.reply.id);
	script.reply.user = strcmp(script.fault, "user") == 0 ? "mallory" : request.user;
	choose_answer(&script, request.operation);
	before_reply(&script, argv[2]);
	if (!wire_encode_reply(&script.reply, out, sizeof out, &len))
		_exit(66);
	send_bytes(out, spoil(&script, out, len));
	if (strcmp(script.fault, "exit-after") == 0)
		_exit(4);
	if (strcmp(script.fault, "kill-after") == 0)
		(void)kill(getpid(), SIGKILL);
	if (strcmp(script.fault, "hang-after") == 0 || strcmp(script.fault, "hang-half") == 0)
		for (;;)
			(void)pause();
	return 0;
}
