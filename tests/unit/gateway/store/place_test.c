/* Machines that move: what they did stays where they did it, whenever it is told. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gateway/store/cases.h"
#include "gateway/store/sqlite/place.h"
#include "gateway/store/sqlite/schema.h"
#include "gateway/store/sqlite/writer.h"
#include "tests/unit/gateway/store/judging_rig.h"

enum { STEPS = 400, WORDS_MAX = STEPS + 1 };

static void move(struct fixture *f, const char *site, int64_t since_ms, int64_t now_ms)
{
	const struct store_device_change change = {.site = site, .site_since_ms = since_ms};

	assert_int_equal(store_device_set(f->store, ID, &change, &anna, now_ms, NULL), 0);
}

static struct gf_status birth_at(const char *site, uint64_t boot, uint64_t uptime_ms)
{
	struct gf_status st = birth(boot, 1, 1);

	st.uptime_ms = uptime_ms;
	gf_strcpy(st.location.site, sizeof(st.location.site), site);
	return st;
}

/* One that began 30 min before. */
static struct gf_record ended(uint64_t no, int64_t ended_ms)
{
	struct gf_record r = session_of(no, ended_ms, 7, 8);

	r.session_ended.started_wall_ms = (uint64_t)(ended_ms - 30 * MINUTE);
	r.session_ended.duration_ms = 30 * MINUTE;
	r.session_ended.paused_ms = 0;
	return r;
}

/* Where it was, by what the store's queries ask. */
static void was_at(struct fixture *f, int64_t at_ms, const char *site)
{
	struct query q;
	char text[GF_NAME_MAX] = "";
	int rc;

	query_begin(&q, &f->store->db, "SELECT " PLACE_SITE("1", "?1"));
	query_i64(&q, at_ms);
	rc = query_step(&q);
	assert_int_equal(rc, QUERY_ROW);
	col_text(&q, text, sizeof(text));
	assert_int_equal(query_end(&q, rc, NULL), 0);
	if (strcmp(text, site) != 0)
		fail_msg("at %+lld min it was at '%s', not at '%s'", (long long)((at_ms - NOON) / MINUTE), text, site);
}

/* From the beginning to the end of time, without a gap, no two alike side by side. */
static void places_are_whole(struct fixture *f)
{
	assert_int_equal(number_of(f, "SELECT count(*) FROM places WHERE from_ms = -9223372036854775808"), 1);
	assert_int_equal(number_of(f, "SELECT count(*) FROM places WHERE until_ms = 9223372036854775807"), 1);
	assert_int_equal(number_of(f, "SELECT count(*) FROM places a WHERE until_ms < 9223372036854775807 AND NOT EXISTS"
	                              " (SELECT 1 FROM places b WHERE b.device = a.device AND b.from_ms = a.until_ms)"),
	                 0);
	assert_int_equal(number_of(f, "SELECT count(*) FROM places a JOIN places b ON b.device = a.device AND"
	                              " b.from_ms = a.until_ms WHERE a.site = b.site"),
	                 0);
	assert_int_equal(number_of(f, "SELECT count(*) FROM places p JOIN devices d USING (device) WHERE p.until_ms ="
	                              " 9223372036854775807 AND p.site <> coalesce(d.site_set, d.site)"),
	                 0);
}

/* ---- where it was ---- */

static void a_machine_leaves_its_past_where_it_was(void **state)
{
	struct fixture *f = *state;

	send_status(f, ID, birth_at("berlin", 1, 0), false, NOON);
	move(f, "hamburg", 0, NOON + HOUR);
	was_at(f, 0, "berlin");
	was_at(f, NOON + HOUR - 1, "berlin");
	was_at(f, NOON + HOUR, "hamburg");
	/* To the same site it doesn't move. */
	move(f, "hamburg", 0, NOON + 2 * HOUR);
	assert_int_equal(number_of(f, "SELECT count(*) FROM places"), 2);
	/* Back to what it says of itself. */
	move(f, "", 0, NOON + 3 * HOUR);
	was_at(f, NOON + 3 * HOUR, "berlin");
	places_are_whole(f);
}

