/* session.h: the operator at work: configuration, keys and database, opened once a command. */
#ifndef COUNTERFOIL_CLI_SESSION_H
#define COUNTERFOIL_CLI_SESSION_H

#include "cli/command.h"
#include "core/operation/caller.h"
#include "core/operation/core.h"

struct session {
	struct core_settings settings;
	struct core *core;
	struct caller caller;           /* CALLER_OPERATOR, in the realm asked for */
};

/* Read the configuration that IN names, without opening anything.  STATUS_INVALID: ERROR says what is wrong. */
enum status session_read_settings(const struct invocation *in, struct core_settings *out,
    char error[static CONFIG_ERROR_BYTES]) NODISCARD;
/* The same; EX_OK, or an exit code: the reason was said. */
int session_load_settings(const struct invocation *in, struct core_settings *out) NODISCARD;
void session_free_settings(struct core_settings *settings);

/* The path of the configuration that IN names. */
const char *session_config_path(const struct invocation *in);

/* store or staff; store where IN does not say. */
int session_realm(const struct invocation *in, enum realm *out) NODISCARD;

/* The database role that --database-user names; counterfoil_admin where IN does not say. */
int session_role(const struct invocation *in, const char **out) NODISCARD;

/* Settings that are read already: open keys and database as ROLE.  On failure ERROR says why; the settings stay. */
enum status session_connect(const char *role, enum realm realm, struct session *session,
    char error[static CONFIG_ERROR_BYTES]) NODISCARD;

/* All of it.  EX_OK, or an exit code: the reason was said and OUT owns nothing. */
int session_open(const struct invocation *in, struct session *out) NODISCARD;
void session_close(struct session *session);

#endif
