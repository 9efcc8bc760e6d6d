#include <stdarg.h>
#include <stdio.h>

#include "pam_module/check.h"

void
check_say(struct check *check, enum check_state state, const char *subject, const char *mend, const char *format, ...)
{
	static const char *const names[] = { "ok", "warning", "wrong" };
	va_list args;

	check->wrong += state == CHECK_WRONG;
	(void)printf("%-8s %-13s ", names[state], subject);
	va_start(args, format);
	(void)vprintf(format, args);
	va_end(args);
	(void)putchar('\n');
	if (mend != NULL)
		(void)printf("%22s  -> %s\n", "", mend);
}
