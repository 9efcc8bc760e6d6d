/* activity.h: what the owner of an account sees of it on the hosted page: sign-ins, sessions, trusted devices; and how
 * they end them.  The page's token is the credential (hosted_page.h, PAGE_ACTIVITY). */
#ifndef COUNTERFOIL_ACTIVITY_H
#define COUNTERFOIL_ACTIVITY_H

#include "core/operation/hosted_page.h"
#include "core/store/activity_sql.h"

#define ACTIVITY_EVENTS_MAX   50
#define ACTIVITY_SESSIONS_MAX 50
#define ACTIVITY_DEVICES_MAX  50

/* Newest first; activity_free() it. */
struct activity {
	struct hosted_page page;
	struct activity_event *events;
	struct session_item *sessions;
	struct device_item *devices;
	unsigned event_count, session_count, device_count;
};
void activity_free(struct activity *activity);

/* Outcomes as hosted_page_get().  On failure OUT owns nothing. */
enum status activity_get(struct core *core, const struct caller *page, const char *page_token,
    struct activity *out) NODISCARD;

/* STATUS_NOT_FOUND: no such page, or its owner has no such living session or device.  STATUS_CONFLICT: the page is over.
 * STATUS_INVALID: the id is no UUID. */
enum status activity_end_session(struct core *core, const struct caller *page, const char *page_token,
    const char *session_id) NODISCARD;
enum status activity_end_device(struct core *core, const struct caller *page, const char *page_token,
    const char *device_id) NODISCARD;
/* Every session and every trusted device of the page's owner. */
enum status activity_end_all(struct core *core, const struct caller *page, const char *page_token) NODISCARD;

#endif
