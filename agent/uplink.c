#include "agent/uplink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { NOBODY_LISTENS = 16, REFUSED = 0x80 };

struct in_flight {
	uint64_t cookie, through_seq;
	int64_t sent_ms;
};

struct uplink {
	struct spool *spool;
	struct uplink_ops ops;
	struct uplink_stats stats;
	bool up, overtaken;
	bool gone_back; /* since the last progress: further old acks are echoes of what was in flight then */
	uint64_t next_seq, highest_sent, last_cookie;
	int64_t timeout_ms, hold_until_ms;
	size_t flying;
	struct in_flight flight[UPLINK_WINDOW]; /* oldest first */
	unsigned char report[GF_REPORT_MAX];
};

int uplink_new(struct spool *spool, const struct uplink_ops *ops, struct uplink **ret_uplink)
{
	struct uplink *u = calloc(1, sizeof(*u));
	if (u == NULL)
		return -ENOMEM;
	u->spool = spool;
	u->ops = *ops;
	u->timeout_ms = UPLINK_ACK_TIMEOUT_MS;
	*ret_uplink = u;
	return 0;
}

void uplink_free(struct uplink *uplink)
{
	free(uplink);
}

/* Everything after the ack is sent again. */
static void go_back(struct uplink *u)
{
	u->flying = 0;
	u->next_seq = spool_acked(u->spool) + 1;
}

static void back_off(struct uplink *u, int64_t mono_ms)
{
	go_back(u);
	u->hold_until_ms = mono_ms + u->timeout_ms;
	u->timeout_ms = u->timeout_ms * 2 < UPLINK_ACK_TIMEOUT_MAX_MS ? u->timeout_ms * 2 : UPLINK_ACK_TIMEOUT_MAX_MS;
}

void uplink_link_up(struct uplink *uplink, int64_t mono_ms)
{
	uplink->up = true;
	uplink->gone_back = false;
	uplink->timeout_ms = UPLINK_ACK_TIMEOUT_MS;
	uplink->hold_until_ms = mono_ms;
	go_back(uplink);
}

void uplink_link_down(struct uplink *uplink)
{
	uplink->up = false;
	uplink->flying = 0;
}

void uplink_published(struct uplink *uplink, uint64_t cookie, int code, int64_t mono_ms)
{
	if (!uplink->up || code < NOBODY_LISTENS)
		return;
	for (size_t i = 0; i < uplink->flying; i++) {
		if (uplink->flight[i].cookie != cookie)
			continue;
		uplink->stats.refused += code >= REFUSED ? 1 : 0;
		/* The broker has it, but no gateway took it, or the broker refused it: no ack will come. */
		back_off(uplink, mono_ms);
		return;
	}
}

static void forget_acked(struct uplink *u)
{
	uint64_t acked = spool_acked(u->spool);
	size_t done = 0;
	while (done < u->flying && u->flight[done].through_seq <= acked)
		done++;
	u->flying -= done;
	memmove(u->flight, u->flight + done, u->flying * sizeof(u->flight[0]));
	if (u->next_seq <= acked)
		u->next_seq = acked + 1;
}

int uplink_ack(struct uplink *uplink, const void *data, size_t len, int64_t mono_ms, struct gf_diag *diag)
{
	struct gf_ack ack;
	struct gf_stream_id stream = spool_stream(uplink->spool);
	int r = gf_ack_decode(data, len, &ack, diag);
	if (r != 0)
		return r;
	if (memcmp(&ack.stream, &stream, sizeof(stream)) != 0) {
		uplink->stats.stale_acks++;
		return 0;
	}
	uplink->stats.rejected_records += ack.rejected;
	uplink->overtaken |= ack.through_seq >= spool_next_seq(uplink->spool);
	if (ack.through_seq <= spool_acked(uplink->spool) || ack.through_seq >= spool_next_seq(uplink->spool)) {
		uplink->stats.stale_acks++;
		/* The gateway misses something before what it got: go back, once. */
		if (ack.through_seq == spool_acked(uplink->spool) && uplink->flying > 0 && !uplink->gone_back) {
			uplink->gone_back = true;
			go_back(uplink);
		}
		return 0;
	}
	r = spool_ack(uplink->spool, ack.through_seq);
	if (r != 0)
		return r;
	uplink->stats.acks++;
	uplink->gone_back = false;
	uplink->timeout_ms = UPLINK_ACK_TIMEOUT_MS;
	uplink->hold_until_ms = mono_ms;
	forget_acked(uplink);
	return 0;
}

