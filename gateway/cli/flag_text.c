/* A flag of the rules, in the words of who has to do something about it. */
#include <stdlib.h>
#include <string.h>

#include "gateway/cli/notice.h"
#include "proto/base/clock.h"

enum { BEHIND_TOLD = 6, LIST_MAX = 512 };

/* " · sessions gun-berlin-01 no. 12, 14, chair-1 no. 3": the newest of those behind it; nothing for none. */
static void behind(const json_t *flag, char buf[static LIST_MAX])
{
	const json_t *list = json_object_get(flag, "sessions");
	size_t count = json_array_size(list), from = count > BEHIND_TOLD ? count - BEHIND_TOLD : 0, len = 0;
	const char *device = "";

	buf[0] = '\0';
	for (size_t i = from; i < count && len < LIST_MAX; i++) {
		const json_t *entry = json_array_get(list, i);
		const char *of = field_text(entry, "device");
		bool same = strcmp(of, device) == 0;
		if (i == from)
			len += (size_t)snprintf(buf, LIST_MAX, " · sessions ");
		len += (size_t)snprintf(buf + len, LIST_MAX - len, "%s%.63s%s%.0f", i == from ? "" : ", ", same ? "" : of,
		                        same ? "" : " no. ", field_or(entry, "session_no", 0));
		device = of;
	}
	if (from > 0 && len < LIST_MAX)
		(void)snprintf(buf + len, LIST_MAX - len, " and %zu more", from);
}

/* What was seen against what may be, when the gateway gave no sentence. */
static void why(const struct cli *cli, const json_t *flag)
{
	char observed[FIELD_MAX], limit[FIELD_MAX], span[GF_DURATION_MAX];
	const char *unit = field_text(flag, "unit"), *text = field_text(flag, "text");
	double window;

	if (*text != '\0')
		notice_line(cli, "%s", text);
	else
		notice_line(cli, "%s %s, limit %s, in %s", field_text(flag, "metric"),
		            field_measure(flag, "observed", unit, observed), field_measure(flag, "limit", unit, limit),
		            field_number(flag, "window_s", &window) ? gf_duration_format((int64_t)(window * 1000), span)
		                                                    : "a day");
}

static void when(const struct cli *cli, const json_t *flag)
{
	const json_t *fault = json_array_get(json_object_get(flag, "faults"), 0);
	char since[FIELD_MAX], sessions[LIST_MAX], faults[LIST_MAX] = "", often[64] = "";
	double times = field_or(flag, "times", 1);

	behind(flag, sessions);
	/* The numbers that a machine gives its faults aren't those by which `faults` knows them. */
	if (fault != NULL)
		(void)snprintf(faults, sizeof(faults), " · gymfleet faults %.63s", field_text(fault, "device"));
	if (times > 1)
		(void)snprintf(often, sizeof(often), " · %.0f times", times);
	notice_line(cli, "since %s%s%s%s", *field_when(cli, flag, "opened", since) != '\0' ? since : "an unknown time",
	            often, sessions, faults);
}

static void late(const struct cli *cli, const json_t *flag)
{
	char span[GF_DURATION_MAX];
	double seconds;

	if (field_number(flag, "late_s", &seconds) && seconds > 0)
		notice_line(cli, "told %s late: a machine was offline, or the rule is new",
		            gf_duration_format((int64_t)(seconds * 1000), span));
}

static const char *end_word(const char *state)
{
	if (strcmp(state, "expired") == 0)
		return "expired: nothing was heard of it any more";
	if (strcmp(state, "withdrawn") == 0)
		return "withdrawn: what came late shows that it was nothing";
	if (strcmp(state, "rule_gone") == 0)
		return "ended: the rule is gone";
	return "cleared";
}

void flag_print(const struct cli *cli, const json_t *flag)
{
	const char *state = field_text(flag, "state"), *level = field_text(flag, "level"),
	           *title = field_text(flag, "title");
	bool open = strcmp(state, "open") == 0;
	char ended[FIELD_MAX];

	notice_head(cli, open ? level : state, "#%.0f %s: %s (%s%s%s)", field_or(flag, "id", 0),
	            field_text(flag, "subject"), *title != '\0' ? title : "overuse", field_text(flag, "rule"),
	            open ? "" : ", ", open ? "" : level);
	why(cli, flag);
	when(cli, flag);
	late(cli, flag);
	if (open && json_is_true(json_object_get(flag, "holds")))
		notice_line(
		    cli,
		    "the machine is locked or capped by it (to lift that: gymfleet overuse ack %.0f --release --note TEXT)",
		    field_or(flag, "id", 0));
	if (open && *field_text(flag, "advice") != '\0')
		notice_do(cli, "%s", field_text(flag, "advice"));
	if (!open)
		notice_line(cli, "%s%s%s", end_word(state), *field_when(cli, flag, "ended", ended) != '\0' ? " " : "", ended);
	notice_acked(cli, flag);
}
