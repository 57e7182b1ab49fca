#include "gateway/config.h"

#include <errno.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "proto/catalog_key.h"
#include "tests/unit/gateway/config_rig.h"
#include "tests/unit/proto/alloc_fail.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define DAY_MS (24LL * 3600 * 1000)
/* Where a section is put, without changing what stands there. */
#define BEFORE "log_level: info"
#define WITH(section) section "\n" BEFORE
/* 2026-07-01T00:00:00Z and half a year later: summer and winter. */
#define SUMMER_MS 1782864000000
#define WINTER_MS 1798761600000

static int setup(void **state)
{
	static struct shipped s;
	*state = &s;
	return shipped_init(&s, "gateway.yaml", "gateway");
}

static int teardown(void **state)
{
	return shipped_deinit(*state);
}

static void the_shipped_file_loads(void **state)
{
	struct shipped *s = *state;
	struct gateway_config *c = config_loaded(s);
	char path[128];

	assert_string_equal(c->state_dir, "/var/lib/gymfleet");
	assert_string_equal(c->database, "/var/lib/gymfleet/gymfleet.db");
	assert_string_equal(c->socket, "/run/gymfleet/gateway.sock");
	assert_string_equal(c->socket_group, "gymfleet");
	assert_int_equal(c->log_level, GF_LOG_INFO);
	assert_string_equal(c->link.client_id, "gateway");
	assert_string_equal(c->link.host, "localhost");
	assert_int_equal(c->link.port, 8884);
	assert_int_equal(c->link.keepalive_s, 15);
	snprintf(path, sizeof(path), "%s/pki/gateway.key", s->dir);
	assert_string_equal(c->link.key_file, path);
	assert_true(c->keep_raw_ms == 30 * DAY_MS);
	assert_true(c->keep_5min_ms == 180 * DAY_MS);
	assert_true(c->keep_hour_ms == 1095 * DAY_MS);
	gateway_config_free(c);
	gateway_config_free(NULL);
}

/* The file shows the defaults; so leaving its optional parts out must change nothing. */
static void what_is_left_out_has_the_shipped_value(void **state)
{
	struct shipped *s = *state;
	struct gateway_config *shipped = config_loaded(s), *c;

	char *retention = strstr(s->text, "\nretention:");
	assert_non_null(retention);
	retention[1] = '\0';
	shipped_change(s, "log_level: info", "");
	c = config_loaded(s);
	assert_int_equal(c->log_level, shipped->log_level);
	assert_true(c->keep_raw_ms == shipped->keep_raw_ms);
	assert_true(c->keep_5min_ms == shipped->keep_5min_ms);
	assert_true(c->keep_hour_ms == shipped->keep_hour_ms);
	gateway_config_free(c);
	shipped_change(s, "group: gymfleet", "");
	c = config_loaded(s);
	assert_null(c->socket_group);
	gateway_config_free(c);
	gateway_config_free(shipped);
}

static void relative_paths_are_beside_the_file(void **state)
{
	struct shipped *s = *state;
	char path[128];

	shipped_change(s, "state_dir: /var/lib/gymfleet ", "state_dir: state ");
	struct gateway_config *c = config_loaded(s);
	snprintf(path, sizeof(path), "%s/state/gymfleet.db", s->dir);
	assert_string_equal(c->database, path);
	gateway_config_free(c);
}

static void levels_are_read(void **state)
{
	static const char *const names[GF_LOG_LEVEL_COUNT] = {"error", "warning", "notice", "info", "debug"};
	struct shipped *s = *state;

	for (int level = 0; level < GF_LOG_LEVEL_COUNT; level++) {
		char to[64];
		snprintf(to, sizeof(to), "log_level: %s", names[level]);
		shipped_change(s, "log_level: info", to);
		struct gateway_config *c = config_loaded(s);
		assert_int_equal(c->log_level, level);
		gateway_config_free(c);
	}
}

