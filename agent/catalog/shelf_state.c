#include "agent/catalog/shelf_state.h"

#include <errno.h>
#include <string.h>

#include "proto/base/crc32c.h"

/* "GFCATSH", and the version as the last byte. */
static const unsigned char magic[8] = {'G', 'F', 'C', 'A', 'T', 'S', 'H', 1};
enum { MAGIC_TEXT = sizeof(magic) - 1, CHECKED = 12, HEAD = 16, FLAG_TRIAL = 1 };

/* The largest state: all of the fixed parts, the longest name, the most keys. */
_Static_assert(HEAD + 3 + SHELF_SLOTS * (GF_DIGEST_LEN + 8) + 16 + 1 + GF_DIGEST_LEN + 8 + 16 + GF_DIGEST_LEN +
                       SHELF_ROLLED_BACK_MAX * (GF_DIGEST_LEN + 1) + 2 * (GF_DIGEST_LEN + 4) + 8 + GF_DIGEST_LEN + 1 +
                       GF_NAME_MAX + 16 + 2 + GF_KEYS_MAX * GF_KEY_LEN + GF_DIGEST_LEN + 8 + 9 <=
                   SHELF_STATE_MAX,
               "the largest state fits");

/* ---- writing ---- */

struct out {
	unsigned char *at;
};

static void put_bytes(struct out *out, const void *data, size_t len)
{
	memcpy(out->at, data, len);
	out->at += len;
}

static void put(struct out *out, uint64_t value, size_t width)
{
	for (size_t i = 0; i < width; i++)
		*out->at++ = (unsigned char)(value >> (8 * i));
}

static void put_digest(struct out *out, const struct gf_digest *digest)
{
	put_bytes(out, digest->bytes, GF_DIGEST_LEN);
}

static void put_mark(struct out *out, const struct shelf_mark *mark)
{
	put_digest(out, &mark->digest);
	put(out, mark->starts, 4);
}

static void put_desired(struct out *out, const struct shelf_desired *desired)
{
	const size_t len = strnlen(desired->name, GF_NAME_MAX - 1);
	put_digest(out, &desired->digest);
	put(out, len, 1);
	put_bytes(out, desired->name, len);
	put(out, desired->version, 8);
	put(out, desired->size, 4);
	put(out, desired->left_ms, 4);
}

static void put_keys(struct out *out, const struct gf_keyset *keys)
{
	const size_t count = keys->count <= GF_KEYS_MAX ? keys->count : 0;
	put(out, keys->threshold, 1);
	put(out, count, 1);
	put_bytes(out, keys->keys, count * GF_KEY_LEN);
}

static void put_body(struct out *out, const struct shelf_state *state)
{
	put(out, state->active, 1);
	put(out, state->previous, 1);
	put(out, state->trial ? FLAG_TRIAL : 0, 1);
	for (int slot = SHELF_FILE; slot < SHELF_SLOTS; slot++) {
		put_digest(out, &state->digests[slot]);
		put(out, state->versions[slot], 8);
	}
	put(out, state->trial_starts, 4);
	put(out, state->trial_faults, 4);
	put(out, state->trial_ms, 8);
	put(out, state->cause, 1);
	put_digest(out, &state->told);
	put(out, state->told_version, 8);
	put(out, state->highest_version, 8);
	put(out, state->rollback_floor, 8);
	put_digest(out, &state->highest);
	for (size_t i = 0; i < SHELF_ROLLED_BACK_MAX; i++) {
		put_digest(out, &state->rolled_back[i].digest);
		put(out, state->rolled_back[i].refusal, 1);
	}
	put_mark(out, &state->judging);
	put_mark(out, &state->judging_file);
	put(out, state->revision, 8);
	put_desired(out, &state->desired);
	put_keys(out, &state->keys);
	put_digest(out, &state->keys_from);
	put(out, (uint64_t)state->not_before_wall_ms, 8);
	put(out, state->answered_revision, 8);
	put(out, state->answered_step, 1);
}