static void a_person_may_say_since_when(void **state)
{
	struct fixture *f = *state;
	send_status(f, ID, birth_at("berlin", 1, 0), false, NOON);
	move(f, "hamburg", NOON - DAY, NOON + HOUR);
	was_at(f, NOON - DAY - 1, "berlin");
	was_at(f, NOON - DAY, "hamburg");
	/* A newer word goes before what was said of the time after it; an earlier since moves the same move. */
	move(f, "paris", NOON - 2 * DAY, NOON + 2 * HOUR);
	was_at(f, NOON - 2 * DAY - 1, "berlin");
	was_at(f, NOON - DAY, "paris");
	assert_int_equal(number_of(f, "SELECT count(*) FROM places"), 2);
	move(f, "paris", NOON - 3 * DAY, NOON + 3 * HOUR);
	was_at(f, NOON - 3 * DAY, "paris");
	/* It never left. */
	move(f, "berlin", NOON - 3 * DAY, NOON + 4 * HOUR);
	assert_int_equal(number_of(f, "SELECT count(*) FROM places"), 1);
	/* Nothing is known of the time to come. */
	move(f, "hamburg", NOON + DAY, NOON + 5 * HOUR);
	was_at(f, NOON + 5 * HOUR, "hamburg");
	places_are_whole(f);
}

static void a_machines_word_is_as_old_as_its_start(void **state)
{
	struct fixture *f = *state;

	send_status(f, ID, birth_at("berlin", 1, 0), false, NOON);
	/* Offline it was carried to Hamburg and started there two hours before it was heard. */
	send_status(f, ID, birth_at("hamburg", 2, 2 * HOUR), false, NOON + 5 * HOUR);
	was_at(f, NOON + 3 * HOUR - 1, "berlin");
	was_at(f, NOON + 3 * HOUR, "hamburg");
	/* A person's word goes before the machine's. */
	move(f, "paris", 0, NOON + 6 * HOUR);
	send_status(f, ID, birth_at("rome", 3, 0), false, NOON + 7 * HOUR);
	was_at(f, NOON + 8 * HOUR, "paris");
	/* Taken back: it is where it says from then on, and what it says anew isn't of before. */
	move(f, "", 0, NOON + 8 * HOUR);
	was_at(f, NOON + 8 * HOUR - 1, "paris");
	was_at(f, NOON + 8 * HOUR, "rome");
	send_status(f, ID, birth_at("berlin", 4, 9 * HOUR), false, NOON + 10 * HOUR);
	was_at(f, NOON + 8 * HOUR - 1, "paris");
	was_at(f, NOON + 8 * HOUR, "berlin");
	places_are_whole(f);
}

static void where_it_is_first_known_to_be_it_has_always_been(void **state)
{
	struct fixture *f = *state;
	struct gf_record r = ended(1, NOON);
	struct store_unsettled rows[8];
	size_t count;

	look_at_all(f);
	send_report(f, ID, 1, &r, 1, NOON);
	was_at(f, NOON, "");
	settle_all(f, NOON + HOUR, INT64_MAX);
	send_status(f, ID, birth_at("berlin", 1, 0), false, NOON + HOUR);
	was_at(f, NOON - DAY, "berlin");
	places_are_whole(f);
	/* What it told before is of that site, too: who is judged by it is judged again. */
	count = waiting(f, NOON + HOUR, rows, 8);
	assert_int_equal(count, 4);
	for (size_t i = 0; i < count; i++)
		assert_true(rows[i].settled_ms <= NOON);
}

