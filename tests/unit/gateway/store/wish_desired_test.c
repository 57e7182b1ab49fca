/* What is desired of machines: revisions only grow, above all that a machine has seen; what the broker has is known. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "proto/base/rand.h"
#include "tests/unit/gateway/store/wish_rig.h"

#define ID "chair-1"

static const bool yes = true, no = false;

static void a_machine_of_which_nothing_was_desired_has_revision_0(void **state)
{
	struct fixture *f = *state;
	struct store_desired d = {.key = 99};
	struct store_device device;

	assert_int_equal(store_read_desired_of(f->reader, ID, &d, NULL), -ENOENT);
	assert_int_equal(d.key, 99);
	rig_machine(f, ID);
	d = rig_desired(f, ID);
	assert_true(d.key > 0);
	assert_string_equal(d.device, ID);
	assert_int_equal(d.desired.revision, 0);
	assert_false(d.desired.has_catalog);
	device = get_device(f, ID, NOON);
	assert_int_equal(device.desired.revision, 0);
	assert_int_equal(device.answer.revision, 0);
	assert_true(device.desired.limits.heat_max_c == 0);
}

static void a_lock_keeps_its_reason_until_another_is_given(void **state)
{
	struct fixture *f = *state;

	rig_machine(f, ID);
	assert_int_equal(store_desired_set(f->store, ID, NULL, &yes, "wobbles", &rig_anna, NOON, NULL), 0);
	assert_int_equal(store_desired_set(f->store, ID, NULL, &yes, NULL, &rig_anna, NOON + 1, NULL), 0);
	assert_string_equal(rig_desired(f, ID).desired.lock_reason, "wobbles");
	assert_int_equal(store_desired_set(f->store, ID, NULL, &yes, "squeaks", &rig_anna, NOON + 2, NULL), 0);
	assert_string_equal(rig_desired(f, ID).desired.lock_reason, "squeaks");
	assert_int_equal(store_desired_set(f->store, ID, NULL, &yes, "", &rig_anna, NOON + 3, NULL), 0);
	assert_string_equal(rig_desired(f, ID).desired.lock_reason, "");
	/* That of an earlier lock is gone with it. */
	assert_int_equal(store_desired_set(f->store, ID, NULL, &yes, "wobbles", &rig_anna, NOON + 4, NULL), 0);
	assert_int_equal(store_desired_set(f->store, ID, NULL, &no, NULL, &rig_anna, NOON + 5, NULL), 0);
	assert_int_equal(store_desired_set(f->store, ID, NULL, &yes, NULL, &rig_anna, NOON + 6, NULL), 0);
	assert_true(rig_desired(f, ID).desired.locked);
	assert_string_equal(rig_desired(f, ID).desired.lock_reason, "");
}