static void mistakes_are_explained(void **state)
{
	static const struct {
		const char *from, *to, *said;
	} mistakes[] = {
	    {"state_dir: /var/lib/gymfleet ", "^statedir: /var/lib/gymfleet ",
	     "unknown key 'statedir'; did you mean 'state_dir'?"},
	    {"log_level: info", "log_level: ^verbose",
	     "'log_level' is 'verbose'; expected one of: error, warning, notice, info, debug"},
	    {"log_level: info", "log_level: ^Error",
	     "'log_level' is 'Error'; did you mean 'error'? Expected one of: error, warning, notice, info, debug"},
	    {"log_level: info", "log_level: ^warn",
	     "'log_level' is 'warn'; did you mean 'warning'? Expected one of: error, warning, notice, info, debug"},
	    {"log_level: info", "log_level: ^\"\"",
	     "'log_level' has no value; expected one of: error, warning, notice, info, debug"},
	    {"host: localhost", "host: ^mqtts://broker.example",
	     "broker.host is 'mqtts://broker.example'; expected a name or an address alone: no scheme, no port (that is "
	     "broker.port), no spaces"},
	    {"host: localhost", "host: ^\"\"", "'host' has no value; expected some text"},
	    {"port: 8884", "port: ^0", "broker.port is 0; expected 1 to 65535"},
	    {"port: 8884", "port: ^-8884", "'port' is '-8884'; expected a whole number from 0 to 65535"},
	    {"keepalive_s: 15", "keepalive_s: ^1", "broker.keepalive_s is 1; expected 5 to 60"},
	    {"socket: /run/gymfleet/gateway.sock\n  group:", "^group:", "missing key 'socket' in 'api'"},
	    {"heartbeats: 30d", "heartbeats: ^30",
	     "retention.heartbeats is '30'; expected a duration of at least a day, such as 30d"},
	    {"heartbeats: 30d", "heartbeats: ^3",
	     "retention.heartbeats is '3'; expected a duration of at least a day, such as 30d"},
	    {"heartbeats: 30d", "heartbeats: ^30 days",
	     "retention.heartbeats is '30 days'; expected a duration of at least a day, such as 30d"},
	    {"heartbeats: 30d", "heartbeats: ^-30d",
	     "retention.heartbeats is '-30d'; expected a duration of at least a day, such as 30d"},
	    {"five_minutes: 180d", "five_minutes: ^23h",
	     "retention.five_minutes is '23h'; expected a duration of at least a day, such as 30d"},
	    {"hours: 1095d", "hours: ^99999999999999d",
	     "retention.hours is '99999999999999d'; expected a duration of at least a day, such as 30d"},
	    {"hours: 1095d", "hours: ^", "'hours' has no value; expected some text"},
	    {BEFORE, WITH("time_zone: ^Mars/Olympus"),
	     "the zone database has no time zone 'Mars/Olympus': write it as in 'Europe/Berlin', or install tzdata"},
	    {BEFORE, WITH("sites:\n  - {site: lisbon, time_zone: UTC}\n  - {site: rome, time_zone: ^Rome}"),
	     "the zone database has no time zone 'Rome': write it as in 'Europe/Berlin', or install tzdata"},
	    {BEFORE, WITH("sites: [{site: rome, time_zone: UTC}, {site: ^rome, time_zone: Europe/Rome}]"),
	     "the site 'rome' is there twice"},
	    {BEFORE, WITH("sites: [^{time_zone: UTC}]"), "missing key 'site' in 'sites'"},
	    {BEFORE, WITH("open: ^[]"), "'open' has 0 entries; expected 1 to 28"},
	    {BEFORE, WITH("open:\n  - ^{days: mon-son, hours: \"06:00-22:00\"}"),
	     "days are 'mon-son'; expected a day or a row of them, such as mon, mon-fri or sat-sun"},
	    {BEFORE,
	     WITH("sites:\n  - site: rome\n    open:\n      - {days: mon, hours: \"06:00-22:00\"}\n      - ^{days: mon, "
	          "hours: \"6-22\"}"),
	     "hours are '6-22'; expected from-to, such as 06:00-22:00, 22:00-02:00 over midnight, or 00:00-24:00"},
	    {BEFORE, WITH("open: [{days: mon-fri, hours: \"06:00-22:00\"}, ^{days: tue, hours: \"21:00-23:00\"}]"),
	     "tue is open twice: 06:00-22:00 and 21:00-23:00"},
	    {"hours: 1095d", "^days: 1095d",
	     "unknown key 'days' in 'retention'; known are: heartbeats, five_minutes, hours"},
	};
	struct shipped *s = *state;

	for (size_t i = 0; i < COUNT(mistakes); i++) {
		shipped_change(s, mistakes[i].from, mistakes[i].to);
		if (strcmp(mistakes[i].to, "hours: ^") == 0)
			shipped_place(s, "hours:^");
		config_refused(s, -EINVAL, mistakes[i].said);
	}
}

