#include "gateway/steady.h"

#include <stdlib.h>

/* More than a clock that is pulled gently (0.05 %) moves between two looks. */
enum { JUMP_MS = 5000 };

int64_t steady_since_ms(struct steady *steady, struct gf_time now)
{
	int64_t offset_ms = now.wall_ms - now.mono_ms;

	if (steady->since_ms == 0 || llabs(offset_ms - steady->offset_ms) > JUMP_MS)
		steady->since_ms = now.wall_ms;
	steady->offset_ms = offset_ms;
	return steady->since_ms;
}
