/* A site that vanished, as people read it. */
#ifndef GATEWAY_API_INCIDENT_ROW_H
#define GATEWAY_API_INCIDENT_ROW_H

#include "gateway/health/health.h"
#include "gateway/store/incidents.h"

/* Sets text and action of the reason. */
void incident_say(const struct store_incident *incident, int64_t now_ms, struct health_reason *reason);

#endif