/* All words as they were said, and for a moment the newest of those that speak of it: slow, and obvious. */
static void any_words_give_the_places_they_say(void **state)
{
	static const char *const sites[] = {"berlin", "hamburg", "paris"};
	struct fixture *f = *state;
	struct {
		int64_t since_ms;
		const char *site;
	} words[WORDS_MAX] = {{INT64_MIN, "berlin"}};
	uint64_t seed = 0x9e3779b97f4a7c15;
	size_t count = 1;

	send_status(f, ID, birth_at("berlin", 1, 0), false, NOON);
	for (int64_t step = 1; step <= STEPS; step++) {
		int64_t now_ms = NOON + step * HOUR;

		seed = seed * 6364136223846793005u + 1442695040888963407u;
		words[count].site = sites[(seed >> 33) % 3];
		words[count].since_ms = (seed >> 40) % 3 ? now_ms - (int64_t)((seed >> 45) % 100) * HOUR : now_ms;
		move(f, words[count].site, words[count].since_ms, now_ms);
		count++;
		if (step % 20 != 0)
			continue;
		places_are_whole(f);
		for (int64_t at_ms = NOON - 100 * HOUR; at_ms <= now_ms; at_ms += 30 * MINUTE) {
			size_t i = count - 1;

			while (words[i].since_ms > at_ms)
				i--;
			was_at(f, at_ms, words[i].site);
		}
	}
}

/* The oldest are forgotten: before, it was always at the oldest that is known. */
static void i8_a_machine_that_moves_all_the_time_fills_nothing(void **state)
{
	struct fixture *f = *state;

	send_status(f, ID, birth_at("berlin", 1, 0), false, NOON);
	for (int64_t i = 1; i <= 300; i++)
		move(f, i % 2 ? "hamburg" : "paris", 0, NOON + i * HOUR);
	assert_int_equal(number_of(f, "SELECT count(*) FROM places"), 256);
	places_are_whole(f);
	was_at(f, NOON, "hamburg");
	was_at(f, NOON + 46 * HOUR, "paris");
}

/* ---- what it did ---- */

struct usage {
	const char *site;
	struct store_usage found;
};

static int take_usage(void *ctx, const struct store_usage *u)
{
	struct usage *usage = ctx;

	if (strcmp(u->key, usage->site) == 0)
		usage->found = *u;
	return 0;
}

static uint64_t used(struct fixture *f, const char *site, int64_t since_ms, int64_t until_ms)
{
	struct usage usage = {.site = site};

	assert_int_equal(store_read_usage(f->reader, STORE_USAGE_SITE, since_ms, until_ms, 0, take_usage, &usage, NULL), 0);
	assert_int_equal(usage.found.running_ms, usage.found.sessions * 30 * MINUTE);
	assert_int_equal(usage.found.completed, usage.found.sessions);
	return usage.found.sessions;
}

static int take_session(void *ctx, const struct store_session *s)
{
	char *sites = ctx;

	strcat(strcat(sites, s->site), " ");
	return 0;
}

static int take_hour(void *ctx, const struct store_hour *h)
{
	char *sites = ctx;

	strcat(strcat(sites, h->site), " ");
	return 0;
}

/* Five sessions: three in the hour of the move, of which one began before it; one before, one after. */
static void use_belongs_to_the_site_where_it_was(void **state)
{
	struct fixture *f = *state;
	struct gf_record rs[] = {ended(1, NOON - HOUR), ended(2, NOON + 35 * MINUTE), ended(3, NOON + 45 * MINUTE),
	                         ended(4, NOON + 80 * MINUTE), ended(5, NOON + 5 * HOUR)};
	const struct store_session_query query = {.device = ID};
	char sites[128] = "";

	send_status(f, ID, birth_at("berlin", 1, 0), false, NOON - DAY);
	move(f, "hamburg", 0, NOON + 10 * MINUTE);
	/* All of it is told later. */
	send_report(f, ID, 1, rs, 5, NOON + DAY);
	assert_int_equal(used(f, "berlin", 0, 0), 2);
	assert_int_equal(used(f, "hamburg", 0, 0), 3);
	/* Only a part of the hour, and with more parts of hours around it. */
	assert_int_equal(used(f, "berlin", NOON + MINUTE, NOON + 20 * MINUTE), 1);
	assert_int_equal(used(f, "hamburg", NOON + MINUTE, NOON + 20 * MINUTE), 1);
	assert_int_equal(used(f, "berlin", NOON - 2 * HOUR + MINUTE, NOON + 4 * HOUR + MINUTE), 2);
	assert_int_equal(used(f, "hamburg", NOON - 2 * HOUR + MINUTE, NOON + 4 * HOUR + MINUTE), 2);
	assert_int_equal(store_read_sessions(f->reader, &query, take_session, sites, NULL), 0);
	assert_string_equal(sites, "hamburg hamburg hamburg berlin berlin ");
	/* An hour is of the site where the machine was when it began. */
	sites[0] = '\0';
	assert_int_equal(store_read_hours(f->reader, ID, 0, 0, take_hour, sites, NULL), 0);
	assert_string_equal(sites, "berlin berlin hamburg hamburg ");
	/* It was there since the day before. */
	move(f, "hamburg", NOON - DAY, NOON + DAY);
	assert_int_equal(used(f, "hamburg", 0, 0), 5);
	assert_int_equal(used(f, "berlin", 0, 0), 0);
}

