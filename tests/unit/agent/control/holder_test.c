/* Who of the staff holds a hand-held machine: from which turn of the key, for how long, and over a restart. */
#include "agent/control/holder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "agent/control/panel.h"
#include "tests/unit/agent/control/rig.h"

enum { TICK_MS = 20, MINUTE_MS = 60 * 1000, ANNA = 1001, BEN, MEMBER, OTHER };

static struct rig rig;

static void open_as(enum gf_class class, const struct control_memory *memory, uint32_t off_ms)
{
	struct control_config config = {.class = class, .hand_held = control_hand_held(class, 0)};
	struct control_resume resume = {.next_fault_no = 1, .off_ms = off_ms};
	config.catalog = rig_catalog(class);
	control_envelope_defaults(class, &config.envelope);
	if (memory != NULL)
		resume.memory = *memory;
	rig.tick_ms = TICK_MS;
	rig_open_with(&rig, &config, &resume);
}

/* The token in the reader while the key is turned; then both are taken away. */
static void staff_comes(uint64_t token)
{
	rig.input.panel.subject_token = token;
	rig_press(&rig, &rig.input.panel.staff_key);
	rig.input.panel.subject_token = 0;
	rig_tick(&rig);
}

/* A short session with this token in the reader: its end. */
static const struct gf_session_started *treat(uint64_t token)
{
	rig_forget(&rig);
	rig.input.panel.subject_token = token;
	rig_start(&rig, RIG_SHORT);
	assert_true(control_in_session(rig.control));
	rig_run(&rig, 8000);
	rig.input.panel.subject_token = 0;
	assert_false(control_in_session(rig.control));
	const struct gf_session_started *start = &rig_event(&rig, CONTROL_EVENT_SESSION_STARTED, 0)->session_started;
	assert_int_equal(start->subject_token, rig_ended(&rig)->start.subject_token);
	assert_int_equal(start->staff_token, rig_ended(&rig)->start.staff_token);
	return &rig_ended(&rig)->start;
}

static void expect(const struct gf_session_started *start, uint64_t staff, uint64_t subject)
{
	assert_int_equal(start->staff_token, staff);
	assert_int_equal(start->subject_token, subject);
}

static void the_token_at_the_turn_is_the_staff_s_and_the_next_one_the_subject_s(void **state)
{
	(void)state;
	open_as(GF_CLASS_PERCUSSION, NULL, 0);
	expect(treat(MEMBER), 0, MEMBER);
	staff_comes(ANNA);
	expect(treat(MEMBER), ANNA, MEMBER);
	expect(treat(0), ANNA, 0);
	expect(treat(OTHER), ANNA, OTHER);
	/* Their own token, left in the reader, is no member's. */
	expect(treat(ANNA), ANNA, 0);
	rig_close(&rig);
}

static void each_turn_says_anew_who_holds_it(void **state)
{
	(void)state;
	open_as(GF_CLASS_PERCUSSION, NULL, 0);
	staff_comes(ANNA);
	staff_comes(BEN);
	expect(treat(ANNA), BEN, ANNA);
	staff_comes(0);
	expect(treat(BEN), 0, BEN);
	rig_close(&rig);
}

static void nobody_holds_it_a_quarter_of_an_hour_later(void **state)
{
	(void)state;
	open_as(GF_CLASS_PERCUSSION, NULL, 0);
	staff_comes(ANNA);
	for (int i = 0; i < 3; i++) {
		rig_run(&rig, HOLDER_IDLE_MS - 10000);
		expect(treat(MEMBER), ANNA, MEMBER); /* each session begins the time anew */
	}
	rig_run(&rig, HOLDER_IDLE_MS);
	expect(treat(ANNA), 0, ANNA);
	rig_close(&rig);
}

static void a_key_in_the_lock_is_no_turn(void **state)
{
	(void)state;
	/* In from the first reading, with a member's token beside it. */
	struct panel panel = {0};
	const struct driver_panel now = {.staff_key = true, .subject_token = MEMBER};
	for (int i = 0; i < 10; i++)
		assert_false(panel_step(&panel, &now, TICK_MS).staff_turned);
	/* And one that stays in is turned once. */
	struct driver_panel later = {0};
	(void)panel_step(&panel, &later, TICK_MS);
	(void)panel_step(&panel, &later, PANEL_RELEASE_MS);
	later.staff_key = true;
	int turns = 0;
	for (int i = 0; i < 10; i++)
		turns += panel_step(&panel, &later, TICK_MS).staff_turned ? 1 : 0;
	assert_int_equal(turns, 1);
}

