#include "gateway/api/flag_row.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NAME(symbol, name) name,
static const char *const subject_words[] = {RULE_SUBJECTS(NAME) NULL};
static const char *const muscle_words[] = {GF_MUSCLES(NAME) NULL};
static const char *const side_words[] = {GF_SIDES(NAME) NULL};
static const char *const level_words[] = {RULE_LEVELS(NAME) NULL};
static const char *const state_words[] = {STORE_FLAG_ENDS(NAME) NULL};
static const char *const severity_words[] = {RULE_SEVERITIES(NAME) NULL};
#undef NAME
#define NAME(symbol, name, unit) name,
static const char *const metric_words[] = {RULE_METRICS(NAME) NULL};
#undef NAME

const struct where_field flag_fields[] = {
    {"id", WHERE_NUMBER, NULL},
    {"rule", WHERE_TEXT, NULL},
    {"title", WHERE_TEXT, NULL},
    {"subject", WHERE_TEXT, NULL},
    {"subject_kind", WHERE_TEXT, subject_words},
    {"device", WHERE_TEXT, NULL},
    {"site", WHERE_TEXT, NULL},
    {"muscle", WHERE_TEXT, muscle_words},
    {"side", WHERE_TEXT, side_words},
    {"token", WHERE_TEXT, NULL},
    {"level", WHERE_TEXT, level_words},
    {"state", WHERE_TEXT, state_words},
    {"acked", WHERE_TIME, NULL},
    {"acked_by", WHERE_TEXT, NULL},
    {"ack_note", WHERE_TEXT, NULL},
    {"opened", WHERE_TIME, NULL},
    {"acted", WHERE_TIME, NULL},
    {"last", WHERE_TIME, NULL},
    {"ended", WHERE_TIME, NULL},
    {"observed", WHERE_NUMBER, NULL},
    {"limit", WHERE_NUMBER, NULL},
    {"unit", WHERE_TEXT, NULL},
    {"metric", WHERE_TEXT, metric_words},
    {"window_s", WHERE_NUMBER, NULL},
    {"times", WHERE_NUMBER, NULL},
    {"text", WHERE_TEXT, NULL},
    {"advice", WHERE_TEXT, NULL},
    {"severity", WHERE_TEXT, severity_words},
    {"found", WHERE_TIME, NULL},
    {"late_s", WHERE_NUMBER, NULL},
    {"due", WHERE_TIME, NULL},
    {"holds", WHERE_BOOL, NULL},
};
const size_t flag_fields_count = sizeof(flag_fields) / sizeof(flag_fields[0]);

enum { SUBJECT_MAX = GF_ID_MAX + 64, TOKEN_MAX = 17 };

static bool has_token(enum rule_subject kind)
{
	return kind == RULE_SUBJECT_PERSON || kind == RULE_SUBJECT_AREA || kind == RULE_SUBJECT_STAFF;
}

/* "chair-berlin-01", "person 00ab12cd34ef5678, quads left", "staff 00ab12cd34ef5678", "site berlin" */
static void say_subject(const struct store_flag *flag, const char *token, char buf[static SUBJECT_MAX])
{
	switch (flag->subject.kind) {
	case RULE_SUBJECT_PERSON:
		(void)snprintf(buf, SUBJECT_MAX, "person %s", token);
		return;
	case RULE_SUBJECT_AREA:
		(void)snprintf(buf, SUBJECT_MAX, "person %s, %s %s", token, gf_muscle_name(flag->muscle),
		               gf_side_name(flag->side));
		return;
	case RULE_SUBJECT_STAFF:
		(void)snprintf(buf, SUBJECT_MAX, "staff %s", token);
		return;
	case RULE_SUBJECT_SITE:
		(void)snprintf(buf, SUBJECT_MAX, "site %s", flag->site);
		return;
	case RULE_SUBJECT_DEVICE:
	case RULE_SUBJECT_COUNT:
	default:
		(void)snprintf(buf, SUBJECT_MAX, "%s", flag->device);
		return;
	}
}

static const char *unit_of(const char *metric)
{
	for (int i = 0; i < RULE_METRIC_COUNT; i++)
		if (strcmp(rule_metric_name((enum rule_metric)i), metric) == 0)
			return rule_metric_unit((enum rule_metric)i);
	return "";
}

