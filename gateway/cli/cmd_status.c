/* `status`: the fleet in one screen. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/cli/notice.h"
#include "gateway/cli/rollout_text.h"
#include "gateway/cli/text.h"
#include "proto/base/clock.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum { HOURS = 24, BAR_WIDTH = 18, HEADING = 9 };

/* For CSV; the screen below shows the same. */
static const struct column columns[] = {
    {"fleet.machines", "", COLUMN_RAW_ONLY, 0, false},    {"fleet.online", "", COLUMN_RAW_ONLY, 0, false},
    {"fleet.sites", "", COLUMN_RAW_ONLY, 0, false},       {"health.ok", "", COLUMN_RAW_ONLY, 0, false},
    {"health.attention", "", COLUMN_RAW_ONLY, 0, false},  {"health.critical", "", COLUMN_RAW_ONLY, 0, false},
    {"today.sessions", "", COLUMN_RAW_ONLY, 0, false},    {"today.running_s", "", COLUMN_RAW_ONLY, 0, false},
    {"today.interrupted", "", COLUMN_RAW_ONLY, 0, false}, {"today.opening_s", "", COLUMN_RAW_ONLY, 0, false},
    {"today.use_pct", "", COLUMN_RAW_ONLY, 0, false},     {"gateway.up_s", "", COLUMN_RAW_ONLY, 0, false},
    {"gateway.broker", "", COLUMN_RAW_ONLY, 0, false},    {"audit.clean", "", COLUMN_RAW_ONLY, 0, false},
};

static long long number(const json_t *status, const char *group, const char *key)
{
	return (long long)json_number_value(json_object_get(json_object_get(status, group), key));
}

static const char *text(const json_t *status, const char *group, const char *key)
{
	const char *value = json_string_value(json_object_get(json_object_get(status, group), key));
	return value != NULL ? value : "";
}

static void heading(const struct cli *cli, const char *title)
{
	(void)fprintf(cli->out, "%s%-8s%s ", cli->colour ? TEXT_BOLD : "", title, cli->colour ? TEXT_RESET : "");
}

static void fleet(const struct cli *cli, const json_t *status)
{
	char up[GF_DURATION_MAX], findings[64] = "", line[320];
	bool clean = json_is_true(json_object_get(json_object_get(status, "audit"), "clean"));
	long long machines = number(status, "fleet", "machines"), sites = number(status, "fleet", "sites");

	heading(cli, "Fleet");
	if (!clean)
		(void)snprintf(findings, sizeof(findings), " (%lld findings: gymfleet audit)",
		               number(status, "audit", "problems"));
	(void)snprintf(line, sizeof(line), "%lld machine%s · %lld online · %lld site%s · gateway up %s, audit %s%s",
	               machines, machines == 1 ? "" : "s", number(status, "fleet", "online"), sites, sites == 1 ? "" : "s",
	               gf_duration_format(number(status, "gateway", "up_s") * 1000, up), clean ? "clean" : "not clean",
	               findings);
	text_wrap(cli->out, line, HEADING, cli->width);
	(void)fputc('\n', cli->out);
	if (strcmp(text(status, "gateway", "broker"), "connected") != 0) {
		char *reason = strdup(text(status, "gateway", "broker_reason"));
		heading(cli, "Broker");
		if (reason != NULL)
			text_clean(reason);
		(void)fprintf(cli->out, "not connected: %s (gymfleet doctor)\n", reason != NULL ? reason : "");
		free(reason);
	}
}

static void health_count(const struct cli *cli, const json_t *status, const char *word, const char *separator)
{
	long long n = number(status, "health", word);
	const char *colour = cli->colour && n > 0 ? text_colour(word) : "";
	(void)fprintf(cli->out, "%s%lld %s%s%s", colour, n, word, *colour != '\0' ? TEXT_RESET : "", separator);
}

static void health(const struct cli *cli, const json_t *status)
{
	heading(cli, "Health");
	health_count(cli, status, "ok", " · ");
	health_count(cli, status, "attention", " · ");
	health_count(cli, status, "critical", "\n");
}

/* "CET"; whose midnight today began at. */
static const char *zone(const struct cli *cli, char name[static 16])
{
	time_t seconds = (time_t)(cli->now_ms / 1000);
	struct tm tm;

	if (localtime_r(&seconds, &tm) == NULL || strftime(name, 16, "%Z", &tm) == 0)
		name[0] = '\0';
	return name;
}

/* The hours from the first to the last in which something ran. */
static void today(const struct cli *cli, const json_t *status)
{
	const json_t *by_hour = json_object_get(json_object_get(status, "today"), "by_hour");
	double seconds[HOURS] = {0}, use;
	size_t from = HOURS, to = 0;
	char bars[3 * HOURS + 1], name[16], share[64] = "", line[256], hours[128];

	heading(cli, "Today");
	if (field_number(json_object_get(status, "today"), "use_pct", &use))
		(void)snprintf(share, sizeof(share), " · %.0f %% of opening hours", use);
	(void)snprintf(line, sizeof(line), "%lld sessions · %.1f h running · %lld interrupted%s",
	               number(status, "today", "sessions"), (double)number(status, "today", "running_s") / 3600,
	               number(status, "today", "interrupted"), share);
	text_wrap(cli->out, line, HEADING, cli->width);
	for (size_t h = 0; h < HOURS; h++) {
		seconds[h] = json_number_value(json_array_get(by_hour, h));
		if (seconds[h] > 0) {
			from = from == HOURS ? h : from;
			to = h;
		}
	}
	if (from < HOURS) {
		text_sparkline(seconds + from, to - from + 1, bars);
		(void)snprintf(hours, sizeof(hours), "%02zuh %s %02zuh %s", from, bars, to, zone(cli, name));
		bool beside = cli->width == 0 || HEADING + text_width(line) + 3 + text_width(hours) <= cli->width;
		(void)fprintf(cli->out, "%s%*s%s", beside ? "" : "\n", beside ? 3 : HEADING, "", hours);
	}
	(void)fputc('\n', cli->out);
}

