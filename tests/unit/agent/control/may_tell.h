/* What control may tell of limits, faults and pain: those who wait for it (rules of the gateway) take this for all there is. */
#ifndef TESTS_AGENT_CONTROL_MAY_TELL_H
#define TESTS_AGENT_CONTROL_MAY_TELL_H

#include "agent/control/control.h"
#include "proto/catalog.h"
#include "proto/told.h"

static inline bool may_tell_session(const struct gf_session_ended *ended)
{
	for (size_t i = 0; i < ended->areas_count; i++)
		if (!(ended->areas[i].max_intensity_pct <= GF_INTENSITY_MAX_PCT))
			return false;
	return ended->pain_presses <= GF_PAIN_PRESSES_MAX;
}

static inline bool may_tell(const struct control_event *event)
{
	if (event->kind == CONTROL_EVENT_LIMIT_HIT)
		return gf_limit_does(event->limit_hit.rule, event->limit_hit.action);
	if (event->kind == CONTROL_EVENT_FAULT_RAISED)
		return (gf_fault_severities(event->fault_raised.code) >> event->fault_raised.severity & 1) != 0;
	return event->kind != CONTROL_EVENT_SESSION_ENDED || may_tell_session(&event->session_ended);
}

#endif
