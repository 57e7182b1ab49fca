/* The uplink on its own clock, over a link that does what the test says. */
#include "agent/uplink.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/link.h"
#include "tests/unit/agent/spool/model.h"

enum { ROOMY = 16 << 20, SENT_MAX = 64, REFUSED_BY_ACL = 0x87, NOBODY_LISTENS = 16 };

struct sent {
	uint64_t cookie, first_seq, through_seq;
	size_t len, bad; /* bad: records that a gateway would reject */
	struct gf_stream_id stream;
};

struct world {
	struct trap t;
	struct model m;
	struct spool *spool;
	struct uplink *uplink;
	int64_t now_ms;
	size_t room; /* how many publishes the link takes before -EAGAIN */
	size_t count;
	struct sent sent[SENT_MAX];
};

static int publish(void *ctx, const void *data, size_t len, uint64_t cookie)
{
	struct world *w = ctx;
	struct gf_report *report;
	bool bad[GF_REPORT_RECORDS_MAX] = {false};
	size_t bad_count = 0;
	if (w->room == 0)
		return -EAGAIN;
	w->room--;
	assert_true(w->count < SENT_MAX);
	assert_true(len <= GF_REPORT_MAX);
	assert_int_equal(gf_report_decode_each(data, len, &report, bad, NULL), 0);
	for (size_t i = 0; i < report->records_count; i++)
		bad_count += bad[i] ? 1 : 0;
	w->sent[w->count++] = (struct sent){
	    .cookie = cookie,
	    .first_seq = report->first_seq,
	    .through_seq = gf_record_through(&report->records[report->records_count - 1]),
	    .len = len,
	    .bad = bad_count,
	    .stream = report->stream,
	};
	free(report);
	return 0;
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	const struct uplink_ops ops = {.publish = publish, .ctx = w};
	trap_init(&w->t);
	w->spool = model_open(&w->t, ROOMY);
	w->room = SIZE_MAX;
	w->now_ms = 1000;
	*state = w;
	return w->spool != NULL ? uplink_new(w->spool, &ops, &w->uplink) : -1;
}

static int teardown(void **state)
{
	struct world *w = *state;
	uplink_free(w->uplink);
	spool_close(w->spool);
	trap_deinit(&w->t);
	free(w);
	return 0;
}

static void fill(struct world *w, size_t records)
{
	for (size_t i = 0; i < records; i += SPOOL_BATCH_MAX)
		assert_int_equal(model_append(&w->m, w->spool, SPOOL_BATCH_MAX), 0);
}

static int64_t step(struct world *w)
{
	return uplink_step(w->uplink, w->now_ms);
}

static int tell(struct world *w, struct gf_stream_id stream, uint64_t through, uint32_t rejected)
{
	unsigned char buf[GF_ACK_MAX];
	size_t len;
	struct gf_diag diag = {{0}};
	const struct gf_ack ack = {.stream = stream, .through_seq = through, .rejected = rejected};
	assert_int_equal(gf_ack_encode(&ack, buf, sizeof(buf), &len), 0);
	return uplink_ack(w->uplink, buf, len, w->now_ms, &diag);
}

static void acked(struct world *w, uint64_t through)
{
	assert_int_equal(tell(w, spool_stream(w->spool), through, 0), 0);
}

/* A spool with more than a window holds; the link is up and the window is out. */
static void send_a_window(struct world *w)
{
	fill(w, (UPLINK_WINDOW + 4) * GF_REPORT_RECORDS_MAX);
	uplink_link_up(w->uplink, w->now_ms);
	step(w);
	assert_int_equal(w->count, UPLINK_WINDOW);
}

/* ---- sending ---- */

static void nothing_is_sent_without_a_link(void **state)
{
	struct world *w = *state;
	fill(w, 16);
	assert_true(step(w) == INT64_MAX);
	assert_int_equal(w->count, 0);
	uplink_link_up(w->uplink, w->now_ms);
	assert_true(step(w) == w->now_ms + UPLINK_ACK_TIMEOUT_MS);
	assert_int_equal(w->count, 1);
	uplink_link_down(w->uplink);
	fill(w, 16);
	assert_true(step(w) == INT64_MAX);
	assert_int_equal(w->count, 1);
}

