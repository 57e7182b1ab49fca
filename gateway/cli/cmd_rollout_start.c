/* `rollout start`: texts are judged by the gateway; only spans and percentages become numbers here. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/cli/rollout_text.h"
#include "gateway/cli/text.h"
#include "proto/base/clock.h"
#include "proto/base/text.h"

/* NAME@VERSION into the body. */
static enum cli_exit take_release(struct cli *cli, const char *text, json_t *body)
{
	const char *at = strchr(text, '@');
	size_t digits = at != NULL ? strspn(at + 1, "0123456789") : 0;

	if (at == NULL || at == text || digits == 0 || digits > 9 || at[1 + digits] != '\0' ||
	    !gf_utf8_valid(text, strlen(text)))
		return cli_fail_usage(
		    cli, "'%s' is no catalog; write its name and version, such as percussion@8 (gymfleet catalog list)", text);
	int r = json_object_set_new(body, "catalog", json_stringn(text, (size_t)(at - text)));
	if (r == 0)
		r = json_object_set_new(body, "version", json_integer((json_int_t)strtoull(at + 1, NULL, 10)));
	return r == 0 ? CLI_OK : cli_fail(cli, CLI_REFUSED, "out of memory");
}

static enum cli_exit take_text(struct cli *cli, enum cli_option option, const char *key, json_t *body)
{
	const char *text = cli->values[option];

	if (text == NULL)
		return CLI_OK;
	if (!gf_utf8_valid(text, strlen(text)))
		return cli_fail_usage(cli, "--%s is not UTF-8", key);
	return json_object_set_new(body, key, json_string(text)) == 0 ? CLI_OK
	                                                              : cli_fail(cli, CLI_REFUSED, "out of memory");
}

/* An empty one is a variable that wasn't set, not a wish for the whole fleet. */
static enum cli_exit take_where(struct cli *cli, json_t *body)
{
	const char *text = cli->values[CLI_OPT_WHERE];

	if (text != NULL && text[strspn(text, " ")] == '\0')
		return cli_fail_usage(cli,
		                      "--where is empty; leave it out to bring the catalog to every machine of its classes");
	return take_text(cli, CLI_OPT_WHERE, "where", body);
}

static enum cli_exit take_span(struct cli *cli, enum cli_option option, const char *name, const char *key, json_t *body)
{
	const char *text = cli->values[option];
	int64_t ms;

	if (text == NULL)
		return CLI_OK;
	if (gf_duration_parse(text, &ms) != 0)
		return cli_fail_usage(cli, "--%s is '%s'; expected a span such as 90s, 30m, 24h or 7d", name, text);
	return json_object_set_new(body, key, json_real((double)ms / 1000)) == 0
	           ? CLI_OK
	           : cli_fail(cli, CLI_REFUSED, "out of memory");
}

/* "2%" or "2". */
static enum cli_exit take_percent(struct cli *cli, json_t *body)
{
	const char *text = cli->values[CLI_OPT_MAX_FAILURES];
	char *end;

	if (text == NULL)
		return CLI_OK;
	double percent = strtod(text, &end);
	if (*text < '0' || *text > '9' || (*end != '\0' && strcmp(end, "%") != 0) || !(percent >= 0 && percent <= 100))
		return cli_fail_usage(cli, "--max-failures is '%s'; expected 0%% to 100%%", text);
	return json_object_set_new(body, "max_failures_pct", json_real(percent)) == 0
	           ? CLI_OK
	           : cli_fail(cli, CLI_REFUSED, "out of memory");
}

static enum cli_exit take_gates(struct cli *cli, json_t *body)
{
	json_t *gates;

	if (cli->many_count == 0)
		return CLI_OK;
	gates = json_array();
	bool none = cli->many_count == 1 && strcmp(cli->many[0], "none") == 0;
	for (size_t i = 0; i < cli->many_count && !none; i++) {
		if (!gf_utf8_valid(cli->many[i], strlen(cli->many[i]))) {
			json_decref(gates);
			return cli_fail_usage(cli, "--gate is not UTF-8");
		}
		(void)json_array_append_new(gates, json_string(cli->many[i]));
	}
	return json_object_set_new(body, "gates", gates) == 0 ? CLI_OK : cli_fail(cli, CLI_REFUSED, "out of memory");
}

static enum cli_exit take_all(struct cli *cli, const char *release, json_t *body)
{
	enum cli_exit code = take_release(cli, release, body);

