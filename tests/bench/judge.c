/*
 * bench_judge FOLDER RULES: what judging one new session costs with 1,000 and with 1,000,000 sessions stored, as many of each machine a day and of
 * each person a month; rounds of both by turns, medians of processor time, so that the disk's sync isn't in it. A gateway does other things between
 * two sessions, so both begin with the processor's caches full of something else.
 * bench_judge FOLDER RULES flood: how long a site holds the gateway of which as much is told as is judged, and one of which five times as much is, by 40
 * rules about a month.
 * bench_judge FOLDER RULES memory: what a process takes that has judged 100,000 machines, each with an open flag and something due.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/judge/judge_impl.h"
#include "gateway/store/sqlite/writer.h"
#include "proto/base/now.h"

#define HOUR_MS INT64_C(3600000)
#define DAY_MS (24 * HOUR_MS)
static const int64_t end_ms = INT64_C(1795176000000); /* of what is stored */

enum { A_DAY = 10, PEOPLE_DAYS = 31, PEOPLE_OF_MACHINE = 31, ROUNDS = 400, WARM_UP = 50, MANY_MACHINES = 100000 };
enum { FLOOD_MACHINES = 4, FLOOD_RULES = 40, FLOOD_ROUNDS = 5 };

struct bench {
	struct store *store;
	struct sites *sites;
	struct judgement_config rules;
	struct judge_runner *runner;
	struct gf_time now;
	int64_t machines, each;
	uint64_t *told; /* by machine */
};

static void must(int r, const struct gf_diag *diag, const char *what)
{
	if (r == 0)
		return;
	fprintf(stderr, "bench_judge: %s: %d %s\n", what, r, diag->text);
	exit(EXIT_FAILURE);
}

static int64_t cpu_ns(void)
{
	return gf_now_ns(CLOCK_THREAD_CPUTIME_ID);
}

/* ---- the database ---- */

static void sql(struct bench *b, const char *text)
{
	struct gf_diag diag = {""};

	must(db_exec(&b->store->db, text, &diag), &diag, "filling the database");
}

static void fill_machines(struct bench *b, bool heard)
{
	char text[1024];

	snprintf(text, sizeof(text),
	         "WITH RECURSIVE d(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM d WHERE n < %" PRId64 ")"
	         " INSERT INTO devices (device, id, first_seen_ms, last_seen_ms, born, class, model, site, rated_motor_h,"
	         " chain_no, chain_motor_ms, chain_sessions, sessions, session_motor_ms, odo_motor_ms, odo_sessions)"
	         " SELECT n, printf('m-%%06d', n), 1, %" PRId64 ", 1, 4, 'bench', 'site-' || (n %% 20), 10000, %" PRId64
	         ", %" PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64 " FROM d",
	         b->machines, heard ? end_ms : end_ms - 2 * DAY_MS, b->each, b->each * 300000, b->each, b->each,
	         b->each * 300000, b->each * 300000, b->each);
	sql(b, text);
}

/* Of the last month a machine's sessions are of its people, in turn. */
static void fill_sessions(struct bench *b, int64_t every_ms)
{
	char text[2048];

	snprintf(text, sizeof(text),
	         "WITH RECURSIVE n(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM n WHERE n < %" PRId64 ")"
	         " INSERT INTO sessions (device, session_no, stream, seq, routine, catalog, catalog_version, planned_s,"
	         " subject_token, outcome, started_ms, time_source, ended_ms, duration_ms, motor_ms, odo_motor_ms,"
	         " odo_sessions) SELECT d.device, n, 1, n, 'drumming_legs', 'chair', 1, 360,"
	         " iif(n > %" PRId64 ", (d.device * %d + n %% %d + 1) * 2654435761 %% 4294967296, 0), 1,"
	         " %" PRId64 " - (%" PRId64 " - n) * %" PRId64 " - 360000 - d.device, 0,"
	         " %" PRId64 " - (%" PRId64 " - n) * %" PRId64
	         " - d.device, 360000, 300000, n * 300000, n FROM devices d CROSS JOIN n",
	         b->each, b->each - (int64_t)PEOPLE_DAYS * A_DAY, PEOPLE_OF_MACHINE, PEOPLE_OF_MACHINE, end_ms, b->each,
	         every_ms, end_ms, b->each, every_ms);
	sql(b, text);
	sql(b, "INSERT INTO session_areas (device, session_no, n, area, side, technique, ms, mean_pct, max_pct)"
	       " SELECT device, session_no, n, 6 + n, 1 + n % 2, 3, 20000, 20, 30 FROM sessions CROSS JOIN"
	       " (SELECT 0 AS n UNION SELECT 1 UNION SELECT 2)");
}