/*
 * The report's header names its first record, which may be a Lost record that began before what is asked for. A record that this
 * build can't read goes out all the same: it is the gateway's to reject it, and all that comes after it waits behind it.
 */
static int first_seq_of(const void *record, size_t len, uint64_t asked, uint64_t *ret_seq)
{
	struct gf_record decoded;
	int r = gf_record_decode(record, len, &decoded, NULL);
	if (r < 0)
		return r;
	*ret_seq = r == 0 ? decoded.seq : asked;
	return 0;
}

/* Puts as many records as fit behind `seq` into the buffer; *ret_through is the last seq they stand for. */
static int build(struct uplink *u, uint64_t seq, struct gf_report_writer *w, uint64_t *ret_through)
{
	struct gf_stream_id stream = spool_stream(u->spool);
	uint64_t through = 0, first = seq;
	const void *record;
	size_t len;

	int r = spool_read(u->spool, seq, &record, &len, &through);
	if (r == 0)
		r = first_seq_of(record, len, seq, &first);
	if (r == 0)
		r = gf_report_begin(w, u->report, sizeof(u->report), &stream, first);
	if (r == 0)
		r = gf_report_add(w, record, len);
	if (r != 0)
		return r;
	*ret_through = through;
	while (w->records < GF_REPORT_RECORDS_MAX) {
		if (spool_read(u->spool, *ret_through + 1, &record, &len, &through) != 0 || gf_report_add(w, record, len) != 0)
			break;
		*ret_through = through;
	}
	return 0;
}

static int send_one(struct uplink *u, int64_t mono_ms)
{
	struct gf_report_writer w;
	uint64_t through;
	int r = build(u, u->next_seq, &w, &through);
	if (r != 0)
		return r;
	r = u->ops.publish(u->ops.ctx, u->report, w.len, u->last_cookie + 1);
	if (r != 0)
		return r;
	u->flight[u->flying++] = (struct in_flight){.cookie = ++u->last_cookie, .through_seq = through, .sent_ms = mono_ms};
	u->stats.reports++;
	if (u->next_seq <= u->highest_sent)
		u->stats.resent++;
	if (through > u->highest_sent)
		u->highest_sent = through;
	u->next_seq = through + 1;
	spool_pin(u->spool, u->highest_sent);
	return 0;
}

void uplink_hurry(struct uplink *uplink, int64_t mono_ms)
{
	uplink->hold_until_ms = mono_ms;
}

int64_t uplink_step(struct uplink *uplink, int64_t mono_ms)
{
	if (!uplink->up)
		return INT64_MAX;
	forget_acked(uplink);
	if (uplink->flying > 0 && mono_ms - uplink->flight[0].sent_ms >= uplink->timeout_ms) {
		uplink->stats.timeouts++;
		uplink->gone_back = false;
		back_off(uplink, mono_ms);
		/* A timeout has waited already. */
		uplink->hold_until_ms = mono_ms;
	}
	if (mono_ms < uplink->hold_until_ms)
		return uplink->hold_until_ms;
	while (uplink->flying < UPLINK_WINDOW && uplink->next_seq < spool_next_seq(uplink->spool)) {
		if (send_one(uplink, mono_ms) != 0)
			break;
	}
	return uplink->flying > 0 ? uplink->flight[0].sent_ms + uplink->timeout_ms : INT64_MAX;
}

struct uplink_stats uplink_stats(const struct uplink *uplink)
{
	return uplink->stats;
}

bool uplink_overtaken(const struct uplink *uplink)
{
	return uplink->overtaken;
}
