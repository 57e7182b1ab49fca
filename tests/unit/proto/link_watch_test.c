/* The subscription that comes and goes. */
#include <errno.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/proto/alloc_fail.h"
#include "tests/unit/proto/link_rig.h"

static int setup(void **state)
{
	*state = rig_open("192.0.2.1", 1);
	return 0;
}

static int teardown(void **state)
{
	rig_close(*state);
	return 0;
}

static void watch(struct rig *rig, const char *filter)
{
	assert_int_equal(gf_link_watch(rig->link, filter, 1), 0);
}

static void is_asked_for_at_once_while_up(void **state)
{
	struct rig *rig = *state;

	rig_come_up(rig, 1);
	watch(rig, "a/#");
	rig_expect(rig, "watch(a/#,1)");
	rig_step(rig);
	rig_expect(rig, "");
	rig_answer_watch(rig, 0, 1);
	rig_expect(rig, "WATCHED:1=1");
	gf_link_unwatch(rig->link);
	rig_expect(rig, "unwatch(a/#)");
	gf_link_unwatch(rig->link);
	rig_expect(rig, "");
}

static void is_asked_for_when_the_link_comes_up_and_at_every_reconnect(void **state)
{
	struct rig *rig = *state;

	watch(rig, "a/#");
	rig_expect(rig, "");
	gf_link_start(rig->link);
	rig_step(rig);
	rig_accept(rig, 0);
	rig_grant(rig);
	rig_expect(rig, "connect(1) connecting subscribe watch(a/#,1) up UP:1");
	rig_answer_watch(rig, 0, 0);
	rig_expect(rig, "WATCHED:1=0");
	rig_lose(rig, 0);
	rig_advance(rig, rig->due - rig->now);
	rig_accept(rig, 0);
	rig_grant(rig);
	rig_expect(rig, "waiting DOWN:1 connect(2) connecting subscribe watch(a/#,1) up UP:2");
	rig_answer_watch(rig, 1, 1);
	rig_expect(rig, "WATCHED:2=1");
}

static void is_not_asked_for_again_once_it_is_over(void **state)
{
	struct rig *rig = *state;

	rig_come_up(rig, 1);
	watch(rig, "a/#");
	rig_lose(rig, 0);
	rig_expect(rig, "watch(a/#,1) waiting DOWN:1");
	gf_link_unwatch(rig->link); /* the connection took it along */
	rig_advance(rig, rig->due - rig->now);
	rig_accept(rig, 0);
	rig_grant(rig);
	rig_expect(rig, "connect(2) connecting subscribe up UP:2");
}

static void another_one_takes_its_place(void **state)
{
	struct rig *rig = *state;

	rig_come_up(rig, 1);
	watch(rig, "a/#");
	watch(rig, "b/#");
	rig_expect(rig, "watch(a/#,1) unwatch(a/#) watch(b/#,1)");
	rig_answer_watch(rig, 0, 0x87); /* of the first one: of no interest any more */
	rig_expect(rig, "");
	rig_answer_watch(rig, 1, 1);
	rig_expect(rig, "WATCHED:1=1");
}

static void the_same_one_again_is_asked_for_only_after_the_answer(void **state)
{
	struct rig *rig = *state;

	rig_come_up(rig, 1);
	watch(rig, "a/#");
	watch(rig, "a/#");
	rig_expect(rig, "watch(a/#,1)");
	rig_answer_watch(rig, 0, 1);
	watch(rig, "a/#");
	rig_expect(rig, "WATCHED:1=1 watch(a/#,1)");
}

static void a_refusal_is_told(void **state)
{
	struct rig *rig = *state;

	rig_come_up(rig, 1);
	watch(rig, "a/#");
	rig_answer_watch(rig, 0, 0x8f);
	rig_expect(rig, "watch(a/#,1) WATCHED:1=143");
	rig->watch_error = -ENOTCONN;
	watch(rig, "b/#");
	rig_step(rig);
	rig_expect(rig, "unwatch(a/#) watch(b/#,1) WATCHED:1=-1");
}

static void an_answer_of_the_connection_before_changes_nothing(void **state)
{
	struct rig *rig = *state;

	rig_come_up(rig, 1);
	watch(rig, "a/#");
	rig_lose(rig, 0);
	rig_come_up(rig, 2);
	rig_answer_watch(rig, 0, -1);
	rig_expect(rig, "");
	rig_answer_watch(rig, 1, 1);
	rig_expect(rig, "WATCHED:2=1");
}

/* An answer and the loss in one step: the loss is what counts. */
static void a_loss_takes_the_answer_with_it(void **state)
{
	struct rig *rig = *state;

	rig_come_up(rig, 1);
	watch(rig, "a/#");
	link_on_watched(rig->asks[0], 1);
	rig_lose(rig, 0);
	rig_expect(rig, "watch(a/#,1) waiting DOWN:1");
}

static void without_memory_nothing_changes(void **state)
{
	struct rig *rig = *state;

	rig_come_up(rig, 1);
	watch(rig, "a/#");
	alloc_fail_after(0);
	assert_int_equal(gf_link_watch(rig->link, "b/#", 1), -ENOMEM);
	alloc_fail_after(-1);
	rig_answer_watch(rig, 0, 1);
	rig_expect(rig, "watch(a/#,1) WATCHED:1=1");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(is_asked_for_at_once_while_up),
	    TEST(is_asked_for_when_the_link_comes_up_and_at_every_reconnect),
	    TEST(is_not_asked_for_again_once_it_is_over),
	    TEST(another_one_takes_its_place),
	    TEST(the_same_one_again_is_asked_for_only_after_the_answer),
	    TEST(a_refusal_is_told),
	    TEST(an_answer_of_the_connection_before_changes_nothing),
	    TEST(a_loss_takes_the_answer_with_it),
	    TEST(without_memory_nothing_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
