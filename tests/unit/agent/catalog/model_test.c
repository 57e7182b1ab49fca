/*
 * Random orders, bytes, sessions, crashes and time, against what must hold whatever happens. GF_SEED chooses the seed; a failure prints it.
 *
 * What must hold (I6): what is played is one of the good catalogs; over the air it came only when it was desired, and upwards or as far back
 * as the highest one allows; what was rolled back by itself never comes again; the disk never knows of less than was played. And at the
 * end of every storm the next good one is installed and confirmed.
 */
#include "tests/unit/agent/catalog/rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/file.h"

enum { CATALOGS = 24, REVISIONS_MAX = 4096, STORMS = 25, EVENTS = 250, FIRST = 10 };

/* What the model knows of a catalog. */
struct known {
	struct made made;
	uint64_t floor;
	bool good; /* enough signatures, this class, within the envelope, for this agent, never expires */
	bool rolled_back;
};

struct model {
	struct rig rig;
	struct gf_prng prng;
	uint64_t seed;
	struct known catalogs[CATALOGS];
	int desired[REVISIONS_MAX]; /* the catalog of each revision; -1: none */
	uint64_t revision;          /* the highest that was sent */
	uint64_t since;             /* the highest that the machine knew when it last changed over the air */
	/* The obvious part. */
	int highest, active, before; /* catalogs; before: what a trial goes back to */
	bool trial;
	size_t looked_at; /* of what was told as changed */
	bool dead;        /* the disk is: the agent ends soon */
	bool full;        /* or was, a moment ago */
};

static uint64_t below(struct model *m, uint64_t bound)
{
	return gf_prng_below(&m->prng, bound);
}

/* ---- the catalogs ---- */

static void make_catalogs(struct model *m)
{
	for (unsigned i = 0; i < CATALOGS; i++) {
		struct recipe recipe = {.version = 1 + below(m, 30), .salt = i, .routines = below(m, 4) == 0 ? 60 : 0};
		m->catalogs[i] = (struct known){.good = true};
		if (i == 0) { /* the file */
			recipe = (struct recipe){.version = FIRST};
		} else if (below(m, 3) == 0) {
			m->catalogs[i].good = false;
			switch (below(m, 5)) {
			case 0:
				recipe.signers = 1;
				break;
			case 1:
				recipe.signers = 1U << 5 | 1U << 6;
				break;
			case 2:
				recipe.class = GF_CLASS_ROLLER;
				break;
			case 3:
				recipe.min_agent = "7";
				break;
			default:
				recipe.pct = 29;
				break;
			}
		}
		if (below(m, 2) == 0 && recipe.version > 1)
			recipe.floor = recipe.version - below(m, recipe.version);
		m->catalogs[i].floor = recipe.floor;
		made_init(&m->catalogs[i].made, &recipe);
	}
}

static int index_of(const struct model *m, const struct gf_digest *digest)
{
	for (int i = 0; i < CATALOGS; i++) {
		if (gf_digest_equal(&m->catalogs[i].made.digest, digest))
			return i;
	}
	return -1;
}

/* ---- what must hold ---- */

/* That the storms are storms. */
static struct {
	unsigned installed, rolled_back, crashes;
} seen;

