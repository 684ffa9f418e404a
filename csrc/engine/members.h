/* Whether the numbers of an op's structure, each by itself, are within their limits. */
#ifndef INTGOLD_MEMBERS_H
#define INTGOLD_MEMBERS_H

#include "intgold.h"

enum { INTGOLD_MOST_VALUES = 1 << 28, INTGOLD_MOST_EXTENT = 1 << 24 }; /* of a tensor */

/* kind: a known one. */
intgold_status intgold_check_members(int32_t kind, const void *fields);

#endif
