#include "gateway/cli/rollout_text.h"

#include <string.h>

#include "gateway/cli/text.h"
#include "proto/base/clock.h"
#include "proto/base/text.h"

enum { CLOCK_MAX = 48, SECONDS_MATTER_MS = 5 * 60 * 1000 };

enum cli_exit rollout_path(struct cli *cli, const char *which, const char *suffix, char *buf, size_t size)
{
	const char *at = strchr(which, '@'), *digits = at != NULL ? at + 1 : which;

	/* What stands in a path must not lead elsewhere. */
	if (*digits == '\0' || digits[strspn(digits, "0123456789")] != '\0' || at == which ||
	    strpbrk(which, "/?#%") != NULL || strlen(which) > 80 || !gf_utf8_valid(which, strlen(which)))
		return cli_fail_usage(
		    cli, "'%s' is no rollout; write its number (12), or its catalog and version (percussion@8)", which);
	(void)snprintf(buf, size, "/v1/rollouts/%s%s", which, suffix);
	return CLI_OK;
}

long long rollout_number(const json_t *object, const char *key)
{
	return (long long)json_number_value(json_object_get(object, key));
}

long long rollout_count(const json_t *object, const char *step)
{
	return rollout_number(json_object_get(object, "counts"), step);
}

const char *rollout_word(const json_t *object, const char *key)
{
	const char *word = json_string_value(json_object_get(object, key));
	return word != NULL ? word : "";
}

int64_t rollout_time(const json_t *object, const char *key)
{
	int64_t ms = 0;
	return gf_time_parse(rollout_word(object, key), &ms) == 0 ? ms : 0;
}

static bool is(const json_t *rollout, const char *state)
{
	return strcmp(rollout_word(rollout, "state"), state) == 0;
}

bool rollout_over(const json_t *rollout)
{
	return is(rollout, "halted") || is(rollout, "completed") || is(rollout, "rolled_back");
}

bool rollout_goes_back(const json_t *rollout)
{
	const json_t *target;
	size_t i;

	json_array_foreach(json_object_get(rollout, "targets"), i, target)
	{
		if (json_is_number(json_object_get(target, "rollback_to")))
			return true;
	}
	return false;
}

/* ---- how far ---- */

double rollout_share(const json_t *object)
{
	double machines = (double)rollout_number(object, "machines");
	/* Who was never told is at an end too, but not through. */
	double ended = (double)(rollout_number(object, "ended") - rollout_count(object, "withdrawn"));
	double on_trial = (double)rollout_count(object, "installed");

	/* One on trial has the catalog: it is nearly there, and never all the way. */
	return machines > 0 ? (ended + on_trial / 2) / machines : 0;
}

void rollout_bar(const json_t *object, size_t width, char buf[static ROLLOUT_BAR_SIZE])
{
	size_t columns = width < ROLLOUT_BAR_MAX ? width : ROLLOUT_BAR_MAX;
	char *to = buf;

	text_bar(rollout_share(object), columns, buf);
	size_t filled = text_width(buf);
	to += strlen(buf);
	for (size_t i = filled; i < columns; i++)
		to = stpcpy(to, "░");
}

/* Appends "N words", after " · " where something stands already. */
static void add(char buf[static ROLLOUT_LINE_MAX], long long n, const char *words, bool always)
{
	size_t used = strlen(buf);

	if (n > 0 || always)
		(void)snprintf(buf + used, ROLLOUT_LINE_MAX - used, "%s%lld %s", used > 0 ? " · " : "", n, words);
}

