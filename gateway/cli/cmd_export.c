/*
 * `export`: rows of one kind, page by page straight to the output, so that memory stays flat whatever is stored.
 *
 *     page ──> rows ──> flush ──> next page, by the mark of the last          a page is written whole or not at all
 *
 * Half a file must not pass for a whole one: when it breaks off, the exit code is 1, the mark that is told goes on exactly there, and the file's
 * name stays what it was before (export_file.h). ^C ends it after a page; a second one at once.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gateway/cli/export_file.h"
#include "gateway/cli/notice.h"
#include "gateway/cli/text.h"
#include "proto/base/clock.h"
#include "proto/base/text.h"
#include "proto/model.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define RAW(key)                           \
	{                                      \
		key, "", COLUMN_RAW_ONLY, 0, false \
	}

enum { MARK_MAX = 256, PAGE = 1000 };

static const struct column session_columns[] = {
    RAW("device"),
    RAW("class"),
    RAW("site"),
    RAW("session_no"),
    RAW("routine"),
    RAW("catalog"),
    RAW("catalog_version"),
    RAW("outcome"),
    RAW("started"),
    RAW("ended"),
    RAW("time_source"),
    RAW("planned_s"),
    RAW("duration_s"),
    RAW("paused_s"),
    RAW("motor_s"),
    RAW("pain_presses"),
    RAW("peak_motor_temp_c"),
    RAW("peak_surface_temp_c"),
    RAW("peak_current_ma"),
    RAW("peak_pressure_mmhg"),
    RAW("areas"),
};

#define SENSOR(symbol, name) RAW(name "_min"), RAW(name "_mean"), RAW(name "_max"), RAW(name "_last"),
static const struct column heartbeat_columns[] = {
    RAW("device"),     RAW("time"),    RAW("time_source"),      RAW("interval_s"), RAW("motor_s"),
    RAW("in_session"), RAW("derated"), RAW("odometer_motor_h"), RAW("sessions"),   GF_SENSORS(SENSOR)};
#undef SENSOR

static const struct column flag_columns[] = {
    RAW("id"),    RAW("rule"),     RAW("title"),    RAW("subject"),  RAW("subject_kind"), RAW("device"),
    RAW("site"),  RAW("muscle"),   RAW("side"),     RAW("token"),    RAW("level"),        RAW("state"),
    RAW("acked"), RAW("acked_by"), RAW("ack_note"), RAW("opened"),   RAW("acted"),        RAW("last"),
    RAW("ended"), RAW("observed"), RAW("limit"),    RAW("unit"),     RAW("metric"),       RAW("window_s"),
    RAW("times"), RAW("text"),     RAW("advice"),   RAW("severity"), RAW("found"),        RAW("late_s"),
    RAW("due"),   RAW("holds"),    RAW("sessions"), RAW("faults"),
};

static const struct column fault_columns[] = {
    RAW("id"),       RAW("device"),     RAW("site"),     RAW("class"),    RAW("code"),
    RAW("severity"), RAW("state"),      RAW("times"),    RAW("first"),    RAW("last"),
    RAW("cleared"),  RAW("cleared_by"), RAW("lasted_s"), RAW("fault_no"), RAW("session_no"),
    RAW("observed"), RAW("limit"),      RAW("detail"),   RAW("reported"), RAW("by"),
    RAW("acked"),    RAW("acked_by"),   RAW("ack_note"), RAW("text"),     RAW("action"),
};

static const struct export_kind {
	const char *name, *path;
	const struct column *columns;
	size_t columns_count;
	const char *time; /* the key that tells how far it is */
	bool no_until;    /* the gateway knows no `until` of them; a condition on that key is the same */
} kinds[] = {
    {"sessions", "/v1/sessions", session_columns, COUNT(session_columns), "started", false},
    {"heartbeats", "/v1/heartbeats", heartbeat_columns, COUNT(heartbeat_columns), "time", false},
    {"flags", "/v1/flags", flag_columns, COUNT(flag_columns), "opened", true},
    {"faults", "/v1/faults", fault_columns, COUNT(fault_columns), "last", false},
};

struct export
{
	struct cli *cli;
	const struct export_kind *kind;
	struct export_file file;
	struct writer *writer;
	uint64_t rows;       /* in whole pages */
	char mark[MARK_MAX]; /* the next page's; "" = the first */
	bool told;           /* there is progress on the terminal */
	bool torn;           /* a part of a page was written */
	/* Spans are made times of once: pages, and who goes on later, mean the same. */
	const char *since, *until;
	char since_text[GF_RFC3339_MAX], until_text[GF_RFC3339_MAX];
};

static void progress(struct export *e, const json_t *items)
{
	const char *at = field_text(json_array_get(items, json_array_size(items) - 1), e->kind->time);

	if (fileno(e->cli->err) < 0 || isatty(fileno(e->cli->err)) != 1)
		return;
	e->told = true;
	(void)fprintf(e->cli->err, "\r%" PRIu64 " %s, at %.20s ", e->rows, e->kind->name, at);
	(void)fflush(e->cli->err);
}

