#include "gateway/ingest/ingest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/store/wishes.h"
#include "proto/codec.h"
#include "proto/topic.h"

/* Messages put aside in one ingest_commit: each may take a commit for every record, and the caller has a watchdog. */
enum { ASIDE_MAX = 8 };

/* Why the store rejected records that the decoder took. */
static const char out_of_range[] = "a record with impossible values";

/* One message waiting for the commit. */
struct message {
	char device[GF_ID_MAX];
	enum gf_topic_leaf leaf;
	bool retained;
	int64_t recv_ms;
	void *data;
	size_t len;
	struct gf_ack ack; /* of a report, when it was applied */
	bool acked;
	bool kept; /* in quarantine since a transaction that held a part of it */
};

struct ingest {
	struct store *store;
	ingest_publish_fn publish;
	void *ctx;
	struct message batch[INGEST_BATCH_MAX];
	size_t count;
	struct ingest_state state;
	/* What the transaction will have counted when it is committed. */
	uint64_t undecodable, rejected;
};

int ingest_new(struct store *store, ingest_publish_fn publish, void *ctx, struct ingest **ret_ingest)
{
	struct ingest *in = calloc(1, sizeof(*in));

	if (!in)
		return -ENOMEM;
	in->store = store;
	in->publish = publish;
	in->ctx = ctx;
	*ret_ingest = in;
	return 0;
}

static void forget(struct ingest *in)
{
	for (size_t i = 0; i < in->count; i++)
		free(in->batch[i].data);
	in->count = 0;
}

void ingest_free(struct ingest *in)
{
	if (!in)
		return;
	forget(in);
	free(in);
}

size_t ingest_pending(const struct ingest *in)
{
	return in->count;
}

void ingest_state_get(const struct ingest *in, struct ingest_state *ret_state)
{
	*ret_state = in->state;
}

/* What machines write: how large it may be, and what it is called in quarantine. 0 = theirs only to read. */
static const struct leaf {
	size_t max;
	const char *name;
} leaves[GF_TOPIC_LEAF_COUNT] = {
    [GF_TOPIC_STATUS] = {GF_STATUS_MAX, "status"},
    [GF_TOPIC_REPORT] = {GF_REPORT_MAX, "report"},
    [GF_TOPIC_REPLY] = {GF_REPLY_MAX, "reply"},
};

int ingest_message(struct ingest *in, const char *topic, size_t topic_len, const void *payload, size_t len,
                   bool retained, int64_t recv_ms)
{
	struct message m = {.retained = retained, .recv_ms = recv_ms, .len = len};
	size_t kept;

	if (!gf_topic_parse_device(topic, topic_len, m.device, &m.leaf) || leaves[m.leaf].max == 0 || len == 0) {
		/* An empty payload on a retained topic only says that it was cleared. */
		in->state.ignored++;
		return 0;
	}
	if (in->count == INGEST_BATCH_MAX) {
		in->state.refused++;
		return INGEST_E_FULL;
	}
	/* Of what is too large only what quarantine would keep is held. */
	kept = len < GF_REPORT_MAX ? len : GF_REPORT_MAX;
	m.data = malloc(kept);
	if (!m.data)
		return -ENOMEM;
	memcpy(m.data, payload, kept);
	in->batch[in->count++] = m;
	in->state.messages++;
	in->state.reports += m.leaf == GF_TOPIC_REPORT;
	in->state.statuses += m.leaf == GF_TOPIC_STATUS;
	in->state.replies += m.leaf == GF_TOPIC_REPLY;
	return 0;
}

/* ---- applying ---- */

static int quarantine(struct ingest *in, const struct message *m, const char *reason, struct gf_diag *diag)
{
	return store_quarantine(in->store, m->device, leaves[m->leaf].name, reason[0] ? reason : "not readable", m->data,
	                        m->len, m->recv_ms, diag);
}

/* What a decoder returned: the message goes to quarantine, unless memory was short, which is not its fault. */
static int undecodable(struct ingest *in, const struct message *m, int r, const char *reason, struct gf_diag *diag)
{
	if (r < 0)
		return r;
	in->undecodable++;
	return quarantine(in, m, reason, diag);
}

static int apply_status(struct ingest *in, const struct message *m, struct gf_diag *diag)
{
	struct gf_diag reason = {""};
	struct gf_status status;
	int r = gf_status_decode(m->data, m->len, &status, &reason);

	if (r)
		return undecodable(in, m, r, reason.text, diag);
	return store_apply_status(in->store, m->device, &status, m->retained, m->recv_ms, diag);
}

static int apply_reply(struct ingest *in, const struct message *m, struct gf_diag *diag)
{
	struct gf_diag reason = {""};
	struct gf_reply reply;
	int r = gf_reply_decode(m->data, m->len, &reply, &reason);

	if (r)
		return undecodable(in, m, r, reason.text, diag);
	return store_command_reply(in->store, m->device, &reply, m->recv_ms, diag);
}