/* Staff stops a member's session with the key; the member's token is still in the reader. */
static void a_turn_during_a_session_changes_nothing(void **state)
{
	(void)state;
	open_as(GF_CLASS_PERCUSSION, NULL, 0);
	staff_comes(ANNA);
	rig.input.panel.subject_token = MEMBER;
	rig_start(&rig, RIG_PLAIN);
	rig_run(&rig, 2000);
	rig.input.panel.staff_key = true;
	rig_press(&rig, &rig.input.panel.stop);
	rig.input.panel.staff_key = false;
	rig_run(&rig, 2000);
	assert_int_equal(rig_ended(&rig)->outcome, GF_OUTCOME_STAFF_STOPPED);
	expect(&rig_ended(&rig)->start, ANNA, MEMBER);
	expect(treat(MEMBER), ANNA, MEMBER);
	rig_close(&rig);
}

/* A member sits with their token in the reader while staff unlocks a discharge for them: it stays theirs. */
static void on_a_machine_that_nobody_holds_the_key_only_unlocks(void **state)
{
	(void)state;
	open_as(GF_CLASS_CHAIR, NULL, 0);
	rig.input.panel.subject_token = MEMBER;
	rig.input.panel.staff_key = true;
	rig_tick(&rig);
	rig_start(&rig, RIG_STAFF);
	assert_true(control_in_session(rig.control));
	expect(&rig_event(&rig, CONTROL_EVENT_SESSION_STARTED, 0)->session_started, 0, MEMBER);
	rig_close(&rig);
	/* Unless its maker says that it shakes a hand. */
	assert_true(control_hand_held(GF_CLASS_ROLLER, 2.5F));
	assert_false(control_hand_held(GF_CLASS_ROLLER, 0));
}

static void who_holds_it_is_not_forgotten_by_a_restart(void **state)
{
	(void)state;
	open_as(GF_CLASS_PERCUSSION, NULL, 0);
	staff_comes(ANNA);
	rig_run(&rig, 5 * MINUTE_MS);
	const struct control_memory memory = rig.events[rig.count - 1].memory;
	rig_close(&rig);
	assert_int_equal(memory.staff_token, ANNA);
	assert_in_range(memory.staff_idle_ms, 4 * MINUTE_MS, 5 * MINUTE_MS);

	open_as(GF_CLASS_PERCUSSION, &memory, 9 * MINUTE_MS);
	expect(treat(MEMBER), ANNA, MEMBER);
	rig_close(&rig);
	open_as(GF_CLASS_PERCUSSION, &memory, 11 * MINUTE_MS);
	expect(treat(MEMBER), 0, MEMBER);
	rig_close(&rig);
	/* The times add up. */
	open_as(GF_CLASS_PERCUSSION, &memory, 9 * MINUTE_MS);
	rig_run(&rig, 2 * MINUTE_MS);
	expect(treat(MEMBER), 0, MEMBER);
	rig_close(&rig);
	/* The machine was made another one: nobody holds a chair. */
	open_as(GF_CLASS_CHAIR, &memory, 0);
	expect(treat(ANNA), 0, ANNA);
	rig_close(&rig);
}

static void a_memory_beyond_its_time_holds_nothing(void **state)
{
	(void)state;
	const struct control_memory old = {.staff_token = ANNA, .staff_idle_ms = HOLDER_IDLE_MS};
	struct holder holder = {.token = BEN};
	holder_recall(&holder, &old);
	assert_int_equal(holder.token, 0);
	holder_turn(&holder, ANNA);
	holder_elapsed(&holder, false, UINT32_MAX);
	assert_int_equal(holder.token, 0);
	assert_int_equal(holder_subject(&holder, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_token_at_the_turn_is_the_staff_s_and_the_next_one_the_subject_s),
	    cmocka_unit_test(each_turn_says_anew_who_holds_it),
	    cmocka_unit_test(nobody_holds_it_a_quarter_of_an_hour_later),
	    cmocka_unit_test(a_key_in_the_lock_is_no_turn),
	    cmocka_unit_test(a_turn_during_a_session_changes_nothing),
	    cmocka_unit_test(on_a_machine_that_nobody_holds_the_key_only_unlocks),
	    cmocka_unit_test(who_holds_it_is_not_forgotten_by_a_restart),
	    cmocka_unit_test(a_memory_beyond_its_time_holds_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