void rollout_counts(const json_t *o, char buf[static ROLLOUT_LINE_MAX])
{
	long long in_use = rollout_number(o, "in_use");

	buf[0] = '\0';
	add(buf, rollout_count(o, "confirmed"), "confirmed", false);
	add(buf, rollout_count(o, "installed"), "on trial", false);
	add(buf, in_use, "in use", false);
	add(buf, rollout_count(o, "offered") - in_use, "told", false);
	add(buf, rollout_count(o, "absent"), "offline", false);
	add(buf, rollout_count(o, "waiting"), "waiting", false);
	add(buf, rollout_count(o, "missed"), "missed", false);
	add(buf, rollout_count(o, "withdrawn"), "withdrawn", false);
	add(buf, rollout_count(o, "left"), "left out", false);
	add(buf, rollout_count(o, "reverting"), "going back", false);
	add(buf, rollout_count(o, "reverted"), "back", false);
	add(buf, rollout_count(o, "stuck"), "stuck", false);
	add(buf, rollout_count(o, "failed") + rollout_count(o, "expired"), "failed", true);
}

void rollout_wave_line(const json_t *wave, size_t width, char buf[static ROLLOUT_LINE_MAX])
{
	char bar[ROLLOUT_BAR_SIZE], counts[ROLLOUT_LINE_MAX];
	long long machines = rollout_number(wave, "machines"), planned = rollout_number(wave, "planned");
	bool begun = json_is_string(json_object_get(wave, "began"));

	rollout_bar(wave, width, bar);
	rollout_counts(wave, counts);
	if (begun)
		(void)snprintf(buf, ROLLOUT_LINE_MAX, "wave %-2lld %s %3.0f %%  %lld of %lld  %.480s",
		               rollout_number(wave, "wave"), bar, rollout_share(wave) * 100, rollout_number(wave, "ended"),
		               machines, counts);
	else
		(void)snprintf(buf, ROLLOUT_LINE_MAX, "wave %-2lld %s   0 %%  about %lld machines, not begun",
		               rollout_number(wave, "wave"), bar, planned);
}

/* ---- in words ---- */

/* "17:42", with the day when it isn't today's, and with seconds when they matter. */
static const char *clock_text(const struct cli *cli, int64_t ms, char buf[static CLOCK_MAX])
{
	char full[WRITER_TIME_MAX], today[WRITER_TIME_MAX];
	int64_t away_ms = ms > cli->now_ms ? ms - cli->now_ms : cli->now_ms - ms;

	(void)writer_local_time(ms, full);
	(void)writer_local_time(cli->now_ms, today);
	bool same_day = strlen(full) > 11 && strncmp(full, today, 10) == 0;
	(void)gf_strcpy(buf, CLOCK_MAX, same_day ? full + 11 : full);
	size_t used = strlen(buf);
	if (same_day && away_ms < SECONDS_MATTER_MS)
		(void)snprintf(buf + used, CLOCK_MAX - used, ":%02d", (int)(ms / 1000 % 60));
	return buf;
}

/* The window for which the whole wave still waits; "" = somebody was told, or may be at any time. */
static const char *window_waited_for(const json_t *rollout)
{
	const json_t *wave;
	size_t i;

	json_array_foreach(json_object_get(rollout, "waves"), i, wave)
	{
		if (rollout_number(wave, "wave") == rollout_number(rollout, "wave") && rollout_count(wave, "waiting") > 0 &&
		    rollout_count(wave, "offered") == 0 && rollout_count(wave, "installed") == 0)
			return rollout_word(json_object_get(rollout, "spec"), "window");
	}
	return "";
}

