/* Catalogs to the broker and off it. */
#include "gateway/downlink_impl.h"

#include <errno.h>
#include <stdlib.h>

#include "proto/topic.h"

/* ---- which ones ---- */

struct loading {
	const struct downlink *d;
	struct entry *entries;
	size_t count, max;
};

static int take_entry(void *ctx, const struct store_retained *retained)
{
	struct loading *l = ctx;
	struct entry entry = {.at = *retained};
	if (l->count == l->max) {
		size_t max = l->max > 0 ? l->max * 2 : 16;
		struct entry *larger = reallocarray(l->entries, max, sizeof(*larger));
		if (larger == NULL)
			return -ENOMEM;
		l->entries = larger;
		l->max = max;
	}
	for (size_t i = 0; i < l->d->entries_count; i++)
		if (gf_digest_equal(&l->d->entries[i].at.digest, &retained->digest))
			entry.whole = l->d->entries[i].whole;
	l->entries[l->count++] = entry;
	return 0;
}

int catalogs_load(struct downlink *d, struct gf_diag *diag)
{
	struct loading l = {.d = d};
	int r = store_read_retained(d->reader, take_entry, &l, diag);
	if (r != 0) {
		free(l.entries);
		return r;
	}
	free(d->entries);
	d->entries = l.entries;
	d->entries_count = l.count;
	return 0;
}

void catalogs_forget(struct downlink *d)
{
	for (size_t i = 0; i < d->entries_count; i++)
		d->entries[i].whole = false;
}

static struct entry *next_entry(struct downlink *d, bool withdraw)
{
	for (size_t i = 0; i < d->entries_count; i++) {
		struct entry *e = &d->entries[i];
		if (!e->tried && (withdraw ? !e->at.wanted && e->at.on_broker : e->at.wanted && !e->whole))
			return e;
	}
	return NULL;
}

static struct entry *find_entry(struct downlink *d, const struct gf_digest *digest)
{
	for (size_t i = 0; i < d->entries_count; i++)
		if (gf_digest_equal(&d->entries[i].at.digest, digest))
			return &d->entries[i];
	return NULL;
}

/* ---- a transfer ---- */

void transfer_end(struct downlink *d)
{
	free(d->transfer.data);
	d->transfer = (struct transfer){.active = false};
}

static int begin(struct downlink *d, struct entry *e, bool withdraw, struct gf_diag *diag)
{
	struct transfer t = {.active = true, .withdraw = withdraw, .digest = e->at.digest, .len = e->at.size};
	int r = 0;
	e->tried = true;
	if (withdraw)
		e->whole = false;
	else
		r = store_read_catalog_bytes(d->reader, &t.digest, &t.data, &t.len, diag);
	if (r == 0 && !withdraw && !e->at.on_broker)
		r = store_catalog_on_broker(d->store, &t.digest, true, diag);
	if (r != 0) {
		free(t.data);
		return r;
	}
	e->at.on_broker = true;
	t.topics = gf_catalog_parts(t.len);
	if (t.topics == 0)
		t.topics = 1;
	t.serial = ++d->serial;
	d->transfer = t;
	return 0;
}

/* False: no more can leave now. */
static bool send_next(struct downlink *d)
{
	struct transfer *t = &d->transfer;
	struct slot slot = {.kind = SLOT_PART, .serial = t->serial};
	bool parts = gf_catalog_parts(t->len) > 0;
	size_t at = t->sent * GF_CATALOG_PART_MAX, left = t->len - at;
	const void *payload = "";
	size_t len = 0;
	char topic[GF_TOPIC_MAX];
	if (!t->withdraw) {
		payload = t->data + at;
		len = left < GF_CATALOG_PART_MAX ? left : GF_CATALOG_PART_MAX;
	}
	gf_topic_catalog(topic, &t->digest, parts ? (int)t->sent : GF_TOPIC_CATALOG_WHOLE);
	int r = downlink_send(d, &slot, topic, payload, len, true, 0);
	if (r == -EAGAIN)
		return false;
	if (r == 0)
		t->sent++;
	else
		t->failed = true;
	return true;
}

void transfer_acked(struct downlink *d, uint64_t serial, bool good)
{
	struct transfer *t = &d->transfer;
	if (!t->active || t->serial != serial)
		return;
	t->acked++;
	t->failed = t->failed || !good;
}

/* All of it was answered. */
static int finish(struct downlink *d, struct gf_diag *diag)
{
	struct transfer *t = &d->transfer;
	struct entry *e = find_entry(d, &t->digest);
	int r = 0;
	if (!t->failed && t->withdraw) {
		r = store_catalog_on_broker(d->store, &t->digest, false, diag);
		if (e != NULL && r == 0)
			e->at.on_broker = false;
		d->state.withdrawn += r == 0;
	} else if (!t->failed) {
		if (e != NULL)
			e->whole = true;
		d->state.catalogs++;
	}
	transfer_end(d);
	return r;
}

static enum carry carry_on(struct downlink *d)
{
	struct transfer *t = &d->transfer;
	struct gf_diag diag = {{0}};
	if (!t->failed && t->sent < t->topics)
		return send_next(d) ? CARRY_MOVED : CARRY_WAITS;
	if (t->acked < t->sent)
		return CARRY_WAITS;
	if (finish(d, &diag) != 0) {
		downlink_abort(d, "a catalog", &diag);
		return CARRY_WAITS;
	}
	return CARRY_MOVED;
}

enum carry catalogs_carry(struct downlink *d, bool withdraw)
{
	struct gf_diag diag = {{0}};
	if (d->transfer.active)
		return carry_on(d);
	struct entry *e = next_entry(d, withdraw);
	if (e == NULL)
		return CARRY_DONE;
	if (begin(d, e, withdraw, &diag) != 0) {
		downlink_abort(d, "a catalog", &diag);
		return CARRY_WAITS;
	}
	return CARRY_MOVED;
}
