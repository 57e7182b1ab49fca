/* What is done for the API: a file is read again only when it stands in the store who wanted that. */
#include "gateway/errands.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/gateway/store/fixture.h"
#include "tests/unit/proto/shipped.h"

#define RULE(id) "  - {id: " id ", title: a, subject: device, metric: faults, window: 1h, warn: 1, advice: look}\n"

struct rig {
	struct fixture *f;
	struct shipped config;
	struct sites *sites;
	struct errands errands;
	struct api_ops ops;
	unsigned woken;
	char rules_path[128], secret_path[128];
};

static const struct store_actor anna = {.who = "anna (uid 1000)", .from = "unix socket"};

static void write_file(const char *path, const char *text)
{
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(chmod(path, 0600), 0);
}

static int no_publish(void *ctx, const char *topic, const void *payload, size_t len, uint64_t cookie)
{
	(void)ctx;
	(void)topic;
	(void)payload;
	(void)len;
	(void)cookie;
	return -ENOTCONN;
}

static unsigned no_window(void *ctx)
{
	(void)ctx;
	return 0;
}

static void count_wakes(void *ctx)
{
	(*(unsigned *)ctx)++;
}

static int setup(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));
	void *f = NULL;
	struct zones *zones;

	assert_int_equal(fixture_setup(&f), 0);
	r->f = f;
	assert_int_equal(shipped_init(&r->config, "gateway.yaml", "gateway"), 0);
	(void)snprintf(r->secret_path, sizeof(r->secret_path), "%s/hook.secret", r->config.dir);
	write_file(r->secret_path, "0123456789abcdef\n");
	(void)snprintf(r->rules_path, sizeof(r->rules_path), "%s/rules.yaml", r->f->dir);
	write_file(r->rules_path, "rules:\n" RULE("A"));
	assert_int_equal(zones_new(NULL, &zones, NULL), 0);
	assert_int_equal(sites_new(zones, &calendar_always, &r->sites), 0);
	r->errands = (struct errands){.clock = gf_clock_system(GF_CLOCK_TRUST_SYSTEM),
	                              .store = r->f->store,
	                              .rules_path = r->rules_path,
	                              .config_path = r->config.path,
	                              .sites = r->sites,
	                              .wake = count_wakes,
	                              .wake_ctx = &r->woken,
	                              .lock = PTHREAD_MUTEX_INITIALIZER};
	const struct tell_config tell = {.store = r->f->store,
	                                 .database = r->f->path,
	                                 .clock = r->errands.clock,
	                                 .publish = no_publish,
	                                 .window = no_window};
	assert_int_equal(tell_new(&tell, &r->errands.tell, NULL), 0);
	assert_int_equal(rulebook_new(r->rules_path, false, &r->errands.rules, NULL), 0);
	r->ops = errands_ops(&r->errands);
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	struct rig *r = *state;
	void *f = r->f;

	tell_free(r->errands.tell);
	rulebook_free(r->errands.rules);
	sites_free(r->sites);
	(void)unlink(r->rules_path);
	(void)unlink(r->secret_path);
	int failed = shipped_deinit(&r->config);
	free(r);
	return fixture_teardown(&f) != 0 ? -1 : failed;
}

