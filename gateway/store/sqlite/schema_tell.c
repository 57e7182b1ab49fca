#include "gateway/store/sqlite/schema.h"

/* Version 10: who was told of which event (telling.h); events that somebody wants to be notified of. */
const char schema_v10[] =
    "CREATE TABLE told (receiver TEXT NOT NULL PRIMARY KEY, cursor INTEGER NOT NULL, told INTEGER NOT NULL DEFAULT 0,"
    " summed INTEGER NOT NULL DEFAULT 0, missed INTEGER NOT NULL DEFAULT 0, passed_over INTEGER NOT NULL DEFAULT 0,"
    " passed_ms INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID;"
    "ALTER TABLE events ADD COLUMN notify INTEGER NOT NULL DEFAULT 0;";
