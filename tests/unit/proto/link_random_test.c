/*
 * Random lives of a link: owner, broker, probe, memory and time do what they like, in any order that Paho allows; after each
 * step the invariants are checked. At the end everything becomes well again, and the link must come up, and then close.
 */
#include <errno.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/base/rand.h"
#include "tests/unit/proto/alloc_fail.h"
#include "tests/unit/proto/link_rig.h"

enum { SEEDS = 200, STEPS = 10000, SUBS = 2, SETTLE_STEPS = 10, SETTLE_MS = 60000, RECENT = 64 /* connections */ };

static struct life {
	struct rig *rig;
	struct gf_prng random;
	/* what the owner was told */
	bool up;
	uint64_t connection, downs, ups, messages, watched;
	/* what it published, by cookie */
	enum { UNKNOWN, IN_FLIGHT, ANSWERED } publishes[STEPS];
	uint64_t of[STEPS]; /* the connection */
	unsigned published, in_flight, in_flight_of[RECENT];
	/* what the world did */
	struct link_slot *old[GF_LINK_WINDOW_MAX]; /* of the connection before */
	unsigned old_count, receive_max;
	uint64_t sent; /* messages to us */
} life;

static bool one_in(unsigned n)
{
	return gf_prng_below(&life.random, n) == 0;
}

static void on_published(const struct gf_link_event *event)
{
	assert_true(event->cookie < life.published);
	assert_int_equal(life.publishes[event->cookie], IN_FLIGHT); /* once */
	life.publishes[event->cookie] = ANSWERED;
	life.in_flight--;
	life.in_flight_of[life.of[event->cookie] % RECENT]--;
	assert_true(event->connection == life.of[event->cookie]);
}

/* At most one for each question, on the connection on which it was put. */
static void on_watched(const struct gf_link_event *event)
{
	assert_true(life.up && event->connection == life.connection);
	assert_true(life.rig->link->watch.filter != NULL);
	life.watched++;
}

static void on_event(struct rig *rig, const struct gf_link_event *event)
{
	(void)rig;
	switch (event->kind) {
	case GF_LINK_EVENT_UP:
		assert_false(life.up);
		assert_true(event->connection > life.connection);
		life.connection = event->connection;
		life.up = true;
		life.ups++;
		break;
	case GF_LINK_EVENT_DOWN:
		assert_true(event->connection >= life.connection);
		assert_true(!life.up || event->connection == life.connection);
		assert_int_equal(life.in_flight_of[event->connection % RECENT],
		                 0); /* nothing stays open when the connection is gone */
		assert_true(strlen(event->reason) > 10);
		life.up = false;
		life.downs++;
		break;
	case GF_LINK_EVENT_MESSAGE:
		life.messages++;
		break;
	case GF_LINK_EVENT_PUBLISHED:
		on_published(event);
		break;
	case GF_LINK_EVENT_WATCHED:
		on_watched(event);
		break;
	}
}

/* --- what may happen --- */

static void accepts(struct rig *rig)
{
	if (rig->paho != RIG_CONNECTING)
		return;
	life.old_count = rig->sent_count < GF_LINK_WINDOW_MAX ? rig->sent_count : GF_LINK_WINDOW_MAX;
	for (unsigned i = 0; i < life.old_count; i++)
		life.old[i] = rig->sent[(rig->sent_count - 1 - i) % RIG_SENT_MAX];
	rig->sent_count = 0;
	rig->paho = RIG_CONNECTED;
	life.receive_max = one_in(2) ? 0 : 1 + (unsigned)gf_prng_below(&life.random, 30);
	link_on_connected(rig->link, life.receive_max);
}

static bool subscribing(const struct rig *rig)
{
	return rig->paho == RIG_CONNECTED && rig->link->state == GF_LINK_CONNECTING &&
	       rig->link->phase == LINK_PHASE_SUBSCRIBE && rig->link->granted + rig->link->signals.granted < SUBS &&
	       !rig->link->signals.failed;
}

static void grants(struct rig *rig)
{
	if (subscribing(rig))
		link_on_granted(rig->link);
}

static void refuses(struct rig *rig)
{
	if ((rig->paho != RIG_CONNECTING && !subscribing(rig)) || !one_in(4))
		return;
	if (rig->paho == RIG_CONNECTING)
		rig->paho = RIG_RESTING;
	link_on_failed(rig->link, one_in(2) ? 0x87 : 0);
}

static void loses(struct rig *rig)
{
	if ((rig->paho != RIG_CONNECTED && rig->paho != RIG_DISCONNECTING) || !one_in(8))
		return;
	rig->paho = RIG_RESTING;
	link_on_lost(rig->link, one_in(2) ? 0x8b : 0);
}

