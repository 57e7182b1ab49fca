#include "gateway/api/incident_row.h"

#include <stdio.h>

#include "proto/base/clock.h"

void incident_say(const struct store_incident *i, int64_t now_ms, struct health_reason *reason)
{
	char at[GF_RFC3339_MAX], lasted[GF_DURATION_MAX], back[64] = "";
	int64_t until_ms = i->closed_ms ? i->closed_ms : now_ms;

	(void)gf_time_format(i->opened_ms, at);
	(void)gf_duration_format(until_ms > i->opened_ms ? until_ms - i->opened_ms : 0, lasted);
	if (!i->closed_ms && i->missing < i->machines)
		(void)snprintf(back, sizeof(back), ", %u are back", i->machines - i->missing);
	if (i->closed_ms)
		(void)snprintf(reason->text, sizeof(reason->text),
		               "%u of %u machines of this site vanished together at %s and were away for up to %s", i->machines,
		               i->of, at, lasted);
	else
		(void)snprintf(reason->text, sizeof(reason->text),
		               "%u of %u machines of this site are offline since %s (%s): they vanished together%s",
		               i->machines, i->of, at, lasted, back);
	(void)gf_strcpy(reason->action, sizeof(reason->action),
	                i->closed_ms ? ""
	                             : "check the site's power, network and broker; sessions are kept on the machines and "
	                               "come later");
}
