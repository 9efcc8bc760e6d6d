/* outage.h: how long the back end has been away, as this host has recorded in the file of breakglass_store.h: what break-glass
 * codes and offline tickets wait for. */
#ifndef COUNTERFOIL_PAM_OUTAGE_H
#define COUNTERFOIL_PAM_OUTAGE_H

#include "core/credential/breakglass.h"
#include "pam_module/helper_settings.h"

/* The back end was out of reach once more. */
void outage_count(struct breakglass *record, int64_t now_s);

/* Several times in a row, over a while, and just now. */
bool outage_is_sustained(const struct breakglass *record, const struct helper_settings *settings, int64_t now_s);

/* It has answered.  False: no outage was recorded. */
bool outage_forget(struct breakglass *record);

#endif
