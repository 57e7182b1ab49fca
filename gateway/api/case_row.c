#include "gateway/api/case_row.h"

#include <stdio.h>

#include "gateway/health/health.h"
#include "proto/base/clock.h"

#define DAMAGE "damage" /* what a person reported: no sensor has a code for it */

#define NAME(symbol, name) name,
static const char *const class_words[] = {GF_CLASSES(NAME) NULL};
static const char *const code_words[] = {GF_FAULTS(NAME) DAMAGE, NULL};
static const char *const severity_words[] = {GF_SEVERITIES(NAME) NULL};
static const char *const state_words[] = {STORE_CASE_STATES(NAME) NULL};
static const char *const cleared_words[] = {GF_CLEARED_BYS(NAME) NULL};
#undef NAME

const struct where_field case_fields[] = {
    {"id", WHERE_NUMBER, NULL},         {"device", WHERE_TEXT, NULL},     {"site", WHERE_TEXT, NULL},
    {"class", WHERE_TEXT, class_words}, {"code", WHERE_TEXT, code_words}, {"severity", WHERE_TEXT, severity_words},
    {"state", WHERE_TEXT, state_words}, {"times", WHERE_NUMBER, NULL},    {"first", WHERE_TIME, NULL},
    {"last", WHERE_TIME, NULL},         {"cleared", WHERE_TIME, NULL},    {"cleared_by", WHERE_TEXT, cleared_words},
    {"lasted_s", WHERE_NUMBER, NULL},   {"fault_no", WHERE_NUMBER, NULL}, {"session_no", WHERE_NUMBER, NULL},
    {"observed", WHERE_NUMBER, NULL},   {"limit", WHERE_NUMBER, NULL},    {"detail", WHERE_TEXT, NULL},
    {"reported", WHERE_BOOL, NULL},     {"by", WHERE_TEXT, NULL},         {"acked", WHERE_TIME, NULL},
    {"acked_by", WHERE_TEXT, NULL},     {"ack_note", WHERE_TEXT, NULL},   {"text", WHERE_TEXT, NULL},
    {"action", WHERE_TEXT, NULL},
};
const size_t case_fields_count = sizeof(case_fields) / sizeof(case_fields[0]);

/* A sentence has room for all its phrases: what is cut may end within a character, and JSON has none of that. */
enum { PHRASE_MAX = 512, SENTENCE_MAX = 3072 };

/* " since 2026-11-20T17:42:03Z (3.0 h)", or from when to when */
static void say_when(const struct store_case *c, int64_t now_ms, char buf[static PHRASE_MAX])
{
	char from[GF_RFC3339_MAX], to[GF_RFC3339_MAX], span[GF_DURATION_MAX];
	int64_t end_ms = c->cleared_ms != 0 ? c->cleared_ms : now_ms,
	        lasted_ms = end_ms > c->first_ms ? end_ms - c->first_ms : 0;

	(void)gf_duration_format(lasted_ms, span);
	(void)gf_time_format(c->first_ms, from);
	buf[0] = '\0';
	if (c->first_ms > 0 && c->cleared_ms != 0)
		(void)snprintf(buf, PHRASE_MAX, " from %s to %s (%s)", from, gf_time_format(c->cleared_ms, to), span);
	else if (c->first_ms > 0)
		(void)snprintf(buf, PHRASE_MAX, " since %s (%s)", from, lasted_ms < 1000 ? "just now" : span);
}

/* "; raised 4 times, the last time at 2026-11-20T19:12:40Z" */
static void say_times(const struct store_case *c, char buf[static PHRASE_MAX])
{
	char last[GF_RFC3339_MAX];

	buf[0] = '\0';
	if (c->times > 1)
		(void)snprintf(buf, PHRASE_MAX, "; raised %u times, the last time at %s", (unsigned)c->times,
		               gf_time_format(c->last_ms, last));
}

/* How it ended; who has seen it while it goes on. */
static void say_people(const struct store_case *c, char buf[static PHRASE_MAX])
{
	static const char *const ends[GF_CLEARED_BY_COUNT] = {
	    [GF_CLEARED_BY_RECOVERED] = "; it went away by itself",
	    [GF_CLEARED_BY_STAFF] = "; cleared by staff",
	    [GF_CLEARED_BY_RESTART] = "; gone with a restart",
	};
	const char *note = c->ack_note;

	buf[0] = '\0';
	if (c->state == STORE_CASE_CLEARED)
		(void)gf_strcpy(buf, PHRASE_MAX,
		                (unsigned)c->cleared_by < GF_CLEARED_BY_COUNT && ends[c->cleared_by] ? ends[c->cleared_by]
		                                                                                     : "");
	else if (c->acked_ms != 0)
		(void)snprintf(buf, PHRASE_MAX, "; seen by %s%s%s", c->acked_by, *note != '\0' ? ": " : "", note);
}

