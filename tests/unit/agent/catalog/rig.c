#include "tests/unit/agent/catalog/rig.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/file.h"

enum { TITLE_PAD = 120 }; /* so that 64 routines take several parts */

/* ---- catalogs ---- */

void rig_seed(unsigned n, uint8_t seed[static GF_SEED_LEN])
{
	memset(seed, (int)(0x40 + n), GF_SEED_LEN);
}

void rig_key(unsigned n, uint8_t key[static GF_KEY_LEN])
{
	uint8_t seed[GF_SEED_LEN];
	rig_seed(n, seed);
	assert_int_equal(gf_key_public(seed, key), 0);
}

void rig_keyset(unsigned bits, uint32_t threshold, struct gf_keyset *ret_keys)
{
	*ret_keys = (struct gf_keyset){0};
	for (unsigned n = 0; n < GF_KEYS_MAX; n++) {
		if ((bits & 1U << n) != 0)
			rig_key(n, ret_keys->keys[ret_keys->count++]);
	}
	ret_keys->threshold = threshold > 0 ? threshold : (uint32_t)ret_keys->count;
}

static void fill_routine(struct gf_routine *routine, size_t index, const struct recipe *recipe,
                         struct gf_step steps[static 3])
{
	static const enum gf_area areas[] = {GF_AREA_CALVES, GF_AREA_QUADS, GF_AREA_HAMSTRINGS};
	snprintf(routine->id, sizeof(routine->id), "routine_%zu", index);
	snprintf(routine->title, sizeof(routine->title), "Routine %zu of %u%*s", index, recipe->salt, TITLE_PAD, ".");
	routine->classes = 1U << GF_CLASS_CHAIR | 1U << GF_CLASS_ROLLER;
	routine->steps_count = 3;
	routine->steps = steps;
	for (size_t i = 0; i < 3; i++) {
		steps[i] = (struct gf_step){.area = areas[i],
		                            .side = GF_SIDE_LEFT,
		                            .technique = recipe->hz > 0 ? GF_TECHNIQUE_DRUM : GF_TECHNIQUE_STROKE,
		                            .duration_ms = 30000,
		                            .from_pct = recipe->pct > 0 ? recipe->pct : 20,
		                            .to_pct = recipe->pct > 0 ? recipe->pct : 20,
		                            .from_hz = recipe->hz,
		                            .to_hz = recipe->hz};
	}
}

void made_init(struct made *made, const struct recipe *recipe)
{
	const size_t count = recipe->routines > 0 ? recipe->routines : 1;
	struct gf_routine *routines = calloc(count, sizeof(*routines));
	struct gf_step(*steps)[3] = calloc(count, sizeof(*steps));
	struct gf_sealed sealed = {0};
	struct gf_catalog catalog = {.class = recipe->class != 0 ? recipe->class : GF_CLASS_CHAIR,
	                             .version = recipe->version,
	                             .created_ms = RIG_TODAY / 2,
	                             .expires_ms = recipe->expires_ms,
	                             .rollback_floor = recipe->floor,
	                             .routines_count = count,
	                             .routines = routines};
	assert_non_null(routines);
	assert_non_null(steps);
	snprintf(catalog.name, sizeof(catalog.name), "legs");
	snprintf(catalog.min_agent, sizeof(catalog.min_agent), "%s", recipe->min_agent != NULL ? recipe->min_agent : "");
	if (recipe->next != 0)
		rig_keyset(recipe->next, 0, &catalog.next_keys);
	for (size_t i = 0; i < count; i++)
		fill_routine(&routines[i], i, recipe, steps[i]);
	assert_int_equal(gf_manifest_encode(&catalog, &sealed.manifest, &sealed.manifest_len), 0);
	for (unsigned n = 0; n < 8; n++) {
		uint8_t seed[GF_SEED_LEN];
		rig_seed(n, seed);
		if (((recipe->signers != 0 ? recipe->signers : 3U) & 1U << n) != 0)
			assert_int_equal(gf_sign(&sealed, seed), 0);
	}
	*made = (struct made){.version = recipe->version};
	assert_int_equal(gf_seal(&sealed, &made->data, &made->len), 0);
	gf_digest_of(made->data, made->len, &made->digest);
	gf_sealed_deinit(&sealed);
	free(routines);
	free(steps);
}

void made_deinit(struct made *made)
{
	free(made->data);
	*made = (struct made){0};
}

/* ---- what the update asks for ---- */

static int on_fetch(void *ctx, const struct gf_digest *digest)
{
	struct rig *rig = ctx;
	if (rig->refuse_fetch)
		return -EAGAIN;
	rig->fetching = true;
	rig->asked = *digest;
	rig->fetches++;
	return 0;
}

static void on_fetch_end(void *ctx, const struct gf_digest *digest)
{
	struct rig *rig = ctx;
	assert_true(gf_digest_equal(digest, &rig->asked));
	rig->fetching = false;
	rig->fetch_ends++;
}