static void open_runner(struct bench *b, const char *rules)
{
	struct zones *zones;
	struct gf_diag diag = {""};

	must(zones_new("Europe/Berlin", &zones, &diag), &diag, "the time zone");
	must(sites_new(zones, &calendar_always, &b->sites), &diag, "the sites");
	must(rules_yaml_load(rules, &b->rules, &diag), &diag, rules);
	b->now = (struct gf_time){.mono_ms = 1000, .wall_ms = end_ms, .synced = true};
	const struct judge_runner_config config = {.store = b->store, .sites = b->sites, .config = &b->rules};
	must(judge_runner_new(&config, b->now, &b->runner, &diag), &diag, "the runner");
}

static void open_store(struct bench *b, const char *folder, const char *name)
{
	struct gf_diag diag = {""};
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s.db", folder, name);
	must(store_open(&(struct store_options){.path = path}, &b->store, &diag), &diag, path);
}

static void close_all(struct bench *b)
{
	judge_runner_free(b->runner);
	judgement_config_deinit(&b->rules);
	sites_free(b->sites);
	store_close(b->store);
	free(b->told);
}

/* Until nothing is due. */
static void settle(struct bench *b)
{
	while (judge_runner_step(b->runner, true, b->now) <= b->now.mono_ms) {
		struct judge_state state;

		judge_runner_state(b->runner, &state);
		must(state.failing_since_ms != 0, &state.last_error, "judging");
	}
}

static void make(struct bench *b, const char *folder, const char *rules, const char *name)
{
	struct gf_diag diag = {""};

	open_store(b, folder, name);
	must(store_begin(b->store, &diag), &diag, "filling");
	fill_machines(b, true);
	fill_sessions(b, DAY_MS / A_DAY);
	must(store_commit(b->store, &diag), &diag, "filling");
	b->told = calloc((size_t)b->machines + 1, sizeof(*b->told));
	must(b->told == NULL, &diag, "memory");
	open_runner(b, rules);
	settle(b);
}

/* ---- one new session ---- */

static uint64_t random_below(uint64_t below)
{
	static uint64_t state = UINT64_C(0x2545f4914f6cdd1d);

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % below;
}

static struct gf_record new_session(struct bench *b, int64_t machine)
{
	uint64_t n = ++b->told[machine], no = (uint64_t)b->each + n;
	int64_t person = machine * PEOPLE_OF_MACHINE + (int64_t)random_below(PEOPLE_OF_MACHINE) + 1;
	struct gf_record r = {.seq = n,
	                      .boot = 1,
	                      .uptime_ms = n * 1000,
	                      .wall_ms = (uint64_t)b->now.wall_ms,
	                      .clock_synced = true,
	                      .kind = GF_RECORD_SESSION_ENDED};
	struct gf_session_ended *e = &r.session_ended;

	e->start.session_no = no;
	gf_strcpy(e->start.routine, sizeof(e->start.routine), "drumming_legs");
	e->start.subject_token = (uint64_t)(person * INT64_C(2654435761) % INT64_C(4294967296));
	e->started_boot = 1;
	e->started_wall_ms = (uint64_t)(b->now.wall_ms - 360000);
	e->started_clock_synced = true;
	e->duration_ms = 360000;
	e->motor_ms = 300000;
	e->outcome = GF_OUTCOME_COMPLETED;
	e->areas_count = 3;
	for (size_t i = 0; i < 3; i++)
		e->areas[i] =
		    (struct gf_area_use){(enum gf_area)(6 + i), (enum gf_side)(1 + i % 2), GF_TECHNIQUE_DRUM, 20000, 20, 30};
	e->odometer = (struct gf_odometer){.motor_ms = no * 300000, .sessions = no};
	return r;
}

