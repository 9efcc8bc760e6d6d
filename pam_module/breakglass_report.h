/* breakglass_report.h: sending what happened to break-glass codes to the back end, oldest first. */
#ifndef COUNTERFOIL_PAM_BREAKGLASS_REPORT_H
#define COUNTERFOIL_PAM_BREAKGLASS_REPORT_H

#include "pam_module/breakglass.h"

/* One report after the other, each forgotten once the back end has it, while there is time.  False: some wait still. */
bool breakglass_deliver(const struct breakglass_job *job);

#endif