static int take_stay(void *ctx, const struct store_stay *s)
{
	char *stays = ctx;

	snprintf(stays + strlen(stays), 256 - strlen(stays), "%s %+lld..%+lld ", s->site,
	         (long long)((s->from_ms - NOON) / HOUR),
	         s->until_ms == INT64_MAX ? 99LL : (long long)((s->until_ms - NOON) / HOUR));
	return 0;
}

static void it_stays_from_when_it_was_first_seen_or_used(void **state)
{
	struct fixture *f = *state;
	struct gf_record r = ended(1, NOON - 3 * HOUR + 30 * MINUTE);
	char stays[256] = "";

	send_status(f, ID, birth_at("berlin", 1, 0), false, NOON);
	move(f, "hamburg", 0, NOON + 4 * HOUR);
	assert_int_equal(store_read_stays(f->reader, take_stay, stays, NULL), 0);
	assert_string_equal(stays, "berlin +0..+4 hamburg +4..+99 ");
	send_report(f, ID, 1, &r, 1, NOON + DAY);
	stays[0] = '\0';
	assert_int_equal(store_read_stays(f->reader, take_stay, stays, NULL), 0);
	assert_string_equal(stays, "berlin -3..+4 hamburg +4..+99 ");
	/* It was always there as far as anybody knows. */
	move(f, "hamburg", NOON - 9 * HOUR, NOON + 5 * HOUR);
	stays[0] = '\0';
	assert_int_equal(store_read_stays(f->reader, take_stay, stays, NULL), 0);
	assert_string_equal(stays, "hamburg -3..+99 ");
}

static int take_case(void *ctx, const struct store_case *c)
{
	return take_session(ctx, &(struct store_session){.site = {c->site[0]}});
}

/* Somebody has to go where the machine is; what is over is told of where it was. */
static void a_fault_is_where_the_machine_is_until_it_is_over(void **state)
{
	struct fixture *f = *state;
	struct gf_record rs[] = {fault(1, 1, GF_FAULT_STALL, GF_SEVERITY_STOP, NOON),
	                         record(2, GF_RECORD_FAULT_CLEARED, NOON + HOUR)};
	const struct store_case_query query = {.device = ID};
	char sites[64] = "";

	rs[1].fault_cleared.fault_no = 1;
	rs[1].fault_cleared.code = GF_FAULT_STALL;
	send_status(f, ID, birth_at("berlin", 1, 0), false, NOON - DAY);
	send_report(f, ID, 1, rs, 1, NOON);
	move(f, "hamburg", 0, NOON + 10 * MINUTE);
	assert_int_equal(store_read_cases(f->reader, &query, take_case, sites, NULL), 0);
	assert_string_equal(sites, "h ");
	send_report(f, ID, 1, rs + 1, 1, NOON + HOUR);
	sites[0] = '\0';
	assert_int_equal(store_read_cases(f->reader, &query, take_case, sites, NULL), 0);
	assert_string_equal(sites, "b ");
}

/* ---- who is judged again ---- */

struct facts {
	char text[128];
};

static int take_fact(void *ctx, const struct store_fact *fact)
{
	struct facts *facts = ctx;

	snprintf(facts->text + strlen(facts->text), sizeof(facts->text) - strlen(facts->text), "%d %s ",
	         (int)fact->fact.kind, fact->site);
	return 0;
}