	if (code == CLI_OK)
		code = take_where(cli, body);
	if (code == CLI_OK)
		code = take_text(cli, CLI_OPT_WAVES, "waves", body);
	if (code == CLI_OK)
		code = take_span(cli, CLI_OPT_SOAK, "soak", "soak_s", body);
	if (code == CLI_OK)
		code = take_percent(cli, body);
	if (code == CLI_OK)
		code = take_span(cli, CLI_OPT_DEADLINE, "deadline", "deadline_s", body);
	if (code == CLI_OK)
		code = take_text(cli, CLI_OPT_WINDOW, "window", body);
	if (code == CLI_OK)
		code = take_gates(cli, body);
	return code;
}

/* ---- what was started ---- */

static void say_classes(const struct cli *cli, const json_t *rollout)
{
	const json_t *target;
	size_t i;

	json_array_foreach(json_object_get(rollout, "targets"), i, target)
	{
		(void)fprintf(cli->out, "%s%s", i > 0 ? ", " : "", rollout_word(target, "class"));
	}
}

static void say_waves(const struct cli *cli, const json_t *rollout)
{
	const json_t *wave;
	size_t i;

	json_array_foreach(json_object_get(rollout, "waves"), i, wave)
	{
		(void)fprintf(cli->out, "  wave %zu   up to %s%s, about %lld new\n", i + 1, rollout_word(wave, "size"),
		              strchr(rollout_word(wave, "size"), '%') != NULL ? " of them" : "",
		              rollout_number(wave, "planned"));
	}
}

static void say_rules(const struct cli *cli, const json_t *rollout)
{
	const json_t *spec = json_object_get(rollout, "spec"), *gate;
	char soak[GF_DURATION_MAX], deadline[GF_DURATION_MAX];
	size_t i;

	(void)gf_duration_format(rollout_number(spec, "soak_s") * 1000, soak);
	(void)gf_duration_format(rollout_number(spec, "deadline_s") * 1000, deadline);
	(void)fprintf(cli->out, "  Each wave is watched for %s before the next; a machine has %s to answer%s%s.\n", soak,
	              deadline, *rollout_word(spec, "window") != '\0' ? ", and is told only in " : "",
	              rollout_word(spec, "window"));
	(void)fprintf(cli->out, "  It halts by itself when more than %g %% of a wave fail",
	              json_number_value(json_object_get(spec, "max_failures_pct")));
	json_array_foreach(json_object_get(spec, "gates"), i, gate)
	{
		(void)fprintf(cli->out, "%s%s", i == 0 ? ", or unless " : " and ", json_string_value(gate));
	}
	(void)fputs(".\n", cli->out);
}

static void say_started(const struct cli *cli, const json_t *rollout)
{
	long long id = rollout_number(rollout, "id"), machines = rollout_number(rollout, "machines");

	(void)fprintf(cli->out, "rollout %lld: %s@%lld for %lld machine%s (", id, rollout_word(rollout, "catalog"),
	              rollout_number(rollout, "version"), machines, machines == 1 ? "" : "s");
	say_classes(cli, rollout);
	(void)fputs(")\n", cli->out);
	say_waves(cli, rollout);
	say_rules(cli, rollout);
	const char *window = rollout_word(json_object_get(rollout, "spec"), "window");
	(void)fprintf(
	    cli->out,
	    "Next: the machines of wave 1 are told%s%s%s; one in use changes when its session ends. Follow it by:\n"
	    "  gymfleet rollout watch %lld\n",
	    *window != '\0' ? " once it is " : "", window, *window != '\0' ? " at their site" : "", id);
}

static enum cli_exit start(struct cli *cli, json_t *body)
{
	static const struct column columns[] = {{"id", "", COLUMN_WHOLE, 0, false},
	                                        {"machines", "", COLUMN_WHOLE, 0, false}};
	json_t *started = NULL, *rollout = NULL;
	char path[96];
	enum cli_exit code =
	    cli_request(cli, &(struct cli_request){.method = "POST", .path = "/v1/rollouts", .body = body}, &started);

	if (code != CLI_OK)
		return code;
	(void)snprintf(path, sizeof(path), "/v1/rollouts/%lld", rollout_number(started, "id"));
	if (cli->format == WRITER_TABLE) {
		code = cli_request(cli, &(struct cli_request){.path = path}, &rollout);
		if (code == CLI_OK)
			say_started(cli, rollout);
	} else {
		code = cli_object(cli, started, columns, sizeof(columns) / sizeof(columns[0]));
	}
	json_decref(started);
	json_decref(rollout);
	return code;
}

enum cli_exit cmd_rollout_start(struct cli *cli, char **args, size_t count)
{
	json_t *body = json_object();
	enum cli_exit code = take_all(cli, args[0], body);

	(void)count;
	if (code == CLI_OK)
		code = start(cli, body);
	json_decref(body);
	return code;
}