static void an_empty_spool_waits_for_nothing(void **state)
{
	struct world *w = *state;
	uplink_link_up(w->uplink, w->now_ms);
	assert_true(step(w) == INT64_MAX);
	assert_int_equal(w->count, 0);
}

static void the_window_bounds_what_is_on_its_way(void **state)
{
	struct world *w = *state;
	assert_true((int)UPLINK_WINDOW <= (int)GF_LINK_WINDOW_MAX);
	send_a_window(w);
	const struct gf_stream_id stream = spool_stream(w->spool);
	for (size_t i = 0; i < w->count; i++) {
		assert_int_equal(w->sent[i].first_seq, i * GF_REPORT_RECORDS_MAX + 1);
		assert_int_equal(w->sent[i].through_seq, (i + 1) * GF_REPORT_RECORDS_MAX);
		assert_memory_equal(&w->sent[i].stream, &stream, sizeof(stream));
		assert_true(i == 0 || w->sent[i].cookie != w->sent[i - 1].cookie);
	}
	assert_true(step(w) == w->now_ms + UPLINK_ACK_TIMEOUT_MS);
	assert_int_equal(w->count, UPLINK_WINDOW);
	assert_int_equal(uplink_stats(w->uplink).reports, UPLINK_WINDOW);
	assert_int_equal(uplink_stats(w->uplink).resent, 0);
}

static void an_ack_moves_the_window_on(void **state)
{
	struct world *w = *state;
	send_a_window(w);
	/* One and a half reports: only the first is off the window. */
	acked(w, GF_REPORT_RECORDS_MAX + 10);
	step(w);
	assert_int_equal(w->count, UPLINK_WINDOW + 1);
	assert_int_equal(w->sent[UPLINK_WINDOW].first_seq, UPLINK_WINDOW * GF_REPORT_RECORDS_MAX + 1);
	assert_int_equal(spool_acked(w->spool), GF_REPORT_RECORDS_MAX + 10);
	acked(w, w->m.written);
	assert_true(step(w) == INT64_MAX);
	assert_int_equal(w->count, UPLINK_WINDOW + 1);
	assert_int_equal(uplink_stats(w->uplink).acks, 2);
}

static void a_full_link_is_asked_again_without_a_gap(void **state)
{
	struct world *w = *state;
	fill(w, 6 * GF_REPORT_RECORDS_MAX);
	uplink_link_up(w->uplink, w->now_ms);
	w->room = 2;
	step(w);
	assert_int_equal(w->count, 2);
	step(w);
	assert_int_equal(w->count, 2);
	w->room = 3;
	step(w);
	assert_int_equal(w->count, 5);
	for (size_t i = 0; i < w->count; i++)
		assert_int_equal(w->sent[i].first_seq, i * GF_REPORT_RECORDS_MAX + 1);
	assert_int_equal(uplink_stats(w->uplink).resent, 0);
}

/* ---- going back ---- */

static void without_an_ack_all_is_sent_again_later_and_later(void **state)
{
	struct world *w = *state;
	int64_t timeout_ms = UPLINK_ACK_TIMEOUT_MS;
	send_a_window(w);
	acked(w, 100);
	step(w);
	for (uint64_t n = 1; n <= 6; n++) {
		int64_t due_ms = w->now_ms + timeout_ms;
		w->count = 0;
		w->now_ms = due_ms - 1;
		assert_true(step(w) == due_ms);
		assert_int_equal(w->count, 0);
		w->now_ms = due_ms;
		step(w);
		assert_int_equal(w->count, UPLINK_WINDOW);
		assert_int_equal(w->sent[0].first_seq, 101);
		assert_int_equal(uplink_stats(w->uplink).timeouts, n);
		timeout_ms = timeout_ms * 2 < UPLINK_ACK_TIMEOUT_MAX_MS ? timeout_ms * 2 : UPLINK_ACK_TIMEOUT_MAX_MS;
	}
	assert_int_equal(timeout_ms, UPLINK_ACK_TIMEOUT_MAX_MS);
	/* One ack, and it is quick again. */
	acked(w, 200);
	w->count = 0;
	step(w);
	w->now_ms += UPLINK_ACK_TIMEOUT_MAX_MS;
	step(w);
	w->count = 0;
	acked(w, w->m.written - 1);
	assert_true(step(w) == w->now_ms + UPLINK_ACK_TIMEOUT_MS);
}