#define must(m, holds)                                                           \
	do {                                                                         \
		if (!(holds))                                                            \
			fail_msg("GF_SEED=%llu: %s", (unsigned long long)(m)->seed, #holds); \
	} while (0)

static uint64_t version_of(const struct model *m, int catalog)
{
	return m->catalogs[catalog].made.version;
}

static void check_over_the_air(struct model *m, int catalog)
{
	const struct known *k = &m->catalogs[catalog], *highest = &m->catalogs[m->highest];
	bool desired = false;
	must(m, k->good);
	must(m, !k->rolled_back);
	/* Another order may have come while the control core was about to take it. */
	for (uint64_t revision = m->since; revision <= update_revision(m->rig.update); revision++)
		desired |= revision > 0 && revision < REVISIONS_MAX && m->desired[revision] == catalog;
	must(m, desired);
	m->since = update_revision(m->rig.update);
	must(m, k->made.version > highest->made.version || catalog == m->highest ||
	            (highest->floor > 0 && k->made.version >= highest->floor));
}

static void look_at_changes(struct model *m)
{
	for (; m->looked_at < m->rig.changed_count; m->looked_at++) {
		const struct gf_catalog_changed *changed = &m->rig.changed[m->looked_at];
		const int catalog = index_of(m, &changed->digest);
		must(m, catalog >= 0);
		switch (changed->cause) {
		case GF_CATALOG_CAUSE_BY_HAND:
			must(m, catalog == 0 && m->looked_at == 0);
			break;
		case GF_CATALOG_CAUSE_OVER_THE_AIR:
			/* Told again when the agent ended before it had saved that it told. */
			if (catalog != m->active)
				check_over_the_air(m, catalog);
			seen.installed++;
			break;
		case GF_CATALOG_CAUSE_ROLLED_BACK:
			must(m, catalog == m->before || catalog == m->active || m->full);
			seen.rolled_back++;
			break;
		default:
			must(m, !"a cause that nobody gave");
		}
		if (catalog == m->active)
			continue;
		m->before = m->active;
		m->active = catalog;
		if (version_of(m, catalog) > version_of(m, m->highest))
			m->highest = catalog;
	}
	for (size_t i = 0; i < m->rig.applied_count; i++) {
		const struct gf_desired_applied *applied = &m->rig.applied[i];
		const int catalog = index_of(m, &applied->digest);
		if (applied->step == GF_DESIRED_STEP_ROLLED_BACK && applied->refusal != GF_REFUSAL_STORAGE && catalog >= 0)
			m->catalogs[catalog].rolled_back = true;
	}
	m->rig.applied_count = 0;
	if (m->rig.changed_count > RIG_TOLD_MAX / 2) {
		m->rig.changed_count = 0;
		m->looked_at = 0;
		m->rig.changed[m->rig.changed_count++] = (struct gf_catalog_changed){0};
		m->looked_at = 1;
	}
}

/* It may know of one that the control core never took: that counts too, as it was active by the state. */
static void check_disk(struct model *m)
{
	struct shelf_state state;
	char path[128], *data = NULL;
	size_t len = 0;
	snprintf(path, sizeof(path), "%s/catalog/state", m->rig.dir);
	if (gf_file_read(path, SHELF_STATE_MAX, &data, &len, NULL) != 0)
		return; /* not a single save went well yet */
	must(m, shelf_state_decode(data, len, &state, NULL) == 0);
	free(data);
	must(m, m->highest == 0 || state.highest_version >= version_of(m, m->highest));
	must(m, state.highest_version >= state.versions[state.active]);
	const int highest = index_of(m, &state.highest);
	must(m, highest >= 0 && m->catalogs[highest].good);
	if (version_of(m, highest) > version_of(m, m->highest))
		m->highest = highest;
}

static void check(struct model *m)
{
	const struct gf_digest digest = update_active_digest(m->rig.update);
	const int playing = index_of(m, &digest);
	must(m, playing >= 0 && m->catalogs[playing].good);
	must(m, rig_active(&m->rig) == version_of(m, playing));
	look_at_changes(m);
	if (!m->dead)
		check_disk(m);
}

/* ---- what happens ---- */

static void desire(struct model *m)
{
	struct rig *rig = &m->rig;
	if (m->revision + 1 >= REVISIONS_MAX)
		return;
	uint64_t revision = m->revision + 1;
	if (below(m, 4) == 0) /* an old one, replayed as it was */
		revision = 1 + below(m, m->revision + 1);
	if (revision > m->revision) {
		m->revision = revision;
		m->desired[revision] = below(m, 12) == 0 ? -1 : (int)below(m, CATALOGS);
	}
	const int catalog = m->desired[revision];
	if (catalog < 0)
		rig_desire_none(rig, revision);
	else
		rig_desire(rig, revision, &m->catalogs[catalog].made,
		           below(m, 2) == 0 ? 0 : (uint32_t)below(m, 30 * RIG_MINUTE));
}

static void deliver(struct model *m)
{
	struct rig *rig = &m->rig;
	const int asked = rig->fetching ? index_of(m, &rig->asked) : -1;
	if (asked < 0 || below(m, 6) == 0) {
		rig_deliver(rig, &m->catalogs[below(m, CATALOGS)].made);
		return;
	}
	struct made *made = &m->catalogs[asked].made;
	if (below(m, 4) > 0) {
		rig_deliver(rig, made);
		return;
	}
	unsigned char *copy = malloc(made->len);
	assert_non_null(copy);
	memcpy(copy, made->data, made->len);
	copy[below(m, made->len)] ^= (unsigned char)(1 + below(m, 255));
	rig_deliver_as(rig, &made->digest, copy, below(m, 3) == 0 ? below(m, made->len) : made->len);
	free(copy);
}

static void crash(struct model *m)
{
	seen.crashes++;
	rig_close(&m->rig);
	disk_revive(&m->prng);
	m->dead = false;
	m->rig.now.mono_ms += RIG_SECOND;
	must(m, rig_open(&m->rig) == 0);
	check(m);
}

static void session(struct model *m)
{
	struct rig *rig = &m->rig;
	if (rig->in_session)
		rig_rise(rig, (enum gf_outcome)(1 + below(m, GF_OUTCOME_COUNT - 1)));
	else
		rig_sit(rig);
}

static void trouble(struct model *m)
{
	static const enum disk_trouble troubles[] = {DISK_KILLED, DISK_POWER, DISK_FULL};
	const enum disk_trouble t = troubles[below(m, 3)];
	m->full |= t == DISK_FULL;
	disk_trouble(t, (int)below(m, 12), 1 + (int)below(m, 6));
	m->dead = t != DISK_FULL;
}

static void event(struct model *m)
{
	struct rig *rig = &m->rig;
	switch (below(m, 16)) {
	case 0:
	case 1:
	case 2:
		desire(m);
		break;
	case 3:
	case 4:
	case 5:
	case 6:
		deliver(m);
		break;
	case 7:
	case 8:
		session(m);
		break;
	case 9:
		rig_link(rig, below(m, 4) > 0);
		break;
	case 10:
		rig->stuck = below(m, 4) == 0;
		rig->full = below(m, 6) == 0;
		rig_run(rig);
		break;
	case 11:
		trouble(m);
		break;
	case 12:
		if (!m->dead)
			rig_restart(rig);
		break;
	case 13:
		crash(m);
		break;
	default:
		rig_pass(rig, (int64_t)below(m, 3 * RIG_MINUTE));
	}
}

/* The storm is over: the next good one is installed and stays. */
static void calm(struct model *m)
{
	struct rig *rig = &m->rig;
	struct made next;
	crash(m);
	rig->stuck = rig->full = false;
	if (rig->in_session)
		rig_rise(rig, GF_OUTCOME_COMPLETED);
	made_init(&next, &(struct recipe){.version = 1000});
	rig_pass(rig, UPDATE_TRIAL_MS + RIG_MINUTE);
	rig_desire(rig, REVISIONS_MAX, &next, 0);
	rig_pass(rig, UPDATE_TRIAL_MS / 2);
	rig_deliver(rig, &next);
	must(m, rig_active(rig) == 1000);
	rig_pass(rig, UPDATE_TRIAL_MS + RIG_SECOND);
	must(m, rig_last(rig)->step == GF_DESIRED_STEP_CONFIRMED && rig_last(rig)->revision == REVISIONS_MAX);
	made_deinit(&next);
}

static void storm(struct model *m, uint64_t seed)
{
	*m = (struct model){.seed = seed};
	gf_prng_seed(&m->prng, seed);
	rig_init(&m->rig, NULL);
	m->rig.config.judge.envelope.intensity_max_pct = 25;
	make_catalogs(m);
	rig_put_file(&m->rig, &m->catalogs[0].made);
	assert_int_equal(rig_open(&m->rig), 0);
	for (int i = 0; i < EVENTS; i++) {
		event(m);
		check(m);
		if (m->dead && disk_met())
			crash(m);
	}
	calm(m);
	rig_deinit(&m->rig);
	for (int i = 0; i < CATALOGS; i++)
		made_deinit(&m->catalogs[i].made);
}

static void i6_only_good_ones_are_ever_active_whatever_happens(void **state)
{
	static struct model m;
	const char *chosen = getenv("GF_SEED");
	(void)state;
	if (chosen != NULL) {
		storm(&m, strtoull(chosen, NULL, 10));
		return;
	}
	for (uint64_t seed = 1; seed <= STORMS; seed++)
		storm(&m, seed);
	print_message("%u installed, %u rolled back, %u crashes\n", seen.installed, seen.rolled_back, seen.crashes);
	assert_true(seen.installed > STORMS && seen.rolled_back > STORMS / 2 && seen.crashes > 10 * STORMS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(i6_only_good_ones_are_ever_active_whatever_happens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