/* sockaddr_un holds 107 bytes; what is longer would be cut to another path. */
static void a_socket_path_that_does_not_fit_is_refused(void **state)
{
	struct shipped *s = *state;
	char to[192] = "socket: ^/", said[512];

	memset(to + strlen(to), 'a', 107);
	shipped_change(s, "socket: /run/gymfleet/gateway.sock", to);
	config_refused(s, -EINVAL, "'socket' has 108 bytes; expected 1 to 107");
	/* Short in the file, long beside it. */
	memset(to, 0, sizeof(to));
	strcpy(to, "socket: ^");
	memset(to + strlen(to), 'b', 100);
	shipped_change(s, "socket: /run/gymfleet/gateway.sock", to);
	snprintf(said, sizeof(said), "the socket's path '%%D/%s' is longer than 107 bytes; choose a shorter one",
	         to + strlen("socket: ^"));
	config_refused(s, -EINVAL, said);
}

static void certificates_are_looked_at(void **state)
{
	struct shipped *s = *state;
	char key[128];

	snprintf(key, sizeof(key), "%s/pki/gateway.key", s->dir);
	shipped_place(s, "key_file: ^");
	assert_int_equal(chmod(key, 0640), 0);
	config_refused(s, -EACCES,
	               "%D/pki/gateway.key: a private key that others may read (mode 0640); run: chmod 600 "
	               "%D/pki/gateway.key");
	shipped_change(s, "gateway.pem", "none.pem");
	shipped_place(s, "cert_file: ^");
	config_refused(
	    s, -ENOENT,
	    "certificate %D/pki/none.pem cannot be read (No such file or directory): make it with deploy/pki, or "
	    "mend the path or its mode");
}

static void each_site_has_its_time(void **state)
{
	struct shipped *s = *state;
	struct gateway_config *c = config_loaded(s);

	assert_int_equal(zones_offset_s(sites_zones(c->sites), "berlin", SUMMER_MS), 0);
	gateway_config_free(c);
	shipped_change(s, BEFORE, WITH("time_zone: Europe/Berlin\nsites: [{site: lisbon, time_zone: Europe/Lisbon}]"));
	c = config_loaded(s);
	assert_int_equal(zones_offset_s(sites_zones(c->sites), "berlin", SUMMER_MS), 7200);
	assert_int_equal(zones_offset_s(sites_zones(c->sites), "berlin", WINTER_MS), 3600);
	assert_int_equal(zones_offset_s(sites_zones(c->sites), "lisbon", SUMMER_MS), 3600);
	assert_int_equal(zones_offset_s(sites_zones(c->sites), "lisbon", WINTER_MS), 0);
	gateway_config_free(c);
}

/* Wednesday, 1 July 2026, at so many hours UTC. */
static bool open_at(const struct gateway_config *c, const char *site, int hour)
{
	return calendar_is_open(sites_calendar(c->sites, site), SUMMER_MS + hour * 3600000LL);
}