static void every_change_is_a_new_revision_and_keeps_the_rest(void **state)
{
	struct fixture *f = *state;
	const struct gf_desired_limits limits = {.intensity_max_pct = 40,
	                                         .frequency_max_hz = 30,
	                                         .pressure_max_mmhg = 90,
	                                         .heat_max_c = 38,
	                                         .session_max_ms = 600000};
	struct store_desired d;
	struct store_device device;
	struct store_deed deed;

	rig_machine(f, ID);
	assert_int_equal(rig_desire(f, ID, 7, 8), 1);
	assert_int_equal(store_desired_set(f->store, ID, &limits, NULL, NULL, &rig_anna, NOON + 1, NULL), 0);
	assert_int_equal(store_desired_set(f->store, ID, NULL, &yes, "wobbles", &rig_anna, NOON + 2, NULL), 0);
	d = rig_desired(f, ID);
	assert_int_equal(d.desired.revision, 3);
	assert_int_equal(d.desired.issued_ms, NOON + 2);
	assert_true(d.desired.has_catalog);
	assert_string_equal(d.desired.catalog.name, "percussion");
	assert_int_equal(d.desired.catalog.version, 8);
	assert_int_equal(d.desired.catalog.size, 100);
	assert_int_equal(d.desired.catalog.within_ms, HOUR);
	assert_memory_equal(&d.desired.limits, &limits, sizeof(limits));
	assert_true(d.desired.locked);
	assert_string_equal(d.desired.lock_reason, "wobbles");
	device = get_device(f, ID, NOON);
	assert_memory_equal(&device.desired.limits, &limits, sizeof(limits));
	assert_int_equal(device.desired.revision, 3);
	assert_string_equal(device.desired.lock_reason, "wobbles");
	assert_int_equal(rig_deeds(f, "device lock", &deed), 1);
	assert_string_equal(deed.subject, ID);
	assert_string_equal(deed.detail, "wobbles");
	assert_int_equal(rig_deeds(f, "device limits", &deed), 1);
	assert_string_equal(deed.detail,
	                    "intensity at most 40 %, frequency at most 30 Hz, pressure at most 90 mmHg, heat at"
	                    " most 38 °C, sessions at most 600 s");
	assert_int_equal(rig_events(f, STORE_EVENT_DEVICE, "locked by anna (uid 1000): wobbles"), 1);

	assert_int_equal(store_desired_set(f->store, ID, NULL, &no, "ignored", &rig_anna, NOON + 3, NULL), 0);
	assert_int_equal(rig_desire(f, ID, 0, 0), 5);
	d = rig_desired(f, ID);
	assert_false(d.desired.locked);
	assert_string_equal(d.desired.lock_reason, "");
	assert_false(d.desired.has_catalog);
	assert_int_equal(d.desired.catalog.version, 0);
	assert_memory_equal(&d.desired.limits, &limits, sizeof(limits));
	assert_int_equal(rig_deeds(f, "device unlock", NULL), 1);
}

static void what_a_machine_would_refuse_is_refused(void **state)
{
	struct fixture *f = *state;
	const struct gf_desired_limits wrong = {.intensity_max_pct = 101}, nan = {.heat_max_c = NAN};
	struct gf_desired_catalog nameless = rig_wanted(7, 8), sizeless = rig_wanted(7, 8);
	struct gf_diag diag = {""};
	uint64_t revision = 77;

	rig_machine(f, ID);
	assert_int_equal(store_desired_set(f->store, ID, &wrong, NULL, NULL, &rig_anna, NOON, &diag), -EINVAL);
	assert_non_null(strstr(diag.text, "intensity_max_pct"));
	assert_int_equal(store_desired_set(f->store, ID, &nan, NULL, NULL, &rig_anna, NOON, &diag), -EINVAL);
	assert_int_equal(store_desired_set(f->store, ID, NULL, &yes, "a\nb", &rig_anna, NOON, &diag), -EINVAL);
	assert_int_equal(store_desired_set(f->store, "nobody", NULL, &yes, "", &rig_anna, NOON, &diag), -ENOENT);
	assert_non_null(strstr(diag.text, "nobody"));
	nameless.version = 0;
	sizeless.size = 0;
	assert_int_equal(store_begin(f->store, NULL), 0);
	assert_int_equal(store_desired_catalog(f->store, rig_desired(f, ID).key, &nameless, NOON, &revision, &diag),
	                 -EINVAL);
	store_rollback(f->store);
	assert_int_equal(store_begin(f->store, NULL), 0);
	assert_int_equal(store_desired_catalog(f->store, rig_desired(f, ID).key, &sizeless, NOON, &revision, &diag),
	                 -EINVAL);
	store_rollback(f->store);
	assert_int_equal(store_begin(f->store, NULL), 0);
	assert_int_equal(store_desired_catalog(f->store, 4711, NULL, NOON, &revision, &diag), -ENOENT);
	store_rollback(f->store);
	assert_int_equal(revision, 77);
	assert_int_equal(rig_desired(f, ID).desired.revision, 0);
	assert_int_equal(rig_deeds(f, "device limits", NULL) + rig_deeds(f, "device lock", NULL), 0);
}

