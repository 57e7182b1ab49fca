/*
 * Two people say the same of the same thing at the same moment, each with a command of his own: one is first, the other one is told who was; nothing is
 * done twice, and the audit log has each deed that was done.
 */
#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/integration/fleet.h"
#include "tests/integration/lab.h"

enum { SOON_MS = 30000, ROUNDS = 4, FLAGS = 4, PEOPLE = 2 };

/* What both did: with a word of each, by which they are told apart. */
struct both {
	char word[PEOPLE][32];
	int status[PEOPLE];
	char *said[PEOPLE];
};

/* The rules find the first session of the day too much already: so many flags, each locks the machine. */
static int setup(void **state)
{
	struct it_lab *lab = it_lab_open(state, "two-people");
	char rules[2048];
	size_t len = (size_t)snprintf(rules, sizeof(rules), "rules:\n");

	for (int i = 0; i < FLAGS; i++)
		len +=
		    (size_t)snprintf(rules + len, sizeof(rules) - len,
		                     "  - {id: often-%d, title: used at all, subject: device, metric: sessions, window: day, "
		                     "warn: 1, lock: warn, advice: This is a test.}\n",
		                     i);
	it_write(it_path(lab->w, "rules.yaml"), "%s", rules);
	json_decref(it_ask(lab->w, "rules", "reload"));
	it_machine_birth(lab->m, NULL);
	return 0;
}

/* Both at once. A '@' in an argument is the person's word. */
static struct both do_both(struct it_lab *lab, const char *what, int round, const char *const *args)
{
	const char *socket = it_path(lab->w, "gateway.sock");
	struct it_proc *proc[PEOPLE];
	struct both both = {.status = {0}};

	for (int i = 0; i < PEOPLE; i++) {
		const char *argv[IT_ARGS_MAX] = {it_program("gymfleet"), "--socket", socket, "-o", "table"};
		char name[64];
		size_t n = 5;

		(void)snprintf(both.word[i], sizeof(both.word[i]), "%s-%s-%d.", i == 0 ? "anna" : "ben", what, round);
		(void)snprintf(name, sizeof(name), "%s%s", both.word[i], "log");
		for (size_t k = 0; args[k] != NULL; k++)
			argv[n++] = strcmp(args[k], "@") == 0 ? both.word[i] : args[k];
		proc[i] = it_spawn_args(lab->w, name, argv);
	}
	for (int i = 0; i < PEOPLE; i++) {
		both.status[i] = it_wait(proc[i], SOON_MS);
		both.said[i] = it_read(it_log(proc[i]));
		assert_non_null(both.said[i]);
	}
	return both;
}

static void forget(struct both *both)
{
	for (int i = 0; i < PEOPLE; i++)
		free(both->said[i]);
}

static bool says(const struct both *both, int who, const char *words)
{
	return strstr(both->said[who], words) != NULL;
}

/* Who of them was told of what the other one said: the second. Fails unless it is exactly one. */
static int second_of(const struct both *both, const char *words)
{
	int second = says(both, 0, words) && says(both, 0, both->word[1]) ? 0 : 1;

	if (!says(both, second, words) || !says(both, second, both->word[!second]) ||
	    (says(both, !second, words) && says(both, !second, both->word[second])))
		fail_msg("nobody or both were told of the other:\n%s\n%s", both->said[0], both->said[1]);
	return second;
}

/* Who of them was refused. */
static int refused_of(const struct both *both)
{
	if (both->status[0] + both->status[1] != 1)
		fail_msg("%d: %s\n%d: %s", both->status[0], both->said[0], both->status[1], both->said[1]);
	return both->status[0] == 1 ? 0 : 1;
}

static size_t count_of(const json_t *answer, const char *key, const char *value, const char *words)
{
	size_t i, count = 0;
	const json_t *row;

	json_array_foreach(it_items(answer), i, row)
	{
		const json_t *data = json_object_get(row, key);
		char *text = json_dumps(row, JSON_COMPACT);

		count += json_is_string(data) && strcmp(json_string_value(data), value) == 0 && strstr(text, words) != NULL;
		free(text);
	}
	return count;
}

/* How many deeds of this kind have these words. */
static size_t deeds(struct it_lab *lab, const char *action, const char *words)
{
	json_t *log = it_ask(lab->w, "audit", "log", "--limit", "1000");
	size_t count = count_of(log, "action", action, words);

	json_decref(log);
	return count;
}

/* How many events of this kind have these words. */
static size_t events(struct it_lab *lab, const char *kind, const char *words)
{
	json_t *answer = it_ask(lab->w, "events", "--kind", kind, "--limit", "1000");
	size_t count = count_of(answer, "kind", kind, words);

	json_decref(answer);
	return count;
}

#define BOTH(lab, what, round, ...) do_both((lab), (what), (round), (const char *[]){__VA_ARGS__, NULL})

/* ---- flags ---- */

static size_t open_flags(struct it_lab *lab)
{
	json_t *answer = it_ask(lab->w, "overuse");
	size_t count = json_array_size(it_items(answer));

	json_decref(answer);
	return count;
}

static void flag_note_is(struct it_lab *lab, const char *number, const char *note)
{
	json_t *flag = it_ask(lab->w, "overuse", "show", number);

	assert_string_equal(json_string_value(json_object_get(flag, "ack_note")), note);
	json_decref(flag);
}