/* The second telling of a loss, at any time at which there is no other connection. */
static void tells_again(struct rig *rig)
{
	if (rig->paho != RIG_CONNECTED && rig->paho != RIG_DISCONNECTING)
		link_on_lost(rig->link, 0);
}

static void closes(struct rig *rig)
{
	if (rig->paho != RIG_DISCONNECTING)
		return;
	rig->paho = RIG_RESTING;
	link_on_closed(rig->link);
}

static void answers(struct rig *rig)
{
	static const int codes[] = {0, 0, 16, 0x87, -1};

	if (rig->sent_count > 0)
		link_on_answer(rig->sent[gf_prng_below(&life.random, rig->sent_count) % RIG_SENT_MAX],
		               codes[gf_prng_below(&life.random, 5)]);
}

static void answers_late(struct rig *rig)
{
	(void)rig;
	if (life.old_count > 0)
		link_on_answer(life.old[gf_prng_below(&life.random, life.old_count)], 0);
}

static void sends(struct rig *rig)
{
	if (rig->paho != RIG_CONNECTED && rig->paho != RIG_DISCONNECTING)
		return;
	rig_message(rig, "topic");
	life.sent++;
}

static void publishes(struct rig *rig)
{
	unsigned before = gf_link_window(rig->link);
	int r = rig_publish(rig, life.published);

	if (r != 0) {
		assert_true(before == 0 || r != -EAGAIN);
		return;
	}
	assert_true(before > 0);
	life.publishes[life.published] = IN_FLIGHT;
	life.of[life.published++] = rig->link->connection;
	life.in_flight++;
	life.in_flight_of[rig->link->connection % RECENT]++;
}

static void watches(struct rig *rig)
{
	static const char *const filters[] = {"a/#", "b/#"};

	if (gf_link_watch(rig->link, filters[gf_prng_below(&life.random, 2)], 1) == 0)
		assert_non_null(rig->link->watch.filter);
}

static void unwatches(struct rig *rig)
{
	gf_link_unwatch(rig->link);
	assert_null(rig->link->watch.filter);
}

/* The newest question is mostly the one that is answered, but an old one may be. */
static void answers_watch(struct rig *rig)
{
	unsigned back = one_in(4) ? (unsigned)gf_prng_below(&life.random, 4) : 0;

	if (rig->asks_count > back)
		link_on_watched(rig->asks[(rig->asks_count - 1 - back) % RIG_SENT_MAX], one_in(4) ? 0x87 : 1);
}

static void finds(struct rig *rig)
{
	strcpy(rig->probe_reason, one_in(8) ? "something is wrong" : "");
	rig->probe_done = rig->probing;
}

static void stops(struct rig *rig)
{
	if (one_in(10))
		gf_link_stop(rig->link);
}

static void starts(struct rig *rig)
{
	gf_link_start(rig->link);
}

static void dozes(struct rig *rig)
{
	rig->sleeps = one_in(3);
}

static void breaks(struct rig *rig)
{
	rig->connect_error = one_in(10) ? -ENOMEM : 0;
	rig->subscribe_error = one_in(10) ? -ENOTCONN : 0;
	rig->disconnect_error = one_in(3) ? -ENOTCONN : 0;
	rig->send_error = one_in(10) ? -EIO : 0;
	rig->probe_error = one_in(10) ? -EAGAIN : 0;
	rig->watch_error = one_in(10) ? -ENOTCONN : 0;
	rig->subscribe_refusal = one_in(10) ? 0x87 : 0;
	alloc_fail_after(one_in(5) ? 3 : -1);
}

static void passes(struct rig *rig)
{
	if (one_in(4) && rig->due < INT64_MAX && rig->due > rig->now)
		rig->now = rig->due;
	else
		rig->now += (int64_t)gf_prng_below(&life.random, one_in(20) ? 20000 : 50);
}

/* --- what must hold --- */

static void check_box(const struct link_box *box)
{
	size_t messages = 0, published = 0;

	assert_true(box->count <= box->capacity && box->lifecycle <= LINK_BOX_LIFECYCLE_MAX);
	for (size_t i = 0; i < box->count; i++) {
		const struct link_item *item = &box->items[(box->head + i) % box->capacity];
		messages += item->kind == GF_LINK_EVENT_MESSAGE;
		published += item->kind == GF_LINK_EVENT_PUBLISHED;
	}
	assert_true(messages == box->messages && messages <= box->messages_max);
	assert_true(messages + published + box->lifecycle == box->count);
	assert_true(published <= LINK_BOX_PUBLISHED_MAX);
}

