#include <stdarg.h>
#include <stdio.h>

#include "agent/driver/driver.h"

void driver_found(struct driver_findings *findings, enum driver_verdict verdict, const char *what, const char *format,
                  ...)
{
	if (findings->count == DRIVER_FINDINGS_MAX)
		return;
	struct driver_finding *finding = &findings->items[findings->count++];
	va_list args;
	*finding = (struct driver_finding){.verdict = verdict};
	gf_strcpy(finding->what, sizeof(finding->what), what);
	va_start(args, format);
	(void)vsnprintf(finding->text, sizeof(finding->text), format, args);
	va_end(args);
}
