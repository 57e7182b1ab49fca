/* /v1/doctor: what could stand between the fleet and its truth, each with what to do about it. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "gateway/api/device_row.h"
#include "gateway/api/resources.h"
#include "gateway/rule_doubts.h"
#include "proto/base/span.h"
#include "proto/base/text.h"

#define MIB (1024.0 * 1024.0)
#define WAL_LARGE_BYTES (256ULL * 1024 * 1024)
#define DISK_LOW_BYTES (1024ULL * 1024 * 1024)
#define DISK_CRITICAL_BYTES (128ULL * 1024 * 1024)

enum { CERT_SOON_DAYS = 30 };

struct examination {
	struct request *request;
	struct api_facts facts;
	struct store_stats stats;
	json_t *checks;
};

enum verdict { FINE, ATTENTION, CRITICAL };

static void add(struct examination *e, const char *name, enum verdict verdict, const char *action, const char *fmt, ...)
    GF_PRINTF(5, 6);
static void add(struct examination *e, const char *name, enum verdict verdict, const char *action, const char *fmt, ...)
{
	static const char *const severities[] = {"ok", "attention", "critical"};
	char text[GF_DIAG_MAX];
	va_list args;
	json_t *check = json_object();

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	json_put(&check, "name", json_string(name));
	json_put(&check, "ok", json_boolean(verdict == FINE));
	json_put(&check, "severity", json_string(severities[verdict]));
	json_put(&check, "text", json_string(text));
	json_put(&check, "action", json_text(verdict == FINE ? "" : action));
	json_push(&e->checks, check);
}

static void check_broker(struct examination *e)
{
	char since[GF_RFC3339_MAX];

	(void)gf_time_format(e->facts.broker_since_ms, since);
	if (e->facts.broker_connected)
		add(e, "broker", FINE, "", "connected%s%s", *since != '\0' ? " since " : "", since);
	else
		add(e, "broker", CRITICAL,
		    "see that the broker runs and that gateway.yaml (broker) names its host, port and certificates; machines "
		    "keep "
		    "what they can't send",
		    "not connected%s%s: %s", *since != '\0' ? " since " : "", since, e->facts.broker_reason);
}

static void check_certificate(struct examination *e)
{
	char end[GF_RFC3339_MAX];
	int64_t left_ms = e->facts.cert_not_after_ms - e->request->now_ms;
	enum verdict verdict = left_ms <= 0 ? CRITICAL : left_ms < CERT_SOON_DAYS * GF_DAY_MS ? ATTENTION : FINE;

	if (e->facts.cert_not_after_ms == 0)
		return;
	add(e, "certificate", verdict, "issue a new certificate for the gateway (deploy/pki) and restart it", "%s %s",
	    left_ms > 0 ? "valid until" : "expired at", gf_time_format(e->facts.cert_not_after_ms, end));
}

static void check_database(struct examination *e)
{
	struct gf_diag diag = {{0}};
	int result = store_read_integrity(e->request->reader, &diag);

	if (result != 0)
		add(e, "database", CRITICAL, "stop the gateway, keep a copy of the file, restore the last backup", "%s",
		    diag.text);
	else
		add(e, "database", FINE, "", "sound, %.1f MiB, %llu machines, %llu sessions", (double)e->stats.db_bytes / MIB,
		    (unsigned long long)e->stats.devices, (unsigned long long)e->stats.sessions);
	add(e, "journal", e->stats.wal_bytes > WAL_LARGE_BYTES ? ATTENTION : FINE,
	    "something reads the database for very long; end other programs that have it open",
	    "write-ahead log of %.1f MiB", (double)e->stats.wal_bytes / MIB);
}

static void check_disk(struct examination *e)
{
	const char *database = api_database(e->request->api), *slash = strrchr(database, '/');
	char dir[4096];
	struct statvfs fs;

	(void)snprintf(dir, sizeof(dir), "%.*s", slash != NULL ? (int)(slash - database) + 1 : 1,
	               slash != NULL ? database : ".");
	if (statvfs(dir, &fs) != 0) {
		add(e, "disk", ATTENTION, "see that the folder is there", "can't look at %s: %s", dir, strerror(errno));
		return;
	}
	uint64_t room = (uint64_t)fs.f_bavail * fs.f_frsize;
	enum verdict verdict = room < DISK_CRITICAL_BYTES ? CRITICAL : room < DISK_LOW_BYTES ? ATTENTION : FINE;
	add(e, "disk", verdict, "make room: when it is full nothing is stored, and machines keep what they can't send",
	    "%.1f GiB free in %s", (double)room / MIB / 1024, dir);
}

static void check_ingest(struct examination *e)
{
	const struct api_facts *f = &e->facts;
	char since[GF_RFC3339_MAX];

	if (f->ingest_failures > 0)
		add(e, "ingest", CRITICAL, "mend the cause; nothing is lost, machines send again what wasn't stored",
		    "nothing could be stored since %s (%llu tries): %s", gf_time_format(f->ingest_failing_since_ms, since),
		    (unsigned long long)f->ingest_failures, f->ingest_error);
	else
		add(e, "ingest", f->ingest_room > 0 && f->ingest_backlog * 2 > f->ingest_room ? ATTENTION : FINE,
		    "the disk is slower than the fleet talks; look for what else uses it", "%llu messages wait to be stored",
		    (unsigned long long)f->ingest_backlog);
	add(e, "mailbox", f->mailbox_dropped > 0 ? ATTENTION : FINE,
	    "nothing is lost, machines send again; when it goes on, the gateway's machine is too slow",
	    "%llu messages shed, too many at once or too large", (unsigned long long)f->mailbox_dropped);
}

static void check_quarantine(struct examination *e)
{
	const struct store_stats *s = &e->stats;
	char when[GF_RFC3339_MAX];

	if (s->quarantined == 0)
		add(e, "quarantine", FINE, "", "every message was understood");
	else
		add(e, "quarantine", ATTENTION, "see whether that machine's agent is of a version the gateway knows",
		    "%llu messages or records weren't understood, the last from %s at %s: %s",
		    (unsigned long long)s->quarantined, s->quarantine_last_device, gf_time_format(s->quarantine_last_ms, when),
		    s->quarantine_last_reason);
	if (e->facts.ingest_unkept > 0)
		add(e, "unkept", CRITICAL,
		    "was the database changed by hand? else restore it from a backup; machines keep and send again what was "
		    "not stored",
		    "%llu messages were refused by the database, even for quarantine: %s",
		    (unsigned long long)e->facts.ingest_unkept, e->facts.unkept_error);
	add(e, "lost", s->records_lost > 0 ? ATTENTION : FINE,
	    "those machines were offline longer than their spool lasts; give them more room or a better link",
	    "%llu records were dropped by machines with a full spool", (unsigned long long)s->records_lost);
}

/* Only when something is wrong: most fleets never see these. */
static void check_wishes(struct examination *e)
{
	const struct api_facts *f = &e->facts;
	char since[GF_RFC3339_MAX];

	if (f->downlink_failing_since_ms > 0)
		add(e, "downlink", ATTENTION,
		    "it is tried again every minute at the latest; is the broker's configuration the one of "
		    "deploy/broker-conf?",
		    "some of what is wanted of machines isn't at the broker since %s: %s",
		    gf_time_format(f->downlink_failing_since_ms, since), f->downlink_error);
	if (e->stats.stray_answers > 0)
		add(e, "answers", ATTENTION,
		    "was an older database restored, or is there a second gateway at this broker? gymfleet events names "
		    "machines",
		    "%llu answers to what was never wanted of the machine were not believed",
		    (unsigned long long)e->stats.stray_answers);
}