static void check(const struct rig *rig)
{
	const struct gf_link *link = rig->link;
	struct gf_link_stats stats = gf_link_stats(link);
	bool attempt = rig->state != GF_LINK_IDLE && rig->state != GF_LINK_WAITING;

	check_box(&link->box);
	assert_true(gf_link_window(link) <= link->config.window_max);
	assert_true((rig->state == GF_LINK_IDLE || rig->state == GF_LINK_UP) == (rig->due == INT64_MAX));
	assert_true(rig->probing == (rig->state == GF_LINK_CONNECTING && link->probe != NULL));
	assert_true(stats.received + stats.dropped + stats.too_large == life.sent);
	assert_true(life.messages <= stats.received);
	if (rig->state == GF_LINK_UP) {
		unsigned max = life.receive_max && life.receive_max < 5 ? life.receive_max : 5;
		assert_true(link->connection == rig->will_number);
		assert_true(gf_link_window(link) <= max);
	}
	if (rig->state == GF_LINK_IDLE)
		assert_int_equal(rig->paho, RIG_NO_HANDLE);
	if (rig->state == GF_LINK_WAITING)
		assert_true(rig->paho == RIG_NO_HANDLE || rig->paho == RIG_RESTING);
	if (!rig->sleeps) {
		assert_true(life.up == (rig->state == GF_LINK_UP || rig->state == GF_LINK_CLOSING));
		assert_true(stats.attempts == life.downs + attempt); /* each ends once */
		assert_true(life.in_flight <= 5 && (life.in_flight == 0 || life.up));
	}
}

/* An owner that steps as often as the link wants to is let go within a few steps. */
static void settle(struct rig *rig)
{
	unsigned steps = 0;

	do {
		rig->random = gf_prng_next(&life.random);
		rig_step(rig);
		rig->log[0] = 0;
		check(rig);
		assert_true(++steps < SETTLE_STEPS);
	} while (rig->due <= rig->now);
}

static void happen(struct rig *rig)
{
	static void (*const deeds[])(struct rig *) = {
	    accepts, accepts, accepts,     grants,  grants,       grants,        grants,        grants,    refuses,
	    loses,   closes,  answers,     answers, answers_late, sends,         publishes,     publishes, publishes,
	    finds,   finds,   stops,       starts,  starts,       dozes,         breaks,        passes,    passes,
	    passes,  passes,  tells_again, watches, unwatches,    answers_watch, answers_watch,
	};

	deeds[gf_prng_below(&life.random, sizeof deeds / sizeof deeds[0])](rig);
}

/* --- lives --- */

static void begin_life(uint64_t seed)
{
	memset(&life, 0, sizeof life);
	gf_prng_seed(&life.random, seed);
	life.rig = rig_open(seed % 2 ? "broker.example" : "192.0.2.1", SUBS);
	life.rig->on_event = on_event;
}

/* Everything is well now: the link comes up, and then closes. */
static void end_life(struct rig *rig)
{
	int64_t end = rig->now + SETTLE_MS;

	rig->sleeps = false;
	rig->connect_error = rig->subscribe_error = rig->disconnect_error = rig->send_error = rig->probe_error =
	    rig->watch_error = 0;
	rig->subscribe_refusal = 0;
	alloc_fail_after(-1);
	gf_link_start(rig->link);
	settle(rig);
	while (rig->state != GF_LINK_UP && rig->now < end) {
		rig->now += 10;
		rig->probe_reason[0] = 0;
		rig->probe_done = rig->probing;
		accepts(rig);
		grants(rig);
		closes(rig);
		settle(rig);
	}
	assert_int_equal(rig->state, GF_LINK_UP);
	gf_link_stop(rig->link);
	settle(rig);
	/* The last moment for answers, then for the end. */
	for (int i = 0; i < 2 && rig->state == GF_LINK_CLOSING; i++) {
		rig->now = rig->due;
		settle(rig);
	}
	assert_int_equal(rig->state, GF_LINK_IDLE);
	assert_int_equal(life.in_flight, 0);
	assert_false(life.up);
	rig_close(rig);
}

static void keeps_its_invariants_in_any_life(void **state)
{
	uint64_t ups = 0, published = 0, watched = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		begin_life(seed);
		for (unsigned i = 0; i < STEPS; i++) {
			happen(life.rig);
			if (!one_in(3)) /* now and then several things happen before the owner looks */
				settle(life.rig);
		}
		settle(life.rig);
		end_life(life.rig);
		ups += life.ups;
		published += life.published;
		watched += life.watched;
	}
	assert_true(ups > 20 * SEEDS); /* the lives were worth living */
	assert_true(published > 100 * SEEDS);
	assert_true(watched > 20 * SEEDS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(keeps_its_invariants_in_any_life)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