/* The gateway answers with what it has: something before what it got is missing. */
static void an_ack_that_stands_still_goes_back_once(void **state)
{
	struct world *w = *state;
	send_a_window(w);
	acked(w, 64);
	step(w);
	w->count = 0;
	acked(w, 64);
	step(w);
	assert_int_equal(w->count, UPLINK_WINDOW);
	assert_int_equal(w->sent[0].first_seq, 65);
	/* The echoes of what else was on its way then. */
	w->count = 0;
	for (int i = 0; i < 7; i++)
		acked(w, 64);
	step(w);
	assert_int_equal(w->count, 0);
	assert_int_equal(uplink_stats(w->uplink).stale_acks, 8);
	/* After progress it may be missing again. */
	acked(w, 128);
	step(w);
	w->count = 0;
	acked(w, 128);
	step(w);
	assert_int_equal(w->sent[0].first_seq, 129);
}

static void acks_that_cannot_be_change_nothing(void **state)
{
	struct world *w = *state;
	struct gf_stream_id other = spool_stream(w->spool);
	struct gf_diag diag = {{0}};
	other.bytes[15] ^= 1;
	send_a_window(w);
	acked(w, 64);
	step(w);
	w->count = 0;
	acked(w, 3); /* old */
	assert_false(uplink_overtaken(w->uplink));
	acked(w, w->m.written + 1); /* of what was never written */
	assert_true(uplink_overtaken(w->uplink));
	acked(w, w->m.written + 1000);
	assert_int_equal(tell(w, other, 200, 5), 0); /* of an earlier stream */
	assert_true(uplink_ack(w->uplink, "\xff\xff\xff", 3, w->now_ms, &diag) > 0);
	assert_true(strlen(diag.text) > 0);
	assert_true(uplink_ack(w->uplink, "", 0, w->now_ms, &diag) > 0);
	step(w);
	assert_int_equal(w->count, 0);
	assert_int_equal(spool_acked(w->spool), 64);
	assert_int_equal(uplink_stats(w->uplink).stale_acks, 4);
	assert_int_equal(uplink_stats(w->uplink).rejected_records, 0);
}

static void rejected_records_are_counted_and_left_behind(void **state)
{
	struct world *w = *state;
	send_a_window(w);
	assert_int_equal(tell(w, spool_stream(w->spool), 64, 3), 0);
	assert_int_equal(tell(w, spool_stream(w->spool), 128, 1), 0);
	assert_int_equal(uplink_stats(w->uplink).rejected_records, 4);
	assert_int_equal(spool_acked(w->spool), 128);
}

/* Written by an agent that knew more, or broken before it was stored: it is the gateway's to reject it. */
static void i1_a_record_that_cannot_be_read_holds_up_nothing(void **state)
{
	struct world *w = *state;
	struct gf_record strange = model_fault(1);
	strange.fault_raised.code = (enum gf_fault)(GF_FAULT_COUNT + 1);
	assert_int_equal(spool_append(w->spool, &strange, 1, NULL, 0), 0);
	struct gf_record after = model_fault(2);
	assert_int_equal(spool_append(w->spool, &after, 1, NULL, 0), 0);
	uplink_link_up(w->uplink, w->now_ms);
	step(w);
	assert_int_equal(w->count, 1);
	assert_int_equal(w->sent[0].first_seq, 1);
	assert_int_equal(w->sent[0].through_seq, 2);
	assert_int_equal(w->sent[0].bad, 1);
	acked(w, 2);
	assert_int_equal(spool_acked(w->spool), 2);
}

