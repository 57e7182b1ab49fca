#include "gateway/store/sqlite/schema.h"

/* Version 11: sites whose machines vanish together (incidents.h). devices_gone: offline by lost or silent, so that looking costs by who is missed. */
const char schema_v11[] =
    "CREATE TABLE incidents (id INTEGER PRIMARY KEY AUTOINCREMENT, site TEXT NOT NULL, opened_ms INTEGER NOT NULL,"
    " closed_ms INTEGER NOT NULL DEFAULT 0, machines INTEGER NOT NULL, site_machines INTEGER NOT NULL) STRICT;"
    "CREATE UNIQUE INDEX incidents_open ON incidents (site) WHERE closed_ms = 0;"
    "CREATE TABLE incident_devices (incident INTEGER NOT NULL REFERENCES incidents ON DELETE CASCADE,"
    " device INTEGER NOT NULL REFERENCES devices, PRIMARY KEY (incident, device)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX devices_gone ON devices (coalesce(site_set, site)) WHERE online = 0 AND offline_reason IN (2, 3);";
