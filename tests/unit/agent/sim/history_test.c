/* The simulator's history, machine by machine on the real spool: reproducible to the byte, and true to the hour meters. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/sim/fleet.h"
#include "agent/sim/physics.h"
#include "agent/spool/spool.h"
#include "proto/catalog_yaml.h"
#include "proto/codec.h"

#define MONDAY_MS INT64_C(1767571200000) /* 2026-01-05T00:00:00Z */

enum {
	HOUR_MS = 3600 * 1000,
	MACHINES = 3,
	FILE_BYTES_MAX = 1 << 20,
	SEGMENT_HEADER = 32, /* magic and the stream's id, which is new each time */
};

/* A fleet in a folder of its own. */
struct world {
	char dir[64];
	struct scenario_machine machines[MACHINES];
	struct scenario scenario;
	struct fleet_config config;
};

/* What is shipped for each class. */
static struct gf_catalog catalogs[GF_CLASS_COUNT];
static struct gf_digest digests[GF_CLASS_COUNT];

static int load_catalogs(void **state)
{
	(void)state;
	for (int class = 1; class < GF_CLASS_COUNT; class ++) {
		struct gf_diag diag;
		if (gf_catalog_yaml_folder(GF_SOURCE_DIR "/config/routines", (enum gf_class) class,
		                           gf_class_name((enum gf_class) class), 1, &catalogs[class], &diag) != 0)
			return -1;
		digests[class].bytes[0] = (uint8_t) class;
	}
	return 0;
}

static int free_catalogs(void **state)
{
	(void)state;
	for (int class = 1; class < GF_CLASS_COUNT; class ++)
		gf_catalog_deinit(&catalogs[class]);
	return 0;
}

static void world_init(struct world *w, uint64_t seed)
{
	static const enum gf_class classes[MACHINES] = {GF_CLASS_PERCUSSION, GF_CLASS_CHAIR, GF_CLASS_WATER_BED};
	*w = (struct world){.dir = "/tmp/sim-history-XXXXXX"};
	assert_non_null(mkdtemp(w->dir));
	for (size_t i = 0; i < MACHINES; i++) {
		struct scenario_machine *m = &w->machines[i];
		snprintf(m->id, sizeof(m->id), "m-%zu", i);
		m->sim = (struct sim_config){.class = classes[i],
		                             .seed = seed + i,
		                             .ambient_c = 22,
		                             .busy = 0.6F,
		                             .faults_count = 1,
		                             .faults = {{GF_FAULT_ESTOP, 20}}};
	}
	w->scenario = (struct scenario){.count = MACHINES, .machines = w->machines};
	w->config =
	    (struct fleet_config){.scenario = &w->scenario, .catalogs = catalogs, .digests = digests, .state_dir = w->dir};
}

static void live(struct world *w, int64_t hours)
{
	struct gf_diag diag = {{0}};
	if (fleet_history(&w->config, MONDAY_MS, MONDAY_MS + hours * HOUR_MS, NULL, &diag) != 0)
		fail_msg("%s", diag.text);
}

static void remove_all(const char *dir)
{
	char path[512];
	DIR *d = opendir(dir);
	for (const struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		if (unlink(path) != 0)
			remove_all(path);
	}
	if (d != NULL)
		closedir(d);
	rmdir(dir);
}

/* ---- to the byte ---- */

static size_t read_whole(const char *path, unsigned char *buf)
{
	FILE *file = fopen(path, "rb");
	if (file == NULL)
		return 0;
	size_t len = fread(buf, 1, FILE_BYTES_MAX, file);
	fclose(file);
	return len;
}

/* The files of one machine in two worlds, but for the streams' ids. Returns how many bytes were compared, 0 when they differ. */
static size_t same_bytes(const struct world *a, const struct world *b, const char *file, size_t skip)
{
	static unsigned char left[FILE_BYTES_MAX], right[FILE_BYTES_MAX];
	char path[160];
	snprintf(path, sizeof(path), "%s/%s", a->dir, file);
	size_t len = read_whole(path, left);
	snprintf(path, sizeof(path), "%s/%s", b->dir, file);
	if (len <= skip || read_whole(path, right) != len || memcmp(left + skip, right + skip, len - skip) != 0)
		return 0;
	return len - skip;
}

static void the_same_seed_makes_the_same_bytes(void **state)
{
	(void)state;
	struct world a, b, other;
	world_init(&a, 50);
	world_init(&b, 50);
	world_init(&other, 60);
	live(&a, 24);
	live(&b, 24);
	live(&other, 24);
	for (size_t i = 0; i < MACHINES; i++) {
		char spool[64], journal[64];
		snprintf(spool, sizeof(spool), "m-%zu/spool/0000000001.seg", i);
		snprintf(journal, sizeof(journal), "m-%zu/hour-meter.journal", i);
		assert_true(same_bytes(&a, &b, spool, SEGMENT_HEADER) > 10000);
		assert_int_equal(same_bytes(&a, &b, journal, 0), 40);
		assert_int_equal(same_bytes(&a, &other, spool, SEGMENT_HEADER), 0);
		assert_int_equal(same_bytes(&a, &other, journal, 0), 0);
	}
	remove_all(a.dir);
	remove_all(b.dir);
	remove_all(other.dir);
}

/* ---- what the spools tell ---- */