/* One line for each rollout under way; one that halted says why, since it waits for a person. */
static void rollouts(const struct cli *cli, const json_t *status)
{
	const json_t *rollout;
	char line[ROLLOUT_LINE_MAX], bar[ROLLOUT_BAR_SIZE], name[ROLLOUT_LINE_MAX];
	size_t i;

	json_array_foreach(json_object_get(status, "rollouts"), i, rollout)
	{
		bool running = strcmp(rollout_word(rollout, "state"), "running") == 0;
		heading(cli, i == 0 ? "Rollout" : "");
		(void)snprintf(name, sizeof(name), "%.60s@%lld", rollout_word(rollout, "catalog"),
		               rollout_number(rollout, "version"));
		text_clean(name);
		rollout_bar(rollout, BAR_WIDTH, bar);
		rollout_counts(rollout, line);
		(void)fprintf(cli->out, "%s  %s", name, running ? "" : rollout_word(rollout, "state"));
		if (running)
			(void)fprintf(cli->out, "wave %lld of %lld", rollout_number(rollout, "wave"),
			              rollout_number(rollout, "waves_count"));
		(void)fprintf(cli->out, "  %s %3.0f %%  %s\n", bar, rollout_share(rollout) * 100, line);
		if (strcmp(rollout_word(rollout, "state"), "halted") == 0) {
			(void)snprintf(line, sizeof(line), "%.320s (gymfleet rollout show %lld)", rollout_word(rollout, "reason"),
			               rollout_number(rollout, "id"));
			text_clean(line);
			heading(cli, "");
			(void)fprintf(cli->out, "%s\n", line);
		}
	}
}

/* What joins a sentence with the next. */
static const char *joint(const char *sentence)
{
	size_t len = strlen(sentence);
	return len == 0 ? "" : sentence[len - 1] == '.' ? " " : "; ";
}

/* Flags about people, staff and sites, which no machine's health has; those that somebody knows of need nobody. */
static enum cli_exit flags_of_others(struct cli *cli, json_t *needs)
{
	const struct cli_request request = {.path = "/v1/flags",
	                                    .params = {{"open", "1"}, {"where", "subject_kind!=device"}, {"limit", "100"}}};
	json_t *body = NULL;
	const json_t *flag;
	size_t i;
	enum cli_exit code = cli_request(cli, &request, &body);

	json_array_foreach(json_object_get(body, "items"), i, flag)
	{
		bool act = strcmp(field_text(flag, "level"), "act") == 0;
		const char *advice = field_text(flag, "advice");
		if (field_time(flag, "acked") != 0)
			continue;
		json_t *row = json_pack("{s:s, s:s, s:o, s:o}", "severity", act ? "critical" : "attention", "device",
		                        field_text(flag, "subject"), "text",
		                        json_sprintf("%s: %s", field_text(flag, "title"), field_text(flag, "text")), "action",
		                        json_sprintf("%s%sgymfleet overuse ack %.0f --note TEXT says that you know", advice,
		                                     joint(advice), field_or(flag, "id", 0)));
		(void)json_array_append_new(needs, row);
	}
	json_decref(body);
	return code;
}

/* The critical ones first, each kind in its order. */
static void print_needs(const struct cli *cli, const json_t *needs)
{
	json_t *sorted = json_array(), *need;
	size_t i;

	for (int pass = 0; pass < 2; pass++)
		json_array_foreach(needs, i, need)
		{
			bool critical = strcmp(field_text(need, "severity"), "critical") == 0;
			if (critical == (pass == 0))
				(void)json_array_append(sorted, need);
		}
	notice_heading(cli, "Needs you");
	cli_findings(cli, sorted, "severity", "device");
	json_decref(sorted);
}

static enum cli_exit screen(struct cli *cli, const json_t *status)
{
	json_t *needs = json_object_get(status, "needs_you"), *need;
	size_t i;
	enum cli_exit code;

	fleet(cli, status);
	health(cli, status);
	today(cli, status);
	rollouts(cli, status);
	/* A machine, or a site of which several have the same; of no site, the sentence names them. */
	json_array_foreach(needs, i, need)
	{
		if (!json_is_string(json_object_get(need, "device")))
			(void)json_object_set(need, "device", json_object_get(need, "site"));
		if (!json_is_string(json_object_get(need, "device")))
			(void)json_object_set_new(need, "device", json_string("several"));
	}
	code = flags_of_others(cli, needs);
	if (json_array_size(needs) > 0)
		print_needs(cli, needs);
	return code;
}

enum cli_exit cmd_status(struct cli *cli, char **args, size_t count)
{
	json_t *status = NULL;
	enum cli_exit code = cli_request(
	    cli, &(struct cli_request){.path = "/v1/status", .params = {{"utc_offset_min", cli->utc_offset_min}}}, &status);

	(void)args;
	(void)count;
	if (code == CLI_OK)
		code = cli->format == WRITER_TABLE ? screen(cli, status) : cli_object(cli, status, columns, COUNT(columns));
	json_decref(status);
	return code;
}