/* Over all that stands before the sum, and after it. */
static uint32_t sum_of(const unsigned char *data, size_t len)
{
	return gf_crc32c(gf_crc32c(0, data, CHECKED), data + HEAD, len - HEAD);
}

size_t shelf_state_encode(const struct shelf_state *state, unsigned char buf[static SHELF_STATE_MAX])
{
	struct out out = {buf + HEAD};
	put_body(&out, state);
	const size_t len = (size_t)(out.at - buf);
	struct out head = {buf};
	put_bytes(&head, magic, sizeof(magic));
	put(&head, len - HEAD, 4);
	put(&head, sum_of(buf, len), 4);
	return len;
}

/* ---- reading ---- */

struct in {
	const unsigned char *at, *end;
	bool bad;
};

static const unsigned char *get_bytes(struct in *in, size_t len)
{
	if (in->bad || (size_t)(in->end - in->at) < len) {
		in->bad = true;
		return NULL;
	}
	in->at += len;
	return in->at - len;
}

/* At most `max`, or the whole is bad. */
static uint64_t get(struct in *in, size_t width, uint64_t max)
{
	const unsigned char *le = get_bytes(in, width);
	uint64_t value = 0;
	for (size_t i = 0; le != NULL && i < width; i++)
		value |= (uint64_t)le[i] << (8 * i);
	if (value <= max)
		return value;
	in->bad = true;
	return 0;
}

static struct gf_digest get_digest(struct in *in)
{
	struct gf_digest digest = {{0}};
	const unsigned char *bytes = get_bytes(in, GF_DIGEST_LEN);
	if (bytes != NULL)
		memcpy(digest.bytes, bytes, GF_DIGEST_LEN);
	return digest;
}

static struct shelf_mark get_mark(struct in *in)
{
	struct shelf_mark mark = {.digest = get_digest(in)};
	mark.starts = (uint32_t)get(in, 4, UINT32_MAX);
	return mark;
}

static void get_desired(struct in *in, struct shelf_desired *desired)
{
	desired->digest = get_digest(in);
	const size_t len = (size_t)get(in, 1, GF_NAME_MAX - 1);
	const unsigned char *name = get_bytes(in, len);
	if (name == NULL || !gf_utf8_valid(name, len) || gf_has_controls(name, len)) {
		in->bad = true;
		return;
	}
	memcpy(desired->name, name, len);
	desired->version = get(in, 8, UINT64_MAX);
	desired->size = (uint32_t)get(in, 4, GF_CATALOG_MAX);
	desired->left_ms = (uint32_t)get(in, 4, UINT32_MAX);
}

static void get_keys(struct in *in, struct gf_keyset *keys)
{
	const uint32_t threshold = (uint32_t)get(in, 1, GF_KEYS_MAX);
	const size_t count = (size_t)get(in, 1, GF_KEYS_MAX);
	const unsigned char *bytes = get_bytes(in, count * GF_KEY_LEN);
	if (bytes == NULL)
		return;
	*keys = (struct gf_keyset){.threshold = threshold, .count = count};
	memcpy(keys->keys, bytes, count * GF_KEY_LEN);
	in->bad |= threshold == 0 ? count != 0 : gf_keyset_check(keys, NULL) != 0;
}