struct told {
	uint64_t sessions, motor_ms, beats, raised[GF_FAULT_COUNT], cleared[GF_FAULT_COUNT];
	uint64_t first_wall_ms, last_wall_ms;
	struct gf_odometer odometer;
};

static void take(struct told *told, const struct gf_record *r)
{
	assert_true(r->clock_synced);
	assert_true(r->wall_ms >= told->last_wall_ms || r->kind == GF_RECORD_SESSION_ENDED);
	told->first_wall_ms = told->first_wall_ms == 0 ? r->wall_ms : told->first_wall_ms;
	told->last_wall_ms = r->wall_ms > told->last_wall_ms ? r->wall_ms : told->last_wall_ms;
	told->beats += r->kind == GF_RECORD_HEARTBEAT ? 1 : 0;
	if (r->kind == GF_RECORD_FAULT_RAISED)
		told->raised[r->fault_raised.code]++;
	if (r->kind == GF_RECORD_FAULT_CLEARED)
		told->cleared[r->fault_cleared.code]++;
	if (r->kind != GF_RECORD_SESSION_ENDED)
		return;
	assert_int_equal(r->session_ended.start.session_no, ++told->sessions);
	told->motor_ms += r->session_ended.motor_ms;
	told->odometer = r->session_ended.odometer;
	assert_int_equal(told->odometer.motor_ms, told->motor_ms);
}

static struct told read_spool(const struct world *w, size_t machine)
{
	struct told told = {0};
	struct spool *spool;
	struct gf_diag diag = {{0}};
	char dir[160];
	const struct spool_config config = {.dir = dir, .bytes_max = 64 << 20, .sync = false};
	snprintf(dir, sizeof(dir), "%s/%s/spool", w->dir, w->machines[machine].id);
	if (spool_open(&config, &spool, &diag) != 0)
		fail_msg("%s", diag.text);
	uint64_t through;
	for (uint64_t seq = 1; seq < spool_next_seq(spool); seq = through + 1) {
		struct gf_record record;
		const void *data;
		size_t len;
		assert_int_equal(spool_read(spool, seq, &data, &len, &through), 0);
		assert_int_equal(gf_record_decode(data, len, &record, NULL), 0);
		take(&told, &record);
	}
	spool_close(spool);
	return told;
}

static void count_progress(size_t done, size_t of)
{
	assert_int_equal(of, MACHINES);
	assert_in_range(done, 1, MACHINES);
}

static void i1_a_history_adds_up_to_its_hour_meters(void **state)
{
	(void)state;
	struct world w;
	struct fleet_totals totals;
	struct gf_diag diag = {{0}};
	uint64_t sessions = 0, motor_ms = 0;
	world_init(&w, 70);
	assert_int_equal(fleet_history(&w.config, MONDAY_MS, MONDAY_MS + 48 * HOUR_MS, count_progress, &diag), 0);
	for (size_t i = 0; i < MACHINES; i++) {
		struct told told = read_spool(&w, i);
		assert_true(told.sessions > 50);
		/* A heartbeat a minute; the clock of the records is that of the history. */
		assert_in_range(told.beats, 48 * 60 - 400, 48 * 60 + 1);
		assert_in_range(told.first_wall_ms - MONDAY_MS, 0, 60000);
		assert_in_range(told.last_wall_ms - MONDAY_MS, 48 * HOUR_MS - 120000, 48 * HOUR_MS + 10000);
		sessions += told.sessions;
		motor_ms += told.motor_ms;
	}
	assert_int_equal(fleet_totals(&w.config, &totals, &diag), 0);
	assert_int_equal(totals.machines, MACHINES);
	assert_int_equal(totals.sessions, sessions);
	assert_int_equal(totals.motor_ms, motor_ms);
	/* A machine that has lived is left as it is. */
	live(&w, 96);
	assert_int_equal(fleet_totals(&w.config, &totals, &diag), 0);
	assert_int_equal(totals.motor_ms, motor_ms);
	remove_all(w.dir);
}

/* Every fault that a class can be made to have comes by its rate, under its name, and goes again. */
static void every_fault_by_rate_leads_to_its_records(void **state)
{
	(void)state;
	for (int class = 1; class < GF_CLASS_COUNT; class ++) {
		for (int code = 1; code < GF_FAULT_COUNT; code++) {
			struct world w;
			if ((physics_faults((enum gf_class) class) & 1U << code) == 0)
				continue;
			world_init(&w, 80);
			w.scenario.count = 1;
			w.machines[0].sim.class = (enum gf_class) class;
			w.machines[0].sim.busy = 0.9F;
			w.machines[0].sim.faults[0] = (struct sim_fault){(enum gf_fault)code, 800};
			live(&w, 8);
			struct told told = read_spool(&w, 0);
			if (told.raised[code] == 0 || told.cleared[code] == 0)
				fail_msg("%s on a %s: raised %llu times, cleared %llu times", gf_fault_name((enum gf_fault)code),
				         gf_class_name((enum gf_class) class), (unsigned long long)told.raised[code],
				         (unsigned long long)told.cleared[code]);
			remove_all(w.dir);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_same_seed_makes_the_same_bytes),
	    cmocka_unit_test(i1_a_history_adds_up_to_its_hour_meters),
	    cmocka_unit_test(every_fault_by_rate_leads_to_its_records),
	};
	return cmocka_run_group_tests(tests, load_catalogs, free_catalogs);
}
