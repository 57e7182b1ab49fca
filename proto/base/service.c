#include "proto/base/service.h"

#ifdef GF_HAVE_SYSTEMD
#include <systemd/sd-daemon.h>

static void tell(const char *state)
{
	sd_notify(0, state);
}
#else
static void tell(const char *state)
{
	(void)state;
}
#endif

void gf_service_ready(void)
{
	tell("READY=1");
}

void gf_service_watchdog(void)
{
	tell("WATCHDOG=1");
}

void gf_service_stopping(void)
{
	tell("STOPPING=1");
}
