/* Which catalog the machine plays, whether it may, and what the control core would do with each routine: refuse it, cut it, or clamp it. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent/catalog/judge.h"
#include "agent/catalog/shelf_state.h"
#include "agent/check_impl.h"
#include "proto/base/file.h"

/* Ramps that were cut into repetitions carry rounding. */
#define ROUNDING 1.001F

/* The most that any step of a routine asks for. */
struct most {
	float pct, hz, mmhg;
};

static float larger(float a, float b)
{
	return a > b ? a : b;
}

static struct most most_of(const struct gf_routine *routine)
{
	struct most most = {0};
	for (size_t i = 0; i < routine->steps_count; i++) {
		const struct gf_step *step = &routine->steps[i];
		most.pct = larger(most.pct, larger(step->from_pct, step->to_pct));
		most.hz = larger(most.hz, larger(step->from_hz, step->to_hz));
		most.mmhg = larger(most.mmhg, larger(step->pressure_from_mmhg, step->pressure_to_mmhg));
	}
	return most;
}

static void say_clamped(struct check *check, const char *id, const char *what, float asked, float given,
                        const char *unit)
{
	if (asked > given * ROUNDING)
		check_say(check, DRIVER_DOUBTFUL, "routine", "%s asks for %s of %g %s; this machine gives at most %g", id, what,
		          (double)asked, unit, (double)given);
}

/* False when it can't be started at all. */
static bool check_routine(struct check *check, const struct gf_routine *routine)
{
	const struct agent_config *config = check->config;
	const struct control_envelope *envelope = &config->envelope;
	char length[GF_DURATION_MAX], limit[GF_DURATION_MAX];

	if (routine->steps_count == 0 || (routine->classes & 1U << config->class) == 0) {
		check_say(check, DRIVER_DOUBTFUL, "routine", "%s is refused: it isn't for a %s", routine->id,
		          gf_class_name(config->class));
		return false;
	}
	if (routine->staff_unlock && !check->panel_has_key) {
		check_say(check, DRIVER_DOUBTFUL, "routine",
		          "%s is refused: it needs the staff key, and this machine's panel has none", routine->id);
		return false;
	}
	const uint32_t lasts_ms = gf_routine_duration_ms(routine);
	if (envelope->session_max_ms > 0 && lasts_ms > envelope->session_max_ms)
		check_say(check, DRIVER_DOUBTFUL, "routine", "%s lasts %s; a session is stopped after %s", routine->id,
		          gf_duration_format(lasts_ms, length), gf_duration_format(envelope->session_max_ms, limit));
	const struct most most = most_of(routine);
	say_clamped(check, routine->id, "an intensity", most.pct, envelope->intensity_max_pct, "%");
	say_clamped(check, routine->id, "a frequency", most.hz, envelope->frequency_max_hz, "Hz");
	say_clamped(check, routine->id, "a pressure", most.mmhg, envelope->pressure_max_mmhg, "mmHg");
	return true;
}

/* ---- which catalog, and whose signatures count ---- */

/* The shelf's state as it lies there; false where there is none, or none that can be read. Nothing is made or set aside. */
static bool read_state(struct check *check, struct shelf_state *ret_state)
{
	struct gf_diag diag = {{0}};
	char path[PATH_MAX], *data = NULL;
	size_t len = 0;
	if (snprintf(path, sizeof(path), "%s/catalog/state", check->config->state_dir) >= (int)sizeof(path))
		return false;
	int r = gf_file_read(path, SHELF_STATE_MAX, &data, &len, &diag);
	if (r == -ENOENT)
		return false;
	if (r == 0)
		r = shelf_state_decode(data, len, ret_state, &diag);
	free(data);
	if (r != 0)
		check_say(check, DRIVER_DOUBTFUL, "catalogs", "%s: %s; the agent begins with the best that lies there", path,
		          diag.text);
	return r == 0;
}

static void say_keys(struct check *check, const char *what, const struct gf_keyset *keys)
{
	char ids[GF_KEYS_MAX * (2 * GF_KEY_ID_LEN + 2) + 1] = "";
	size_t used = 0;
	for (size_t i = 0; i < keys->count; i++) {
		char hex[2 * GF_KEY_ID_LEN + 1];
		struct gf_key_id id;
		gf_key_id_of(keys->keys[i], &id);
		gf_hex(id.bytes, sizeof(id.bytes), hex);
		used += (size_t)snprintf(ids + used, sizeof(ids) - used, "%s%s", i > 0 ? ", " : "", hex);
	}
	check_say(check, DRIVER_FINE, what, "%u of %zu must have signed a catalog: %s", keys->threshold, keys->count, ids);
}

static struct catalog_judge judge_of(const struct agent_config *config)
{
	return (struct catalog_judge){.class = config->class,
	                              .envelope = config->envelope,
	                              .agent_version = GF_VERSION,
	                              .keys = config->catalog_keys};
}

