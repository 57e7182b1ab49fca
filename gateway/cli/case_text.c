/* A fault as people see it, in the words of who has to mend it. */
#include <string.h>

#include "gateway/cli/notice.h"
#include "proto/base/clock.h"

enum { PART_MAX = 160 };

/* The gateway's sentence says all of it but the session. */
static void told(const struct cli *cli, const json_t *row)
{
	char session[48] = "";
	double number;

	if (field_number(row, "session_no", &number))
		(void)snprintf(session, sizeof(session), "; in session %.0f", number);
	notice_line(cli, "%s%s", field_text(row, "text"), session);
}

/* When the gateway gave no sentence. */
static void measured(const struct cli *cli, const json_t *row)
{
	char observed[FIELD_MAX], limit[FIELD_MAX];
	const char *detail = field_text(row, "detail");
	double number;

	if (field_number(row, "observed", &number))
		notice_line(cli, "%s%s%s, limit %s", detail, *detail != '\0' ? ": " : "",
		            field_measure(row, "observed", "", observed), field_measure(row, "limit", "", limit));
	else if (*detail != '\0')
		notice_line(cli, "%s", detail);
}

static void when(const struct cli *cli, const json_t *row)
{
	char since[FIELD_MAX], often[PART_MAX] = "", lasted[GF_DURATION_MAX + 16] = "", session[32] = "",
	                       span[GF_DURATION_MAX], last[WRITER_TIME_MAX];
	double times = field_or(row, "times", 1), number;

	if (times > 1 && field_time(row, "last") != 0)
		(void)snprintf(often, sizeof(often), " · %.0f times, last %s", times,
		               writer_local_time(field_time(row, "last"), last));
	if (field_number(row, "lasted_s", &number))
		(void)snprintf(lasted, sizeof(lasted), " · for %s", gf_duration_format((int64_t)(number * 1000), span));
	if (field_number(row, "session_no", &number))
		(void)snprintf(session, sizeof(session), " · in session %.0f", number);
	notice_line(cli, "since %s%s%s%s", *field_when(cli, row, "first", since) != '\0' ? since : "an unknown time", often,
	            lasted, session);
}

void case_print(const struct cli *cli, const json_t *row)
{
	const char *site = field_text(row, "site"), *state = field_text(row, "state"), *code = field_text(row, "code"),
	           *severity = field_text(row, "severity");
	bool cleared = strcmp(state, "cleared") == 0;
	char at[FIELD_MAX];

	notice_head(cli, cleared ? state : severity, "#%.0f %s%s%s%s: %s, %s", field_or(row, "id", 0),
	            field_text(row, "device"), *site != '\0' ? " (" : "", site, *site != '\0' ? ")" : "",
	            *code != '\0' ? code : "fault", cleared ? severity : state);
	if (*field_text(row, "text") != '\0') {
		told(cli, row);
		/* The sentence of one that is over tells who cleared it. */
		if (cleared)
			notice_acked(cli, row);
	} else {
		measured(cli, row);
		when(cli, row);
		if (cleared && *field_when(cli, row, "cleared", at) != '\0')
			notice_line(cli, "cleared %s%s%s", at, *field_text(row, "cleared_by") != '\0' ? ", " : "",
			            field_text(row, "cleared_by"));
		notice_acked(cli, row);
	}
	if (*field_text(row, "action") != '\0')
		notice_do(cli, "%s", field_text(row, "action"));
}
