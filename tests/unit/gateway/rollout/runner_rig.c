#include "tests/unit/gateway/rollout/runner_rig.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct store_actor anna = {"anna (uid 1000)", "unix socket"};

/* ---- what the API lends: 'site=NAME', or everybody ---- */

unsigned rig_looks;

static int compile(const void *ctx, const char *where, int64_t now_ms, void **ret_selector, struct gf_diag *diag)
{
	(void)ctx;
	(void)now_ms;
	rig_looks++;
	if (where[0] != '\0' && strncmp(where, "site=", 5) != 0) {
		gf_diag_set(diag, "column 1: no such field");
		return -EINVAL;
	}
	*ret_selector = strdup(where[0] ? where + 5 : "");
	return 0;
}

static bool match(void *selector, const struct store_device *device, int64_t now_ms)
{
	(void)now_ms;
	return *(char *)selector == '\0' || strcmp(selector, device->location.site) == 0;
}

static const struct runner_select_ops select_ops = {compile, match, free};

static void wake(void *ctx)
{
	atomic_fetch_add(&((struct rig *)ctx)->wakes, 1);
}

/* ---- rig ---- */

struct gf_digest digest(unsigned version)
{
	struct gf_digest d;

	memset(d.bytes, (int)version, sizeof(d.bytes));
	return d;
}

static void open_runner(struct rig *g)
{
	const struct runner_config config = {.store = g->f->store,
	                                     .database = g->f->path,
	                                     .zones = g->zones,
	                                     .select = &select_ops,
	                                     .wake = wake,
	                                     .wake_ctx = g};

	assert_int_equal(runner_new(&config, &g->runner, NULL), 0);
}

/* As after kill -9: what wasn't committed is gone. */
void reborn(struct rig *g)
{
	runner_free(g->runner);
	fixture_reopen(g->f);
	open_runner(g);
}

void publish(struct rig *g, unsigned version, uint64_t floor)
{
	struct store_catalog c = {.digest = digest(version),
	                          .name = "gym",
	                          .class = GF_CLASS_CHAIR,
	                          .version = version,
	                          .size = 3,
	                          .rollback_floor = floor};
	bool known;

	assert_int_equal(store_catalog_add(g->f->store, &c, "abc", 3, &anna, g->now.wall_ms, &known, NULL), 0);
}

void say_hello(struct rig *g, struct machine *m, const char *site)
{
	struct gf_status st = birth(1, 1, 1);

	gf_strcpy(st.location.site, sizeof(st.location.site), site);
	gf_strcpy(st.catalog, sizeof(st.catalog), "gym");
	st.catalog_version = m->plays;
	st.catalog_digest = digest(m->plays);
	send_status(g->f, m->id, st, false, g->now.wall_ms);
}

struct machine *add_machine(struct rig *g)
{
	struct machine *m = &g->machines[g->count];

	*m = (struct machine){.plays = OLD, .seq = 1};
	snprintf(m->id, sizeof(m->id), "chair-%02zu", g->count++);
	say_hello(g, m, "berlin");
	return m;
}

int rig_setup(void **state)
{
	struct rig *g = calloc(1, sizeof(*g));

	fixture_setup((void **)&g->f);
	g->now = (struct gf_time){.mono_ms = 1000, .wall_ms = NOON, .synced = true};
	g->commits_until_death = -1;
	assert_int_equal(zones_new("Europe/Berlin", &g->zones, NULL), 0);
	open_runner(g);
	publish(g, OLD, 0);
	publish(g, NEW, OLD);
	for (size_t i = 0; i < MACHINES; i++)
		add_machine(g);
	*state = g;
	return 0;
}

int rig_teardown(void **state)
{
	struct rig *g = *state;

	runner_free(g->runner);
	zones_free(g->zones);
	fixture_teardown((void **)&g->f);
	free(g);
	return 0;
}

struct rollout_spec spec(void)
{
	struct rollout_spec s = {.catalog = "gym",
	                         .version = NEW,
	                         .waves_count = 3,
	                         .waves = {{1, false}, {25, true}, {100, true}},
	                         .soak_ms = 10 * MINUTE,
	                         .deadline_ms = 2 * HOUR,
	                         .max_failures_ppm = 100000};

	return s;
}