static int on_use(void *ctx, const struct gf_catalog *catalog)
{
	struct rig *rig = ctx;
	if (rig->full)
		return -EAGAIN;
	rig->given = catalog;
	rig->given_count++;
	return 0;
}

static void on_applied(void *ctx, const struct gf_desired_applied *applied)
{
	struct rig *rig = ctx;
	assert_true(rig->applied_count < RIG_TOLD_MAX);
	rig->applied[rig->applied_count++] = *applied;
}

static void on_changed(void *ctx, const struct gf_catalog_changed *changed)
{
	struct rig *rig = ctx;
	assert_true(rig->changed_count < RIG_TOLD_MAX);
	rig->changed[rig->changed_count++] = *changed;
}

/* ---- a machine ---- */

void rig_init(struct rig *rig, const struct recipe *by_hand)
{
	struct made made;
	*rig = (struct rig){.dir = "/tmp/gymfleet-catalog-XXXXXX"};
	disk_trouble(DISK_FINE, -1, 0);
	assert_non_null(mkdtemp(rig->dir));
	snprintf(rig->file, sizeof(rig->file), "%s/by-hand.catalog", rig->dir);
	if (by_hand != NULL) {
		made_init(&made, by_hand);
		rig_put_file(rig, &made);
		made_deinit(&made);
	}
	rig->config = (struct update_config){.state_dir = rig->dir, .catalog_file = rig->file, .sync = true};
	rig->config.judge.class = GF_CLASS_CHAIR;
	rig->config.judge.agent_version = "1.2.3";
	control_envelope_defaults(GF_CLASS_CHAIR, &rig->config.judge.envelope);
	rig_keyset((1U << RIG_KEYS) - 1, RIG_THRESHOLD, &rig->config.judge.keys);
	rig->now = (struct gf_time){.mono_ms = 1000, .wall_ms = RIG_TODAY, .synced = true};
}

void rig_put_file(struct rig *rig, const struct made *made)
{
	assert_int_equal(gf_file_replace(rig->file, made->data, made->len, 0644, NULL), 0);
}

