/*
 * What the passes over a routine's YAML share: the keys as they are read, and the routine that becomes of them. Private to
 * proto/catalog_yaml*.c.
 */
#ifndef GF_CATALOG_YAML_IMPL_H
#define GF_CATALOG_YAML_IMPL_H

#include "proto/catalog_yaml.h"

struct gf_yaml;

/* A number as it is written: constant, or from and to. NULL where left out. */
struct range_yaml {
	float *constant, *from, *to;
};

struct step_yaml {
	char area[GF_NAME_MAX], technique[GF_NAME_MAX];
	char **sides;
	unsigned sides_count, repeat;
	float seconds, ramp_s, off_s, speed_mm_s, hold_s;
	struct range_yaml pct, hz, mmhg;
};

struct routine_yaml {
	char id[GF_NAME_MAX], title[GF_TEXT_MAX], depth[GF_NAME_MAX], order[GF_NAME_MAX];
	char **classes, **sides;
	unsigned classes_count, sides_count, total_s;
	bool staff_unlock;
	float *cap_pct;
	float after_hard_effort_h;
	struct step_yaml *steps;
	unsigned steps_count;
};

struct compiler {
	const struct gf_yaml *doc;
	const struct routine_yaml *yaml;
	struct gf_diag *diag;
	const struct depth *depth; /* NULL = not declared */
	struct gf_routine out;
	size_t origin[GF_ROUTINE_STEPS_MAX]; /* of each compiled step: its index in yaml->steps */
};

/* A mistake at key `at` of the routine (`step` = SIZE_MAX) or of one of its steps. Says where, and returns -EINVAL. */
int compile_fail(const struct compiler *c, size_t step, const char *at, const char *fmt, ...) GF_PRINTF(4, 5);

/* One enumeration of the model, as far as a reader of names needs it. */
struct vocabulary {
	const char *what;
	int count;
	const char *(*name)(int value);
};

/* Looks a name up; an unknown one is answered with the nearest known name, or with all of them. 0 or -EINVAL. */
GF_MUST_CHECK int compile_name(const struct compiler *c, const struct vocabulary *words, size_t step, const char *at,
                               const char *name, int *ret_value);

/* Resolves one step's names and units and unrolls its sides and repetitions behind the steps there are. 0 or -EINVAL. */
GF_MUST_CHECK int compile_step(struct compiler *c, size_t step);

#endif
