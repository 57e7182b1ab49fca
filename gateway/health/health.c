#include <inttypes.h>

#include "gateway/health/verdict.h"
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

struct health_reason *verdict_add(struct verdict *v, enum health_code code, enum health_severity severity,
                                  int64_t since_ms, const char *action)
{
	struct health_reason *r = &v->reasons[v->count++];

	*r = (struct health_reason){.code = code, .severity = severity, .since_ms = since_ms};
	gf_strcpy(r->action, sizeof(r->action), action);
	return r;
}

const char *verdict_device(const struct verdict *v)
{
	const char *device = v->facts->device;

	return device != NULL && *device != '\0' ? device : "ID";
}

struct phrase verdict_since(const struct verdict *v, int64_t ms)
{
	int64_t now_ms = v->facts->now_ms;
	struct phrase p = {""};
	char at[GF_RFC3339_MAX], ago[GF_DURATION_MAX];

	if (ms > 0)
		VERDICT_SET(p.text, " since %s (%s)", gf_time_format(ms, at),
		            now_ms - ms < 1000 ? "just now" : gf_duration_format(now_ms - ms, ago));
	return p;
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
	r = verdict_add(v, code, HEALTH_ATTENTION, f->heartbeat_ms,
	                "let it rest; if it gets this warm often, clean the vents and check the fan");
	VERDICT_SAY(r, "%s at %.1f \302\260C, it stops at %.0f \302\260C", what, (double)stat->last, (double)stop_c);
}

/* ---- clock, spool, certificate ---- */

static void judge_clock(struct verdict *v)
{
	const struct health_facts *f = v->facts;
	struct health_reason *r;

	if (!f->clock_known || f->clock_synced)
		return;
	r = verdict_add(v, HEALTH_CODE_CLOCK_UNSYNCED, HEALTH_ATTENTION, f->clock_since_ms,
	                "check that the machine reaches a time server: timedatectl");
	VERDICT_SAY(r, "its clock is not synchronised%s: the times of its sessions are estimated",
	            verdict_since(v, f->clock_since_ms).text);
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
	r = verdict_add(v, HEALTH_CODE_SPOOL_BACKLOG, HEALTH_ATTENTION, f->last_record_ms,
	                "nothing if it was offline: it catches up by itself; else check its network and gymfleet doctor");
	if (old)
		VERDICT_SAY(r, "the newest it has delivered is %s old, %" PRIu32 " records wait on the machine",
		            gf_duration_format(age_ms, age), f->spool_records);
	else
		VERDICT_SAY(r, "%" PRIu32 " records wait on the machine to be delivered", f->spool_records);
}

static void judge_certificate(struct verdict *v)
{
	const struct health_facts *f = v->facts;
	int64_t left_ms = f->cert_not_after_ms - f->now_ms;
	struct health_reason *r;
	char at[GF_RFC3339_MAX], left[GF_DURATION_MAX];

	if (!f->cert_not_after_ms || left_ms >= CERT_SOON_D * day_ms)
		return;
	r = verdict_add(v, HEALTH_CODE_CERT_EXPIRING, left_ms < CERT_NOW_D * day_ms ? HEALTH_CRITICAL : HEALTH_ATTENTION, 0,
	                "issue a new certificate, put it on the machine and restart its agent");
	gf_time_format(f->cert_not_after_ms, at);
	if (left_ms > 0)
		VERDICT_SAY(r, "its certificate ends in %s, on %s: then it can't connect", gf_duration_format(left_ms, left),
		            at);
	else
		VERDICT_SAY(r, "its certificate ended on %s: it can't connect again", at);
}

/* ---- use ---- */

static void judge_interrupted(struct verdict *v)
{
	const struct health_facts *f = v->facts;
	struct health_reason *r;

	if (f->interrupted_24h < INTERRUPTED_MANY)
		return;
	r = verdict_add(v, HEALTH_CODE_INTERRUPTED, HEALTH_ATTENTION, f->interrupted_since_ms,
	                "check its plug and power supply, then the agent's log: journalctl -u 'gymfleet-agent@*'");
	VERDICT_SAY(r, "%" PRIu32 " sessions were interrupted in 24 h: it loses power, or its agent dies",
	            f->interrupted_24h);
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

/* "It gives less: nothing to do yet" is no word for a machine that the same cause has stopped. */
static bool is_outdone(const struct health_facts *f, const struct health_fault *fault)
{
	for (size_t i = 0; i < f->faults_count && i < HEALTH_FAULTS_MAX; i++) {
		if (!fault->reported && fault->severity == GF_SEVERITY_DERATE && f->faults[i].code == fault->code &&
		    f->faults[i].severity > GF_SEVERITY_DERATE)
			return true;
	}
	return false;
}

enum health_severity health_judge(const struct health_facts *facts,
                                  struct health_reason ret_reasons[HEALTH_REASONS_MAX], size_t *ret_count)
{
	struct verdict v = {.facts = facts, .reasons = ret_reasons};

	verdict_presence(&v);
	for (size_t i = 0; i < facts->faults_count && i < HEALTH_FAULTS_MAX; i++)
		if (!is_outdone(facts, &facts->faults[i]))
			verdict_fault(&v, &facts->faults[i]);
	judge_temperature(&v, HEALTH_CODE_MOTOR_HOT, "motor", &facts->motor_temp_c, facts->motor_temp_stop_c);
	judge_temperature(&v, HEALTH_CODE_SURFACE_HOT, "surface", &facts->surface_temp_c, facts->surface_temp_stop_c);
	judge_clock(&v);
	judge_spool(&v);
	judge_certificate(&v);
	judge_interrupted(&v);
	verdict_tag(&v);
	verdict_flags(&v);
	verdict_service(&v);
	verdict_idle(&v);
	verdict_rest(&v);
	verdict_closed(&v);
	verdict_locked(&v);
	sort(ret_reasons, v.count);
	*ret_count = v.count;
	return v.count ? ret_reasons[0].severity : HEALTH_OK;
}
