#include "gateway/store/sqlite/schema.h"

/* 30 min, of cases; at most 48 h of a session are spread: as in case.c and hour.c, for what was stored before. */
#define AGAIN "1800000"
#define HOUR "3600000"
#define SPREAD "172800000"

/* A case is what touches in time; device and code and its time name its faults. open: how many of them are. cleared_ms: the last clearing so far. stream
 * to detail: of the newest. reported: by a person, then code is 0 and no fault belongs to it. */
#define CASES                                                                                                            \
	"CREATE TABLE cases (id INTEGER PRIMARY KEY AUTOINCREMENT, device INTEGER NOT NULL REFERENCES devices,"              \
	" code INTEGER NOT NULL, reported INTEGER NOT NULL DEFAULT 0, severity INTEGER NOT NULL, times INTEGER NOT NULL,"    \
	" open INTEGER NOT NULL, first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL,"                                       \
	" cleared_ms INTEGER NOT NULL DEFAULT 0, cleared_by INTEGER NOT NULL DEFAULT 0,"                                     \
	" lasted_ms INTEGER NOT NULL DEFAULT 0, stream INTEGER NOT NULL DEFAULT 0, fault_no INTEGER NOT NULL DEFAULT 0,"     \
	" session_no INTEGER NOT NULL DEFAULT 0, observed REAL, limit_value REAL, detail TEXT NOT NULL DEFAULT '',"          \
	" person TEXT NOT NULL DEFAULT '', acked_ms INTEGER NOT NULL DEFAULT 0, acked_by TEXT NOT NULL DEFAULT '',"          \
	" ack_note TEXT NOT NULL DEFAULT '') STRICT;"                                                                        \
	"CREATE INDEX cases_code ON cases (device, code, first_ms) WHERE reported = 0;"                                      \
	"CREATE INDEX cases_time ON cases (last_ms, id);"                                                                    \
	"CREATE INDEX cases_device ON cases (device, last_ms, id);"                                                          \
	"CREATE INDEX cases_open ON cases (device) WHERE open > 0;" /* Numbers of cases that became part of an older one. */ \
	"CREATE TABLE case_aliases (old INTEGER PRIMARY KEY, id INTEGER NOT NULL) STRICT;"                                   \
	"CREATE INDEX case_aliases_id ON case_aliases (id);" /* forced: a person cleared it. */                              \
	"ALTER TABLE faults ADD COLUMN forced INTEGER NOT NULL DEFAULT 0;"                                                   \
	"CREATE INDEX faults_code ON faults (device, code, raised_ms);"                                                      \
	"CREATE INDEX faults_down ON faults (device, raised_ms, cleared_ms) WHERE severity >= 3;"

#define CASES_BEFORE                                                                                             \
	"INSERT INTO cases (device, code, severity, times, open, first_ms, last_ms, cleared_ms, lasted_ms)"          \
	" SELECT device, code, max(severity), count(*), sum(cleared_ms IS NULL), min(raised_ms), max(raised_ms),"    \
	" coalesce(max(max(raised_ms, cleared_ms)), 0), sum(lasted_ms) FROM"                                         \
	" (SELECT *, sum(reached IS NULL OR raised_ms > reached) OVER (PARTITION BY device, code"                    \
	" ORDER BY raised_ms, stream, fault_no) AS n FROM"                                                           \
	" (SELECT *, max(max(raised_ms, coalesce(cleared_ms, 0)) + " AGAIN ") OVER (PARTITION BY device, code"       \
	" ORDER BY raised_ms, stream, fault_no ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS reached"         \
	" FROM faults)) GROUP BY device, code, n ORDER BY min(raised_ms), device, code;"                             \
	"UPDATE cases SET (stream, fault_no, session_no, observed, limit_value, detail) = (SELECT f.stream,"         \
	" f.fault_no, f.session_no, f.observed, f.limit_value, f.detail FROM faults f WHERE f.device = cases.device" \
	" AND f.code = cases.code AND f.raised_ms = cases.last_ms ORDER BY f.stream DESC, f.fault_no DESC LIMIT 1);" \
	"UPDATE cases SET cleared_by = (SELECT max(f.cleared_by) FROM faults f WHERE f.device = cases.device"        \
	" AND f.code = cases.code AND f.raised_ms BETWEEN cases.first_ms AND cases.last_ms"                          \
	" AND max(f.raised_ms, f.cleared_ms) = cases.cleared_ms) WHERE cleared_ms <> 0;"

