#include "gateway/health/health.h"

#include <inttypes.h>

#include "proto/base/clock.h"

static const int64_t minute_ms = INT64_C(60) * 1000;
static const int64_t hour_ms = INT64_C(60) * 60 * 1000;
static const int64_t day_ms = INT64_C(24) * 60 * 60 * 1000;

static const float near_limit_c = 5.0f;
enum {
	BACKLOG_RECORDS = 500,
	BACKLOG_FRESH_MS = 5 * 60 * 1000,
	INTERRUPTED_MANY = 3,
	CERT_SOON_D = 30,
	CERT_NOW_D = 7
};

#define X(s, n) n,
static const char *const severity_names[] = {HEALTH_SEVERITIES(X)};
static const char *const code_names[] = {HEALTH_CODES(X)};
#undef X

const char *health_severity_name(enum health_severity severity)
{
	return (unsigned)severity < sizeof(severity_names) / sizeof(severity_names[0]) ? severity_names[severity]
	                                                                               : "unknown";
}

const char *health_code_name(enum health_code code)
{
	return (unsigned)code < HEALTH_CODE_COUNT ? code_names[code] : "unknown";
}

/* The reasons being collected. */
struct verdict {
	const struct health_facts *facts;
	struct health_reason *reasons;
	size_t count;
};

static struct health_reason *add(struct verdict *v, enum health_code code, enum health_severity severity,
                                 int64_t since_ms, const char *action)
{
	struct health_reason *r = &v->reasons[v->count++];

	*r = (struct health_reason){.code = code, .severity = severity, .since_ms = since_ms};
	gf_strcpy(r->action, sizeof(r->action), action);
	return r;
}

/* Sets the reason's sentence. */
#define SAY(reason, ...)                                               \
	do {                                                               \
		struct gf_diag line_;                                          \
		gf_diag_set(&line_, __VA_ARGS__);                              \
		gf_strcpy((reason)->text, sizeof((reason)->text), line_.text); \
	} while (0)

/* " since 2026-11-20T17:42:03Z (3.0 h)"; empty when the time is unknown. */
struct since {
	char text[80];
};

static struct since since(const struct health_facts *f, int64_t ms)
{
	struct since s = {""};
	char at[GF_RFC3339_MAX], ago[GF_DURATION_MAX];
	struct gf_diag line;

	if (ms <= 0)
		return s;
	gf_diag_set(&line, " since %s (%s)", gf_time_format(ms, at),
	            gf_duration_format(f->now_ms > ms ? f->now_ms - ms : 0, ago));
	gf_strcpy(s.text, sizeof(s.text), line.text);
	return s;
}

/* ---- presence ---- */

static void judge_presence(struct verdict *v)
{
	static const struct {
		enum health_severity severity;
		const char *why, *action;
	} kinds[] = {
	    [HEALTH_NEVER_SEEN] = {HEALTH_ATTENTION, "it reports, but has not said what it is",
	                           "wait a minute; if it stays, restart the agent on the machine"},
	    [HEALTH_GOODBYE] = {HEALTH_ATTENTION, "it said goodbye",
	                        "nothing, if it was meant; else switch the machine on"},
	    [HEALTH_LOST] = {HEALTH_CRITICAL, "its connection broke",
	                     "check its power and its network; sessions are kept on the machine and come later"},
	    [HEALTH_SILENT] = {HEALTH_CRITICAL, "nothing is heard of it, though its connection was not closed",
	                       "check its network, then the agent: systemctl status gymfleet-agent"},
	};
	const struct health_facts *f = v->facts;
	struct health_reason *r;

	if (f->presence == HEALTH_ONLINE || (unsigned)f->presence >= sizeof(kinds) / sizeof(kinds[0]))
		return;
	r = add(v, HEALTH_CODE_OFFLINE, kinds[f->presence].severity, f->presence_since_ms, kinds[f->presence].action);
	SAY(r, "offline%s: %s", since(f, f->presence_since_ms).text, kinds[f->presence].why);
}

/* ---- faults ---- */

