/* From bytes to a catalog in memory. */
#include "agent/catalog/update_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/file.h"

/* ---- keys and facts ---- */

const struct gf_keyset *update_keys(const struct update *u)
{
	return shelf_keys(&u->state, &u->config.judge.keys);
}

void update_take_keys(struct update *u, const struct gf_catalog *catalog)
{
	if (catalog->next_keys.threshold == 0 || u->config.judge.keys.threshold == 0)
		return;
	u->state.keys = catalog->next_keys;
	u->state.keys_from = shelf_keys_digest(&u->config.judge.keys);
}

struct catalog_facts update_facts(const struct update *u)
{
	return (struct catalog_facts){
	    .keys = update_keys(u),
	    .highest_version = u->state.highest_version,
	    .rollback_floor = u->state.rollback_floor,
	    .highest = u->state.highest,
	    .not_before_wall_ms = u->state.not_before_wall_ms,
	    .wall_ms = u->wall_ms,
	};
}

void update_raise_highest(struct update *u, const struct gf_catalog *catalog, const struct gf_digest *digest)
{
	if (catalog->version <= u->state.highest_version)
		return;
	u->state.highest_version = catalog->version;
	u->state.rollback_floor = catalog->rollback_floor;
	u->state.highest = *digest;
}

/* ---- memory ---- */

void update_release(struct update *u, struct held *held)
{
	if (held->catalog != NULL && held->catalog != u->config.catalog) {
		struct gf_catalog *owned = (struct gf_catalog *)held->catalog;
		gf_catalog_deinit(owned);
		free(owned);
	}
	*held = (struct held){0};
}

/* Puts a decoded catalog on the heap. -ENOMEM: the catalog is ended. */
static int hold(struct gf_catalog *catalog, enum shelf_slot slot, struct held *ret_held)
{
	struct gf_catalog *owned = malloc(sizeof(*owned));
	if (owned == NULL) {
		gf_catalog_deinit(catalog);
		return -ENOMEM;
	}
	*owned = *catalog;
	*ret_held = (struct held){.catalog = owned, .slot = slot};
	return 0;
}

/* ---- what was judged before ---- */

int update_read_file(struct update *u, unsigned char **ret_data, size_t *ret_len, struct gf_digest *ret_digest,
                     struct gf_diag *diag)
{
	char *data = NULL;
	if (u->config.catalog_file == NULL) {
		gf_diag_set(diag, "no catalog was installed by hand");
		return -ENOENT;
	}
	const int r = gf_file_read(u->config.catalog_file, GF_CATALOG_MAX, &data, ret_len, diag);
	if (r != 0)
		return r;
	*ret_data = (unsigned char *)data;
	gf_digest_of(data, *ret_len, ret_digest);
	return 0;
}

static int read_slot(struct update *u, enum shelf_slot slot, unsigned char **ret_data, size_t *ret_len,
                     struct gf_diag *diag)
{
	const struct gf_digest *digest = &u->state.digests[slot];
	struct gf_digest found;
	if (slot != SHELF_FILE)
		return shelf_get(u->shelf, slot, digest, ret_data, ret_len, diag);
	unsigned char *data = NULL;
	const int r = update_read_file(u, &data, ret_len, &found, diag);
	if (r != 0)
		return r;
	if (!gf_digest_equal(&found, digest)) {
		gf_diag_set(diag, "%s: is another catalog now", u->config.catalog_file);
		free(data);
		return -EILSEQ;
	}
	*ret_data = data;
	return 0;
}

/* A verdict as an errno, for those who only pass it on. */
static int unfit(int r)
{
	return r > 0 ? -EINVAL : r;
}

/* What memory was missing for is not lost. */
static int note(struct update *u, int r)
{
	u->starved |= r == -ENOMEM;
	return r;
}

int update_load(struct update *u, enum shelf_slot slot, struct held *ret_held, struct gf_diag *diag)
{
	struct gf_catalog catalog;
	unsigned char *data = NULL;
	size_t len = 0;
	if (slot == SHELF_NONE || gf_digest_none(&u->state.digests[slot])) {
		gf_diag_set(diag, "there is no catalog in that place");
		return -ENOENT;
	}
	if (slot == SHELF_FILE && u->config.catalog != NULL) {
		if (!gf_digest_equal(&u->state.digests[slot], u->config.catalog_digest))
			return -EILSEQ;
		*ret_held = (struct held){.catalog = u->config.catalog, .slot = slot};
		return 0;
	}
	int r = read_slot(u, slot, &data, &len, diag);
	if (r != 0)
		return note(u, r);
	r = unfit(catalog_judge_kept(&u->config.judge, data, len, &catalog, diag));
	free(data);
	return note(u, r == 0 ? hold(&catalog, slot, ret_held) : r);
}

bool update_mark(struct update *u, struct shelf_mark *mark, const struct gf_digest *digest, int *ret_saved,
                 struct gf_diag *diag)
{
	if (!gf_digest_equal(&mark->digest, digest))
		*mark = (struct shelf_mark){.digest = *digest};
	if (mark->starts >= UPDATE_JUDGE_CRASHES)
		return false;
	mark->starts++;
	*ret_saved = update_save(u, diag);
	return true;
}

void update_unmark(struct update *u, struct shelf_mark *mark)
{
	*mark = (struct shelf_mark){0};
	if (update_save(u, NULL) != 0)
		return; /* tried again later */
}