/* until_ms 0 = it still hangs. */
#define PEOPLE                                                                                                           \
	"CREATE TABLE tags (id INTEGER PRIMARY KEY, device INTEGER NOT NULL REFERENCES devices,"                             \
	" since_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL DEFAULT 0, reason TEXT NOT NULL, owner TEXT NOT NULL,"        \
	" person TEXT NOT NULL, back_ms INTEGER NOT NULL, case_id INTEGER NOT NULL) STRICT;"                                 \
	"CREATE UNIQUE INDEX tags_now ON tags (device) WHERE until_ms = 0;"                                                  \
	"CREATE INDEX tags_device ON tags (device, since_ms);"                                                               \
	"CREATE INDEX tags_case ON tags (case_id) WHERE case_id <> 0;"                                                       \
	"CREATE TABLE services (id INTEGER PRIMARY KEY AUTOINCREMENT, device INTEGER NOT NULL REFERENCES devices,"           \
	" part INTEGER NOT NULL, at_ms INTEGER NOT NULL, person TEXT NOT NULL, note TEXT NOT NULL,"                          \
	" odo_motor_ms INTEGER NOT NULL, odo_sessions INTEGER NOT NULL, odo_cycles INTEGER NOT NULL) STRICT;"                \
	"CREATE INDEX services_device ON services (device, part, at_ms);" /* digest: of the salt and the token (people.c) */ \
	"CREATE TABLE erased (digest BLOB NOT NULL PRIMARY KEY, until_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;"           \
	"CREATE TABLE erased_salt (salt BLOB NOT NULL) STRICT;"                                                              \
	"INSERT INTO erased_salt SELECT randomblob(32);" /* What has a token, by age; kinds 1, 2 and 3 are people. */        \
	"CREATE INDEX sessions_token_age ON sessions (started_ms) WHERE subject_token <> 0 OR staff_token <> 0;"             \
	"CREATE INDEX sessions_running ON sessions (device) WHERE outcome = 0;"                                              \
	"CREATE INDEX flags_person_age ON flags (last_ms) WHERE kind IN (1, 2, 3) AND key <> 0;"

/* What a machine's motor ran before its odometer counted. */
#define BEFORE "ALTER TABLE devices ADD COLUMN motor_before_ms INTEGER NOT NULL DEFAULT 0;"

/* began_*: of the sessions that began in the hour, all their time; without, what ran in it. */
#define HOURS                                                                                                  \
	"CREATE TABLE hours (hour_ms INTEGER NOT NULL, device INTEGER NOT NULL REFERENCES devices,"                \
	" outcome INTEGER NOT NULL, sessions INTEGER NOT NULL, began_running_ms INTEGER NOT NULL,"                 \
	" began_motor_ms INTEGER NOT NULL, running_ms INTEGER NOT NULL, motor_ms INTEGER NOT NULL,"                \
	" PRIMARY KEY (hour_ms, device, outcome)) STRICT, WITHOUT ROWID;"                                          \
	"CREATE INDEX hours_device ON hours (device, hour_ms);" /* The export goes through all of them by time. */ \
	"CREATE INDEX heartbeats_time ON heartbeats (at_ms, device, seq);"

/* What `total` has been until `x` of the span, in whole milliseconds. */
#define UNTIL(total, x) "(" total " / span * " x " + " total " % span * " x " / span)"
#define HOURS_BEFORE                                                                                            \
	"INSERT INTO hours WITH RECURSIVE n(i) AS (VALUES (0) UNION ALL SELECT i + 1 FROM n WHERE i < 48),"         \
	" s AS (SELECT device, outcome, started_ms, max(duration_ms - paused_ms, 0) AS running, motor_ms AS motor," \
	" max(min(duration_ms, " SPREAD "), 1) AS span,"                                                            \
	" started_ms - (started_ms % " HOUR " + " HOUR ") % " HOUR " AS hour FROM sessions WHERE outcome > 0),"     \
	" p AS (SELECT s.*, i, hour + i * " HOUR " AS at, max(hour + i * " HOUR " - started_ms, 0) AS lo,"          \
	" min(hour + (i + 1) * " HOUR " - started_ms, span) AS hi"                                                  \
	" FROM s CROSS JOIN n ON hour + i * " HOUR " < started_ms + span)"                                          \
	" SELECT at, device, outcome, sum(i = 0), sum(CASE i WHEN 0 THEN running ELSE 0 END),"                      \
	" sum(CASE i WHEN 0 THEN motor ELSE 0 END), sum(" UNTIL("running", "hi") " - " UNTIL(                       \
	    "running", "lo") "), sum(" UNTIL("motor", "hi") " - " UNTIL("motor",                                    \
	                                                                "lo") ") FROM p GROUP BY at, device, outcome;"

/* Version 9: faults as cases, what people say of machines, hours of use, forgotten tokens (cases.h). */
const char schema_v9[] = CASES CASES_BEFORE PEOPLE BEFORE HOURS HOURS_BEFORE;