/* One line for each that doesn't take what it gets, or passed over what somebody should have heard of today. */
static void check_receiver(struct examination *e, const struct tell_state *s, unsigned *problems)
{
	bool is_broker = strcmp(s->told.receiver, TELL_MQTT) == 0;
	char since[GF_RFC3339_MAX], what[GF_NAME_MAX + 16];

	(void)snprintf(what, sizeof(what), is_broker ? "the broker" : "webhook %s", s->told.receiver);
	if (s->failing_since_ms > 0) {
		add(e, "webhooks", ATTENTION,
		    is_broker ? "is the broker's configuration the one of deploy/broker-conf?"
		              : "see that its receiver runs and takes what it gets; it is tried again by itself, in order",
		    "%s takes no events since %s: %s", what, gf_time_format(s->failing_since_ms, since), s->error);
		(*problems)++;
	} else if (s->told.passed_ms > e->request->now_ms - GF_DAY_MS) {
		add(e, "webhooks", ATTENTION, "gymfleet events has what it did not get",
		    "%s passed over events, the last at %s", what, gf_time_format(s->told.passed_ms, since));
		(*problems)++;
	}
}

static void check_receivers(struct examination *e)
{
	const struct api_ops *ops = api_ops_of(e->request->api);
	struct tell_state states[1 + TELL_WEBHOOKS_MAX];
	size_t count = ops->tell_states(ops->ctx, states, sizeof(states) / sizeof(states[0]));
	unsigned problems = 0;

	for (size_t i = 0; i < count; i++)
		check_receiver(e, &states[i], &problems);
	if (problems == 0 && count > 1)
		add(e, "webhooks", FINE, "", count > 2 ? "%zu webhooks take what they get" : "%zu webhook takes what it gets",
		    count - 1);
}