void rollout_state(const struct cli *cli, const json_t *rollout, char buf[static ROLLOUT_LINE_MAX])
{
	const char *state = rollout_word(rollout, "state");
	int64_t until = rollout_time(rollout, "until"), since = rollout_time(rollout, "state_since");
	bool soaking = strcmp(rollout_word(rollout, "phase"), "soaking") == 0;
	long long wave = rollout_number(rollout, "wave"), waves = rollout_number(rollout, "waves_count");
	const char *window = soaking ? "" : window_waited_for(rollout);
	char at[CLOCK_MAX], from[CLOCK_MAX];

	(void)clock_text(cli, until, at);
	(void)clock_text(cli, since, from);
	if (is(rollout, "running") && wave == 0)
		(void)snprintf(buf, ROLLOUT_LINE_MAX, "running: about to begin");
	else if (is(rollout, "running") && *window != '\0')
		(void)snprintf(buf, ROLLOUT_LINE_MAX, "running: wave %lld of %lld, told once it is %.20s at the site", wave,
		               waves, window);
	else if (is(rollout, "running") && !soaking && until <= cli->now_ms)
		/* A wave's own time is over when its window opened late; each machine still has its own. */
		(void)snprintf(buf, ROLLOUT_LINE_MAX, "running: wave %lld of %lld, waits for answers", wave, waves);
	else if (is(rollout, "running"))
		(void)snprintf(buf, ROLLOUT_LINE_MAX, "running: wave %lld of %lld, %s until %s", wave, waves,
		               soaking ? "watched" : "answers", at);
	else if (is(rollout, "paused"))
		(void)snprintf(buf, ROLLOUT_LINE_MAX, "paused since %s in wave %lld of %lld, halted by itself at %s", from,
		               wave, waves, at);
	else if (is(rollout, "rolling_back"))
		(void)snprintf(buf, ROLLOUT_LINE_MAX, "rolling back since %s, done by %s", from, at);
	else
		(void)snprintf(buf, ROLLOUT_LINE_MAX, "%s since %s", is(rollout, "rolled_back") ? "rolled back" : state, from);
}

void rollout_advice(const json_t *rollout, char buf[static ROLLOUT_LINE_MAX])
{
	long long id = rollout_number(rollout, "id"),
	          failed = rollout_count(rollout, "failed") + rollout_count(rollout, "expired"),
	          left = rollout_count(rollout, "left"), stuck = rollout_count(rollout, "stuck");

	if (is(rollout, "running") && failed == 0)
		(void)snprintf(buf, ROLLOUT_LINE_MAX, "nothing to do; follow it by: gymfleet rollout watch %lld", id);
	else if (is(rollout, "running"))
		(void)snprintf(buf, ROLLOUT_LINE_MAX,
		               "look at what failed; to wait with the others: gymfleet rollout pause %lld", id);
	else if (is(rollout, "paused"))
		(void)snprintf(buf, ROLLOUT_LINE_MAX,
		               "go on by: gymfleet rollout resume %lld, or end it: gymfleet rollout halt %lld", id, id);
	else if (is(rollout, "halted") && !rollout_goes_back(rollout))
		(void)snprintf(buf, ROLLOUT_LINE_MAX,
		               "go on by: gymfleet rollout resume %lld, or leave it so; its catalog lets no machine go back",
		               id);
	else if (is(rollout, "halted"))
		(void)snprintf(
		    buf, ROLLOUT_LINE_MAX,
		    "decide: go on (gymfleet rollout resume %lld) or bring the machines back (gymfleet rollout rollback "
		    "%lld)",
		    id, id);
	else if (is(rollout, "rolling_back"))
		(void)snprintf(buf, ROLLOUT_LINE_MAX, "nothing to do; follow it by: gymfleet rollout watch %lld", id);
	else if (is(rollout, "rolled_back"))
		(void)snprintf(buf, ROLLOUT_LINE_MAX,
		               stuck > 0 ? "go to the machines that are stuck; then build a better catalog as a higher version"
		                         : "build a better catalog as a higher version");
	else if (left > 0 && failed == 0)
		(void)snprintf(
		    buf, ROLLOUT_LINE_MAX,
		    "see why machines were left out: gymfleet rollout show %lld --step left; one that comes late still gets it",
		    id);
	else
		(void)snprintf(buf, ROLLOUT_LINE_MAX,
		               failed > 0 ? "look at what failed; a machine that comes late still gets it"
		                          : "nothing to do; a machine that comes late still gets it");
}
