#include "gateway/store/sqlite/schema.h"

/*
 * Version 8: whom to judge, the flags, and what they hold (judging.h).
 *
 * judge: all before settled_ms is settled, and judging has looked as far as judged_ms (INT64_MAX: nobody knows how far; negative: it
 * rests until then); due_ms 0 = something new came. A fact counts at its end, so the indexes are by it. own_*: what the operator wants; the columns without it are what goes to the machine:
 * the tighter of that and of all holds.
 */
const char schema_v8[] =
    "CREATE TABLE judge (kind INTEGER NOT NULL, key INTEGER NOT NULL, settled_ms INTEGER NOT NULL,"
    " judged_ms INTEGER NOT NULL, due_ms INTEGER NOT NULL, PRIMARY KEY (kind, key)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX judge_due ON judge (due_ms);"
    "CREATE TABLE sites (site INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;"
    "CREATE TABLE rule_digests (rule TEXT NOT NULL PRIMARY KEY, digest INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    /* device: of the machine it is about, 0 = none. end_kind: enum store_flag_end. released: 1 its lock, 2 its cap. */
    "CREATE TABLE flags (id INTEGER PRIMARY KEY AUTOINCREMENT, rule TEXT NOT NULL, kind INTEGER NOT NULL,"
    " key INTEGER NOT NULL, muscle INTEGER NOT NULL DEFAULT 0, side INTEGER NOT NULL DEFAULT 0,"
    " device INTEGER NOT NULL DEFAULT 0, site TEXT NOT NULL DEFAULT '', opened_ms INTEGER NOT NULL,"
    " acted_ms INTEGER NOT NULL DEFAULT 0, last_ms INTEGER NOT NULL, ended_ms INTEGER NOT NULL DEFAULT 0,"
    " end_kind INTEGER NOT NULL DEFAULT 0, level INTEGER NOT NULL, observed REAL, limit_value REAL,"
    " condition INTEGER NOT NULL DEFAULT 0, times INTEGER NOT NULL DEFAULT 1, severity INTEGER NOT NULL DEFAULT 0,"
    " title TEXT NOT NULL, text TEXT NOT NULL, advice TEXT NOT NULL, metric TEXT NOT NULL,"
    " window_ms INTEGER NOT NULL DEFAULT 0, found_ms INTEGER NOT NULL, late_ms INTEGER NOT NULL DEFAULT 0,"
    " due_ms INTEGER NOT NULL DEFAULT 0, acked_ms INTEGER NOT NULL DEFAULT 0, acked_by TEXT NOT NULL DEFAULT '',"
    " ack_note TEXT NOT NULL DEFAULT '', released INTEGER NOT NULL DEFAULT 0, notify INTEGER NOT NULL DEFAULT 0) "
    "STRICT;"
    /* An open one ends after all others. Withdrawn ones, and those of rules that are gone, aren't matched again. */
    "CREATE INDEX flags_subject ON flags (kind, key, rule, iif(ended_ms = 0, 9223372036854775807, ended_ms))"
    " WHERE end_kind < 3;"
    "CREATE INDEX flags_open ON flags (device, id) WHERE ended_ms = 0;"
    "CREATE INDEX flags_opened ON flags (opened_ms, id);"
    "CREATE INDEX flags_device ON flags (device, opened_ms, id) WHERE device <> 0;"
    "CREATE TABLE flag_facts (flag INTEGER NOT NULL REFERENCES flags ON DELETE CASCADE, n INTEGER NOT NULL,"
    " kind INTEGER NOT NULL, device INTEGER NOT NULL, no INTEGER NOT NULL, PRIMARY KEY (flag, n)) STRICT,"
    " WITHOUT ROWID;"
    /* source: \"flag 12\", \"tag\". cap_pct 0 = none. */
    "CREATE TABLE holds (device INTEGER NOT NULL REFERENCES devices, source TEXT NOT NULL,"
    " locks INTEGER NOT NULL, reason TEXT NOT NULL, cap_pct REAL NOT NULL, PRIMARY KEY (device, source)) STRICT,"
    " WITHOUT ROWID;"
    "ALTER TABLE desired ADD COLUMN own_intensity_max_pct REAL NOT NULL DEFAULT 0;"
    "ALTER TABLE desired ADD COLUMN own_locked INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE desired ADD COLUMN own_lock_reason TEXT NOT NULL DEFAULT '';"
    "UPDATE desired SET own_intensity_max_pct = intensity_max_pct, own_locked = locked,"
    " own_lock_reason = lock_reason;"
    "ALTER TABLE devices ADD COLUMN vibration_ms2 REAL;"
    "ALTER TABLE sessions ADD COLUMN staff_token INTEGER NOT NULL DEFAULT 0;"
    "CREATE INDEX sessions_device_end ON sessions (device, ended_ms) WHERE outcome <> 0;"
    "CREATE INDEX sessions_subject ON sessions (subject_token, ended_ms) WHERE subject_token <> 0 AND outcome <> 0;"
    "CREATE INDEX sessions_staff ON sessions (staff_token, ended_ms) WHERE staff_token <> 0 AND outcome <> 0;"
    "CREATE INDEX limit_hits_time ON limit_hits (device, at_ms);"
    "CREATE INDEX devices_site ON devices (coalesce(site_set, site));";