/* Machines that report nothing but heartbeats. */
static void hear_all(struct bench *b)
{
	struct gf_diag diag = {""};
	struct query q;

	must(store_begin(b->store, &diag), &diag, "heartbeats");
	query_begin(&q, &b->store->db, "UPDATE devices SET last_seen_ms = ?");
	query_i64(&q, b->now.wall_ms);
	must(query_run(&q, &diag), &diag, "heartbeats");
	must(store_commit(b->store, &diag), &diag, "heartbeats");
}

/* Fills the processor's caches with something else. */
static void forget(void)
{
	static volatile unsigned char other[64 << 20];

	for (size_t i = 0; i < sizeof(other); i += 64)
		other[i]++;
}

/* Takes one in, and returns what judging it cost, ns of processor time. */
static int64_t judge_one(struct bench *b)
{
	int64_t machine = 1 + (int64_t)random_below((uint64_t)b->machines), began_ns, due_ms;
	struct gf_diag diag = {""};
	struct gf_record r;
	struct judge_state before, after;
	struct gf_ack ack;
	char id[GF_ID_MAX];

	/* As dense as what is stored. */
	b->now.mono_ms += DAY_MS / A_DAY / b->machines;
	b->now.wall_ms += DAY_MS / A_DAY / b->machines;
	hear_all(b);
	settle(b);
	r = new_session(b, machine);
	snprintf(id, sizeof(id), "m-%06" PRId64, machine);
	const struct gf_report report = {{{(uint8_t)1}}, r.seq, 1, &r};
	must(store_begin(b->store, &diag), &diag, "a session");
	must(store_apply_report(b->store, id, &report, NULL, b->now.wall_ms, &ack, &diag), &diag, "a session");
	must(store_commit(b->store, &diag), &diag, "a session");
	judge_runner_state(b->runner, &before);
	forget();
	/* A step ends early where others have the processor. */
	began_ns = cpu_ns();
	do {
		due_ms = judge_runner_step(b->runner, true, b->now);
		judge_runner_state(b->runner, &after);
	} while (after.judged < before.judged + 2 && due_ms <= b->now.mono_ms);
	began_ns = cpu_ns() - began_ns;
	must(after.judged < before.judged + 2, &diag, "it wasn't judged");
	return began_ns;
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static int64_t median(int64_t *values, size_t count)
{
	qsort(values, count, sizeof(*values), compare);
	return values[count / 2];
}

static int cost(const char *folder, const char *rules)
{
	static int64_t few_ns[ROUNDS], many_ns[ROUNDS];
	struct bench few = {.machines = 2, .each = 500}, many = {.machines = 500, .each = 2000};
	double filled_s, few_us, many_us;

	make(&few, folder, rules, "few");
	filled_s = (double)gf_now_ms(CLOCK_MONOTONIC) / 1000;
	make(&many, folder, rules, "many");
	filled_s = (double)gf_now_ms(CLOCK_MONOTONIC) / 1000 - filled_s;
	for (int i = -WARM_UP; i < ROUNDS; i++) {
		int64_t a_ns = judge_one(&few), b_ns = judge_one(&many);

		if (i >= 0) {
			few_ns[i] = a_ns;
			many_ns[i] = b_ns;
		}
	}
	few_us = (double)median(few_ns, ROUNDS) / 1000;
	many_us = (double)median(many_ns, ROUNDS) / 1000;
	printf("judging one new session       %" PRId64 " stored %.0f \302\265s   %" PRId64
	       " stored %.0f \302\265s   ratio %.2f   (filled and judged once in %.0f s)\n",
	       few.machines * few.each, few_us, many.machines * many.each, many_us, many_us / few_us, filled_s);
	close_all(&few);
	close_all(&many);
	return EXIT_SUCCESS;
}

/* ---- memory ---- */

static long private_kb(void)
{
	FILE *f = fopen("/proc/self/smaps_rollup", "r");
	char line[256];
	long sum = 0, kb;

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "Private_Clean: %ld", &kb) == 1 || sscanf(line, "Private_Dirty: %ld", &kb) == 1)
			sum += kb;
	if (f != NULL)
		fclose(f);
	return sum;
}

static int64_t count(struct bench *b, const char *text)
{
	struct gf_diag diag = {""};
	struct query q;
	int64_t value = 0;

	must(store_begin(b->store, &diag), &diag, text);
	query_begin(&q, &b->store->db, text);
	must(query_value(&q, 0, &value, &diag), &diag, text);
	store_rollback(b->store);
	return value;
}

