/* What the control core would do with each routine: refuse it, cut it, or clamp it (agent/control). */
#include "agent/catalog_file.h"
#include "agent/check_impl.h"

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

void check_catalog(struct check *check)
{
	struct gf_diag diag = {{0}};
	size_t refused = 0;
	if (catalog_file_load(check->config, &check->catalog, &diag) != 0) {
		check_say(check, DRIVER_BROKEN, "catalog", "%s", diag.text);
		return;
	}
	const struct gf_catalog *catalog = &check->catalog;
	for (size_t i = 0; i < catalog->routines_count; i++)
		refused += check_routine(check, &catalog->routines[i]) ? 0 : 1;
	const enum driver_verdict verdict = refused == catalog->routines_count ? DRIVER_BROKEN : DRIVER_FINE;
	check_say(check, verdict, "catalog", "%s@%llu, %zu routines, of which this machine plays %zu", catalog->name,
	          (unsigned long long)catalog->version, catalog->routines_count, catalog->routines_count - refused);
}