static void a_revision_is_above_all_that_the_machine_has_seen(void **state)
{
	struct fixture *f = *state;
	struct gf_status st = birth(1, 1, 1);

	st.desired_revision = 41;
	send_status(f, ID, st, false, NOON);
	assert_int_equal(rig_desire(f, ID, 7, 8), 42);
	assert_int_equal(rig_desire(f, ID, 7, 8), 43);
	/* It lost its memory: what it hears is above all that was given anyway. */
	st.desired_revision = 0;
	st.connection = 2;
	send_status(f, ID, st, false, NOON);
	assert_int_equal(rig_desired(f, ID).desired.revision, 43);
	assert_int_equal(rig_desire(f, ID, 7, 8), 44);
}

/* The database was restored from a backup: what the machine has seen since is higher. */
static void what_is_desired_goes_out_again_above_another_databases(void **state)
{
	struct fixture *f = *state;
	struct gf_status st = birth(1, 2, 1);
	struct store_published published;
	uint64_t before;

	rig_machine(f, ID);
	rig_desire(f, ID, 7, 8);
	published = (struct store_published){rig_desired(f, ID).key, 1};
	assert_int_equal(store_desired_published(f->store, &published, 1, NULL), 0);
	before = store_wishes(f->store);
	st.desired_revision = 9;
	send_status(f, ID, st, false, NOON);
	assert_int_equal(rig_desired(f, ID).desired.revision, 10);
	assert_int_equal(rig_desired(f, ID).desired.catalog.version, 8);
	assert_int_equal(rig_desired(f, ID).published, 1);
	assert_true(store_wishes(f->store) > before);
	assert_int_equal(rig_events(f, STORE_EVENT_DEVICE, "revision 9"), 1);
	/* It heard that one: nothing happens. */
	st.desired_revision = 10;
	st.connection = 3;
	send_status(f, ID, st, false, NOON);
	assert_int_equal(rig_desired(f, ID).desired.revision, 10);
}

static void a_machine_that_claims_the_highest_revision_is_still_understood(void **state)
{
	struct fixture *f = *state;
	struct gf_status st = birth(1, 2, 1);

	rig_machine(f, ID);
	rig_desire(f, ID, 7, 8);
	st.desired_revision = (1ULL << 53) - 1;
	send_status(f, ID, st, false, NOON);
	assert_int_equal(rig_desired(f, ID).desired.revision, st.desired_revision);
	assert_int_equal(rig_desire(f, ID, 7, 8), st.desired_revision);
}

/* ---- what the broker has ---- */

struct keys {
	int64_t keys[64];
	uint64_t revisions[64];
	size_t count;
};

static int take(void *ctx, const struct store_desired *d)
{
	struct keys *k = ctx;

	k->keys[k->count] = d->key;
	k->revisions[k->count++] = d->desired.revision;
	return 0;
}

static struct keys read_keys(struct fixture *f, bool all, int64_t after, size_t limit)
{
	struct keys k = {.count = 0};

	assert_int_equal(store_read_desired(f->reader, all, after, limit, take, &k, NULL), 0);
	return k;
}

static void what_the_broker_does_not_have_is_read_in_pages(void **state)
{
	struct fixture *f = *state;
	struct store_published published;
	struct keys k;
	uint64_t before;

	for (char id[] = "chair-1"; id[6] <= '5'; id[6]++) {
		rig_machine(f, id);
		rig_desire(f, id, 7, 8);
	}
	k = read_keys(f, false, 0, 3);
	assert_int_equal(k.count, 3);
	k = read_keys(f, false, k.keys[2], 3);
	assert_int_equal(k.count, 2);
	published = (struct store_published){k.keys[0], k.revisions[0]};
	before = store_wishes(f->store);
	assert_int_equal(store_desired_published(f->store, &published, 1, NULL), 0);
	assert_int_equal(store_wishes(f->store), before);
	assert_int_equal(read_keys(f, false, 0, 9).count, 4);
	assert_int_equal(read_keys(f, true, 0, 9).count, 5);
	/* An older revision that was acked late takes nothing back. */
	published.revision = 0;
	assert_int_equal(store_desired_published(f->store, &published, 1, NULL), 0);
	assert_int_equal(read_keys(f, false, 0, 9).count, 4);
	assert_int_equal(store_desired_unpublished(f->store, NULL), 0);
	assert_int_equal(read_keys(f, false, 0, 9).count, 5);
}