static int judge_file(struct update *u, const unsigned char *data, size_t len, const struct gf_digest *digest,
                      struct held *ret_held, struct gf_diag *diag)
{
	struct gf_catalog catalog;
	int saved = 0;
	/* Also when the mark can't be saved: without any catalog there is no machine. */
	if (!update_mark(u, &u->state.judging_file, digest, &saved, NULL)) {
		gf_diag_set(diag, "the agent ended while reading it, %d times", UPDATE_JUDGE_CRASHES);
		return -EINVAL;
	}
	const struct catalog_judge *judge = &u->config.judge;
	int r = catalog_judge_file(judge, update_keys(u), data, len, &catalog, diag);
	/* What was good before a catalog named other keys may be all that is left to play. */
	if (r > 0 && gf_digest_equal(&u->state.digests[SHELF_FILE], digest))
		r = catalog_judge_file(judge, &judge->keys, data, len, &catalog, diag);
	r = unfit(r);
	update_unmark(u, &u->state.judging_file);
	if (r == 0)
		r = hold(&catalog, SHELF_FILE, ret_held);
	return r;
}

int update_load_file(struct update *u, struct held *ret_held, struct gf_diag *diag)
{
	struct shelf_state *s = &u->state;
	struct held held = {.catalog = u->config.catalog, .slot = SHELF_FILE};
	struct gf_digest digest;
	unsigned char *data = NULL;
	size_t len = 0;
	int r = 0;
	if (held.catalog != NULL) {
		digest = *u->config.catalog_digest;
	} else {
		r = note(u, update_read_file(u, &data, &len, &digest, diag));
		if (r != 0)
			return r;
		r = note(u, judge_file(u, data, len, &digest, &held, diag));
		free(data);
		if (r != 0) {
			gf_diag_prefix(diag, "%s", u->config.catalog_file);
			return r;
		}
	}
	if (!gf_digest_equal(&s->digests[SHELF_FILE], &digest))
		u->dirty = true;
	s->digests[SHELF_FILE] = digest;
	s->versions[SHELF_FILE] = held.catalog->version;
	*ret_held = held;
	return 0;
}

/* ---- what is desired ---- */

enum shelf_slot update_find(const struct update *u, const struct gf_digest *digest)
{
	for (int slot = SHELF_FILE; slot < SHELF_SLOTS; slot++) {
		if (gf_digest_equal(&u->state.digests[slot], digest))
			return (enum shelf_slot)slot;
	}
	return SHELF_NONE;
}

/* Neither the active one, nor what a trial goes back to. */
static enum shelf_slot spare(const struct update *u)
{
	const struct shelf_state *s = &u->state;
	if (s->active == SHELF_A || (s->active != SHELF_B && s->previous == SHELF_A))
		return SHELF_B;
	return SHELF_A;
}

/* Both, or neither as far as the state knows. */
static int put(struct update *u, const void *data, size_t len, uint64_t version, enum shelf_slot *ret_slot,
               struct gf_diag *diag)
{
	struct shelf_state *s = &u->state;
	const enum shelf_slot slot = spare(u);
	int r = shelf_put(u->shelf, slot, data, len, diag);
	if (r != 0)
		return r;
	if (s->previous == slot)
		s->previous = SHELF_NONE;
	s->digests[slot] = s->desired.digest;
	s->versions[slot] = version;
	r = update_save(u, diag);
	if (r == 0)
		*ret_slot = slot;
	return r;
}

/* What stands on the shelf was judged when it got there. The file was by agent.yaml's keys, and may be by those alone. */
static void vouch(const struct update *u, enum shelf_slot slot, struct catalog_facts *facts)
{
	facts->vouched = slot == SHELF_A || slot == SHELF_B;
	if (slot == SHELF_FILE && u->state.previous == SHELF_FILE && u->config.judge.keys.threshold > 0)
		facts->keys = &u->config.judge.keys;
}

int update_take(struct update *u, enum shelf_slot slot, const void *data, size_t len, struct gf_diag *diag)
{
	struct shelf_state *s = &u->state;
	struct catalog_facts facts = update_facts(u);
	struct gf_catalog catalog;
	int saved = 0;
	vouch(u, slot, &facts);
	if (!update_mark(u, &s->judging, &s->desired.digest, &saved, diag)) {
		s->judging = (struct shelf_mark){0};
		gf_diag_set(diag, "the agent ended while it judged this catalog, %d times", UPDATE_JUDGE_CRASHES);
		return GF_REFUSAL_CRASHED;
	}
	if (saved != 0) {
		s->judging.starts--; /* nothing began */
		return GF_REFUSAL_STORAGE;
	}
	int r = catalog_judge(&u->config.judge, &facts, &s->desired.digest, data, len, &catalog, diag);
	s->judging = (struct shelf_mark){0};
	u->dirty = true;
	if (r > 0)
		return r;
	if (r == 0 && slot == SHELF_NONE) {
		r = put(u, data, len, catalog.version, &slot, diag);
		if (r != 0)
			gf_catalog_deinit(&catalog);
	}
	if (r == 0)
		r = hold(&catalog, slot, &u->next);
	if (r == -ENOMEM)
		gf_diag_set(diag, "out of memory");
	return r == 0 ? 0 : GF_REFUSAL_STORAGE;
}

int update_take_slot(struct update *u, enum shelf_slot slot, struct gf_diag *diag)
{
	unsigned char *data = NULL;
	size_t len = 0;
	if (slot == SHELF_FILE && u->config.catalog != NULL) {
		const struct catalog_facts facts = update_facts(u);
		const int r = catalog_version_allowed(&facts, u->config.catalog->version, &u->state.desired.digest, diag);
		if (r == 0)
			u->next = (struct held){.catalog = u->config.catalog, .slot = slot};
		return r;
	}
	int r = read_slot(u, slot, &data, &len, diag);
	if (r != 0)
		return r == -ENOMEM ? GF_REFUSAL_STORAGE : -ENOENT;
	r = update_take(u, slot, data, len, diag);
	free(data);
	return r;
}