static void the_newest_word_on_a_flag_counts_and_one_lifts_its_lock(void **state)
{
	struct it_lab *lab = *state;
	struct gf_record session = it_session(lab->m, 1, 1, it_wall_ms() - IT_SESSION_MS);

	it_machine_report(lab->m, &session, 1);
	IT_UNTIL(SOON_MS, (it_client_turn(lab->m->client), open_flags(lab) == FLAGS));
	for (int round = 0; round < FLAGS; round++) {
		char number[16];
		(void)snprintf(number, sizeof(number), "%d", round + 1);
		struct both both = BOTH(lab, "ack", round, "overuse", "ack", number, "--release", "--note", "@");
		assert_int_equal(both.status[0] + both.status[1], 0);
		int second = second_of(&both, "before you it was acknowledged by ");
		assert_true(says(&both, second, "nothing was lifted"));
		assert_true(says(&both, !second, "What it held of the machine is lifted"));
		/* As long as others hold it. */
		assert_int_equal(says(&both, !second, "The machine is still locked: flag "), round + 1 < FLAGS);
		flag_note_is(lab, number, both.word[second]);
		assert_int_equal(deeds(lab, "overuse release", both.word[!second]), 1);
		assert_int_equal(deeds(lab, "overuse ack", both.word[second]), 1);
		assert_int_equal(
		    deeds(lab, "overuse ack", both.word[!second]) + deeds(lab, "overuse release", both.word[second]), 0);
		for (int i = 0; i < PEOPLE; i++)
			assert_int_equal(events(lab, "flag", both.word[i]), 1);
		forget(&both);
	}
	/* All are lifted, each once. */
	assert_int_equal(events(lab, "flag", "its hold is lifted"), FLAGS);
	assert_int_equal(events(lab, "device", "unlocked: nothing holds it any more"), 1);
	IT_UNTIL(SOON_MS, !it_machine_desired(lab->m).locked);
}

/* ---- faults ---- */

static void one_clears_a_fault_and_the_other_is_told_who_did(void **state)
{
	struct it_lab *lab = *state;

	IT_UNTIL(SOON_MS, events(lab, "presence", "online") == 1);
	for (int round = 0; round < ROUNDS; round++) {
		json_t *answer = it_ask(lab->w, "faults", "report", IT_CHAIR, "--text", "torn");
		char number[16];
		(void)snprintf(number, sizeof(number), "%d", (int)json_integer_value(json_object_get(answer, "id")));
		json_decref(answer);
		struct both both = BOTH(lab, "seen", round, "faults", "ack", number, "--note", "@");
		assert_int_equal(both.status[0] + both.status[1], 0);
		(void)second_of(&both, "before you it was acknowledged by ");
		for (int i = 0; i < PEOPLE; i++)
			assert_int_equal(deeds(lab, "fault ack", both.word[i]) + events(lab, "fault", both.word[i]), 2);
		forget(&both);

		both = BOTH(lab, "clear", round, "faults", "clear", number, "--note", "@");
		int refused = refused_of(&both);
		assert_true(says(&both, refused, "already, by "));
		assert_true(says(&both, refused, both.word[!refused]));
		assert_int_equal(deeds(lab, "fault clear", both.word[!refused]), 1);
		assert_int_equal(deeds(lab, "fault clear", both.word[refused]), 0);
		assert_int_equal(events(lab, "fault", both.word[!refused]), 1);
		assert_int_equal(events(lab, "fault", both.word[refused]), 0);
		forget(&both);
	}
}

/* ---- out of service ---- */

static void tag_reason_is(struct it_lab *lab, const char *reason)
{
	json_t *device = it_ask(lab->w, "device", "show", IT_CHAIR);
	const char *is = json_string_value(json_object_get(json_object_get(device, "tag"), "reason"));

	if (reason == NULL)
		assert_null(is);
	else
		assert_string_equal(is, reason);
	json_decref(device);
}

static void one_tag_hangs_and_one_takes_it_off(void **state)
{
	struct it_lab *lab = *state;

	IT_UNTIL(SOON_MS, events(lab, "presence", "online") == 1);
	for (int round = 0; round < ROUNDS; round++) {
		struct both both = BOTH(lab, "tag", round, "device", "tag", IT_CHAIR, "--reason", "@");
		assert_int_equal(both.status[0] + both.status[1], 0);
		int second = second_of(&both, "that is replaced");
		tag_reason_is(lab, both.word[second]);
		for (int i = 0; i < PEOPLE; i++)
			assert_int_equal(deeds(lab, "device tag", both.word[i]) + events(lab, "device", both.word[i]), 2);
		IT_UNTIL(SOON_MS, (it_client_turn(lab->m->client),
		                   strstr(it_machine_desired(lab->m).lock_reason, both.word[second]) != NULL));
		forget(&both);

		both = BOTH(lab, "untag", round, "device", "untag", IT_CHAIR);
		assert_true(says(&both, refused_of(&both), " took it off at "));
		forget(&both);
		tag_reason_is(lab, NULL);
		assert_int_equal(deeds(lab, "device untag", ""), round + 1);
		assert_int_equal(events(lab, "device", "back in service"), round + 1);
		IT_UNTIL(SOON_MS, !it_machine_desired(lab->m).locked);
	}
	assert_int_equal(events(lab, "device", "\"locked"), 0);
	assert_int_equal(events(lab, "device", "unlocked"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(the_newest_word_on_a_flag_counts_and_one_lifts_its_lock, setup,
	                                    it_lab_teardown),
	    cmocka_unit_test_setup_teardown(one_clears_a_fault_and_the_other_is_told_who_did, setup, it_lab_teardown),
	    cmocka_unit_test_setup_teardown(one_tag_hangs_and_one_takes_it_off, setup, it_lab_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