static void what_the_broker_refuses_waits_and_is_sent_again(void **state)
{
	struct world *w = *state;
	static const int codes[] = {REFUSED_BY_ACL, NOBODY_LISTENS};
	for (size_t i = 0; i < 2; i++) {
		int64_t wait_ms = UPLINK_ACK_TIMEOUT_MS << i;
		if (i == 0)
			send_a_window(w);
		uplink_published(w->uplink, w->sent[0].cookie, 0, w->now_ms); /* taken: says nothing yet */
		uplink_published(w->uplink, w->sent[0].cookie + 1000, codes[i], w->now_ms);
		assert_true(step(w) == w->now_ms + wait_ms);
		uplink_published(w->uplink, w->sent[1].cookie, codes[i], w->now_ms);
		w->count = 0;
		assert_true(step(w) == w->now_ms + wait_ms);
		w->now_ms += wait_ms - 1;
		step(w);
		assert_int_equal(w->count, 0);
		w->now_ms++;
		step(w);
		assert_int_equal(w->count, UPLINK_WINDOW);
		assert_int_equal(w->sent[0].first_seq, 1);
	}
	assert_int_equal(uplink_stats(w->uplink).refused, 1);
}

static void a_new_connection_begins_behind_the_ack(void **state)
{
	struct world *w = *state;
	send_a_window(w);
	acked(w, 70);
	const struct sent lost = w->sent[5];
	uplink_link_down(w->uplink);
	w->count = 0;
	step(w);
	/* An ack may still come out of the mailbox. */
	acked(w, 80);
	uplink_link_up(w->uplink, w->now_ms);
	/* What became of the old connection's publishes is of no interest any more. */
	uplink_published(w->uplink, lost.cookie, -1, w->now_ms);
	uplink_published(w->uplink, lost.cookie, REFUSED_BY_ACL, w->now_ms);
	step(w);
	assert_int_equal(w->count, UPLINK_WINDOW);
	assert_int_equal(w->sent[0].first_seq, 81);
	assert_int_equal(uplink_stats(w->uplink).refused, 0);
	/* The last one is new. */
	assert_int_equal(uplink_stats(w->uplink).resent, UPLINK_WINDOW - 1);
}

/* ---- the spool under it ---- */

static void a_spool_that_fails_is_reported(void **state)
{
	struct world *w = *state;
	send_a_window(w);
	w->t.writes = 0;
	w->t.fail_write = 1;
	assert_int_equal(tell(w, spool_stream(w->spool), 64, 0), SPOOL_E_FAILED);
	w->count = 0;
	w->now_ms += UPLINK_ACK_TIMEOUT_MS;
	step(w);
	assert_int_equal(w->count, 0);
}

/* What is on its way stays as it was sent; the Lost record begins behind it, and is sent whole when the ack stands inside it. */
static void i8_a_full_spool_drops_behind_what_was_sent(void **state)
{
	struct world *w = *state;
	const struct uplink_ops ops = {.publish = publish, .ctx = w};
	uplink_free(w->uplink);
	spool_close(w->spool);
	w->spool = model_open(&w->t, SPOOL_BYTES_MIN);
	assert_int_equal(uplink_new(w->spool, &ops, &w->uplink), 0);
	for (int i = 0; i < 100; i++)
		assert_int_equal(model_append(&w->m, w->spool, 0), 0);
	uplink_link_up(w->uplink, w->now_ms);
	step(w);
	assert_int_equal(w->sent[1].through_seq, 100);
	for (int i = 0; i < 30000; i++)
		assert_int_equal(model_append(&w->m, w->spool, 0), 0);
	w->count = 0;
	w->now_ms += UPLINK_ACK_TIMEOUT_MS;
	step(w);
	assert_int_equal(w->sent[0].first_seq, 1);
	assert_int_equal(w->sent[0].through_seq, 64);
	/* 65..100, the Lost record, and what comes behind it. */
	assert_int_equal(w->sent[1].first_seq, 65);
	assert_true(w->sent[1].through_seq > 1000);
	acked(w, 200);
	w->count = 0;
	w->now_ms += UPLINK_ACK_TIMEOUT_MS;
	step(w);
	assert_int_equal(w->sent[0].first_seq, 101);
}

