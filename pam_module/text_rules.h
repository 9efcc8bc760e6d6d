/* text_rules.h: what a byte string from outside may hold.  libc only: the module links nothing else. */
#ifndef COUNTERFOIL_PAM_TEXT_RULES_H
#define COUNTERFOIL_PAM_TEXT_RULES_H

#include <stdbool.h>
#include <stddef.h>

/* Well-formed UTF-8 (no surrogate, nothing overlong, at most U+10FFFF) without C0 controls, DEL and NUL. */
bool text_rules_hold(const char *text, size_t len);

/* Only A-Z a-z 0-9 '_' '-' '.' '@', one to MAX bytes: names that may stand bare in a log line. */
bool text_rules_is_token(const char *text, size_t max);

#endif