static void a_change_that_is_not_committed_counts_for_nothing(void **state)
{
	struct fixture *f = *state;
	struct gf_desired_catalog wanted = rig_wanted(7, 8);
	uint64_t before, revision;

	rig_machine(f, ID);
	before = store_wishes(f->store);
	assert_int_equal(store_begin(f->store, NULL), 0);
	assert_int_equal(store_desired_catalog(f->store, rig_desired(f, ID).key, &wanted, NOON, &revision, NULL), 0);
	store_rollback(f->store);
	assert_int_equal(store_wishes(f->store), before);
	assert_int_equal(rig_desired(f, ID).desired.revision, 0);
	fixture_reopen(f);
	assert_int_equal(rig_desired(f, ID).desired.revision, 0);
	assert_int_equal(rig_desire(f, ID, 7, 8), 1);
	fixture_reopen(f);
	assert_int_equal(rig_desired(f, ID).desired.revision, 1);
}

/* ---- any order of changes, births, acks and losses, against a model of plain numbers ---- */

struct model {
	uint64_t revision, seen, published;
	uint8_t digest;
	bool locked;
};

static void model_turn(struct fixture *f, struct gf_prng *rand, struct model *m, uint64_t *connection)
{
	struct gf_status st = birth(1, 1, 1);
	struct store_published published = {rig_desired(f, ID).key, 0};
	uint64_t above = m->revision > m->seen ? m->revision : m->seen;

	switch (gf_prng_below(rand, 5)) {
	case 0:
		m->digest = (uint8_t)gf_prng_below(rand, 3);
		m->revision = rig_desire(f, ID, m->digest, 8);
		assert_int_equal(m->revision, above + 1);
		break;
	case 1:
		m->locked = gf_prng_below(rand, 2);
		assert_int_equal(store_desired_set(f->store, ID, NULL, &m->locked, "", &rig_anna, NOON, NULL), 0);
		m->revision = above + 1;
		break;
	case 2:
		st.connection = ++*connection;
		st.desired_revision = gf_prng_below(rand, m->revision + 4);
		send_status(f, ID, st, false, NOON);
		m->seen = st.desired_revision;
		if (m->revision && m->revision < m->seen)
			m->revision = m->seen + 1;
		break;
	case 3:
		published.revision = gf_prng_below(rand, m->revision + 1);
		assert_int_equal(store_desired_published(f->store, &published, 1, NULL), 0);
		if (published.revision > m->published)
			m->published = published.revision;
		break;
	default:
		assert_int_equal(store_desired_unpublished(f->store, NULL), 0);
		m->published = 0;
		break;
	}
}

static void any_order_of_changes_keeps_revisions_growing(void **state)
{
	struct fixture *f = *state;
	struct gf_prng rand;
	struct model m = {.revision = 0};
	uint64_t connection = 1;

	gf_prng_seed(&rand, 4711);
	rig_machine(f, ID);
	for (size_t turn = 0; turn < 400; turn++) {
		struct store_desired d;

		model_turn(f, &rand, &m, &connection);
		d = rig_desired(f, ID);
		assert_int_equal(d.desired.revision, m.revision);
		assert_int_equal(d.published, m.published);
		assert_int_equal(d.desired.locked, m.locked);
		assert_int_equal(d.desired.has_catalog, m.digest > 0);
		assert_int_equal(d.desired.catalog.digest.bytes[0], m.digest);
		assert_int_equal(read_keys(f, false, 0, 9).count, m.published < m.revision);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_machine_of_which_nothing_was_desired_has_revision_0),
	    TEST(a_lock_keeps_its_reason_until_another_is_given),
	    TEST(every_change_is_a_new_revision_and_keeps_the_rest),
	    TEST(what_a_machine_would_refuse_is_refused),
	    TEST(a_revision_is_above_all_that_the_machine_has_seen),
	    TEST(what_is_desired_goes_out_again_above_another_databases),
	    TEST(a_machine_that_claims_the_highest_revision_is_still_understood),
	    TEST(what_the_broker_does_not_have_is_read_in_pages),
	    TEST(a_change_that_is_not_committed_counts_for_nothing),
	    TEST(any_order_of_changes_keeps_revisions_growing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