/* ---- a bad network and a gateway that keeps what it has said ---- */

struct gateway {
	uint64_t through;
	uint64_t commits;
};

static void commit(struct gateway *g, const struct sent *report)
{
	if (report->first_seq > g->through + 1 || report->through_seq <= g->through)
		return;
	g->commits += report->through_seq - g->through;
	g->through = report->through_seq;
}

static bool chance(struct gf_prng *prng, uint64_t percent)
{
	return gf_prng_below(prng, 100) < percent;
}

static void deliver(struct world *w, struct gateway *g, struct gf_prng *prng, uint64_t bad_percent)
{
	size_t count = w->count;
	w->count = 0;
	for (size_t i = 0; i < count; i++) {
		if (chance(prng, bad_percent)) {
			uplink_published(w->uplink, w->sent[i].cookie, chance(prng, 50) ? NOBODY_LISTENS : 0, w->now_ms);
			continue;
		}
		for (int copies = chance(prng, bad_percent) ? 2 : 1; copies > 0; copies--) {
			commit(g, &w->sent[i]);
			if (!chance(prng, bad_percent))
				acked(w, g->through);
		}
	}
}

static void i1_over_a_bad_network_each_record_arrives_once(void **state)
{
	struct world *w = *state;
	struct gf_prng prng;
	struct gateway g = {0};
	gf_prng_seed(&prng, 21);
	uplink_link_up(w->uplink, w->now_ms);
	for (int i = 0; i < 3000; i++) {
		w->now_ms += (int64_t)gf_prng_below(&prng, 3000);
		w->room = gf_prng_below(&prng, 4);
		if (chance(&prng, 30))
			fill(w, 16);
		if (chance(&prng, 3)) {
			uplink_link_down(w->uplink);
			w->count = 0;
			uplink_link_up(w->uplink, w->now_ms);
		}
		step(w);
		deliver(w, &g, &prng, 20);
		assert_true(spool_acked(w->spool) <= g.through);
	}
	/* The network is well again: everything is there soon. */
	w->room = SIZE_MAX;
	for (int i = 0; i < 100 && spool_acked(w->spool) < w->m.written; i++) {
		w->now_ms += UPLINK_ACK_TIMEOUT_MAX_MS;
		step(w);
		deliver(w, &g, &prng, 0);
	}
	assert_true(w->m.written > 5000);
	assert_int_equal(spool_acked(w->spool), w->m.written);
	assert_int_equal(g.through, w->m.written);
	assert_int_equal(g.commits, w->m.written);
	assert_true(uplink_stats(w->uplink).resent > 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(nothing_is_sent_without_a_link),
	    TEST(an_empty_spool_waits_for_nothing),
	    TEST(the_window_bounds_what_is_on_its_way),
	    TEST(an_ack_moves_the_window_on),
	    TEST(a_full_link_is_asked_again_without_a_gap),
	    TEST(without_an_ack_all_is_sent_again_later_and_later),
	    TEST(an_ack_that_stands_still_goes_back_once),
	    TEST(acks_that_cannot_be_change_nothing),
	    TEST(rejected_records_are_counted_and_left_behind),
	    TEST(i1_a_record_that_cannot_be_read_holds_up_nothing),
	    TEST(what_the_broker_refuses_waits_and_is_sent_again),
	    TEST(a_new_connection_begins_behind_the_ack),
	    TEST(a_spool_that_fails_is_reported),
	    TEST(i8_a_full_spool_drops_behind_what_was_sent),
	    TEST(i1_over_a_bad_network_each_record_arrives_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