/* What a technician does about each fault. */
static const char *const fault_actions[GF_FAULT_COUNT] = {
    [GF_FAULT_OVERTEMP_MOTOR] = "let it cool, check the fan and the vents",
    [GF_FAULT_OVERTEMP_SURFACE] = "let it cool, check the heater and the cover",
    [GF_FAULT_OVERCURRENT] = "check the mechanics for something jammed, then the motor",
    [GF_FAULT_STALL] = "free the head or the carriage; if it comes back, check the motor and its belt",
    [GF_FAULT_ESTOP] = "look why it was pressed, then release the emergency stop",
    [GF_FAULT_COVER_OPEN] = "close the cover; if it is closed, check its switch",
    [GF_FAULT_OVERPRESSURE] = "check the valve and the hoses before it is used again",
    [GF_FAULT_LEAK] = "find the leak: sleeves, hoses, connectors",
    [GF_FAULT_SENSOR_LOST] = "check the sensor's plug and cable",
    [GF_FAULT_COMMS_LOST] = "check the cable to the controller and its power",
    [GF_FAULT_ENDSTOP_TIMEOUT] = "check the end switch and that the carriage moves freely",
    [GF_FAULT_SUPPLY] = "measure the supply voltage, check the power supply",
    [GF_FAULT_WATCHDOG] = "look into the agent's log: journalctl -u gymfleet-agent",
    [GF_FAULT_BATTERY_LOW] = "charge or replace the battery",
    [GF_FAULT_STORAGE] = "the machine's disk fails or is full: free space or replace it",
};

static enum health_severity fault_severity(enum gf_severity severity)
{
	return severity >= GF_SEVERITY_STOP ? HEALTH_CRITICAL : HEALTH_ATTENTION;
}

static void judge_fault(struct verdict *v, const struct health_fault *fault)
{
	const char *action = (unsigned)fault->code < GF_FAULT_COUNT ? fault_actions[fault->code] : NULL;
	struct health_reason *r = add(v, HEALTH_CODE_FAULT_OPEN, fault_severity(fault->severity), fault->since_ms,
	                              action ? action : "look at the machine");
	struct gf_diag numbers = {""};

	if (fault->observed == fault->observed && fault->limit == fault->limit) /* neither is NaN */
		gf_diag_set(&numbers, ": %.4g, limit %.4g", (double)fault->observed, (double)fault->limit);
	SAY(r, "fault %s%s%s%s", gf_fault_name(fault->code), numbers.text, since(v->facts, fault->since_ms).text,
	    fault->severity == GF_SEVERITY_LATCH ? ", latched" : "");
	if (fault->severity == GF_SEVERITY_LATCH) {
		struct gf_diag line;

		gf_diag_set(&line, "%s, then clear it at the machine with the staff key", r->action);
		gf_strcpy(r->action, sizeof(r->action), line.text);
	}
}

/* ---- temperature ---- */

static void judge_temperature(struct verdict *v, enum health_code code, const char *what, const struct gf_stat *stat,
                              float stop_c)
{
	const struct health_facts *f = v->facts;
	struct health_reason *r;

	/* An old reading, uploaded late or from before it went offline, says nothing of now. */
	if (!stat->present || stop_c <= 0 || f->presence != HEALTH_ONLINE || f->now_ms - f->heartbeat_ms > 5 * minute_ms)
		return;
	if (stat->last < stop_c - near_limit_c)
		return;
	r = add(v, code, HEALTH_ATTENTION, f->heartbeat_ms,
	        "let it rest; if it gets this warm often, clean the vents and check the fan");
	SAY(r, "%s at %.1f \302\260C, it stops at %.0f \302\260C", what, (double)stat->last, (double)stop_c);
}

/* ---- clock, spool, certificate ---- */

static void judge_clock(struct verdict *v)
{
	const struct health_facts *f = v->facts;
	struct health_reason *r;

	if (!f->clock_known || f->clock_synced)
		return;
	r = add(v, HEALTH_CODE_CLOCK_UNSYNCED, HEALTH_ATTENTION, f->clock_since_ms,
	        "check that the machine reaches a time server: timedatectl");
	SAY(r, "its clock is not synchronised%s: the times of its sessions are estimated",
	    since(f, f->clock_since_ms).text);
}

