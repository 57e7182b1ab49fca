/*
 * Muscle groups: the patches of tissue that overuse is counted by (P1, P2). An area and its parts are one group (hamstrings and biceps
 * femoris), and `legs` is several of them. Pure.
 */
#ifndef GF_MUSCLE_H
#define GF_MUSCLE_H

#include "proto/model.h"

/* The order is on disk (agent/spool/FORMAT.md): entries are only added, before LEGS never. */
#define GF_MUSCLES(X)           \
	X(GLUTES, "glutes")         \
	X(HAMSTRINGS, "hamstrings") \
	X(QUADS, "quads")           \
	X(PATELLA, "patella")       \
	X(CALVES, "calves")         \
	X(ACHILLES, "achilles")     \
	X(IT_BAND, "it_band")       \
	X(FEET, "feet")             \
	X(LOWER_BACK, "lower_back") \
	X(UPPER_BACK, "upper_back") \
	X(SHOULDERS, "shoulders")   \
	X(NECK, "neck")             \
	X(ARMS, "arms")             \
	X(LEGS, "legs")

enum gf_muscle {
#define X(s, n) GF_MUSCLE_##s,
	GF_MUSCLES(X)
#undef X
	    GF_MUSCLE_COUNT,
};

/* Never NULL ("unknown" out of range). */
const char *gf_muscle_name(enum gf_muscle muscle);
/* The group of an area; `area` must be a known one, not UNSPECIFIED. */
enum gf_muscle gf_muscle_of(enum gf_area area);
/* What is done to `whole` is done to `muscle` too: they are the same, or `whole` is the legs and `muscle` a part of them. */
bool gf_muscle_covers(enum gf_muscle whole, enum gf_muscle muscle);

#endif