struct backlog {
	struct device_view view;
	uint64_t devices, records;
	char worst[GF_ID_MAX];
	uint32_t worst_records;
};

static bool has_reason(const struct device_health *health, enum health_code code)
{
	for (size_t i = 0; i < health->count; i++)
		if (health->reasons[i].code == code)
			return true;
	return false;
}

static int add_backlog(void *ctx, const struct store_device *device)
{
	struct backlog *b = ctx;
	struct device_health health;

	device_judge(device, &b->view, &health);
	if (!has_reason(&health, HEALTH_CODE_SPOOL_BACKLOG))
		return 0;
	uint32_t records = device->heartbeat.spool_records;
	b->devices++;
	b->records += records;
	if (b->devices == 1 || records > b->worst_records) {
		b->worst_records = records;
		(void)gf_strcpy(b->worst, sizeof(b->worst), device->id);
	}
	return 0;
}

static int check_backlog(struct examination *e, struct gf_diag *diag)
{
	struct store_device_query query = {.now_ms = e->request->now_ms, .today_ms = e->request->today_ms};
	struct backlog b = {.devices = 0};
	int result = device_view_of(e->request, &b.view);

	if (result == 0)
		result = store_read_devices(e->request->reader, &query, add_backlog, &b, diag);
	device_view_deinit(&b.view);
	if (result != 0)
		return result;
	if (b.devices == 0)
		add(e, "backlog", FINE, "", "no machine is behind with its records");
	else
		add(e, "backlog", ATTENTION, "wait while they send; when the number stays, look at their network",
		    "machines behind with their records: %llu, by %llu in all, most of them %s (%u)",
		    (unsigned long long)b.devices, (unsigned long long)b.records, b.worst, b.worst_records);
	return 0;
}

struct rules_seen {
	size_t count;
	struct rules *rules; /* a copy */
};

static int see_rules(void *ctx, const struct judgement_config *config)
{
	struct rules_seen *seen = ctx;
	seen->count = config->rules->count;
	return rules_copy(config->rules, &seen->rules);
}

static void add_doubt(void *ctx, const char *sentence)
{
	add(ctx, "rules", ATTENTION,
	    "mend the rule, or what it goes by; gymfleet rules check FILE says whether it is well then", "%s", sentence);
}

