/* paths.h: the paths that are built in.  A test links another paths.c and so has a module that looks elsewhere. */
#ifndef COUNTERFOIL_PAM_PATHS_H
#define COUNTERFOIL_PAM_PATHS_H

extern const char paths_conf[];         /* pam.conf; pam-helper.conf lies beside it */
extern const char paths_helper[];

/* What repeats.h keeps.  NULL: nothing. */
const char *paths_repeats(void);

#endif
