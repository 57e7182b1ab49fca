/* Signed catalogs in the store: one content for a name, version and class; who wants and who has them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/gateway/store/wish_rig.h"

struct list {
	struct store_catalog rows[8];
	size_t count;
};

static int take(void *ctx, const struct store_catalog *catalog)
{
	struct list *l = ctx;

	l->rows[l->count++] = *catalog;
	return 0;
}

static void a_catalog_is_kept_as_it_came(void **state)
{
	struct fixture *f = *state;
	struct store_catalog read, want = rig_catalog(7, 8);
	struct store_deed deed;
	unsigned char *data;
	bool known = true;
	size_t len;

	assert_int_equal(rig_publish(f, 7, 8, 30000, &known, NULL), 0);
	assert_false(known);
	assert_int_equal(store_read_catalog(f->reader, "percussion", 8, GF_CLASS_CHAIR, &read, NULL), 0);
	assert_memory_equal(&read.digest, &want.digest, sizeof(read.digest));
	assert_string_equal(read.name, "percussion");
	assert_int_equal(read.class, GF_CLASS_CHAIR);
	assert_int_equal(read.size, 30000);
	assert_int_equal(read.created_ms, want.created_ms);
	assert_int_equal(read.expires_ms, want.expires_ms);
	assert_int_equal(read.rollback_floor, 3);
	assert_int_equal(read.signatures_count, 1);
	assert_memory_equal(&read.signatures, &want.signatures, sizeof(read.signatures));
	assert_int_equal(read.published_ms, NOON);
	assert_string_equal(read.published_by, rig_anna.who);
	assert_int_equal(store_read_catalog_bytes(f->reader, &want.digest, &data, &len, NULL), 0);
	assert_int_equal(len, 30000);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(data[i], 7);
	free(data);
	assert_int_equal(rig_deeds(f, "catalog publish", &deed), 1);
	assert_string_equal(deed.subject, "percussion@8");
	assert_string_equal(deed.actor.who, rig_anna.who);
	assert_string_equal(deed.actor.from, rig_anna.from);
	assert_non_null(strstr(deed.detail, "chair"));
	assert_int_equal(rig_events(f, STORE_EVENT_CATALOG, "percussion@8 for chair machines was published by anna"), 1);
}

static void the_same_again_is_fine_and_another_content_is_not(void **state)
{
	struct fixture *f = *state;
	struct gf_diag diag = {""};
	bool known = false;

	assert_int_equal(rig_publish(f, 7, 8, 10, &known, NULL), 0);
	assert_int_equal(rig_publish(f, 7, 8, 10, &known, NULL), 0);
	assert_true(known);
	assert_int_equal(rig_deeds(f, "catalog publish", NULL), 1);
	assert_int_equal(rig_publish(f, 9, 8, 10, &known, &diag), STORE_E_TAKEN);
	assert_non_null(strstr(diag.text, "percussion@8"));
	assert_non_null(strstr(diag.text, "07000000"));
	assert_non_null(strstr(diag.text, "higher version"));
	assert_int_equal(rig_publish(f, 9, 9, 10, &known, &diag), 0);
	assert_false(known);
}

static void each_class_has_its_own_of_a_name_and_version(void **state)
{
	struct fixture *f = *state;
	struct store_catalog roller = rig_catalog(9, 8), read;
	bool known;

	roller.class = GF_CLASS_ROLLER;
	assert_int_equal(rig_publish(f, 7, 8, 10, &known, NULL), 0);
	assert_int_equal(store_catalog_add(f->store, &roller, "other", 5, &rig_anna, NOON, &known, NULL), 0);
	assert_int_equal(store_read_catalog(f->reader, "percussion", 8, GF_CLASS_ROLLER, &read, NULL), 0);
	assert_int_equal(read.digest.bytes[0], 9);
	assert_int_equal(store_read_catalog(f->reader, "percussion", 8, GF_CLASS_CHAIR, &read, NULL), 0);
	assert_int_equal(read.digest.bytes[0], 7);
}

static void what_is_not_there_is_said_so(void **state)
{
	struct fixture *f = *state;
	struct store_catalog read = {.version = 77};
	struct gf_digest digest = rig_digest(1), none = rig_digest(0);
	struct gf_diag diag = {""};
	unsigned char *data = NULL;
	size_t len = 99;

	assert_int_equal(store_read_catalog(f->reader, "roll", 4, GF_CLASS_CHAIR, &read, &diag), -ENOENT);
	assert_non_null(strstr(diag.text, "roll@4"));
	assert_int_equal(read.version, 77);
	assert_int_equal(store_read_catalog_bytes(f->reader, &digest, &data, &len, &diag), -ENOENT);
	assert_int_equal(store_read_catalog_bytes(f->reader, &none, &data, &len, &diag), -ENOENT);
	assert_null(data);
	assert_int_equal(len, 99);
}

static void the_list_tells_who_wants_and_who_has_it(void **state)
{
	struct fixture *f = *state;
	struct gf_status st = birth(1, 1, 1);
	struct list list = {.count = 0};
	bool known;

	assert_int_equal(rig_publish(f, 7, 8, 10, &known, NULL), 0);
	assert_int_equal(rig_publish(f, 9, 9, 10, &known, NULL), 0);
	st.catalog_digest = rig_digest(7);
	send_status(f, "chair-1", st, false, NOON);
	send_status(f, "chair-2", st, false, NOON);
	rig_machine(f, "chair-3");
	rig_desire(f, "chair-1", 9, 9);
	assert_int_equal(store_read_catalogs(f->reader, take, &list, NULL), 0);
	assert_int_equal(list.count, 2);
	assert_int_equal(list.rows[0].version, 9);
	assert_int_equal(list.rows[0].wanted_by, 1);
	assert_int_equal(list.rows[0].on_machines, 0);
	assert_int_equal(list.rows[1].version, 8);
	assert_int_equal(list.rows[1].wanted_by, 0);
	assert_int_equal(list.rows[1].on_machines, 2);
}

struct retained {
	struct store_retained rows[4];
	size_t count;
};

static int take_retained(void *ctx, const struct store_retained *row)
{
	struct retained *r = ctx;

	r->rows[r->count++] = *row;
	return 0;
}

static struct retained read_retained(struct fixture *f)
{
	struct retained r = {.count = 0};

	assert_int_equal(store_read_retained(f->reader, take_retained, &r, NULL), 0);
	return r;
}

static void the_broker_is_to_have_what_is_wanted(void **state)
{
	struct fixture *f = *state;
	struct gf_digest seven = rig_digest(7);
	struct retained r;
	bool known;

	rig_machine(f, "chair-1");
	assert_int_equal(rig_publish(f, 7, 8, 20, &known, NULL), 0);
	assert_int_equal(read_retained(f).count, 0);
	rig_desire(f, "chair-1", 7, 8);
	r = read_retained(f);
	assert_int_equal(r.count, 1);
	assert_true(r.rows[0].wanted);
	assert_false(r.rows[0].on_broker);
	assert_int_equal(r.rows[0].size, 20);
	assert_int_equal(store_catalog_on_broker(f->store, &seven, true, NULL), 0);
	assert_true(read_retained(f).rows[0].on_broker);
	/* Nobody wants it any more: it is still there to be withdrawn. */
	rig_desire(f, "chair-1", 0, 0);
	r = read_retained(f);
	assert_int_equal(r.count, 1);
	assert_false(r.rows[0].wanted);
	assert_int_equal(store_catalog_on_broker(f->store, &seven, false, NULL), 0);
	assert_int_equal(read_retained(f).count, 0);
}

static void a_desired_catalog_that_was_never_published_here_needs_no_bytes(void **state)
{
	struct fixture *f = *state;

	rig_machine(f, "chair-1");
	rig_desire(f, "chair-1", 5, 4);
	assert_int_equal(read_retained(f).count, 0);
	assert_int_equal(rig_desired(f, "chair-1").desired.catalog.digest.bytes[0], 5);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_catalog_is_kept_as_it_came),
	    TEST(the_same_again_is_fine_and_another_content_is_not),
	    TEST(each_class_has_its_own_of_a_name_and_version),
	    TEST(what_is_not_there_is_said_so),
	    TEST(the_list_tells_who_wants_and_who_has_it),
	    TEST(the_broker_is_to_have_what_is_wanted),
	    TEST(a_desired_catalog_that_was_never_published_here_needs_no_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