static int apply_decoded(struct ingest *in, struct message *m, const struct gf_report *report, const bool *bad,
                         const char *reason, struct gf_diag *diag)
{
	int r = store_apply_report(in->store, m->device, report, bad, m->recv_ms, &m->ack, diag);

	if (r)
		return r;
	m->acked = true;
	if (!m->ack.rejected)
		return 0;
	in->rejected += m->ack.rejected;
	if (m->kept)
		return 0;
	return quarantine(in, m, reason[0] ? reason : out_of_range, diag);
}

static int apply_report(struct ingest *in, struct message *m, struct gf_diag *diag)
{
	bool bad[GF_REPORT_RECORDS_MAX] = {false};
	struct gf_diag reason = {""};
	struct gf_report *report;
	int r = gf_report_decode_each(m->data, m->len, &report, bad, &reason);

	if (r)
		return undecodable(in, m, r, reason.text, diag);
	r = apply_decoded(in, m, report, bad, reason.text, diag);
	free(report);
	return r;
}

static int apply(struct ingest *in, struct message *m, struct gf_diag *diag)
{
	m->acked = false;
	if (m->len > leaves[m->leaf].max) {
		in->undecodable++;
		return quarantine(in, m, "too large", diag);
	}
	if (m->leaf == GF_TOPIC_REPLY)
		return apply_reply(in, m, diag);
	return m->leaf == GF_TOPIC_STATUS ? apply_status(in, m, diag) : apply_report(in, m, diag);
}

/* ---- one transaction ---- */

static int begin(struct ingest *in, struct gf_diag *diag)
{
	in->undecodable = 0;
	in->rejected = 0;
	return store_begin(in->store, diag);
}

/*
 * Ends what begin() began; `r` decides. *ret_refused: the database doesn't take what is in it, and never will; any other
 * failure passes.
 */
static int end(struct ingest *in, int r, bool *ret_refused, struct gf_diag *diag)
{
	if (r)
		store_rollback(in->store);
	else
		r = store_commit(in->store, diag);
	*ret_refused = r == -EINVAL;
	if (r)
		return r;
	in->state.commits++;
	in->state.undecodable += in->undecodable;
	in->state.rejected += in->rejected;
	return 0;
}

/* The first `count` messages. */
static int apply_first(struct ingest *in, size_t count, bool *ret_refused, struct gf_diag *diag)
{
	int r = begin(in, diag);

	*ret_refused = false;
	if (r)
		return r;
	for (size_t i = 0; i < count && !r; i++)
		r = apply(in, &in->batch[i], diag);
	return end(in, r, ret_refused, diag);
}

/* ---- after the commit ---- */

static void publish_ack(struct ingest *in, const struct message *m)
{
	unsigned char buf[GF_ACK_MAX];
	size_t len;

	if (gf_ack_encode(&m->ack, buf, sizeof(buf), &len) != 0)
		return;
	in->state.acks++;
	in->publish(in->ctx, m->device, buf, len);
}

/* The first `count` messages are done with. */
static void settle(struct ingest *in, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (in->batch[i].acked)
			publish_ack(in, &in->batch[i]);
		free(in->batch[i].data);
	}
	in->count -= count;
	memmove(in->batch, in->batch + count, in->count * sizeof(in->batch[0]));
}

/* ---- what the database refuses ---- */

/* A run of a report's records, in a transaction of their own; `passed` of them were refused before and are only passed
 * over. `reason` is for quarantine. */
static int apply_part(struct ingest *in, struct message *m, const struct gf_report *part, const bool *bad,
                      uint32_t passed, const char *reason, bool *ret_refused, struct gf_diag *diag)
{
	struct gf_ack ack;
	bool keep;
	int r = begin(in, diag);

	*ret_refused = false;
	if (r)
		return r;
	r = store_apply_report(in->store, m->device, part, bad, m->recv_ms, &ack, diag);
	if (r)
		return end(in, r, ret_refused, diag);
	ack.rejected += passed;
	in->rejected += ack.rejected;
	keep = ack.rejected && !m->kept;
	r = end(in, keep ? quarantine(in, m, reason, diag) : 0, ret_refused, diag);
	if (r)
		return r;
	m->kept = m->kept || keep;
	ack.rejected += m->ack.rejected;
	m->ack = ack;
	m->acked = true;
	return 0;
}

/* Makes a record one that the store passes over: nothing is left of it but its place, and all seqs it stands for. */
static void blank(struct gf_record *rec)
{
	*rec = (struct gf_record){.seq = gf_record_through(rec)};
}

