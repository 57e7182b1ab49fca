#include "proto/base/spsc.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { CAPACITY = 8, MESSAGES = 200000, DEADLINE_S = 40 };

/* Large enough that a torn copy shows: every word is the number. */
struct message {
	uint64_t words[7];
};

static struct message numbered(uint64_t number)
{
	struct message m;
	for (size_t i = 0; i < sizeof(m.words) / sizeof(m.words[0]); i++)
		m.words[i] = number;
	return m;
}

static bool whole(const struct message *m, uint64_t number)
{
	struct message want = numbered(number);
	return memcmp(m, &want, sizeof(want)) == 0;
}

static int setup(void **state)
{
	static struct gf_spsc q;
	*state = &q;
	return gf_spsc_init(&q, sizeof(struct message), CAPACITY);
}

static int teardown(void **state)
{
	gf_spsc_deinit(*state);
	return 0;
}

static void only_powers_of_two_are_taken(void **state)
{
	struct gf_spsc q = {.slots = NULL};

	(void)state;
	assert_int_equal(gf_spsc_init(&q, 0, 8), -EINVAL);
	assert_int_equal(gf_spsc_init(&q, 4, 0), -EINVAL);
	assert_int_equal(gf_spsc_init(&q, 4, 3), -EINVAL);
	assert_int_equal(gf_spsc_init(&q, 4, 12), -EINVAL);
	assert_null(q.slots);
	assert_int_equal(gf_spsc_init(&q, 4, 1), 0);
	gf_spsc_deinit(&q);
	gf_spsc_deinit(&q);
}

static void out_comes_what_went_in_and_in_order(void **state)
{
	struct gf_spsc *q = *state;
	uint64_t in = 0, out = 0;

	for (int round = 0; round < 1000; round++) {
		for (int i = 0; i < 1 + round % CAPACITY; i++) {
			struct message m = numbered(in++);
			assert_true(gf_spsc_push(q, &m));
		}
		for (int i = 0; i < 1 + round % CAPACITY; i++) {
			struct message m;
			assert_true(gf_spsc_pop(q, &m));
			assert_true(whole(&m, out++));
		}
	}
}

static void a_full_queue_refuses_and_keeps_the_old(void **state)
{
	struct gf_spsc *q = *state;
	struct message m;

	for (uint64_t i = 0; i < CAPACITY; i++) {
		assert_int_equal(gf_spsc_free_slots(q), CAPACITY - i);
		m = numbered(i);
		assert_true(gf_spsc_push(q, &m));
	}
	assert_int_equal(gf_spsc_free_slots(q), 0);
	m = numbered(99);
	assert_false(gf_spsc_push(q, &m));
	assert_false(gf_spsc_push(q, &m));

	assert_true(gf_spsc_pop(q, &m));
	assert_true(whole(&m, 0));
	assert_int_equal(gf_spsc_free_slots(q), 1);
	m = numbered(CAPACITY);
	assert_true(gf_spsc_push(q, &m));
	for (uint64_t i = 1; i <= CAPACITY; i++) {
		assert_true(gf_spsc_pop(q, &m));
		assert_true(whole(&m, i));
	}
}

static void an_empty_queue_gives_nothing(void **state)
{
	struct gf_spsc *q = *state;
	struct message m = numbered(7);

	assert_false(gf_spsc_pop(q, &m));
	assert_true(whole(&m, 7));
	assert_int_equal(gf_spsc_free_slots(q), CAPACITY);
}

/* The counters are never taken back: they must survive their own overflow. */
static void the_counters_may_wrap_around(void **state)
{
	struct gf_spsc *q = *state;

	atomic_store(&q->head, SIZE_MAX - 3);
	atomic_store(&q->tail, SIZE_MAX - 3);
	for (uint64_t i = 0; i < CAPACITY; i++) {
		struct message m = numbered(i);
		assert_true(gf_spsc_push(q, &m));
	}
	struct message m = numbered(99);
	assert_false(gf_spsc_push(q, &m));
	assert_int_equal(gf_spsc_free_slots(q), 0);
	for (uint64_t i = 0; i < CAPACITY; i++) {
		assert_true(gf_spsc_pop(q, &m));
		assert_true(whole(&m, i));
	}
	assert_false(gf_spsc_pop(q, &m));
}

static bool late(time_t start)
{
	return time(NULL) - start > DEADLINE_S;
}

/* --- two threads --- */

struct producer {
	struct gf_spsc *q;
	bool insists; /* tries again when full; else what is refused is gone */
	uint64_t pushed, refused;
	atomic_bool done;
};

static void *produce(void *arg)
{
	struct producer *p = arg;
	time_t start = time(NULL);

	for (uint64_t i = 1; i <= MESSAGES && !late(start); i++) {
		struct message m = numbered(i);
		while (!gf_spsc_push(p->q, &m)) {
			p->refused++;
			if (!p->insists || late(start))
				break;
			sched_yield();
		}
		/* With insistence only the deadline skips one, and then the counts differ. */
		p->pushed++;
	}
	atomic_store(&p->done, true);
	return NULL;
}

/* Reads until the producer is done and the queue is empty; 0 for a message that is torn or out of order. */
static uint64_t consume(struct producer *p, uint64_t *ret_last)
{
	uint64_t count = 0, last = 0;
	bool sound = true;
	for (;;) {
		bool done = atomic_load(&p->done);
		struct message m;
		if (gf_spsc_pop(p->q, &m)) {
			sound = sound && m.words[0] > last && whole(&m, m.words[0]);
			last = m.words[0];
			count++;
		} else if (done) {
			break;
		} else {
			sched_yield();
		}
	}
	*ret_last = last;
	return sound ? count : 0;
}

static void two_threads_pass_everything_on_in_order(void **state)
{
	struct producer p = {.q = *state, .insists = true};
	pthread_t thread;
	uint64_t last = 0;

	assert_int_equal(pthread_create(&thread, NULL, produce, &p), 0);
	uint64_t count = consume(&p, &last);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(p.pushed == MESSAGES);
	assert_true(count == MESSAGES);
	assert_true(last == MESSAGES);
}

static void what_is_refused_between_two_threads_alone_is_lost(void **state)
{
	struct producer p = {.q = *state, .insists = false};
	pthread_t thread;
	uint64_t last = 0;

	assert_int_equal(pthread_create(&thread, NULL, produce, &p), 0);
	uint64_t count = consume(&p, &last);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(p.pushed == MESSAGES);
	assert_true(count > 0);
	assert_true(count + p.refused == MESSAGES);
}

#define SPSC_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(only_powers_of_two_are_taken),
	    SPSC_TEST(out_comes_what_went_in_and_in_order),
	    SPSC_TEST(a_full_queue_refuses_and_keeps_the_old),
	    SPSC_TEST(an_empty_queue_gives_nothing),
	    SPSC_TEST(the_counters_may_wrap_around),
	    SPSC_TEST(two_threads_pass_everything_on_in_order),
	    SPSC_TEST(what_is_refused_between_two_threads_alone_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