/* None has been heard of for a while: each is flagged, and due when that ends. */
static int memory(const char *folder, const char *rules)
{
	struct bench b = {.machines = MANY_MACHINES, .each = 0};
	struct gf_diag diag = {""};

	open_store(&b, folder, "machines");
	must(store_begin(b.store, &diag), &diag, "filling");
	fill_machines(&b, false);
	must(store_commit(b.store, &diag), &diag, "filling");
	open_runner(&b, rules);
	settle(&b);
	b.now.mono_ms += HOUR_MS;
	b.now.wall_ms += HOUR_MS;
	settle(&b);
	printf("judging %d machines       %" PRId64 " open flags, %" PRId64 " due   private memory %.1f MB\n",
	       MANY_MACHINES, count(&b, "SELECT count(*) FROM flags WHERE ended_ms = 0"),
	       count(&b, "SELECT count(*) FROM judge WHERE due_ms < 9223372036854775807"), (double)private_kb() / 1000);
	close_all(&b);
	return EXIT_SUCCESS;
}

/* ---- a flood ---- */

static const char *write_rules(const char *folder)
{
	static char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/flood.yaml", folder);
	f = fopen(path, "w");
	must(f == NULL, &(struct gf_diag){""}, path);
	fprintf(f, "rules:\n");
	for (int i = 0; i < FLOOD_RULES; i++)
		fprintf(f, "  - {id: R%d, title: t, advice: a, subject: site, metric: %s, window: %dd, warn: %d}\n", i,
		        i % 2 ? "sessions" : "running_min", i < 31 ? i + 1 : 31, i % 3 ? 90000 : 900);
	must(fclose(f), &(struct gf_diag){""}, path);
	return path;
}

/* As often as it is told of again: the site is judged by all of a month each time. */
static int64_t judge_flood(const char *folder, const char *name, int64_t each)
{
	struct bench b = {.machines = FLOOD_MACHINES, .each = each};
	int64_t took_ns[FLOOD_ROUNDS], began_ns;
	struct gf_diag diag = {""};

	open_store(&b, folder, name);
	must(store_begin(b.store, &diag), &diag, "filling");
	fill_machines(&b, true);
	fill_sessions(&b, 31 * DAY_MS / each);
	sql(&b, "UPDATE places SET site = 'flood'; UPDATE devices SET site = 'flood'");
	must(store_commit(b.store, &diag), &diag, "filling");
	open_runner(&b, write_rules(folder));
	settle(&b);
	for (int i = 0; i < FLOOD_ROUNDS; i++) {
		must(store_begin(b.store, &diag), &diag, "a session");
		must(judge_mark(b.store, FACT_SESSION, 1, b.now.wall_ms, 0, 0, &diag), &diag, "a session");
		must(store_commit(b.store, &diag), &diag, "a session");
		b.now.mono_ms += HOUR_MS;
		b.now.wall_ms += HOUR_MS;
		began_ns = cpu_ns();
		settle(&b);
		took_ns[i] = cpu_ns() - began_ns;
	}
	close_all(&b);
	return median(took_ns, FLOOD_ROUNDS);
}

static int flood(const char *folder)
{
	const int64_t all = (int64_t)JUDGE_FACTS_MAX * JUDGE_SITE_TIMES;
	double once_ms = (double)judge_flood(folder, "flood-1", all / FLOOD_MACHINES) / 1e6;
	double more_ms = (double)judge_flood(folder, "flood-5", 5 * all / FLOOD_MACHINES) / 1e6;

	printf("judging a site by %d rules     %" PRId64 " sessions in a month %.0f ms   %" PRId64
	       " sessions %.0f ms   ratio %.2f\n",
	       FLOOD_RULES, all, once_ms, 5 * all, more_ms, more_ms / once_ms);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	if (argc < 3) {
		fprintf(stderr, "usage: bench_judge FOLDER RULES [flood|memory]\n");
		return 2;
	}
	if (argc > 3 && strcmp(argv[3], "flood") == 0)
		return flood(argv[1]);
	return argc > 3 ? memory(argv[1], argv[2]) : cost(argv[1], argv[2]);
}