static enum cli_exit cannot_write(struct export *e, int error)
{
	return cli_fail(e->cli, CLI_REFUSED, "can't write %s: %s", export_file_name(&e->file), strerror(-error));
}

/* Nothing is written, not even titles, before the gateway has answered. */
static enum cli_exit begin(struct export *e)
{
	const struct writer_options options = {.out = e->file.to,
	                                       .format = e->cli->format,
	                                       .lines = true,
	                                       .terminal = e->file.name == NULL && e->cli->terminal,
	                                       .no_titles = *e->mark != '\0'};
	int r = export_file_begin(&e->file);

	if (r != 0)
		return cannot_write(e, r);
	if (writer_new(&options, e->kind->columns, e->kind->columns_count, &e->writer) != 0)
		return cli_fail(e->cli, CLI_REFUSED, "out of memory");
	return CLI_OK;
}

static enum cli_exit write_page(struct export *e, const json_t *items)
{
	enum cli_exit code = e->writer == NULL ? begin(e) : CLI_OK;
	const json_t *item;
	size_t i;
	int r;

	if (code != CLI_OK)
		return code;
	e->torn = true;
	json_array_foreach(items, i, item)
	{
		if (writer_item(e->writer, item) != 0)
			return cli_fail(e->cli, CLI_REFUSED, "out of memory");
	}
	if ((r = export_file_flush(&e->file)) != 0)
		return cannot_write(e, r);
	e->rows += json_array_size(items);
	e->torn = false;
	return CLI_OK;
}

/* One page; the mark moves on when it is written. *ret_end: it was the last. */
static enum cli_exit page(struct export *e, bool *ret_end)
{
	const char *until = e->until;
	char where[64] = "";
	json_t *body = NULL;

	if (e->kind->no_until && until != NULL) {
		(void)snprintf(where, sizeof(where), "%s<'%.32s'", e->kind->time, until);
		until = NULL;
	}
	enum cli_exit code = cli_request(e->cli,
	                                 &(struct cli_request){.path = e->kind->path,
	                                                       .params = {{"device", e->cli->values[CLI_OPT_DEVICE]},
	                                                                  {"since", e->since},
	                                                                  {"until", until},
	                                                                  {"where", *where != '\0' ? where : NULL},
	                                                                  {"limit", "1000"},
	                                                                  {"after", *e->mark != '\0' ? e->mark : NULL}}},
	                                 &body);
	_Static_assert(PAGE == 1000, "as asked for");

	if (code != CLI_OK)
		return code;
	const json_t *items = json_object_get(body, "items");
	const char *next = json_string_value(json_object_get(body, "next"));
	code = write_page(e, items);
	if (code == CLI_OK) {
		*ret_end = next == NULL || *next == '\0' || strcmp(next, e->mark) == 0;
		if (!gf_strcpy(e->mark, sizeof(e->mark), next != NULL ? next : ""))
			code = cli_fail(e->cli, CLI_REFUSED, "the gateway's mark is too long");
		if (json_array_size(items) > 0)
			progress(e, items);
	}
	json_decref(body);
	return code;
}

/* A word that the shell takes as it is. */
static void say_word(FILE *to, const char *word)
{
	bool plain = *word != '\0' &&
	             strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./:-") == strlen(word);

	(void)fputs(plain ? "" : "'", to);
	for (const char *c = word; *c != '\0'; c++)
		if (*c == '\'')
			(void)fputs("'\\''", to);
		else
			(void)fputc(*c, to);
	(void)fputs(plain ? "" : "'", to);
}

static void say_option(FILE *to, const char *option, const char *value)
{
	if (value == NULL)
		return;
	(void)fprintf(to, " %s ", option);
	say_word(to, value);
}

/* What was written is no whole export: from where to go on. */
static void say_break(struct export *e)
{
	FILE *err = e->cli->err;

	if (e->torn)
		e->torn = !export_file_cut(&e->file);
	(void)cli_fail(e->cli, CLI_REFUSED,
	               "the export broke off after %" PRIu64 " whole rows%s; go on there with:", e->rows,
	               e->torn ? " (cut off what stands after them)" : "");
	(void)fprintf(err, "  gymfleet export %s %s", e->cli->format == WRITER_CSV ? "csv" : "jsonl", e->kind->name);
	say_option(err, "--device", e->cli->values[CLI_OPT_DEVICE]);
	say_option(err, "--since", e->since);
	say_option(err, "--until", e->until);
	if (*e->mark != '\0')
		(void)fprintf(err, " --after '%s'", e->mark);
	say_option(err, "-o", e->file.name);
	(void)fputs(e->file.name != NULL ? "\n" : " >> FILE\n", err);
	if (e->file.part[0] != '\0')
		(void)fprintf(err, "  what is there so far is in %s; %s is as it was\n", e->file.part, e->file.name);
}

