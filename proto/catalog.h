/*
 * Routines: what a machine can play. Pure: no log, no clock, no disk, no network.
 *
 * A catalog is a versioned set of routines for one device class. It is written in YAML (config/routines, read by
 * proto/catalog_yaml), compiled into flat steps (sides, repetitions and passes unrolled, in the routine's own order) and
 * encoded by gf_manifest_encode. Encoded form: proto/gymfleet.proto, messages Catalog and Manifest; signatures: proto/catalog_sign.h.
 */
#ifndef GF_CATALOG_H
#define GF_CATALOG_H

#include "proto/model.h"

enum {
	GF_CATALOG_MAX = 256 * 1024, /* bytes, encoded */
	GF_CATALOG_ROUTINES_MAX = 64,
	GF_ROUTINE_STEPS_MAX = 256,
	GF_ROUTINE_SECONDS_MAX = 3600,
	GF_ROUTINE_AFTER_EFFORT_MAX_H = 72,
	GF_INTENSITY_MAX_PCT = 80, /* above it is locked, on every area */
	/* The highest version, which machines remember for ever: one slip must leave room above it. Dates as 20261121 fit. */
	GF_CATALOG_VERSION_MAX = 999999999,
	GF_KEY_LEN = 32, /* Ed25519, public */
	GF_KEYS_MAX = 8,
};

/* Whose signatures count, and how many different ones of them it takes. */
struct gf_keyset {
	uint32_t threshold; /* 1..count; 0 = no set of keys */
	size_t count;
	uint8_t keys[GF_KEYS_MAX][GF_KEY_LEN];
};

/* One stretch of output. Times in ms, frequencies in Hz, intensity in percent of the class's full scale. */
struct gf_step {
	enum gf_area area;
	enum gf_side side;
	enum gf_technique technique;
	uint32_t duration_ms;
	float from_pct, to_pct; /* intensity, ramped linearly over ramp_ms, then held */
	uint32_t ramp_ms;
	float from_hz, to_hz;                       /* 0 = the technique has no frequency */
	float pressure_from_mmhg, pressure_to_mmhg; /* 0 = no pressure target */
	float speed_mm_s;                           /* 0 = none; rolling */
	uint32_t hold_ms; /* the part at the step's end without movement (tender spot); 0 = none */
};

struct gf_routine {
	char id[GF_NAME_MAX];
	char title[GF_TEXT_MAX];
	uint32_t classes; /* bit (1 << enum gf_class) for each class it is for */
	bool staff_unlock;
	float cap_pct;                 /* 0 = none: no step above it */
	uint32_t after_hard_effort_ms; /* 0 = at once */
	size_t steps_count;
	struct gf_step *steps;
};

struct gf_catalog {
	char name[GF_NAME_MAX];
	enum gf_class class;
	uint64_t version; /* 1..GF_CATALOG_VERSION_MAX; only grows on a machine */
	uint64_t created_ms;
	uint64_t expires_ms;         /* not accepted from then on; one that is active stays so. 0 = never */
	char min_agent[GF_NAME_MAX]; /* the oldest agent that understands it, "1.2.3"; "" = any */
	uint64_t rollback_floor;     /* a machine with this catalog may go back to versions from here on; 0 = never back */
	struct gf_keyset next_keys;  /* the keys from its activation on; threshold 0 = they stay */
	size_t routines_count;
	struct gf_routine *routines;
};

/* The routine's length: the sum of its steps. */
uint32_t gf_routine_duration_ms(const struct gf_routine *routine);
const struct gf_routine *gf_catalog_find(const struct gf_catalog *catalog, const char *id);

/*
 * Is this technique allowed on this area, and up to what intensity? Percussion and rolling on tendon, joint, bone are never;
 * pressing and stroking on tendon <= 30 %, patella <= 15 %. Returns the cap in percent, 0 = forbidden. Nothing is above 80 %.
 */
float gf_technique_cap_pct(enum gf_area area, enum gf_technique technique);

/* The longest a machine of the class runs at a stretch, and so the longest routine for it; 0 for what is no class. */
uint32_t gf_class_max_s(enum gf_class class);

/* P1: how many seconds of this technique and those like it an area bears on one side; 0 for what is no technique. */
uint32_t gf_technique_area_max_s(enum gf_technique technique);

/* Lower-case letters, digits and '_', the first a letter: what a routine may be called. */
bool gf_routine_id_valid(const char *id);

/* Checks a compiled routine by every rule; `ret_step` (may be NULL) is the step at fault, or SIZE_MAX. Returns 0 or -EINVAL with `diag`. */
GF_MUST_CHECK int gf_routine_check(const struct gf_routine *routine, size_t *ret_step, struct gf_diag *diag);

/* Where a mistake is: the compiled step, or SIZE_MAX for the routine itself, and the key by its name in the YAML form. */
struct gf_routine_fault {
	size_t step;
	const char *key;
};

/* The same for a caller who knows a better place than a step's number: `diag` is the bare sentence, *ret_fault is set on failure. */
GF_MUST_CHECK int gf_routine_check_at(const struct gf_routine *routine, struct gf_routine_fault *ret_fault,
                                      struct gf_diag *diag);

/* Free what the struct holds (routines, steps) and zero it; NULL and half-built are fine. */
void gf_routine_deinit(struct gf_routine *routine);
void gf_catalog_deinit(struct gf_catalog *catalog);

/* The manifest's bytes, which signatures are over: *ret_data is freed by the caller. 0, -EMSGSIZE, -ENOMEM. */
GF_MUST_CHECK int gf_manifest_encode(const struct gf_catalog *catalog, unsigned char **ret_data, size_t *ret_len);
/* A manifest back, checked by every rule: 0, a GF_CODEC_E_... with diag, -ENOMEM. *ret_catalog is ended by gf_catalog_deinit. A version
 * outside 1..GF_CATALOG_VERSION_MAX is GF_CATALOG_E_VERSION. */
GF_MUST_CHECK int gf_manifest_decode(const void *data, size_t len, struct gf_catalog *ret_catalog,
                                     struct gf_diag *diag);

/* A catalog without signatures, as gymfleet catalog build writes it. As gf_manifest_encode. */
GF_MUST_CHECK int gf_catalog_encode(const struct gf_catalog *catalog, unsigned char **ret_data, size_t *ret_len);
/* Decode and check a whole catalog; signatures are not looked at. As gf_manifest_decode. */
GF_MUST_CHECK int gf_catalog_decode(const void *data, size_t len, struct gf_catalog *ret_catalog, struct gf_diag *diag);

enum { GF_CATALOG_E_VERSION = 16 }; /* beside the GF_CODEC_E_... */

#endif