/* What is behind it of one kind, each by its number on its machine. */
static json_t *behind(const struct episode *e, enum fact_kind kind, const char *number, const struct fleet *fleet)
{
	json_t *list = json_array();

	for (size_t i = 0; i < e->behind_count && i < EPISODE_BEHIND_MAX; i++) {
		const struct store_machine *machine = fleet_find(fleet, e->behind[i].device);
		if (e->behind[i].kind != kind || machine == NULL)
			continue;
		json_t *entry = json_object();
		json_put(&entry, "device", json_string(machine->id));
		json_put(&entry, number, json_count(e->behind[i].no));
		json_push(&list, entry);
	}
	return list;
}

static void put_subject(json_t **row, const struct store_flag *flag)
{
	char token[TOKEN_MAX] = "", subject[SUBJECT_MAX];
	bool area = flag->subject.kind == RULE_SUBJECT_AREA;

	if (has_token(flag->subject.kind))
		(void)snprintf(token, sizeof(token), "%016" PRIx64, (uint64_t)flag->subject.key);
	say_subject(flag, token, subject);
	json_put(row, "subject", json_string(subject));
	json_put(row, "subject_kind", json_string(rule_subject_name(flag->subject.kind)));
	json_put(row, "device", json_text(flag->device));
	json_put(row, "site", json_text(flag->site));
	json_put(row, "muscle", json_text(area ? gf_muscle_name(flag->muscle) : ""));
	json_put(row, "side", json_text(area ? gf_side_name(flag->side) : ""));
	json_put(row, "token", json_text(token));
}

static void put_episode(json_t **row, const struct store_flag *flag, const struct fleet *fleet)
{
	const struct episode *e = &flag->episode;

	json_put(row, "opened", json_time(e->opened_ms));
	json_put(row, "acted", json_time(e->acted_ms));
	json_put(row, "last", json_time(e->last_ms));
	json_put(row, "ended", json_time(e->ended_ms));
	json_put(row, "observed", json_measure(e->observed));
	json_put(row, "limit", json_measure(e->limit));
	json_put(row, "unit", json_text(unit_of(flag->metric)));
	json_put(row, "metric", json_text(flag->metric));
	json_put(row, "window_s", flag->window_ms > 0 ? json_seconds((uint64_t)flag->window_ms) : json_null());
	json_put(row, "times", json_count(e->times));
	json_put(row, "sessions", behind(e, FACT_SESSION, "session_no", fleet));
	json_put(row, "faults", behind(e, FACT_FAULT, "fault_no", fleet));
}

json_t *flag_row(const struct store_flag *flag, const struct fleet *fleet)
{
	json_t *row = json_object();

	json_put(&row, "id", json_count(flag->id));
	json_put(&row, "rule", json_string(flag->rule));
	json_put(&row, "title", json_string(flag->title));
	put_subject(&row, flag);
	json_put(&row, "level", json_string(rule_level_name(flag->episode.level)));
	json_put(&row, "state", json_string(store_flag_end_name(flag->end)));
	json_put(&row, "acked", json_time(flag->acked_ms));
	json_put(&row, "acked_by", json_text(flag->acked_by));
	json_put(&row, "ack_note", json_text(flag->ack_note));
	put_episode(&row, flag, fleet);
	json_put(&row, "text", json_string(flag->text));
	json_put(&row, "advice", json_text(flag->advice));
	json_put(&row, "severity", json_string(rule_severity_name(flag->severity)));
	json_put(&row, "found", json_time(flag->found_ms));
	json_put(&row, "late_s", flag->late_ms > 0 ? json_seconds((uint64_t)flag->late_ms) : json_null());
	json_put(&row, "due", json_time(flag->due_ms < INT64_MAX ? flag->due_ms : 0));
	json_put(&row, "holds", json_boolean(flag->holds));
	return row;
}

json_t *acked_before(const struct store_acked *acked)
{
	json_t *object;

	if (acked->before_ms == 0)
		return json_null();
	object = json_object();
	json_put(&object, "at", json_time(acked->before_ms));
	json_put(&object, "by", json_text(acked->before_by));
	json_put(&object, "note", json_text(acked->before_note));
	return object;
}