/* As apply_part; a record that is refused alone is passed over. */
static int apply_or_pass(struct ingest *in, struct message *m, const struct gf_report *part, const bool *bad,
                         const char *reason, bool *ret_refused, struct gf_diag *diag)
{
	int r = apply_part(in, m, part, bad, 0, reason, ret_refused, diag);
	struct gf_record *rec = part->records;
	struct gf_diag why;

	if (!*ret_refused || part->records_count > 1 || *bad || rec->kind == GF_RECORD_UNSPECIFIED)
		return r;
	why = *diag;
	blank(rec);
	return apply_part(in, m, part, bad, 1, why.text, ret_refused, diag);
}

/*
 * A report of which the database refuses something: commits its records in ever smaller runs, and passes over those that
 * are refused alone. *ret_refused: not even that was possible; what stands before is committed.
 */
static int sift(struct ingest *in, struct message *m, const struct gf_report *report, const bool *bad,
                const char *reason, bool *ret_refused, struct gf_diag *diag)
{
	size_t share = report->records_count, at = 0;
	bool refused = false;
	int r = 0;

	m->ack = (struct gf_ack){.rejected = 0};
	while (at < report->records_count && !r) {
		size_t left = report->records_count - at;
		struct gf_record *first = &report->records[at];
		struct gf_report part = {.stream = report->stream,
		                         .first_seq = at ? gf_record_through(first - 1) + 1 : report->first_seq,
		                         .records_count = share < left ? share : left,
		                         .records = first};

		r = apply_or_pass(in, m, &part, bad + at, reason, &refused, diag);
		if (refused && part.records_count > 1) {
			share = part.records_count / 2;
			r = 0;
			continue;
		}
		at += part.records_count;
		share = part.records_count * 2;
	}
	*ret_refused = refused;
	return r;
}

static int sift_report(struct ingest *in, struct message *m, bool *ret_refused, struct gf_diag *diag)
{
	bool bad[GF_REPORT_RECORDS_MAX] = {false};
	struct gf_diag reason = {""};
	struct gf_report *report;
	int r = gf_report_decode_each(m->data, m->len, &report, bad, &reason);

	/* It was on its way into quarantine, and that was refused. */
	*ret_refused = r > 0;
	if (r)
		return r;
	r = sift(in, m, report, bad, reason.text[0] ? reason.text : out_of_range, ret_refused, diag);
	free(report);
	return r;
}

static int keep_whole(struct ingest *in, struct message *m, const char *reason, bool *ret_refused, struct gf_diag *diag)
{
	int r = begin(in, diag);

	*ret_refused = false;
	if (r)
		return r;
	in->undecodable++;
	return end(in, quarantine(in, m, reason, diag), ret_refused, diag);
}

/* The first message, which the database refused though it stood alone; `diag` says why. */
static int put_aside(struct ingest *in, struct gf_diag *diag)
{
	struct message *m = &in->batch[0];
	bool refused = true;
	int r = 0;

	m->acked = false;
	if (m->leaf == GF_TOPIC_REPORT && m->len <= GF_REPORT_MAX)
		r = sift_report(in, m, &refused, diag);
	if (refused) {
		struct gf_diag why = *diag;

		r = keep_whole(in, m, why.text, &refused, diag);
	}
	if (refused) {
		/* It isn't acked: a machine still has what was in a report. */
		in->state.unkept++;
		in->state.last_unkept = *diag;
		r = 0;
	}
	if (!r)
		settle(in, 1);
	return r;
}

/* All in one transaction; when the database refuses that, ever fewer, until what it refuses stands alone. */
static int apply_batch(struct ingest *in, struct gf_diag *diag)
{
	size_t share = in->count, aside = 0;
	int r = 0;

	while (in->count && aside < ASIDE_MAX && !r) {
		size_t count = share < in->count ? share : in->count;
		bool refused;

		r = apply_first(in, count, &refused, diag);
		if (refused && count > 1) {
			share = count / 2;
			r = 0;
			continue;
		}
		if (refused) {
			r = put_aside(in, diag);
			aside++;
		} else if (!r) {
			settle(in, count);
		}
		share = count * 2;
	}
	return r;
}

/* ---- the commit ---- */

static void note_failure(struct ingest *in, int64_t now_ms, const struct gf_diag *diag)
{
	struct ingest_state *s = &in->state;

	s->failed_commits++;
	if (s->failures_in_a_row++ == 0)
		s->failing_since_ms = now_ms;
	s->last_error = *diag;
}

int ingest_commit(struct ingest *in, int64_t now_ms, struct gf_diag *diag)
{
	struct gf_diag own = {""};
	int r;

	if (in->count == 0)
		return 0;
	r = apply_batch(in, &own);
	if (r) {
		note_failure(in, now_ms, &own);
		gf_diag_set(diag, "%s", own.text);
		return r;
	}
	in->state.failures_in_a_row = 0;
	in->state.failing_since_ms = 0;
	in->state.last_commit_ms = now_ms;
	return 0;
}
