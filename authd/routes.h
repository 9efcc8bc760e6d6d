/* routes.h: the tables of the three listeners. */
#ifndef COUNTERFOIL_AUTHD_ROUTES_H
#define COUNTERFOIL_AUTHD_ROUTES_H

#include "authd/router.h"

const struct route *routes_api(size_t *out_count);
const struct route *routes_pages(size_t *out_count);
const struct route *routes_management(size_t *out_count);

#endif
