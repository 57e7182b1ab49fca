#include "tests/unit/gateway/store/wish_rig.h"

#include <stdlib.h>
#include <string.h>

const struct store_actor rig_anna = {"anna (uid 1000)", "unix socket"};

struct gf_digest rig_digest(uint8_t n)
{
	struct gf_digest digest = {{0}};

	digest.bytes[0] = n;
	return digest;
}

struct store_catalog rig_catalog(uint8_t digest, uint64_t version)
{
	return (struct store_catalog){.digest = rig_digest(digest),
	                              .name = "percussion",
	                              .class = GF_CLASS_CHAIR,
	                              .version = version,
	                              .created_ms = NOON - DAY,
	                              .expires_ms = NOON + 90 * DAY,
	                              .rollback_floor = 3,
	                              .signatures_count = 1,
	                              .signatures = {{{1, 2, 3, 4, 5, 6, 7, 8}}}};
}

int rig_publish(struct fixture *f, uint8_t digest, uint64_t version, size_t len, bool *ret_known, struct gf_diag *diag)
{
	struct store_catalog c = rig_catalog(digest, version);
	unsigned char *data = malloc(len);
	int r;

	memset(data, digest, len);
	r = store_catalog_add(f->store, &c, data, len, &rig_anna, NOON, ret_known, diag);
	free(data);
	return r;
}

struct gf_desired_catalog rig_wanted(uint8_t digest, uint64_t version)
{
	return (struct gf_desired_catalog){
	    .name = "percussion", .version = version, .digest = rig_digest(digest), .size = 100, .within_ms = HOUR};
}

void rig_machine(struct fixture *f, const char *id)
{
	send_status(f, id, birth(1, 1, 1), false, NOON);
}

uint64_t rig_desire(struct fixture *f, const char *id, uint8_t digest, uint64_t version)
{
	struct gf_desired_catalog wanted = rig_wanted(digest, version);
	struct store_desired before = rig_desired(f, id);
	struct gf_diag diag = {""};
	uint64_t revision = 0;

	assert_int_equal(store_begin(f->store, &diag), 0);
	assert_int_equal(store_desired_catalog(f->store, before.key, digest ? &wanted : NULL, NOON, &revision, &diag), 0);
	assert_int_equal(store_commit(f->store, &diag), 0);
	return revision;
}

struct store_desired rig_desired(struct fixture *f, const char *id)
{
	struct store_desired desired;
	struct gf_diag diag = {""};

	assert_int_equal(store_read_desired_of(f->reader, id, &desired, &diag), 0);
	return desired;
}

struct gf_record rig_answer(uint64_t seq, uint64_t revision, enum gf_desired_step step, uint8_t digest)
{
	struct gf_record r = record(seq, GF_RECORD_DESIRED_APPLIED, NOON + (int64_t)seq * 1000);

	r.desired_applied = (struct gf_desired_applied){.revision = revision, .step = step};
	if (digest) {
		gf_strcpy(r.desired_applied.catalog, sizeof(r.desired_applied.catalog), "percussion");
		r.desired_applied.version = 8;
		r.desired_applied.digest = rig_digest(digest);
	}
	return r;
}

void rig_send(struct fixture *f, const char *id, struct gf_record record)
{
	assert_int_equal(send_report(f, id, 1, &record, 1, NOON + (int64_t)record.seq * 1000).through_seq, record.seq);
}

struct count {
	enum store_event_kind kind;
	const char *text;
	size_t count;
	struct store_deed *deed;
};

static int count_event(void *ctx, const struct store_event *event)
{
	struct count *c = ctx;

	c->count += event->kind == c->kind && strstr(event->text, c->text);
	return 0;
}

size_t rig_events(struct fixture *f, enum store_event_kind kind, const char *text)
{
	struct store_event_query query = {.after = 0};
	struct count c = {.kind = kind, .text = text};

	assert_int_equal(store_read_events(f->reader, &query, count_event, &c, NULL), 0);
	return c.count;
}

static int count_deed(void *ctx, const struct store_deed *deed)
{
	struct count *c = ctx;

	if (strcmp(deed->action, c->text) != 0)
		return 0;
	if (c->count++ == 0 && c->deed)
		*c->deed = *deed;
	return 0;
}

size_t rig_deeds(struct fixture *f, const char *action, struct store_deed *ret_deed)
{
	struct count c = {.text = action, .deed = ret_deed};

	assert_int_equal(store_read_deeds(f->reader, 0, 0, count_deed, &c, NULL), 0);
	return c.count;
}