static void get_body(struct in *in, struct shelf_state *state)
{
	state->active = (enum shelf_slot)get(in, 1, SHELF_SLOTS - 1);
	state->previous = (enum shelf_slot)get(in, 1, SHELF_SLOTS - 1);
	state->trial = get(in, 1, FLAG_TRIAL) != 0;
	for (int slot = SHELF_FILE; slot < SHELF_SLOTS; slot++) {
		state->digests[slot] = get_digest(in);
		state->versions[slot] = get(in, 8, GF_CATALOG_VERSION_MAX);
	}
	state->trial_starts = (uint32_t)get(in, 4, UINT32_MAX);
	state->trial_faults = (uint32_t)get(in, 4, UINT32_MAX);
	state->trial_ms = get(in, 8, INT64_MAX);
	state->cause = (enum gf_catalog_cause)get(in, 1, GF_CATALOG_CAUSE_COUNT - 1);
	state->told = get_digest(in);
	state->told_version = get(in, 8, GF_CATALOG_VERSION_MAX);
	state->highest_version = get(in, 8, GF_CATALOG_VERSION_MAX);
	state->rollback_floor = get(in, 8, UINT64_MAX);
	state->highest = get_digest(in);
	for (size_t i = 0; i < SHELF_ROLLED_BACK_MAX; i++) {
		state->rolled_back[i].digest = get_digest(in);
		state->rolled_back[i].refusal = (enum gf_refusal)get(in, 1, GF_REFUSAL_COUNT - 1);
	}
	state->judging = get_mark(in);
	state->judging_file = get_mark(in);
	state->revision = get(in, 8, UINT64_MAX);
	get_desired(in, &state->desired);
	get_keys(in, &state->keys);
	state->keys_from = get_digest(in);
	state->not_before_wall_ms = (int64_t)get(in, 8, INT64_MAX);
	state->answered_revision = get(in, 8, UINT64_MAX);
	state->answered_step = (enum gf_desired_step)get(in, 1, GF_DESIRED_STEP_COUNT - 1);
}

/* What no machine gets into. */
static bool contradicts(const struct shelf_state *state)
{
	return (state->previous != SHELF_NONE && state->previous == state->active) ||
	       (state->trial && (state->active == SHELF_NONE || state->previous == SHELF_NONE));
}

int shelf_state_decode(const void *data, size_t len, struct shelf_state *ret_state, struct gf_diag *diag)
{
	const unsigned char *bytes = data;
	struct shelf_state state = {0};
	if (len < HEAD || memcmp(bytes, magic, MAGIC_TEXT) != 0) {
		gf_diag_set(diag, "not the state of a catalog shelf");
		return -EINVAL;
	}
	if (bytes[MAGIC_TEXT] != magic[MAGIC_TEXT]) {
		gf_diag_set(diag, "the catalog shelf's state has version %u, this agent knows %u", (unsigned)bytes[MAGIC_TEXT],
		            (unsigned)magic[MAGIC_TEXT]);
		return -EINVAL;
	}
	struct in head = {.at = bytes + sizeof(magic), .end = bytes + HEAD};
	const uint64_t body = get(&head, 4, UINT32_MAX), sum = get(&head, 4, UINT32_MAX);
	if (body != len - HEAD || sum != sum_of(bytes, len)) {
		gf_diag_set(diag, "the catalog shelf's state is damaged");
		return -EINVAL;
	}
	struct in in = {.at = bytes + HEAD, .end = bytes + len};
	get_body(&in, &state);
	if (in.bad || in.at != in.end || contradicts(&state)) {
		gf_diag_set(diag, "the catalog shelf's state makes no sense");
		return -EINVAL;
	}
	*ret_state = state;
	return 0;
}

/* ---- keys ---- */

struct gf_digest shelf_keys_digest(const struct gf_keyset *keys)
{
	unsigned char sorted[1 + GF_KEYS_MAX * GF_KEY_LEN] = {(unsigned char)keys->threshold};
	struct gf_digest digest;
	for (size_t i = 0; i < keys->count && i < GF_KEYS_MAX; i++) {
		unsigned char *at = sorted + 1 + i * GF_KEY_LEN;
		for (; at > sorted + 1 && memcmp(at - GF_KEY_LEN, keys->keys[i], GF_KEY_LEN) > 0; at -= GF_KEY_LEN)
			memcpy(at, at - GF_KEY_LEN, GF_KEY_LEN);
		memcpy(at, keys->keys[i], GF_KEY_LEN);
	}
	gf_digest_of(sorted, sizeof(sorted), &digest);
	return digest;
}

const struct gf_keyset *shelf_keys(const struct shelf_state *state, const struct gf_keyset *ours)
{
	if (ours->threshold == 0 || state->keys.threshold == 0)
		return ours;
	const struct gf_digest from = shelf_keys_digest(ours);
	return gf_digest_equal(&from, &state->keys_from) ? &state->keys : ours;
}