/* Reads what lies at `path`; `keys` NULL: it was verified when it was put there. 0, or a sentence in diag. */
static int read_catalog(const struct check *check, const char *path, const struct gf_keyset *keys,
                        const struct gf_digest *digest, struct gf_catalog *ret_catalog, struct gf_diag *diag)
{
	const struct catalog_judge judge = judge_of(check->config);
	struct gf_diag found = {{0}};
	struct gf_digest is;
	char *data = NULL;
	size_t len = 0;
	int r = gf_file_read(path, GF_CATALOG_MAX, &data, &len, &found);
	if (r != 0) {
		*diag = found;
		return r;
	}
	gf_digest_of(data, len, &is);
	if (digest != NULL && !gf_digest_equal(&is, digest)) {
		gf_diag_set(&found, "its SHA-256 is another one: the disk has changed it");
		r = -EILSEQ;
	} else if (keys != NULL) {
		r = catalog_judge_file(&judge, keys, data, len, ret_catalog, &found);
	} else {
		r = catalog_judge_kept(&judge, data, len, ret_catalog, &found);
	}
	free(data);
	if (r != 0)
		gf_diag_set(diag, "%s: %.400s", path, found.text);
	return r;
}

/* True when it can be played. `needed`: there is no other. */
static bool check_file(struct check *check, const struct gf_keyset *keys, bool needed, struct gf_catalog *ret_catalog)
{
	const struct agent_config *config = check->config;
	struct gf_diag diag = {{0}};
	const int r = read_catalog(check, config->catalog_file, keys, NULL, ret_catalog, &diag);
	if (r == 0) {
		if (keys->threshold > 0)
			check_say(check, DRIVER_FINE, "catalog file", "%s: signed by enough of the keys", config->catalog_file);
		return true;
	}
	const bool unsigned_yet =
	    r == GF_REFUSAL_FEW_SIGNATURES || r == GF_REFUSAL_UNKNOWN_KEY || r == GF_REFUSAL_BAD_SIGNATURE;
	check_say(check, needed ? DRIVER_BROKEN : DRIVER_DOUBTFUL, needed ? "catalog" : "catalog file",
	          "%.500s; %s it with 'gymfleet catalog %s%s'", diag.text, unsigned_yet ? "sign" : "build",
	          unsigned_yet ? "sign" : "build --class ", unsigned_yet ? "" : gf_class_name(config->class));
	return false;
}

/* One that came over the air and is active. */
static bool check_slot(struct check *check, const struct shelf_state *state, struct gf_catalog *ret_catalog)
{
	struct gf_diag diag = {{0}};
	char path[PATH_MAX];
	if (state->active != SHELF_A && state->active != SHELF_B)
		return false;
	if (snprintf(path, sizeof(path), "%s/catalog/%c.catalog", check->config->state_dir,
	             state->active == SHELF_A ? 'a' : 'b') >= (int)sizeof(path))
		return false;
	if (read_catalog(check, path, NULL, &state->digests[state->active], ret_catalog, &diag) == 0)
		return true;
	check_say(check, DRIVER_DOUBTFUL, "catalog", "%s; the agent goes back to the one before", diag.text);
	return false;
}

static void say_catalog(struct check *check, const struct shelf_state *state, bool over_the_air)
{
	const struct gf_catalog *catalog = &check->catalog;
	char more[120] = "", digest[9];
	size_t refused = 0;
	for (size_t i = 0; i < catalog->routines_count; i++)
		refused += check_routine(check, &catalog->routines[i]) ? 0 : 1;
	if (over_the_air)
		snprintf(more, sizeof(more), "; it came over the air (%s)%s",
		         gf_digest_short(&state->digests[state->active], digest), state->trial ? " and is on trial" : "");
	const enum driver_verdict verdict = refused == catalog->routines_count ? DRIVER_BROKEN : DRIVER_FINE;
	check_say(check, verdict, "catalog", "%s@%llu, %zu routines, of which this machine plays %zu%s", catalog->name,
	          (unsigned long long)catalog->version, catalog->routines_count, catalog->routines_count - refused, more);
}

void check_catalog(struct check *check)
{
	const struct gf_keyset *keys = &check->config->catalog_keys;
	struct shelf_state state = {0};
	struct gf_catalog file = {0};
	const bool known = read_state(check, &state);

	if (keys->threshold == 0)
		check_say(check, DRIVER_FINE, "catalog keys",
		          "none: no catalog is taken over the air, and the file as it is; see catalog_keys in agent.yaml");
	else
		say_keys(check, "catalog keys", keys);
	if (known && shelf_keys(&state, keys) == &state.keys) {
		say_keys(check, "keys since", &state.keys);
		keys = &state.keys;
	}
	const bool over_the_air = known && check_slot(check, &state, &check->catalog);
	if (check_file(check, keys, !over_the_air, &file) && !over_the_air)
		check->catalog = file;
	else
		gf_catalog_deinit(&file);
	if (check->catalog.routines_count > 0)
		say_catalog(check, &state, over_the_air);
}
