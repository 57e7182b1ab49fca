/* The names of the store's enumerations. */
#include <errno.h>
#include <string.h>

#include "gateway/store/cases.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define X(s, n) n,
static const char *const time_sources[] = {STORE_TIME_SOURCES(X)};
static const char *const offlines[] = {STORE_OFFLINES(X)};
static const char *const event_kinds[] = {STORE_EVENT_KINDS(X)};
static const char *const audit_kinds[] = {STORE_AUDIT_KINDS(X)};
static const char *const usage_keys[] = {STORE_USAGE_KEYS(X)};
static const char *const command_states[] = {STORE_COMMAND_STATES(X)};
static const char *const case_states[] = {STORE_CASE_STATES(X)};
static const char *const flag_ends[] = {STORE_FLAG_ENDS(X)};
#undef X

static const char *name(const char *const *names, size_t count, unsigned value)
{
	return value < count ? names[value] : "unknown";
}

static int parse(const char *const *names, size_t count, const char *text)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i], text) == 0)
			return (int)i;
	return -EINVAL;
}

const char *store_time_source_name(enum store_time_source source)
{
	return name(time_sources, COUNT(time_sources), source);
}
const char *store_offline_name(enum store_offline reason)
{
	return name(offlines, COUNT(offlines), reason);
}
const char *store_event_kind_name(enum store_event_kind kind)
{
	return name(event_kinds, COUNT(event_kinds), kind);
}
const char *store_audit_kind_name(enum store_audit_kind kind)
{
	return name(audit_kinds, COUNT(audit_kinds), kind);
}
const char *store_usage_key_name(enum store_usage_key key)
{
	return name(usage_keys, COUNT(usage_keys), key);
}
const char *store_case_state_name(enum store_case_state state)
{
	return name(case_states, COUNT(case_states), state);
}
const char *store_flag_end_name(enum store_flag_end end)
{
	return name(flag_ends, COUNT(flag_ends), end);
}
const char *store_command_state_name(enum store_command_state state)
{
	return name(command_states, COUNT(command_states), state);
}

int store_event_kind_parse(const char *text, enum store_event_kind *ret_kind)
{
	int found = parse(event_kinds, COUNT(event_kinds), text);

	if (found < 0)
		return found;
	*ret_kind = (enum store_event_kind)found;
	return 0;
}

int store_usage_key_parse(const char *text, enum store_usage_key *ret_key)
{
	int found = parse(usage_keys, COUNT(usage_keys), text);

	if (found < 0)
		return found;
	*ret_key = (enum store_usage_key)found;
	return 0;
}