void rig_close(struct rig *rig)
{
	update_free(rig->update);
	rig->update = NULL;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void rig_deinit(struct rig *rig)
{
	rig_close(rig);
	disk_trouble(DISK_FINE, -1, 0);
	assert_int_equal(nftw(rig->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static int open_machine(struct rig *rig, bool in_use)
{
	const struct update_ops ops = {.fetch = on_fetch,
	                               .fetch_end = on_fetch_end,
	                               .use = on_use,
	                               .applied = on_applied,
	                               .changed = on_changed,
	                               .ctx = rig};
	rig->fetching = rig->in_session = false;
	rig->given = rig->playing = NULL;
	rig->due_ms = 0;
	const int r = update_open(&rig->config, &ops, rig->now, &rig->update, &rig->playing, &rig->diag);
	if (r != 0)
		return r;
	rig->opened = rig->playing->version;
	rig->link_up = true;
	update_link(rig->update, true, rig->now);
	if (in_use) {
		rig->in_session = true;
		update_session_started(rig->update);
	}
	rig_run(rig);
	return 0;
}

int rig_open(struct rig *rig)
{
	return open_machine(rig, false);
}

int rig_open_in_use(struct rig *rig)
{
	return open_machine(rig, true);
}

void rig_restart(struct rig *rig)
{
	update_stop(rig->update);
	rig_close(rig);
	rig->now.mono_ms += RIG_SECOND;
	assert_int_equal(rig_open(rig), 0);
}

int rig_crash(struct rig *rig)
{
	rig_close(rig);
	rig->now.mono_ms += RIG_SECOND;
	return rig_open(rig);
}

static bool switch_if_idle(struct rig *rig)
{
	if (rig->given == NULL || rig->in_session || rig->stuck)
		return false;
	rig->playing = rig->given;
	rig->given = NULL;
	update_switched(rig->update, rig->playing, rig->now);
	return true;
}

void rig_run(struct rig *rig)
{
	do
		rig->due_ms = update_step(rig->update, rig->now);
	while (switch_if_idle(rig));
	assert_true(rig->due_ms > rig->now.mono_ms);
	assert_ptr_equal(rig->playing, update_active(rig->update));
}

void rig_pass(struct rig *rig, int64_t ms)
{
	const int64_t end = rig->now.mono_ms + ms;
	while (rig->now.mono_ms < end) {
		const int64_t from = rig->now.mono_ms;
		int64_t to = rig->due_ms < end ? rig->due_ms : end;
		if (to <= from)
			to = from + 1;
		rig->now.mono_ms = to;
		rig->now.wall_ms += to - from;
		rig_run(rig);
	}
}

void rig_link(struct rig *rig, bool up)
{
	rig->link_up = up;
	rig->fetching = false;
	update_link(rig->update, up, rig->now);
	rig_run(rig);
}

void rig_sit(struct rig *rig)
{
	rig->in_session = true;
	update_session_started(rig->update);
	rig_run(rig);
}

void rig_rise(struct rig *rig, enum gf_outcome outcome)
{
	rig->in_session = false;
	update_session_ended(rig->update, outcome, rig->now);
	rig_run(rig);
}

void rig_session(struct rig *rig, enum gf_outcome outcome)
{
	rig_sit(rig);
	rig_pass(rig, RIG_SECOND);
	rig_rise(rig, outcome);
}

/* ---- the gateway ---- */

bool rig_desire(struct rig *rig, uint64_t revision, const struct made *made, uint32_t within_ms)
{
	struct gf_desired desired = {.revision = revision, .has_catalog = true};
	desired.catalog = (struct gf_desired_catalog){.name = "legs",
	                                              .version = made->version,
	                                              .digest = made->digest,
	                                              .size = (uint32_t)made->len,
	                                              .within_ms = within_ms};
	const bool news = update_desired(rig->update, &desired, rig->now);
	rig_run(rig);
	return news;
}

bool rig_desire_none(struct rig *rig, uint64_t revision)
{
	const bool news = update_desired(rig->update, &(struct gf_desired){.revision = revision}, rig->now);
	rig_run(rig);
	return news;
}

void rig_deliver_as(struct rig *rig, const struct gf_digest *digest, const void *data, size_t len)
{
	const unsigned char *bytes = data;
	const size_t parts = gf_catalog_parts(len);
	if (parts == 0)
		update_part(rig->update, digest, GF_TOPIC_CATALOG_WHOLE, data, len, rig->now);
	for (size_t i = 0; i < parts; i++) {
		const size_t at = i * GF_CATALOG_PART_MAX, left = len - at;
		update_part(rig->update, digest, (int)i, bytes + at, left < GF_CATALOG_PART_MAX ? left : GF_CATALOG_PART_MAX,
		            rig->now);
	}
	rig_run(rig);
}

void rig_deliver(struct rig *rig, const struct made *made)
{
	rig_deliver_as(rig, &made->digest, made->data, made->len);
}

void rig_install(struct rig *rig, uint64_t revision, const struct made *made)
{
	assert_true(rig_desire(rig, revision, made, 0));
	rig_deliver(rig, made);
	rig_assert_answer(rig, revision, GF_DESIRED_STEP_ACTIVE, GF_REFUSAL_UNSPECIFIED);
	assert_int_equal(rig_active(rig), made->version);
}

void rig_confirm(struct rig *rig)
{
	rig_pass(rig, UPDATE_TRIAL_MS + RIG_SECOND);
	assert_false(update_on_trial(rig->update));
}

/* ---- looking ---- */

uint64_t rig_active(const struct rig *rig)
{
	return rig->playing->version;
}

const struct gf_desired_applied *rig_last(const struct rig *rig)
{
	assert_true(rig->applied_count > 0);
	return &rig->applied[rig->applied_count - 1];
}

void rig_assert_answer(const struct rig *rig, uint64_t revision, enum gf_desired_step step, enum gf_refusal refusal)
{
	const struct gf_desired_applied *last = rig_last(rig);
	if (last->step != step || last->refusal != refusal)
		print_error("%s %s: %s\n", gf_desired_step_name(last->step), gf_refusal_name(last->refusal), last->detail);
	assert_int_equal(last->revision, revision);
	assert_string_equal(gf_desired_step_name(last->step), gf_desired_step_name(step));
	assert_string_equal(gf_refusal_name(last->refusal), gf_refusal_name(refusal));
	assert_true((refusal != GF_REFUSAL_UNSPECIFIED) == (last->detail[0] != '\0'));
}

size_t rig_count(const struct rig *rig, uint64_t revision, enum gf_desired_step step)
{
	size_t count = 0;
	for (size_t i = 0; i < rig->applied_count; i++)
		count += rig->applied[i].revision == revision && rig->applied[i].step == step;
	return count;
}

static const struct recipe by_hand = {.version = 5};

int rig_setup(void **state)
{
	static struct rig rig;
	rig_init(&rig, &by_hand);
	*state = &rig;
	return 0;
}

int rig_teardown(void **state)
{
	rig_deinit(*state);
	return 0;
}

int lab_setup(void **state)
{
	static struct lab lab;
	rig_init(&lab.rig, &by_hand);
	made_init(&lab.five, &by_hand);
	made_init(&lab.six, &(struct recipe){.version = 6});
	made_init(&lab.seven, &(struct recipe){.version = 7});
	*state = &lab;
	return rig_open(&lab.rig);
}

int lab_teardown(void **state)
{
	struct lab *lab = *state;
	rig_deinit(&lab->rig);
	made_deinit(&lab->five);
	made_deinit(&lab->six);
	made_deinit(&lab->seven);
	return 0;
}
