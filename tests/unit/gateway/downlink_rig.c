#include "tests/unit/gateway/downlink_rig.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/codec.h"

struct retained *down_find(struct fake *fake, const char *topic)
{
	for (size_t i = 0; i < fake->kept_count; i++)
		if (strcmp(fake->kept[i].topic, topic) == 0)
			return &fake->kept[i];
	return NULL;
}

static void keep(struct fake *fake, const char *topic, const void *payload, size_t len)
{
	struct retained *r = down_find(fake, topic);

	if (len == 0) {
		if (r) {
			free(r->data);
			*r = fake->kept[--fake->kept_count];
		}
		return;
	}
	if (!r) {
		assert_true(fake->kept_count < RETAINED_MAX);
		r = &fake->kept[fake->kept_count++];
		r->data = NULL;
		gf_strcpy(r->topic, sizeof(r->topic), topic);
	}
	free(r->data);
	r->data = malloc(len);
	memcpy(r->data, payload, len);
	r->len = len;
}

static int publish(void *ctx, const char *topic, const void *payload, size_t len, bool retain, uint32_t expiry_s,
                   uint64_t cookie)
{
	struct fake *fake = ctx;
	bool refused = fake->refuse && strstr(topic, fake->refuse);

	assert_true(len <= GF_CATALOG_PART_MAX);
	assert_true(cookie > 0);
	if (fake->fail)
		return fake->fail;
	if (fake->flight_count == fake->window)
		return -EAGAIN;
	if (fake->published < ORDER_MAX)
		gf_strcpy(fake->order[fake->published++], GF_TOPIC_MAX, topic);
	fake->codes[fake->flight_count] = refused ? 0x97 : 0;
	fake->flight[fake->flight_count++] = cookie;
	fake->expiry_s = expiry_s;
	memcpy(fake->last, payload, len);
	fake->last_len = len;
	if (retain && !refused)
		keep(fake, topic, payload, len);
	return 0;
}

static unsigned window(void *ctx)
{
	const struct fake *fake = ctx;

	return (unsigned)(fake->window - fake->flight_count);
}

void down_wipe(struct fake *fake)
{
	for (size_t i = 0; i < fake->kept_count; i++)
		free(fake->kept[i].data);
	fake->kept_count = 0;
}

/* ---- a rig ---- */

void down_start(struct down *r)
{
	const struct downlink_ops ops = {.publish = publish, .window = window, .ctx = &r->fake};

	assert_int_equal(downlink_new(r->f->store, r->f->path, &ops, &r->downlink, NULL), 0);
	r->fake.flight_count = 0;
	downlink_up(r->downlink);
}

int down_setup(void **state)
{
	struct down *r = calloc(1, sizeof(*r));
	void *f;

	assert_int_equal(fixture_setup(&f), 0);
	r->f = f;
	r->fake.window = 20;
	r->now = (struct gf_time){.mono_ms = 1000000, .wall_ms = NOON, .synced = true};
	down_start(r);
	*state = r;
	return 0;
}

int down_teardown(void **state)
{
	struct down *r = *state;
	void *f = r->f;

	downlink_free(r->downlink);
	down_wipe(&r->fake);
	free(r);
	return fixture_teardown(&f);
}

/* The broker answers what is in flight, oldest first. */
void down_answer(struct down *r)
{
	size_t count = r->fake.flight_count;
	uint64_t flight[FLIGHT_MAX];
	int codes[FLIGHT_MAX];

	memcpy(flight, r->fake.flight, sizeof(flight));
	memcpy(codes, r->fake.codes, sizeof(codes));
	r->fake.flight_count = 0;
	for (size_t i = 0; i < count; i++)
		downlink_published(r->downlink, flight[i], codes[i]);
}

/* Steps and answers until nothing is under way. */
void down_settle(struct down *r)
{
	for (size_t turn = 0; turn < 2000; turn++) {
		downlink_step(r->downlink, r->now);
		if (r->fake.flight_count == 0)
			return;
		down_answer(r);
	}
	fail_msg("it never comes to rest");
}

void down_pass(struct down *r, int64_t ms)
{
	r->now.mono_ms += ms;
	r->now.wall_ms += ms;
}

struct downlink_state down_state(struct down *r)
{
	struct downlink_state s;

	downlink_state_get(r->downlink, &s);
	return s;
}

const char *down_desired_topic(const char *id)
{
	static char topic[GF_TOPIC_MAX];

	return gf_topic_device(topic, id, GF_TOPIC_DESIRED);
}

const char *down_part_topic(uint8_t n, int part)
{
	static char topic[GF_TOPIC_MAX];
	struct gf_digest digest = rig_digest(n);

	return gf_topic_catalog(topic, &digest, part);
}

/* The revision that the broker has for a machine; 0: none. */
uint64_t down_at_broker(struct down *r, const char *id)
{
	struct retained *kept = down_find(&r->fake, down_desired_topic(id));
	struct gf_desired desired;

	if (!kept)
		return 0;
	assert_int_equal(gf_desired_decode(kept->data, kept->len, &desired, NULL), 0);
	return desired.revision;
}

void down_machines(struct down *r, unsigned count, uint8_t digest)
{
	for (unsigned i = 0; i < count; i++) {
		char id[GF_ID_MAX];

		snprintf(id, sizeof(id), "chair-%u", i);
		rig_machine(r->f, id);
		if (digest)
			rig_desire(r->f, id, digest, 8);
	}
}

void down_catalog(struct down *r, uint8_t digest, size_t len)
{
	bool known;

	assert_int_equal(rig_publish(r->f, digest, digest, len, &known, NULL), 0);
}

static int take_retained(void *ctx, const struct store_retained *row)
{
	struct store_retained *want = ctx;

	if (memcmp(&row->digest, &want->digest, sizeof(row->digest)) == 0)
		*want = *row;
	return 0;
}

struct store_retained down_at_store(struct down *r, uint8_t digest)
{
	struct store_retained row = {.digest = rig_digest(digest)};

	assert_int_equal(store_read_retained(r->f->reader, take_retained, &row, NULL), 0);
	return row;
}