static void sql(struct rig *r, const char *text)
{
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(r->f->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_busy_timeout(db, 10000), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void take_no_deeds(struct rig *r)
{
	sql(r, "CREATE TRIGGER full BEFORE INSERT ON deeds BEGIN SELECT RAISE(ABORT, 'full'); END");
}

static void take_deeds(struct rig *r)
{
	sql(r, "DROP TRIGGER full");
}

struct deeds {
	size_t count;
	struct store_deed newest;
};

static int add_deed(void *ctx, const struct store_deed *deed)
{
	struct deeds *deeds = ctx;

	if (deeds->count++ == 0)
		deeds->newest = *deed;
	return 0;
}

static void deeds_are(struct rig *r, size_t count, const char *action, const char *subject, const char *detail)
{
	struct deeds deeds = {.count = 0};

	assert_int_equal(store_read_deeds(r->f->reader, 0, 0, add_deed, &deeds, NULL), 0);
	assert_int_equal(deeds.count, count);
	assert_string_equal(deeds.newest.action, action);
	assert_string_equal(deeds.newest.actor.who, anna.who);
	assert_string_equal(deeds.newest.subject, subject);
	assert_string_equal(deeds.newest.detail, detail);
}

static int count_rules(void *ctx, const struct judgement_config *config)
{
	*(size_t *)ctx = config->rules->count;
	return 0;
}

/* In force, or from the main loop's next step on. */
static size_t rules(struct rig *r)
{
	size_t count = 99;

	assert_int_equal(rulebook_look_ahead(r->errands.rules, count_rules, &count), 0);
	return count;
}

/* But for MQTT; after the main loop's next step. */
static size_t webhooks(struct rig *r)
{
	struct tell_state states[4];

	(void)tell_step(r->errands.tell, gf_clock_now(r->errands.clock));
	return tell_states(r->errands.tell, states, 4) - 1;
}

static void rules_that_are_read_again_name_who_wanted_it(void **state)
{
	struct rig *r = *state;
	size_t count = 99;

	write_file(r->rules_path, "rules:\n" RULE("A") RULE("B"));
	assert_int_equal(r->ops.rules_reload(r->ops.ctx, &anna, &count, NULL), 0);
	assert_int_equal(count, 2);
	assert_int_equal(rules(r), 2);
	assert_int_equal(r->woken, 1);
	deeds_are(r, 1, "rules reload", r->rules_path, "2 rules");
}

static void rules_stay_as_long_as_it_cannot_be_noted_who_wants_others(void **state)
{
	struct rig *r = *state;
	struct gf_diag diag = {""};
	size_t count = 99;

	write_file(r->rules_path, "rules:\n" RULE("A") RULE("B"));
	take_no_deeds(r);
	assert_int_not_equal(r->ops.rules_reload(r->ops.ctx, &anna, &count, &diag), 0);
	assert_non_null(strstr(diag.text, "full"));
	assert_int_equal(count, 99);
	assert_int_equal(rules(r), 1);
	take_deeds(r);
	assert_int_equal(r->ops.rules_reload(r->ops.ctx, &anna, &count, NULL), 0);
	assert_int_equal(rules(r), 2);
	deeds_are(r, 1, "rules reload", r->rules_path, "2 rules");
}

/* The shipped file has none. */
static void add_webhook(struct rig *r, const char *scheme)
{
	char text[192];

	(void)snprintf(
	    text, sizeof(text),
	    "webhooks:\n  - {name: chat, url: \"%s://example.org/x\", secret_file: hook.secret}\nlog_level: info", scheme);
	shipped_change(&r->config, "log_level: info", text);
}

static void webhooks_that_are_read_again_name_who_wanted_it(void **state)
{
	struct rig *r = *state;
	struct gf_diag diag = {""};
	size_t count = 99;

	add_webhook(r, "ftp");
	assert_int_equal(r->ops.webhooks_reload(r->ops.ctx, &anna, &count, &diag), -EINVAL);
	assert_int_equal(webhooks(r), 0);
	add_webhook(r, "https");
	assert_int_equal(r->ops.webhooks_reload(r->ops.ctx, &anna, &count, NULL), 0);
	assert_int_equal(count, 1);
	assert_int_equal(webhooks(r), 1);
	deeds_are(r, 1, "webhooks reload", r->config.path, "1 webhooks");
}

static void webhooks_stay_as_long_as_it_cannot_be_noted_who_wants_others(void **state)
{
	struct rig *r = *state;
	struct gf_diag diag = {""};
	size_t count = 99;

	add_webhook(r, "https");
	take_no_deeds(r);
	assert_int_not_equal(r->ops.webhooks_reload(r->ops.ctx, &anna, &count, &diag), 0);
	assert_non_null(strstr(diag.text, "full"));
	assert_int_equal(count, 99);
	assert_int_equal(webhooks(r), 0);
	take_deeds(r);
	assert_int_equal(r->ops.webhooks_reload(r->ops.ctx, &anna, &count, NULL), 0);
	assert_int_equal(webhooks(r), 1);
	deeds_are(r, 1, "webhooks reload", r->config.path, "1 webhooks");
}

/* A signal has no name that could be noted. */
static void a_signal_reads_the_webhooks_without_a_deed(void **state)
{
	struct rig *r = *state;
	size_t count = 99;

	add_webhook(r, "https");
	take_no_deeds(r);
	assert_int_equal(errands_read_webhooks(&r->errands, &count, NULL), 0);
	assert_int_equal(count, 1);
	assert_int_equal(webhooks(r), 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(rules_that_are_read_again_name_who_wanted_it),
	    TEST(rules_stay_as_long_as_it_cannot_be_noted_who_wants_others),
	    TEST(webhooks_that_are_read_again_name_who_wanted_it),
	    TEST(webhooks_stay_as_long_as_it_cannot_be_noted_who_wants_others),
	    TEST(a_signal_reads_the_webhooks_without_a_deed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