static int64_t site_key(struct fixture *f, const char *site)
{
	struct query q;
	int64_t key = 0;

	query_begin(&q, &f->store->db,
	            "INSERT INTO sites (name) VALUES (?) ON CONFLICT DO UPDATE SET name = name RETURNING site");
	query_text(&q, site);
	assert_int_equal(query_value(&q, 0, &key, NULL), 0);
	return key;
}

static void has_facts(struct fixture *f, enum rule_subject kind, const char *site, const char *expected)
{
	struct store_subject subject = {kind, 1};
	struct facts facts = {""};

	assert_int_equal(store_begin(f->store, NULL), 0);
	if (site)
		subject.key = site_key(f, site);
	assert_int_equal(store_judge_facts(f->store, &subject, UINT32_MAX, NOON - DAY, INT64_MAX, take_fact, &facts, NULL),
	                 0);
	store_rollback(f->store);
	assert_string_equal(facts.text, expected);
}

static void a_site_has_what_happened_while_the_machine_was_there(void **state)
{
	struct fixture *f = *state;
	struct gf_record rs[] = {ended(1, NOON), fault(2, 1, GF_FAULT_STALL, GF_SEVERITY_STOP, NOON + HOUR),
	                         ended(3, NOON + 2 * HOUR), heartbeat(4, NOON + 4 * HOUR, 40),
	                         fault(5, 2, GF_FAULT_LEAK, GF_SEVERITY_STOP, NOON + 5 * HOUR)};

	send_status(f, ID, birth_at("berlin", 1, 0), false, NOON - DAY);
	move(f, "hamburg", 0, NOON + 2 * HOUR);
	move(f, "berlin", 0, NOON + 5 * HOUR);
	/* Told when it is back; a fact is of the moment at which it counts, to the millisecond. */
	send_report(f, ID, 1, rs, 5, NOON + 6 * HOUR);
	has_facts(f, RULE_SUBJECT_SITE, "berlin", "0 berlin 2 berlin 2 berlin ");
	has_facts(f, RULE_SUBJECT_SITE, "hamburg", "0 hamburg 1 hamburg ");
	has_facts(f, RULE_SUBJECT_DEVICE, NULL, "0 hamburg 0 berlin 1 hamburg 2 berlin 2 berlin ");
}

static int64_t settled(const struct store_unsettled *rows, size_t count, enum rule_subject kind, const char *site)
{
	for (size_t i = 0; i < count; i++)
		if (rows[i].subject.kind == kind && (site == NULL || strcmp(rows[i].site, site) == 0))
			return (rows[i].settled_ms - NOON) / HOUR;
	return 9999;
}

static void a_move_unsettles_all_from_it_on(void **state)
{
	struct fixture *f = *state;
	struct gf_record rs[] = {ended(1, NOON), ended(2, NOON + 3 * HOUR), ended(3, NOON - HOUR)};
	struct store_unsettled rows[8];
	size_t count;

	look_at_all(f);
	rs[2].session_ended.start.subject_token = 9;
	send_status(f, ID, birth_at("berlin", 1, 0), false, NOON - DAY);
	send_report(f, ID, 1, rs, 3, NOON + 4 * HOUR);
	settle_all(f, NOON + 4 * HOUR, INT64_MAX);
	/* What is to come is another's; nobody has used it since. */
	move(f, "hamburg", 0, NOON + 5 * HOUR);
	count = waiting(f, NOON + 6 * HOUR, rows, 8);
	assert_int_equal(count, 3);
	assert_int_equal(settled(rows, count, RULE_SUBJECT_DEVICE, NULL), 4);
	assert_int_equal(settled(rows, count, RULE_SUBJECT_SITE, "berlin"), 4);
	assert_int_equal(settled(rows, count, RULE_SUBJECT_SITE, "hamburg"), 5);
	/* It was there since before the second session: that person's day was another. */
	settle_all(f, NOON + 6 * HOUR, INT64_MAX);
	move(f, "hamburg", NOON + HOUR, NOON + 7 * HOUR);
	count = waiting(f, NOON + 8 * HOUR, rows, 8);
	assert_int_equal(count, 5);
	assert_int_equal(settled(rows, count, RULE_SUBJECT_DEVICE, NULL), 1);
	assert_int_equal(settled(rows, count, RULE_SUBJECT_SITE, "berlin"), 1);
	assert_int_equal(settled(rows, count, RULE_SUBJECT_SITE, "hamburg"), 1);
	assert_int_equal(settled(rows, count, RULE_SUBJECT_PERSON, NULL), 3);
	assert_int_equal(settled(rows, count, RULE_SUBJECT_STAFF, NULL), 3);
	/* What comes late is of the site where it was: nobody else's. */
	settle_all(f, NOON + 8 * HOUR, INT64_MAX);
	rs[0] = fault(4, 1, GF_FAULT_STALL, GF_SEVERITY_STOP, NOON);
	send_report(f, ID, 1, rs, 1, NOON + 9 * HOUR);
	count = waiting(f, NOON + 10 * HOUR, rows, 8);
	assert_int_equal(settled(rows, count, RULE_SUBJECT_SITE, "berlin"), 0);
	assert_int_equal(settled(rows, count, RULE_SUBJECT_SITE, "hamburg"), 9999);
}