uint64_t start(struct rig *g, const struct rollout_spec *s)
{
	struct gf_diag diag = {""};
	size_t machines = 0;
	uint64_t id = 0;

	if (runner_start(g->runner, s, &anna, g->now, &id, &machines, &diag))
		fail_msg("%s", diag.text);
	assert_true(machines > 0);
	return id;
}

static void report(struct rig *g, struct machine *m, const struct gf_desired *d, enum gf_desired_step step)
{
	struct gf_record rs[2] = {record(m->seq, GF_RECORD_CATALOG_CHANGED, g->now.wall_ms),
	                          record(m->seq + 1, GF_RECORD_DESIRED_APPLIED, g->now.wall_ms)};
	struct gf_catalog_changed *c = &rs[0].catalog_changed;
	struct gf_desired_applied *a = &rs[1].desired_applied;
	bool changed = step == GF_DESIRED_STEP_CONFIRMED && m->plays != d->catalog.version;

	*a = (struct gf_desired_applied){
	    .revision = d->revision, .step = step, .version = d->catalog.version, .digest = d->catalog.digest};
	gf_strcpy(a->catalog, sizeof(a->catalog), d->catalog.name);
	if (step == GF_DESIRED_STEP_REFUSED) {
		a->refusal = GF_REFUSAL_ENVELOPE;
		gf_strcpy(a->detail, sizeof(a->detail), "step 3 needs 40 Hz, this machine has 30");
	}
	*c = (struct gf_catalog_changed){.catalog = "gym",
	                                 .version = d->catalog.version,
	                                 .previous_version = m->plays,
	                                 .cause = GF_CATALOG_CAUSE_OVER_THE_AIR,
	                                 .digest = d->catalog.digest};
	if (changed) {
		m->plays = (unsigned)d->catalog.version;
		send_report(g->f, m->id, 1, rs, 2, g->now.wall_ms);
		m->seq += 2;
	} else {
		rs[1].seq = m->seq++;
		send_report(g->f, m->id, 1, &rs[1], 1, g->now.wall_ms);
	}
}

/* Each machine reads its desired state as the broker would have it, and answers once. */
void machines_act(struct rig *g)
{
	for (size_t i = 0; i < g->count; i++) {
		struct machine *m = &g->machines[i];
		struct store_desired d;

		if (m->offline || store_read_desired_of(g->f->reader, m->id, &d, NULL) || d.desired.revision <= m->revision)
			continue;
		m->revision = d.desired.revision;
		if (!d.desired.has_catalog)
			continue;
		m->told++;
		m->told_new += d.desired.catalog.version == NEW;
		if (!m->silent)
			report(g, m, &d.desired, m->refuses ? GF_DESIRED_STEP_REFUSED : GF_DESIRED_STEP_CONFIRMED);
	}
}

void pass(struct rig *g, int64_t ms)
{
	g->now.mono_ms += ms;
	g->now.wall_ms += ms;
}

struct store_rollout get(struct rig *g, uint64_t id)
{
	struct store_rollout s;
	struct gf_diag diag = {""};

	if (store_read_rollout(g->f->reader, id, &s, &diag))
		fail_msg("%s", diag.text);
	return s;
}

void run(struct rig *g, int64_t span_ms)
{
	for (int64_t until_ms = g->now.wall_ms + span_ms; g->now.wall_ms < until_ms; pass(g, 30000)) {
		runner_step(g->runner, g->now);
		machines_act(g);
	}
}

void run_to_end(struct rig *g, uint64_t id, int64_t most_ms)
{
	int64_t until_ms = g->now.wall_ms + most_ms;

	while (!rollout_state_ends(get(g, id).rollout.state)) {
		assert_true(g->now.wall_ms < until_ms);
		run(g, MINUTE);
	}
}

static struct rollout_device find_device;
static const char *wanted;
static int take_device(void *ctx, const struct rollout_device *d)
{
	(void)ctx;
	if (strcmp(d->id, wanted) == 0)
		find_device = *d;
	return 0;
}

struct rollout_device device_of(struct rig *g, uint64_t id, const struct machine *m)
{
	wanted = m->id;
	find_device = (struct rollout_device){.key = 0};
	assert_int_equal(store_read_rollout_devices(g->f->reader, id, 0, NULL, 0, take_device, NULL, NULL), 0);
	assert_string_equal(find_device.id, m->id);
	return find_device;
}