/* What may be wrong in the rules; true when there is something. */
static bool doubt_rules(struct examination *e, const struct rules *rules)
{
	const size_t before = json_array_size(e->checks);
	struct gf_diag diag = {{0}};
	const struct rule_doubts asked = {.rules = rules,
	                                  .sites = api_sites(e->request->api),
	                                  .reader = e->request->reader,
	                                  .file = "rules.yaml",
	                                  .tell = add_doubt,
	                                  .ctx = e};

	if (rule_doubts(&asked, &diag) != 0)
		add(e, "rules", ATTENTION, "see what doctor says of the database", "can't be compared with what is stored: %s",
		    diag.text);
	return json_array_size(e->checks) > before;
}

static int count_flag(void *ctx, const struct store_flag *flag)
{
	(void)flag;
	++*(size_t *)ctx;
	return 0;
}

/* Whom the rules see but in part, or not at all. */
static int check_judged(struct examination *e, struct gf_diag *diag)
{
	const struct store_flag_query query = {.rule = STORE_RULE_JUDGING, .open_only = true};
	size_t count = 0;
	int result = store_read_flags(e->request->reader, &query, count_flag, &count, diag);

	if (result == 0 && count > 0)
		add(e, "judged", ATTENTION,
		    "gymfleet overuse --where rule=" STORE_RULE_JUDGING " says whom, why, and what to do",
		    "not judged in full: %zu of machines, people and sites", count);
	return result;
}

/* None is a choice, but one that should be seen. */
static void check_rules(struct examination *e)
{
	const struct api_ops *ops = api_ops_of(e->request->api);
	const struct api_facts *f = &e->facts;
	struct rules_seen seen = {0};
	char since[GF_RFC3339_MAX];

	if (ops->rules_look(ops->ctx, see_rules, &seen) != 0)
		return;
	const bool doubted = doubt_rules(e, seen.rules);
	const size_t count = seen.count;
	free(seen.rules);
	if (f->judge_failing_since_ms != 0)
		add(e, "rules", CRITICAL, "mend the cause; what waits is judged then, as if it had been at once",
		    "nobody has been judged since %s: %s", gf_time_format(f->judge_failing_since_ms, since), f->judge_error);
	else if (f->judge_backlog >= 1000)
		add(e, "rules", ATTENTION, "wait; when it stays so, the machine is too slow for its fleet",
		    "%zu are in force, a thousand or more wait to be judged", count);
	else if (doubted)
		return;
	else if (count > 0)
		add(e, "rules", FINE, "", "%zu are in force", count);
	else
		add(e, "rules", FINE, "",
		    "none: nothing is flagged (gateway.yaml: rules names the file, else rules.yaml beside it)");
}

void resource_doctor(struct request *r)
{
	const struct api_ops *ops = api_ops_of(r->api);
	struct examination e = {.request = r, .checks = json_array()};
	struct gf_diag diag = {{0}};

	ops->facts(ops->ctx, &e.facts);
	check_broker(&e);
	check_certificate(&e);
	add(&e, "clock", e.facts.clock_synced ? FINE : ATTENTION,
	    "start a time service (systemd-timesyncd or chrony): times of machines without a clock are estimated by this "
	    "one",
	    "%s", e.facts.clock_synced ? "synchronised" : "not synchronised");
	int result = store_read_stats(r->reader, &e.stats, &diag);
	if (result == 0) {
		check_database(&e);
		check_quarantine(&e);
		check_wishes(&e);
		result = check_backlog(&e, &diag);
		if (result == 0)
			result = check_judged(&e, &diag);
	}
	if (result != 0)
		add(&e, "database", CRITICAL, "mend the cause, then restart the gateway", "can't be read: %s", diag.text);
	check_disk(&e);
	check_ingest(&e);
	check_receivers(&e);
	check_rules(&e);
	request_answer(r, json_pack("{s:o}", "checks", e.checks));
}
