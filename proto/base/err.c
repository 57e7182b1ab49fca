#include "proto/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void gf_diag_set(struct gf_diag *d, const char *fmt, ...)
{
	va_list args;
	if (d == NULL)
		return;
	va_start(args, fmt);
	vsnprintf(d->text, sizeof(d->text), fmt, args);
	va_end(args);
}

void gf_diag_prefix(struct gf_diag *d, const char *fmt, ...)
{
	struct gf_diag before;
	va_list args;
	if (d == NULL)
		return;
	before = *d;
	va_start(args, fmt);
	vsnprintf(d->text, sizeof(d->text), fmt, args);
	va_end(args);
	size_t len = strlen(d->text);
	snprintf(d->text + len, sizeof(d->text) - len, ": %s", before.text);
}