/* ---- older databases ---- */

static void machines_of_before_have_always_been_where_they_are(void **state)
{
	struct fixture *f = *state;
	struct gf_record r = ended(2, NOON + 2 * HOUR);
	struct db old;

	fixture_close(f);
	assert_int_equal(unlink(f->path), 0);
	assert_int_equal(db_open(&old, f->path, DB_WRITER, 1, NULL), 0);
	assert_int_equal(schema_migrate(&old, 11, NULL), 0);
	assert_int_equal(
	    db_exec(&old,
	            "INSERT INTO devices (id, first_seen_ms, last_seen_ms, born, site, site_set) VALUES"
	            " ('chair-1', 1, 2, 1, 'factory', 'berlin'), ('chair-2', 1, 2, 1, 'paris', NULL),"
	            " ('chair-3', 1, 2, 0, '', NULL);"
	            "INSERT INTO sessions (device, session_no, stream, seq, routine, catalog, catalog_version, planned_s,"
	            " subject_token, outcome, started_ms, time_source, ended_ms, duration_ms) VALUES"
	            " (1, 1, 1, 1, 'r', 'c', 1, 60, 7, 1, 1795172400000, 0, 1795174200000, 1800000);"
	            "INSERT INTO hours VALUES (1795172400000, 1, 1, 1, 1800000, 0, 1800000, 0)",
	            NULL),
	    0);
	db_close(&old);
	fixture_reopen(f);
	assert_int_equal(number_of(f, "SELECT count(*) FROM places"), 3);
	assert_int_equal(number_of(f, "SELECT count(*) FROM places WHERE site = 'paris' AND device = 2"), 1);
	was_at(f, 0, "berlin");
	assert_int_equal(used(f, "berlin", 0, 0), 1);
	/* And they go on as all do. */
	move(f, "hamburg", 0, NOON + HOUR);
	r.seq = 1;
	send_report(f, ID, 1, &r, 1, NOON + 2 * HOUR);
	assert_int_equal(used(f, "berlin", 0, 0), 1);
	assert_int_equal(used(f, "hamburg", 0, 0), 1);
	send_status(f, "chair-4", birth_at("rome", 1, 0), false, NOON);
	assert_int_equal(number_of(f, "SELECT count(*) FROM places WHERE site = 'rome' AND device = 4"), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_machine_leaves_its_past_where_it_was),
	    TEST(a_person_may_say_since_when),
	    TEST(a_machines_word_is_as_old_as_its_start),
	    TEST(where_it_is_first_known_to_be_it_has_always_been),
	    TEST(any_words_give_the_places_they_say),
	    TEST(i8_a_machine_that_moves_all_the_time_fills_nothing),
	    TEST(use_belongs_to_the_site_where_it_was),
	    TEST(it_stays_from_when_it_was_first_seen_or_used),
	    TEST(a_fault_is_where_the_machine_is_until_it_is_over),
	    TEST(a_site_has_what_happened_while_the_machine_was_there),
	    TEST(a_move_unsettles_all_from_it_on),
	    TEST(machines_of_before_have_always_been_where_they_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
