/*
 * Routines as people write them: one YAML file a routine (config/routines), compiled into the flat steps of proto/catalog.h.
 *
 *     id: drumming_legs
 *     title: Drumming along the legs
 *     classes: [chair]             # the device classes it is for
 *     depth: superficial           # optional: no step above 40 (superficial), 60 (moderate), 80 % (deep)
 *     order: strict                # optional: an area that was left is never returned to
 *     staff_unlock: true           # optional
 *     cap_pct: 40                  # optional: no step above it
 *     after_hard_effort_h: 3       # optional
 *     total_s: 360                 # what the steps must add up to
 *     sides: [left, right]         # optional, default [both]; every step is done on each side before the next step begins
 *     steps:
 *       - {area: calves, technique: drum, repeat: 3, seconds: 15, from_pct: 20, to_pct: 40, ramp_s: 20, hz: 5}
 *
 * A step has a constant `pct` or a ramp `from_pct` to `to_pct` in the first `ramp_s`; `hz` and `mmhg` likewise, along the same
 * ramp. `repeat` counts passes, strokes or presses of `seconds` each; a ramp goes on over the repetitions, unless `off_s`
 * puts a pause after each: then each begins anew. A step given in mmhg alone has the pressure's share of 100 mmHg as its intensity.
 * `sides` in a step replaces the routine's. Also: `speed_mm_s`, and `hold_s` at the step's end.
 *
 * Errors name file, line, column, routine, step, what is wrong and what is allowed.
 */
#ifndef GF_CATALOG_YAML_H
#define GF_CATALOG_YAML_H

#include "proto/catalog.h"

/* Reads, compiles and checks one routine; the caller ends it with gf_routine_deinit. 0, -EINVAL for a mistake in the file, or
 * another negative errno; `diag` is set on failure. */
GF_MUST_CHECK int gf_catalog_yaml_routine(const char *path, struct gf_routine *ret_routine, struct gf_diag *diag);
/* The same for a text in memory; `name` stands for the path in the errors. */
GF_MUST_CHECK int gf_catalog_yaml_text(const char *name, const char *text, size_t len, struct gf_routine *ret_routine,
                                       struct gf_diag *diag);

/*
 * A catalog for one class out of every *.yaml of a folder, by file name; the caller ends it with gf_catalog_deinit. Every
 * file must be right, also those of other classes; an id that comes twice and a folder without a routine for the class
 * are refused. 0, -EINVAL, or another negative errno; `diag` is set on failure.
 */
GF_MUST_CHECK int gf_catalog_yaml_folder(const char *dir, enum gf_class class, const char *name, uint64_t version,
                                         struct gf_catalog *ret_catalog, struct gf_diag *diag);

#endif