static void each_site_has_its_hours(void **state)
{
	struct shipped *s = *state;
	struct gateway_config *c = config_loaded(s);

	assert_true(open_at(c, "berlin", 1));
	gateway_config_free(c);
	shipped_change(s, BEFORE,
	               WITH("time_zone: Europe/Berlin\nopen: [{days: mon-fri, hours: \"06:00-23:00\"}]\nsites:\n"
	                    "  - {site: lisbon, time_zone: Europe/Lisbon}\n"
	                    "  - {site: bonn, open: [{days: mon-sun, hours: \"00:00-24:00\"}]}"));
	c = config_loaded(s);
	assert_false(open_at(c, "berlin", 3));
	assert_true(open_at(c, "berlin", 4));
	assert_false(open_at(c, "lisbon", 4));
	assert_true(open_at(c, "lisbon", 5));
	assert_true(open_at(c, "bonn", 0));
	assert_int_equal(zones_offset_s(sites_zones(c->sites), "bonn", SUMMER_MS), 7200);
	gateway_config_free(c);
}

static void whose_catalogs_are_taken_is_read(void **state)
{
	struct shipped *s = *state;
	struct gateway_config *c = config_loaded(s);
	uint8_t keys[2][GF_KEY_LEN];
	char path[192];

	assert_int_equal(c->catalog_keys.threshold, 0);
	gateway_config_free(c);
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/key%d", s->dir, i);
		assert_int_equal(gf_key_make(path, keys[i], &s->diag), 0);
	}
	shipped_change(s, BEFORE, WITH("catalog_keys: {threshold: 2, files: [key0.pub, key1.pub]}"));
	c = config_loaded(s);
	assert_int_equal(c->catalog_keys.threshold, 2);
	assert_int_equal(c->catalog_keys.count, 2);
	assert_memory_equal(c->catalog_keys.keys, keys, sizeof(keys));
	gateway_config_free(c);
}

static void a_missing_file_is_named(void **state)
{
	struct shipped *s = *state;
	struct gateway_config *config = NULL;

	assert_int_equal(gateway_config_load("/nowhere/gateway.yaml", &config, &s->diag), -ENOENT);
	assert_string_equal(s->diag.text, "/nowhere/gateway.yaml: can't open: No such file or directory");
	assert_null(config);
}

/* At each allocation in turn: a sentence, nothing half-made, nothing lost. */
static void memory_that_runs_out_is_said(void **state)
{
	struct shipped *s = *state;
	int failures = 0;
	for (;; failures++) {
		struct gateway_config *config = NULL;
		s->diag.text[0] = '\0';
		alloc_fail_after(failures);
		int r = gateway_config_load(s->path, &config, &s->diag);
		alloc_fail_after(-1);
		if (r == 0) {
			gateway_config_free(config);
			break;
		}
		assert_int_equal(r, -ENOMEM);
		assert_true(strstr(s->diag.text, "out of memory") != NULL || strstr(s->diag.text, "Cannot allocate") != NULL);
		assert_null(config);
	}
	assert_true(failures >= 10);
}

#define SHIPPED_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    SHIPPED_TEST(the_shipped_file_loads),
	    SHIPPED_TEST(what_is_left_out_has_the_shipped_value),
	    SHIPPED_TEST(relative_paths_are_beside_the_file),
	    SHIPPED_TEST(levels_are_read),
	    SHIPPED_TEST(mistakes_are_explained),
	    SHIPPED_TEST(a_socket_path_that_does_not_fit_is_refused),
	    SHIPPED_TEST(certificates_are_looked_at),
	    SHIPPED_TEST(each_site_has_its_time),
	    SHIPPED_TEST(each_site_has_its_hours),
	    SHIPPED_TEST(whose_catalogs_are_taken_is_read),
	    SHIPPED_TEST(a_missing_file_is_named),
	    SHIPPED_TEST(memory_that_runs_out_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
