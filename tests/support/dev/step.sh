# shellcheck shell=bash
# shellcheck disable=SC2034,SC2164 # part of dev: variables are used across the parts, and errexit is on
# step.sh: work in numbered steps, a line each; what a step prints goes to a log of its own.
# Sourced by dev, which sets LOGS.

STEP=0
STEPS=0         # how many the running command has; 0: not told
STEP_LAST_WORDS=        # what a command says when one of its steps fails
TICKER=

# A terminal sees the seconds pass; a log file gets one line a step.
ticker_start() {
	local title=$1
	[ -t 1 ] || return 0
	(
		trap 'exit 0' TERM
		seconds=0
		while sleep 1; do
			seconds=$((seconds + 1))
			printf '\r%s %ds ' "$title" "$seconds"
		done
	) &
	TICKER=$!
}

ticker_stop() {
	[ -n "$TICKER" ] || return 0
	kill "$TICKER" 2>/dev/null || true
	wait "$TICKER" 2>/dev/null || true
	TICKER=
	printf '\r'
}
trap ticker_stop EXIT

# logged LOG COMMAND...: run it with its output in LOG; LOGGED_STATUS and LOGGED_SECONDS tell how it went.
# The subshell stands alone, not in a condition: there errexit would be off inside it.
logged() {
	local log=$1 begin=$SECONDS
	shift
	set +e
	(
		set -euo pipefail
		"$@"
	) >"$log" 2>&1 </dev/null
	LOGGED_STATUS=$?
	set -e
	LOGGED_SECONDS=$((SECONDS - begin))
}

step_title() {
	STEP=$((STEP + 1))
	printf -v STEP_TITLE '[%d/%d] %-44s' "$STEP" "$STEPS" "$1"
	[ "$STEPS" -ne 0 ] || printf -v STEP_TITLE '[%d] %-44s' "$STEP" "$1"
}

# step NAME TITLE HINT COMMAND...: one step; its failure ends the whole run with the reason and what to do.
step() {
	local name=$1 title=$2 hint=$3
	shift 3
	step_title "$title"
	printf '%s' "$STEP_TITLE"
	ticker_start "$STEP_TITLE"
	logged "$LOGS/$name.log" "$@"
	ticker_stop
	[ ! -t 1 ] || printf '%s' "$STEP_TITLE"
	if [ "$LOGGED_STATUS" -eq 0 ]; then
		printf ' done, %d s\n' "$LOGGED_SECONDS"
		return
	fi
	printf ' FAILED after %d s\n' "$LOGGED_SECONDS"
	step_failed "$name" "$title" "$hint"
}

step_failed() {
	local name=$1 title=$2 hint=$3
	{
		printf '\n--- the last lines of %s\n' "${LOGS#"$TOP"/}/$name.log"
		tail -n 30 "$LOGS/$name.log"
		printf -- '---\nThe step "%s" failed.  %s\n' "$title" "$hint"
	} >&2
	[ -z "$STEP_LAST_WORDS" ] || printf '%s\n' "$STEP_LAST_WORDS"
	exit 1
}
