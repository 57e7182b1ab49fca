#include "gateway/store/sqlite/schema.h"

/* As wide as the numbers are: the first place of a machine is from the beginning, the last without an end. */
#define EVER "-9223372036854775808, 9223372036854775807"

/* Version 12: where each machine was when (place.h). Where nothing is known of the past, it has always been where it is now. */
const char schema_v12[] =
    "CREATE TABLE places (device INTEGER NOT NULL REFERENCES devices, from_ms INTEGER NOT NULL,"
    " until_ms INTEGER NOT NULL, site TEXT NOT NULL, PRIMARY KEY (device, from_ms)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX places_site ON places (site, until_ms);"
    "INSERT INTO places (device, from_ms, until_ms, site) SELECT device, " EVER ", coalesce(site_set, site)"
    " FROM devices;"
    "CREATE TRIGGER devices_place AFTER INSERT ON devices BEGIN INSERT INTO places (device, from_ms, until_ms, site)"
    " VALUES (new.device, " EVER ", coalesce(new.site_set, new.site)); END;";