static void put_sentences(json_t **row, const struct store_case *c, int64_t now_ms)
{
	char text[SENTENCE_MAX], action[SENTENCE_MAX], when[PHRASE_MAX], times[PHRASE_MAX], people[PHRASE_MAX];
	struct health_fault fault = {.code = c->code,
	                             .severity = c->severity,
	                             .since_ms = c->first_ms,
	                             .observed = c->observed,
	                             .limit = c->limit,
	                             .detail = c->detail};
	struct health_fault_words words;
	bool cleared = c->state == STORE_CASE_CLEARED;

	say_when(c, now_ms, when);
	say_times(c, times);
	say_people(c, people);
	/* Of what is over neither the staff key nor the resting helps; what brings it back does. */
	if (cleared)
		fault.severity = GF_SEVERITY_STOP;
	health_fault_say(&fault, &words);
	(void)snprintf(text, sizeof(text), "fault %s%s: %s%s%s%s%s", gf_fault_name(c->code), when, words.what,
	               cleared ? "" : "; ", cleared ? "" : words.effect, times, people);
	if (cleared && c->times > 1)
		(void)snprintf(action, sizeof(action), "it came %u times: %s", (unsigned)c->times, words.action);
	else
		(void)gf_strcpy(action, sizeof(action), cleared ? "nothing to do: it is over" : words.action);
	json_put(row, "text", json_string(text));
	json_put(row, "action", json_string(action));
}

#define REPAIR "look at it and have it repaired, then gymfleet faults clear %llu --note TEXT"

static void put_damage(json_t **row, const struct store_case *c, int64_t now_ms)
{
	char text[SENTENCE_MAX], action[SENTENCE_MAX], when[PHRASE_MAX], people[PHRASE_MAX];
	bool cleared = c->state == STORE_CASE_CLEARED;

	say_when(c, now_ms, when);
	say_people(c, people);
	(void)snprintf(text, sizeof(text), "damage reported by %s%s: %s%s", c->by[0] != '\0' ? c->by : "somebody", when,
	               c->detail, people);
	/* With a tag that is about it, it stops the machine already. */
	if (cleared)
		(void)gf_strcpy(action, sizeof(action), "nothing to do: it is over");
	else if (c->severity >= GF_SEVERITY_STOP)
		(void)snprintf(action, sizeof(action), REPAIR, (unsigned long long)c->id);
	else
		(void)snprintf(action, sizeof(action),
		               REPAIR "; where it may hurt somebody, gymfleet device tag %s --reason TEXT keeps people off it",
		               (unsigned long long)c->id, c->device);
	json_put(row, "text", json_string(text));
	json_put(row, "action", json_string(action));
}

/* What was raised last goes on while it is open. */
static uint64_t lasted_ms(const struct store_case *c, int64_t now_ms)
{
	bool goes_on = c->state != STORE_CASE_CLEARED && c->last_ms > 0 && now_ms > c->last_ms;
	return c->lasted_ms + (goes_on ? (uint64_t)(now_ms - c->last_ms) : 0);
}

json_t *case_row(const struct store_case *c, int64_t now_ms)
{
	json_t *row = json_object();
	bool cleared = c->state == STORE_CASE_CLEARED;

	json_put(&row, "id", json_count(c->id));
	json_put(&row, "device", json_string(c->device));
	json_put(&row, "site", json_text(c->site));
	json_put(&row, "class", json_text(c->class != GF_CLASS_UNSPECIFIED ? gf_class_name(c->class) : ""));
	json_put(&row, "code", json_string(c->reported ? DAMAGE : gf_fault_name(c->code)));
	json_put(&row, "severity", json_string(gf_severity_name(c->severity)));
	json_put(&row, "state", json_string(store_case_state_name(c->state)));
	json_put(&row, "times", json_count(c->times));
	json_put(&row, "first", json_time(c->first_ms));
	json_put(&row, "last", json_time(c->last_ms));
	json_put(&row, "cleared", json_time(c->cleared_ms));
	json_put(&row, "cleared_by",
	         json_text(cleared && c->cleared_by != GF_CLEARED_BY_UNSPECIFIED ? gf_cleared_by_name(c->cleared_by) : ""));
	json_put(&row, "lasted_s", json_seconds(lasted_ms(c, now_ms)));
	json_put(&row, "fault_no", c->fault_no != 0 ? json_count(c->fault_no) : json_null());
	json_put(&row, "session_no", c->session_no != 0 ? json_count(c->session_no) : json_null());
	json_put(&row, "observed", json_measure((double)c->observed));
	json_put(&row, "limit", json_measure((double)c->limit));
	json_put(&row, "detail", json_text(c->detail));
	json_put(&row, "reported", json_boolean(c->reported));
	json_put(&row, "by", json_text(c->by));
	json_put(&row, "acked", json_time(c->acked_ms));
	json_put(&row, "acked_by", json_text(c->acked_by));
	json_put(&row, "ack_note", json_text(c->ack_note));
	if (c->reported)
		put_damage(&row, c, now_ms);
	else
		put_sentences(&row, c, now_ms);
	return row;
}