/* ---- ^C ---- */

static volatile sig_atomic_t stopped;

static void on_stop(int number)
{
	stopped = number;
}

static const int stops[] = {SIGINT, SIGTERM, SIGHUP};

/* One that is ignored, as nohup wants it, stays so. */
static void watch_stops(struct sigaction before[static COUNT(stops)])
{
	struct sigaction action = {.sa_handler = on_stop, .sa_flags = (int)SA_RESETHAND};

	stopped = 0;
	for (size_t i = 0; i < COUNT(stops); i++)
		if (sigaction(stops[i], NULL, &before[i]) == 0 && before[i].sa_handler != SIG_IGN)
			(void)sigaction(stops[i], &action, NULL);
}

static void unwatch_stops(const struct sigaction before[static COUNT(stops)])
{
	for (size_t i = 0; i < COUNT(stops); i++)
		(void)sigaction(stops[i], &before[i], NULL);
}

/* ---- the whole ---- */

static enum cli_exit pages(struct export *e)
{
	struct sigaction before[COUNT(stops)];
	enum cli_exit code = CLI_OK;
	bool end = false;

	watch_stops(before);
	while (code == CLI_OK && !end && stopped == 0)
		code = page(e, &end);
	unwatch_stops(before);
	if (e->told)
		(void)fputc('\n', e->cli->err);
	return code == CLI_OK && !end ? cli_fail(e->cli, CLI_REFUSED, "stopped by a signal") : code;
}

static enum cli_exit stream(struct export *e)
{
	bool goes_on = *e->mark != '\0';
	enum cli_exit code = pages(e);
	/* A mark that the gateway refuses leads nowhere the next time either. */
	if (code != CLI_OK && (e->rows > 0 || (goes_on && code != CLI_USAGE))) {
		say_break(e);
		code = CLI_REFUSED;
	}
	if (code != CLI_OK)
		export_file_abandon(&e->file, e->rows == 0 && e->file.fresh);
	else if ((code = export_file_publish(e->cli, &e->file)) == CLI_OK && e->file.name != NULL)
		(void)fprintf(e->cli->err, "%" PRIu64 " %s in %s\n", e->rows, e->kind->name, e->file.name);
	writer_free(e->writer);
	return code;
}

static const char *fix_time(const struct cli *cli, const char *text, char buf[static GF_RFC3339_MAX])
{
	int64_t span;

	if (text == NULL || gf_duration_parse(text, &span) != 0)
		return text;
	/* 1970 has no time 0 that could be written. */
	return gf_time_format(span < cli->now_ms - 1000 ? cli->now_ms - span : 1000, buf);
}

static enum cli_exit take_words(struct cli *cli, char **args, const struct export_kind **ret_kind)
{
	const char *names[COUNT(kinds)];
	const struct export_kind *kind = NULL;

	if (strcmp(args[0], "csv") != 0 && strcmp(args[0], "jsonl") != 0)
		return cli_fail_usage(cli, "'%s' is no format; it may be csv or jsonl", args[0]);
	cli->format = strcmp(args[0], "csv") == 0 ? WRITER_CSV : WRITER_JSON;
	for (size_t i = 0; i < COUNT(kinds); i++) {
		names[i] = kinds[i].name;
		if (strcmp(kinds[i].name, args[1]) == 0)
			kind = &kinds[i];
	}
	if (kind != NULL) {
		*ret_kind = kind;
		return CLI_OK;
	}
	const char *near = gf_nearest(args[1], names, COUNT(kinds));
	return near != NULL ? cli_fail_usage(cli, "'%s' can't be exported; did you mean '%s'?", args[1], near)
	                    : cli_fail_usage(cli, "'%s' can't be exported; it may be sessions, heartbeats, flags or faults",
	                                     args[1]);
}

enum cli_exit cmd_export(struct cli *cli, char **args, size_t count)
{
	const char *after = cli->values[CLI_OPT_AFTER];
	struct export e = {.cli = cli, .kind = &kinds[0]};
	enum cli_exit code = take_words(cli, args, &e.kind);

	(void)count;
	if (code != CLI_OK)
		return code;
	if (after != NULL && (*after == '\0' || !gf_strcpy(e.mark, sizeof(e.mark), after)))
		return cli_fail_usage(cli, "--after is no mark of an export");
	e.since = fix_time(cli, cli->values[CLI_OPT_SINCE], e.since_text);
	e.until = fix_time(cli, cli->values[CLI_OPT_UNTIL], e.until_text);
	code = export_file_open(cli, cli->values[CLI_OPT_EXPORT_FILE], after != NULL, &e.file);
	return code == CLI_OK ? stream(&e) : code;
}
