/*
 * The schema: numbered migrations, only forward. The file's user_version says how many were applied; each runs in a
 * transaction of its own with the version it reaches. A migration that was released is never changed, only followed.
 */
#ifndef GW_STORE_SCHEMA_H
#define GW_STORE_SCHEMA_H

#include "gateway/store/sqlite/db.h"

/* X(column) for each sensor; its number is its place in GF_SENSORS. */
#define SCHEMA_SENSORS(X) \
	X(motor_temp_c)       \
	X(surface_temp_c) X(current_ma) X(speed_rpm) X(pressure_mmhg) X(supply_mv) X(battery_pct)

extern const unsigned schema_version; /* that this build writes */

/* Brings the file to schema_version, or, given `until` > 0, only to that version (for tests of migrations).
 * STORE_E_NEWER when it is beyond. */
GF_MUST_CHECK int schema_migrate(struct db *db, unsigned until, struct gf_diag *diag);

/* Reads the file's version. */
GF_MUST_CHECK int schema_read_version(struct db *db, unsigned *ret_version, struct gf_diag *diag);

/* STORE_E_NEWER with the sentence, when `version` is beyond this build's. */
GF_MUST_CHECK int schema_check(const struct db *db, unsigned version, struct gf_diag *diag);

/* Migrations that have a file of their own (schema_*.c). */
extern const char schema_v8[], schema_v9[], schema_v10[], schema_v11[], schema_v12[];

#endif
