#include "agent/catalog/shelf_state.h"

#include <errno.h>
#include <string.h>

#include "proto/base/crc32c.h"
#include "proto/base/pack.h"

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

static void put_digest(struct gf_pack *out, const struct gf_digest *digest)
{
	gf_pack_bytes(out, digest->bytes, GF_DIGEST_LEN);
}

static void put_mark(struct gf_pack *out, const struct shelf_mark *mark)
{
	put_digest(out, &mark->digest);
	gf_pack_int(out, mark->starts, 4);
}

static void put_desired(struct gf_pack *out, const struct shelf_desired *desired)
{
	const size_t len = strnlen(desired->name, GF_NAME_MAX - 1);
	put_digest(out, &desired->digest);
	gf_pack_int(out, len, 1);
	gf_pack_bytes(out, desired->name, len);
	gf_pack_int(out, desired->version, 8);
	gf_pack_int(out, desired->size, 4);
	gf_pack_int(out, desired->left_ms, 4);
}

static void put_keys(struct gf_pack *out, const struct gf_keyset *keys)
{
	const size_t count = keys->count <= GF_KEYS_MAX ? keys->count : 0;
	gf_pack_int(out, keys->threshold, 1);
	gf_pack_int(out, count, 1);
	gf_pack_bytes(out, keys->keys, count * GF_KEY_LEN);
}

static void put_body(struct gf_pack *out, const struct shelf_state *state)
{
	gf_pack_int(out, state->active, 1);
	gf_pack_int(out, state->previous, 1);
	gf_pack_int(out, state->trial ? FLAG_TRIAL : 0, 1);
	for (int slot = SHELF_FILE; slot < SHELF_SLOTS; slot++) {
		put_digest(out, &state->digests[slot]);
		gf_pack_int(out, state->versions[slot], 8);
	}
	gf_pack_int(out, state->trial_starts, 4);
	gf_pack_int(out, state->trial_faults, 4);
	gf_pack_int(out, state->trial_ms, 8);
	gf_pack_int(out, state->cause, 1);
	put_digest(out, &state->told);
	gf_pack_int(out, state->told_version, 8);
	gf_pack_int(out, state->highest_version, 8);
	gf_pack_int(out, state->rollback_floor, 8);
	put_digest(out, &state->highest);
	for (size_t i = 0; i < SHELF_ROLLED_BACK_MAX; i++) {
		put_digest(out, &state->rolled_back[i].digest);
		gf_pack_int(out, state->rolled_back[i].refusal, 1);
	}
	put_mark(out, &state->judging);
	put_mark(out, &state->judging_file);
	gf_pack_int(out, state->revision, 8);
	put_desired(out, &state->desired);
	put_keys(out, &state->keys);
	put_digest(out, &state->keys_from);
	gf_pack_int(out, (uint64_t)state->not_before_wall_ms, 8);
	gf_pack_int(out, state->answered_revision, 8);
	gf_pack_int(out, state->answered_step, 1);
}

/* Over all that stands before the sum, and after it. */
static uint32_t sum_of(const unsigned char *data, size_t len)
{
	return gf_crc32c(gf_crc32c(0, data, CHECKED), data + HEAD, len - HEAD);
}

size_t shelf_state_encode(const struct shelf_state *state, unsigned char buf[static SHELF_STATE_MAX])
{
	struct gf_pack out = {.at = buf + HEAD, .end = buf + SHELF_STATE_MAX};
	put_body(&out, state);
	const size_t len = (size_t)(out.at - buf);
	struct gf_pack head = {.at = buf, .end = buf + HEAD};
	gf_pack_bytes(&head, magic, sizeof(magic));
	gf_pack_int(&head, len - HEAD, 4);
	gf_pack_int(&head, sum_of(buf, len), 4);
	return len;
}

/* ---- reading ---- */

/* At most `max`, or the whole is bad. */
static uint64_t get(struct gf_unpack *in, size_t width, uint64_t max)
{
	const uint64_t value = gf_unpack_int(in, width);
	if (value <= max)
		return value;
	in->bad = true;
	return 0;
}

static struct gf_digest get_digest(struct gf_unpack *in)
{
	struct gf_digest digest = {{0}};
	const unsigned char *bytes = gf_unpack_bytes(in, GF_DIGEST_LEN);
	if (bytes != NULL)
		memcpy(digest.bytes, bytes, GF_DIGEST_LEN);
	return digest;
}

static struct shelf_mark get_mark(struct gf_unpack *in)
{
	struct shelf_mark mark = {.digest = get_digest(in)};
	mark.starts = (uint32_t)get(in, 4, UINT32_MAX);
	return mark;
}

static void get_desired(struct gf_unpack *in, struct shelf_desired *desired)
{
	desired->digest = get_digest(in);
	const size_t len = (size_t)get(in, 1, GF_NAME_MAX - 1);
	const unsigned char *name = gf_unpack_bytes(in, len);
	if (name == NULL || !gf_utf8_valid(name, len) || gf_has_controls(name, len)) {
		in->bad = true;
		return;
	}
	memcpy(desired->name, name, len);
	desired->version = get(in, 8, UINT64_MAX);
	desired->size = (uint32_t)get(in, 4, GF_CATALOG_MAX);
	desired->left_ms = (uint32_t)get(in, 4, UINT32_MAX);
}

static void get_keys(struct gf_unpack *in, struct gf_keyset *keys)
{
	const uint32_t threshold = (uint32_t)get(in, 1, GF_KEYS_MAX);
	const size_t count = (size_t)get(in, 1, GF_KEYS_MAX);
	const unsigned char *bytes = gf_unpack_bytes(in, count * GF_KEY_LEN);
	if (bytes == NULL)
		return;
	*keys = (struct gf_keyset){.threshold = threshold, .count = count};
	memcpy(keys->keys, bytes, count * GF_KEY_LEN);
	in->bad |= threshold == 0 ? count != 0 : gf_keyset_check(keys, NULL) != 0;
}

static void get_body(struct gf_unpack *in, struct shelf_state *state)
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
	struct gf_unpack head = {.at = bytes + sizeof(magic), .end = bytes + HEAD};
	const uint64_t body = get(&head, 4, UINT32_MAX), sum = get(&head, 4, UINT32_MAX);
	if (body != len - HEAD || sum != sum_of(bytes, len)) {
		gf_diag_set(diag, "the catalog shelf's state is damaged");
		return -EINVAL;
	}
	struct gf_unpack in = {.at = bytes + HEAD, .end = bytes + len};
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
