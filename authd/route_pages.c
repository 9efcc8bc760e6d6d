/* route_pages.c: what people's browsers ask for.  The table of the pages listener. */
#include "authd/request.h"
#include "authd/routes.h"

const struct route *
routes_pages(size_t *out_count)
{
	*out_count = 0;
	return NULL;
}
