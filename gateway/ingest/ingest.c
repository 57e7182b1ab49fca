#include "gateway/ingest/ingest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/codec.h"
#include "proto/topic.h"

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
	bool poison; /* the store refused a value in it: it goes to quarantine whole */
};

struct ingest {
	struct store *store;
	ingest_publish_fn publish;
	void *ctx;
	struct message batch[INGEST_BATCH_MAX];
	size_t count;
	struct ingest_state state;
	/* What the batch being applied will have counted when it is committed. */
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

static size_t leaf_limit(enum gf_topic_leaf leaf)
{
	return leaf == GF_TOPIC_STATUS ? GF_STATUS_MAX : GF_REPORT_MAX;
}

int ingest_message(struct ingest *in, const char *topic, size_t topic_len, const void *payload, size_t len,
                   bool retained, int64_t recv_ms)
{
	struct message m = {.retained = retained, .recv_ms = recv_ms, .len = len};
	size_t kept;

	if (!gf_topic_parse_device(topic, topic_len, m.device, &m.leaf) ||
	    (m.leaf != GF_TOPIC_STATUS && m.leaf != GF_TOPIC_REPORT) || len == 0) {
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
	return 0;
}

/* ---- applying ---- */

static int quarantine(struct ingest *in, const struct message *m, const char *reason, struct gf_diag *diag)
{
	const char *leaf = m->leaf == GF_TOPIC_STATUS ? "status" : "report";

	return store_quarantine(in->store, m->device, leaf, reason[0] ? reason : "not readable", m->data, m->len,
	                        m->recv_ms, diag);
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
	return quarantine(in, m, reason[0] ? reason : "a record with impossible values", diag);
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
	if (m->poison || m->len > leaf_limit(m->leaf)) {
		in->undecodable++;
		return quarantine(in, m, m->poison ? "the store refused a value" : "too large", diag);
	}
	return m->leaf == GF_TOPIC_STATUS ? apply_status(in, m, diag) : apply_report(in, m, diag);
}

static int apply_once(struct ingest *in, bool *ret_again, struct gf_diag *diag)
{
	int r = store_begin(in->store, diag);

	*ret_again = false;
	if (r)
		return r;
	in->undecodable = 0;
	in->rejected = 0;
	for (size_t i = 0; i < in->count && !r; i++) {
		r = apply(in, &in->batch[i], diag);
		/* One message never holds up the others: without it, again. */
		if (r == -EINVAL && !in->batch[i].poison)
			*ret_again = in->batch[i].poison = true;
	}
	if (!r)
		return store_commit(in->store, diag);
	store_rollback(in->store);
	return r;
}

static int apply_batch(struct ingest *in, struct gf_diag *diag)
{
	bool again;
	int r;

	do
		r = apply_once(in, &again, diag);
	while (again);
	return r;
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
	in->state.commits++;
	in->state.failures_in_a_row = 0;
	in->state.failing_since_ms = 0;
	in->state.last_commit_ms = now_ms;
	in->state.undecodable += in->undecodable;
	in->state.rejected += in->rejected;
	for (size_t i = 0; i < in->count; i++)
		if (in->batch[i].acked)
			publish_ack(in, &in->batch[i]);
	forget(in);
	return 0;
}