static void judge_spool(struct verdict *v)
{
	const struct health_facts *f = v->facts;
	int64_t age_ms = f->last_record_ms ? f->now_ms - f->last_record_ms : 0;
	bool old = f->presence == HEALTH_ONLINE && age_ms > hour_ms;
	struct health_reason *r;
	char age[GF_DURATION_MAX];

	/* Records come in their order: what the machine said of its backlog is over once a fresh record is here. */
	bool many = f->spool_records > BACKLOG_RECORDS && age_ms > BACKLOG_FRESH_MS;
	if (!many && !old)
		return;
	r = add(v, HEALTH_CODE_SPOOL_BACKLOG, HEALTH_ATTENTION, f->last_record_ms,
	        "nothing if it was offline: it catches up by itself; else check its network and gymfleet doctor");
	if (old)
		SAY(r, "the newest it has delivered is %s old, %" PRIu32 " records wait on the machine",
		    gf_duration_format(age_ms, age), f->spool_records);
	else
		SAY(r, "%" PRIu32 " records wait on the machine to be delivered", f->spool_records);
}

static void judge_certificate(struct verdict *v)
{
	const struct health_facts *f = v->facts;
	int64_t left_ms = f->cert_not_after_ms - f->now_ms;
	struct health_reason *r;
	char at[GF_RFC3339_MAX], left[GF_DURATION_MAX];

	if (!f->cert_not_after_ms || left_ms >= CERT_SOON_D * day_ms)
		return;
	r = add(v, HEALTH_CODE_CERT_EXPIRING, left_ms < CERT_NOW_D * day_ms ? HEALTH_CRITICAL : HEALTH_ATTENTION, 0,
	        "issue a new certificate, put it on the machine and restart its agent");
	gf_time_format(f->cert_not_after_ms, at);
	if (left_ms > 0)
		SAY(r, "its certificate ends in %s, on %s: then it can't connect", gf_duration_format(left_ms, left), at);
	else
		SAY(r, "its certificate ended on %s: it can't connect again", at);
}

/* ---- use ---- */

static void judge_interrupted(struct verdict *v)
{
	const struct health_facts *f = v->facts;
	struct health_reason *r;

	if (f->interrupted_24h < INTERRUPTED_MANY)
		return;
	r = add(v, HEALTH_CODE_INTERRUPTED, HEALTH_ATTENTION, f->interrupted_since_ms,
	        "check its plug and power supply, then the agent's log: journalctl -u gymfleet-agent");
	SAY(r, "%" PRIu32 " sessions were interrupted in 24 h: it loses power, or its agent dies", f->interrupted_24h);
}

/* D5: service is due at 80 % and at 100 % of the rated life. */
static void judge_motor_hours(struct verdict *v)
{
	const struct health_facts *f = v->facts;
	double share;
	struct health_reason *r;

	if (f->rated_motor_h <= 0)
		return;
	share = f->motor_hours / (double)f->rated_motor_h;
	if (share < 0.8)
		return;
	r = add(v, HEALTH_CODE_MOTOR_HOURS, share >= 1.0 ? HEALTH_CRITICAL : HEALTH_ATTENTION, 0,
	        share >= 1.0 ? "replace the motor, or have it serviced, before it fails in use"
	                     : "plan a service: order the motor now");
	SAY(r, "its motor has run %.0f of %.0f rated hours (%.0f %%)", f->motor_hours, (double)f->rated_motor_h,
	    share * 100.0);
}

/* ---- verdict ---- */

/* Worst first; among equals in the order they were found. */
static void sort(struct health_reason *reasons, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		struct health_reason r = reasons[i];
		size_t at = i;

		for (; at > 0 && reasons[at - 1].severity < r.severity; at--)
			reasons[at] = reasons[at - 1];
		reasons[at] = r;
	}
}

enum health_severity health_judge(const struct health_facts *facts,
                                  struct health_reason ret_reasons[HEALTH_REASONS_MAX], size_t *ret_count)
{
	struct verdict v = {.facts = facts, .reasons = ret_reasons};

	judge_presence(&v);
	for (size_t i = 0; i < facts->faults_count && i < HEALTH_FAULTS_MAX; i++)
		judge_fault(&v, &facts->faults[i]);
	judge_temperature(&v, HEALTH_CODE_MOTOR_HOT, "motor", &facts->motor_temp_c, facts->motor_temp_stop_c);
	judge_temperature(&v, HEALTH_CODE_SURFACE_HOT, "surface", &facts->surface_temp_c, facts->surface_temp_stop_c);
	judge_clock(&v);
	judge_spool(&v);
	judge_certificate(&v);
	judge_interrupted(&v);
	judge_motor_hours(&v);
	sort(ret_reasons, v.count);
	*ret_count = v.count;
	return v.count ? ret_reasons[0].severity : HEALTH_OK;
}
