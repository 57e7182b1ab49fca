#include "proto/muscle.h"

#define X(s, n) n,
static const char *const names[] = {GF_MUSCLES(X)};
#undef X

static const enum gf_muscle groups[GF_AREA_COUNT] = {
    [GF_AREA_GLUTES] = GF_MUSCLE_GLUTES,
    [GF_AREA_HAMSTRINGS] = GF_MUSCLE_HAMSTRINGS,
    [GF_AREA_BICEPS_FEMORIS] = GF_MUSCLE_HAMSTRINGS,
    [GF_AREA_SEMITENDINOSUS] = GF_MUSCLE_HAMSTRINGS,
    [GF_AREA_SEMIMEMBRANOSUS] = GF_MUSCLE_HAMSTRINGS,
    [GF_AREA_QUADS] = GF_MUSCLE_QUADS,
    [GF_AREA_VASTUS_LATERALIS] = GF_MUSCLE_QUADS,
    [GF_AREA_VASTUS_MEDIALIS] = GF_MUSCLE_QUADS,
    [GF_AREA_PATELLA] = GF_MUSCLE_PATELLA,
    [GF_AREA_CALVES] = GF_MUSCLE_CALVES,
    [GF_AREA_GASTROCNEMIUS_LATERAL] = GF_MUSCLE_CALVES,
    [GF_AREA_ACHILLES] = GF_MUSCLE_ACHILLES,
    [GF_AREA_IT_BAND] = GF_MUSCLE_IT_BAND,
    [GF_AREA_FEET] = GF_MUSCLE_FEET,
    [GF_AREA_ARCH] = GF_MUSCLE_FEET,
    [GF_AREA_TOES] = GF_MUSCLE_FEET,
    [GF_AREA_LOWER_BACK] = GF_MUSCLE_LOWER_BACK,
    [GF_AREA_UPPER_BACK] = GF_MUSCLE_UPPER_BACK,
    [GF_AREA_SHOULDERS] = GF_MUSCLE_SHOULDERS,
    [GF_AREA_NECK] = GF_MUSCLE_NECK,
    [GF_AREA_ARMS] = GF_MUSCLE_ARMS,
    [GF_AREA_LEGS] = GF_MUSCLE_LEGS,
};

const char *gf_muscle_name(enum gf_muscle muscle)
{
	return (unsigned)muscle < GF_MUSCLE_COUNT ? names[muscle] : "unknown";
}

enum gf_muscle gf_muscle_of(enum gf_area area)
{
	return groups[area];
}

static bool part_of_leg(enum gf_muscle muscle)
{
	return muscle == GF_MUSCLE_HAMSTRINGS || muscle == GF_MUSCLE_QUADS || muscle == GF_MUSCLE_PATELLA ||
	       muscle == GF_MUSCLE_CALVES || muscle == GF_MUSCLE_ACHILLES || muscle == GF_MUSCLE_IT_BAND;
}

bool gf_muscle_covers(enum gf_muscle whole, enum gf_muscle muscle)
{
	return whole == muscle || (whole == GF_MUSCLE_LEGS && part_of_leg(muscle));
}
