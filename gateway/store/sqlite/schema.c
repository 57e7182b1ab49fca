#include "gateway/store/sqlite/schema.h"

#include <stdio.h>

/* The columns of the sensors; both lists end with a comma. */
#define RAW_SENSOR(s) #s "_min REAL, " #s "_mean REAL, " #s "_max REAL, " #s "_last REAL, "
#define ROLLUP_SENSOR(s) #s "_min REAL, " #s "_max REAL, " #s "_sum REAL, " #s "_ms INTEGER NOT NULL DEFAULT 0, "

#define RAW_SENSORS SCHEMA_SENSORS(RAW_SENSOR)
#define ROLLUP_SENSORS SCHEMA_SENSORS(ROLLUP_SENSOR)

/* Version 1: who the machines are, how their streams stand, sessions, faults, and what was lost. */
static const char v1[] =
    "CREATE TABLE meta (key TEXT NOT NULL PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    /* *_set: the operator's word over the machine's. state_*: where (stream, boot, uptime) the newest state was told.
       odo_seq: once the stream is stored up to it, every session before the odometer's reading is stored. */
    "CREATE TABLE devices (device INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,"
    " first_seen_ms INTEGER NOT NULL, last_seen_ms INTEGER NOT NULL,"
    " name_set TEXT, site_set TEXT, zone_set TEXT, bay_set TEXT,"
    " born INTEGER NOT NULL DEFAULT 0, class INTEGER NOT NULL DEFAULT 0,"
    " model TEXT NOT NULL DEFAULT '', serial TEXT NOT NULL DEFAULT '', agent_version TEXT NOT NULL DEFAULT '',"
    " driver TEXT NOT NULL DEFAULT '', site TEXT NOT NULL DEFAULT '', zone TEXT NOT NULL DEFAULT '',"
    " bay TEXT NOT NULL DEFAULT '', rated_motor_h REAL, motor_temp_stop_c REAL, surface_temp_stop_c REAL,"
    " cert_not_after_ms INTEGER NOT NULL DEFAULT 0,"
    " catalog TEXT NOT NULL DEFAULT '', catalog_version INTEGER NOT NULL DEFAULT 0,"
    " online INTEGER NOT NULL DEFAULT 0, offline_reason INTEGER NOT NULL DEFAULT 0,"
    " presence_since_ms INTEGER NOT NULL DEFAULT 0, boot INTEGER NOT NULL DEFAULT 0,"
    " connection INTEGER NOT NULL DEFAULT 0, stream INTEGER NOT NULL DEFAULT 0,"
    " state_stream INTEGER NOT NULL DEFAULT 0, state_boot INTEGER NOT NULL DEFAULT 0,"
    " state_uptime_ms INTEGER NOT NULL DEFAULT 0, clock_synced INTEGER NOT NULL DEFAULT 0,"
    " clock_since_ms INTEGER NOT NULL DEFAULT 0, last_record_ms INTEGER NOT NULL DEFAULT 0,"
    " odo_motor_ms INTEGER NOT NULL DEFAULT 0, odo_sessions INTEGER NOT NULL DEFAULT 0,"
    " odo_cycles INTEGER NOT NULL DEFAULT 0, odo_seq INTEGER NOT NULL DEFAULT 0,"
    " running_session INTEGER NOT NULL DEFAULT 0, chain_no INTEGER NOT NULL DEFAULT 0,"
    " chain_motor_ms INTEGER NOT NULL DEFAULT 0, chain_sessions INTEGER NOT NULL DEFAULT 0,"
    " sessions INTEGER NOT NULL DEFAULT 0, session_motor_ms INTEGER NOT NULL DEFAULT 0) STRICT;"
    "CREATE INDEX devices_online ON devices (last_seen_ms) WHERE online = 1;"
    "CREATE TABLE streams (device INTEGER NOT NULL REFERENCES devices, stream INTEGER NOT NULL, id BLOB NOT NULL,"
    " acked_seq INTEGER NOT NULL DEFAULT 0, first_ms INTEGER NOT NULL,"
    " PRIMARY KEY (device, stream), UNIQUE (device, id)) STRICT, WITHOUT ROWID;"
    /* When a boot began by the gateway's clock: places the records of a machine that has no clock. */
    "CREATE TABLE boots (device INTEGER NOT NULL REFERENCES devices, stream INTEGER NOT NULL, boot INTEGER NOT NULL,"
    " epoch_ms INTEGER NOT NULL, PRIMARY KEY (device, stream, boot)) STRICT, WITHOUT ROWID;"
    /* outcome 0 = still running. */
    "CREATE TABLE sessions (device INTEGER NOT NULL REFERENCES devices, session_no INTEGER NOT NULL,"
    " stream INTEGER NOT NULL, seq INTEGER NOT NULL, routine TEXT NOT NULL, catalog TEXT NOT NULL,"
    " catalog_version INTEGER NOT NULL, planned_s INTEGER NOT NULL, subject_token INTEGER NOT NULL,"
    " outcome INTEGER NOT NULL, started_ms INTEGER NOT NULL, time_source INTEGER NOT NULL,"
    " ended_ms INTEGER NOT NULL DEFAULT 0, duration_ms INTEGER NOT NULL DEFAULT 0,"
    " paused_ms INTEGER NOT NULL DEFAULT 0, motor_ms INTEGER NOT NULL DEFAULT 0,"
    " pain_presses INTEGER NOT NULL DEFAULT 0, peak_motor_temp_c REAL, peak_surface_temp_c REAL,"
    " peak_current_ma REAL, peak_pressure_mmhg REAL, odo_motor_ms INTEGER NOT NULL DEFAULT 0,"
    " odo_sessions INTEGER NOT NULL DEFAULT 0, odo_cycles INTEGER NOT NULL DEFAULT 0,"
    " PRIMARY KEY (device, session_no)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX sessions_time ON sessions (started_ms, device, session_no);"
    "CREATE INDEX sessions_device_time ON sessions (device, started_ms);"
    "CREATE TABLE session_areas (device INTEGER NOT NULL, session_no INTEGER NOT NULL, n INTEGER NOT NULL,"
    " area INTEGER NOT NULL, side INTEGER NOT NULL, technique INTEGER NOT NULL, ms INTEGER NOT NULL,"
    " mean_pct REAL, max_pct REAL, PRIMARY KEY (device, session_no, n),"
    " FOREIGN KEY (device, session_no) REFERENCES sessions) STRICT, WITHOUT ROWID;"
    "CREATE TABLE faults (device INTEGER NOT NULL REFERENCES devices, stream INTEGER NOT NULL,"
    " fault_no INTEGER NOT NULL, code INTEGER NOT NULL, severity INTEGER NOT NULL, raised_ms INTEGER NOT NULL,"
    " time_source INTEGER NOT NULL, observed REAL, limit_value REAL, session_no INTEGER NOT NULL DEFAULT 0,"
    " detail TEXT NOT NULL DEFAULT '', cleared_ms INTEGER, cleared_by INTEGER NOT NULL DEFAULT 0,"
    " lasted_ms INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (device, stream, fault_no)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX faults_time ON faults (raised_ms, device, fault_no);"
    "CREATE INDEX faults_open ON faults (device) WHERE cleared_ms IS NULL;"
    "CREATE TABLE limit_hits (device INTEGER NOT NULL REFERENCES devices, stream INTEGER NOT NULL,"
    " seq INTEGER NOT NULL, at_ms INTEGER NOT NULL, rule TEXT NOT NULL, area INTEGER NOT NULL, side INTEGER NOT NULL,"
    " observed REAL, limit_value REAL, session_no INTEGER NOT NULL, action TEXT NOT NULL,"
    " PRIMARY KEY (device, stream, seq)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE catalog_changes (device INTEGER NOT NULL REFERENCES devices, stream INTEGER NOT NULL,"
    " seq INTEGER NOT NULL, at_ms INTEGER NOT NULL, catalog TEXT NOT NULL, version INTEGER NOT NULL,"
    " previous_version INTEGER NOT NULL, PRIMARY KEY (device, stream, seq)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE lost (device INTEGER NOT NULL REFERENCES devices, stream INTEGER NOT NULL, seq INTEGER NOT NULL,"
    " through_seq INTEGER NOT NULL, heartbeats INTEGER NOT NULL, sessions INTEGER NOT NULL,"
    " faults INTEGER NOT NULL, others INTEGER NOT NULL, first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL,"
    " recv_ms INTEGER NOT NULL, PRIMARY KEY (device, stream, seq)) STRICT, WITHOUT ROWID;"
    /* Between the sessions prev_no and next_no of one machine; a duplicate has both the same. */
    "CREATE TABLE findings (device INTEGER NOT NULL REFERENCES devices, prev_no INTEGER NOT NULL,"
    " next_no INTEGER NOT NULL, kind INTEGER NOT NULL, motor_ms INTEGER NOT NULL,"
    " PRIMARY KEY (device, prev_no, next_no)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE events (id INTEGER PRIMARY KEY AUTOINCREMENT, at_ms INTEGER NOT NULL, kind INTEGER NOT NULL,"
    " device TEXT NOT NULL, text TEXT NOT NULL, ref INTEGER NOT NULL, code TEXT NOT NULL) STRICT;"
    "CREATE TABLE quarantine (id INTEGER PRIMARY KEY AUTOINCREMENT, recv_ms INTEGER NOT NULL, device TEXT NOT NULL,"
    " leaf TEXT NOT NULL, reason TEXT NOT NULL, size INTEGER NOT NULL, bytes BLOB NOT NULL) STRICT;"
    "CREATE INDEX quarantine_device ON quarantine (device, recv_ms);";

/* Version 2: how the machines felt: heartbeats as they came, and rolled up over 5 minutes, an hour, a day. In devices,
 * the key of the newest heartbeat. */
static const char v2[] =
    "CREATE TABLE heartbeats (device INTEGER NOT NULL REFERENCES devices, at_ms INTEGER NOT NULL,"
    " stream INTEGER NOT NULL, seq INTEGER NOT NULL, time_source INTEGER NOT NULL, boot INTEGER NOT NULL,"
    " uptime_ms INTEGER NOT NULL, interval_ms INTEGER NOT NULL, motor_ms INTEGER NOT NULL,"
    " in_session INTEGER NOT NULL, derated INTEGER NOT NULL, odo_motor_ms INTEGER NOT NULL,"
    " odo_sessions INTEGER NOT NULL, odo_cycles INTEGER NOT NULL, spool_records INTEGER NOT NULL,"
    " spool_bytes INTEGER NOT NULL, spool_dropped INTEGER NOT NULL, link_connects INTEGER NOT NULL,"
    " tick_p99_us INTEGER NOT NULL, tick_worst_us INTEGER NOT NULL, tick_overruns INTEGER NOT NULL, " RAW_SENSORS
    " PRIMARY KEY (device, at_ms, stream, seq)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE rollups (device INTEGER NOT NULL REFERENCES devices, span_s INTEGER NOT NULL,"
    " start_ms INTEGER NOT NULL, covered_ms INTEGER NOT NULL, motor_ms INTEGER NOT NULL, " ROLLUP_SENSORS
    " PRIMARY KEY (device, span_s, start_ms)) STRICT, WITHOUT ROWID;"
    "ALTER TABLE devices ADD COLUMN heartbeat_ms INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE devices ADD COLUMN heartbeat_stream INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE devices ADD COLUMN heartbeat_seq INTEGER NOT NULL DEFAULT 0;";

/* Version 3: a machine that lost its memory counts anew, here its counters go on (life.c). */
static const char v3[] = "ALTER TABLE streams ADD COLUMN base_no INTEGER NOT NULL DEFAULT 0;"
                         "ALTER TABLE streams ADD COLUMN base_sessions INTEGER NOT NULL DEFAULT 0;"
                         "ALTER TABLE streams ADD COLUMN base_motor_ms INTEGER NOT NULL DEFAULT 0;"
                         "ALTER TABLE streams ADD COLUMN base_cycles INTEGER NOT NULL DEFAULT 0;";

/* Version 4: the stream a machine spoke of last, whose counters a new one goes on with, and the odometer known then. */
static const char v4[] = "ALTER TABLE devices ADD COLUMN last_stream INTEGER NOT NULL DEFAULT 0;"
                         "ALTER TABLE streams ADD COLUMN seen_motor_ms INTEGER NOT NULL DEFAULT 0;"
                         "ALTER TABLE streams ADD COLUMN seen_sessions INTEGER NOT NULL DEFAULT 0;"
                         "ALTER TABLE streams ADD COLUMN seen_cycles INTEGER NOT NULL DEFAULT 0;"
                         "UPDATE devices SET last_stream = stream;"
                         /* One session at most runs on a machine; earlier versions left others behind. */
                         "DELETE FROM sessions WHERE outcome = 0 AND session_no <>"
                         " (SELECT running_session FROM devices d WHERE d.device = sessions.device);";

/* Version 5: duty, rest and the wire to the hardware; how long what a rule did goes on. */
static const char v5[] = "ALTER TABLE heartbeats ADD COLUMN duty_ms INTEGER NOT NULL DEFAULT 0;"
                         "ALTER TABLE heartbeats ADD COLUMN duty_max_ms INTEGER NOT NULL DEFAULT 0;"
                         "ALTER TABLE heartbeats ADD COLUMN rest_left_ms INTEGER NOT NULL DEFAULT 0;"
                         "ALTER TABLE heartbeats ADD COLUMN bus_timeouts INTEGER NOT NULL DEFAULT 0;"
                         "ALTER TABLE heartbeats ADD COLUMN bus_crc_errors INTEGER NOT NULL DEFAULT 0;"
                         "ALTER TABLE heartbeats ADD COLUMN bus_exceptions INTEGER NOT NULL DEFAULT 0;"
                         "ALTER TABLE heartbeats ADD COLUMN bus_reconnects INTEGER NOT NULL DEFAULT 0;"
                         "ALTER TABLE devices ADD COLUMN rest_stream INTEGER NOT NULL DEFAULT 0;"
                         "ALTER TABLE devices ADD COLUMN rest_since_ms INTEGER NOT NULL DEFAULT 0;"
                         "ALTER TABLE devices ADD COLUMN rest_until_ms INTEGER NOT NULL DEFAULT 0;"
                         "ALTER TABLE limit_hits ADD COLUMN lasts_ms INTEGER NOT NULL DEFAULT 0;"
                         /* Few last, fewer still last now. */
                         "CREATE INDEX limit_hits_lasting ON limit_hits (device, at_ms + lasts_ms) WHERE lasts_ms > 0;";

/* Version 6: what is wanted of the machines (wishes.h): signed catalogs, one desired state for each machine with its newest answer, commands, and
 * who did what. In devices, what its birth said; desired_revision: the highest it has seen. */
static const char v6[] =
    /* signatures: the ids of the keys, one after the other. bytes last: only who sends them reads so far. */
    "CREATE TABLE catalogs (digest BLOB NOT NULL PRIMARY KEY, name TEXT NOT NULL, class INTEGER NOT NULL,"
    " version INTEGER NOT NULL, size INTEGER NOT NULL, created_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL,"
    " rollback_floor INTEGER NOT NULL, signatures BLOB NOT NULL, published_ms INTEGER NOT NULL,"
    " published_by TEXT NOT NULL, on_broker INTEGER NOT NULL DEFAULT 0, bytes BLOB NOT NULL,"
    " UNIQUE (name, class, version)) STRICT;"
    /* published: the revision that the broker has. applied_revision: the highest that was answered at all; answer_*: the newest word
       on a catalog. digest NULL = none is desired, or answered. */
    "CREATE TABLE desired (device INTEGER PRIMARY KEY REFERENCES devices, revision INTEGER NOT NULL,"
    " published INTEGER NOT NULL DEFAULT 0, issued_ms INTEGER NOT NULL, catalog TEXT NOT NULL DEFAULT '',"
    " version INTEGER NOT NULL DEFAULT 0, digest BLOB, size INTEGER NOT NULL DEFAULT 0,"
    " within_ms INTEGER NOT NULL DEFAULT 0, intensity_max_pct REAL NOT NULL DEFAULT 0,"
    " frequency_max_hz REAL NOT NULL DEFAULT 0, pressure_max_mmhg REAL NOT NULL DEFAULT 0,"
    " heat_max_c REAL NOT NULL DEFAULT 0, session_max_ms INTEGER NOT NULL DEFAULT 0,"
    " locked INTEGER NOT NULL DEFAULT 0, lock_reason TEXT NOT NULL DEFAULT '',"
    " applied_revision INTEGER NOT NULL DEFAULT 0, answer_revision INTEGER NOT NULL DEFAULT 0,"
    " answer_stream INTEGER NOT NULL DEFAULT 0, answer_step INTEGER NOT NULL DEFAULT 0,"
    " answer_refusal INTEGER NOT NULL DEFAULT 0, answer_detail TEXT NOT NULL DEFAULT '',"
    " answer_catalog TEXT NOT NULL DEFAULT '', answer_version INTEGER NOT NULL DEFAULT 0, answer_digest BLOB,"
    " answered_ms INTEGER NOT NULL DEFAULT 0) STRICT;"
    "CREATE INDEX desired_unpublished ON desired (device) WHERE published < revision;"
    "CREATE INDEX desired_digest ON desired (digest) WHERE digest IS NOT NULL;"
    /* state 0 = sent, and still open. */
    "CREATE TABLE commands (id INTEGER PRIMARY KEY, device INTEGER NOT NULL REFERENCES devices, kind INTEGER NOT NULL,"
    " state INTEGER NOT NULL DEFAULT 0, issued_ms INTEGER NOT NULL, deadline_ms INTEGER NOT NULL,"
    " ended_ms INTEGER NOT NULL DEFAULT 0, published INTEGER NOT NULL DEFAULT 0, detail TEXT NOT NULL DEFAULT '') "
    "STRICT;"
    "CREATE INDEX commands_open ON commands (deadline_ms) WHERE state = 0;"
    "CREATE INDEX commands_device ON commands (device, id);"
    "CREATE TABLE deeds (id INTEGER PRIMARY KEY AUTOINCREMENT, at_ms INTEGER NOT NULL, who TEXT NOT NULL,"
    " origin TEXT NOT NULL, action TEXT NOT NULL, subject TEXT NOT NULL, detail TEXT NOT NULL) STRICT;"
    "ALTER TABLE devices ADD COLUMN catalog_digest BLOB;"
    "ALTER TABLE devices ADD COLUMN catalog_on_trial INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE devices ADD COLUMN desired_revision INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE catalog_changes ADD COLUMN cause INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE catalog_changes ADD COLUMN digest BLOB;";

/* Version 7: rollouts (rollouts.h), and where each of their machines stands. selection: the expression of --where. window_from NULL: at any time.
 * Steps 0 to 3 and 10 aren't an end (rollout.h). */
static const char v7[] =
    "CREATE TABLE rollouts (id INTEGER PRIMARY KEY AUTOINCREMENT, catalog TEXT NOT NULL, version INTEGER NOT NULL,"
    " selection TEXT NOT NULL, soak_ms INTEGER NOT NULL, deadline_ms INTEGER NOT NULL,"
    " max_failures_ppm INTEGER NOT NULL, window_from INTEGER, window_to INTEGER, state INTEGER NOT NULL DEFAULT 0,"
    " phase INTEGER NOT NULL DEFAULT 0, wave INTEGER NOT NULL DEFAULT 1, created_ms INTEGER NOT NULL,"
    " state_since_ms INTEGER NOT NULL, phase_since_ms INTEGER NOT NULL, forgiven_ms INTEGER NOT NULL DEFAULT 0,"
    " reason TEXT NOT NULL DEFAULT '', created_by TEXT NOT NULL) STRICT;"
    "CREATE TABLE rollout_targets (rollout INTEGER NOT NULL REFERENCES rollouts, class INTEGER NOT NULL,"
    " digest BLOB NOT NULL, size INTEGER NOT NULL, rollback_floor INTEGER NOT NULL,"
    " PRIMARY KEY (rollout, class)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE rollout_gates (rollout INTEGER NOT NULL REFERENCES rollouts, n INTEGER NOT NULL,"
    " kind INTEGER NOT NULL, limit_value REAL NOT NULL, relative INTEGER NOT NULL,"
    " PRIMARY KEY (rollout, n)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE rollout_waves (rollout INTEGER NOT NULL REFERENCES rollouts, wave INTEGER NOT NULL,"
    " value INTEGER NOT NULL, percent INTEGER NOT NULL, since_ms INTEGER NOT NULL DEFAULT 0,"
    " done_ms INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (rollout, wave)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE rollout_devices (rollout INTEGER NOT NULL REFERENCES rollouts,"
    " device INTEGER NOT NULL REFERENCES devices, wave INTEGER NOT NULL DEFAULT 0, step INTEGER NOT NULL DEFAULT 0,"
    " since_ms INTEGER NOT NULL, deadline_ms INTEGER NOT NULL DEFAULT 0, revision INTEGER NOT NULL DEFAULT 0,"
    " told_ms INTEGER NOT NULL DEFAULT 0, installed_ms INTEGER NOT NULL DEFAULT 0, previous BLOB,"
    " previous_catalog TEXT NOT NULL DEFAULT '', previous_version INTEGER NOT NULL DEFAULT 0,"
    " refusal INTEGER NOT NULL DEFAULT 0, detail TEXT NOT NULL DEFAULT '',"
    " PRIMARY KEY (rollout, device)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX rollout_devices_device ON rollout_devices (device, rollout, step);"
    "CREATE INDEX rollout_devices_open ON rollout_devices (rollout) WHERE step IN (0, 1, 2, 3, 10);"
    /* What a machine did since it has a catalog. */
    "CREATE INDEX faults_device_time ON faults (device, raised_ms);";

static const char *const migrations[] = {v1, v2,        v3,        v4,         v5,         v6,
                                         v7, schema_v8, schema_v9, schema_v10, schema_v11, schema_v12};
const unsigned schema_version = sizeof(migrations) / sizeof(migrations[0]);

int schema_read_version(struct db *db, unsigned *ret_version, struct gf_diag *diag)
{
	struct query q;
	int64_t version = 0;
	int r;

	query_begin(&q, db, "PRAGMA user_version");
	r = query_value(&q, 0, &version, diag);
	if (!r)
		*ret_version = (unsigned)version;
	return r;
}

int schema_check(const struct db *db, unsigned version, struct gf_diag *diag)
{
	if (version <= schema_version)
		return 0;
	gf_diag_set(diag,
	            "the database '%s' has schema %u, this gymfleet " GF_VERSION
	            " knows only up to %u: a newer version wrote it; upgrade this gateway, there is no way back",
	            db->path, version, schema_version);
	return STORE_E_NEWER;
}

/* One step: its statements and the version they reach, all or nothing. */
static int migrate_one(struct db *db, unsigned to, struct gf_diag *diag)
{
	char version[64];
	int r = db_exec(db, "BEGIN IMMEDIATE", diag);

	if (r)
		return r;
	snprintf(version, sizeof(version), "PRAGMA user_version = %u", to);
	r = db_exec(db, migrations[to - 1], diag);
	if (!r)
		r = db_exec(db, version, diag);
	if (!r)
		r = db_exec(db, "COMMIT", diag);
	if (r)
		(void)sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
	return r;
}

int schema_migrate(struct db *db, unsigned until, struct gf_diag *diag)
{
	unsigned version = 0;
	int r = schema_read_version(db, &version, diag);

	if (!r)
		r = schema_check(db, version, diag);
	while (!r && version < (until ? until : schema_version)) {
		r = migrate_one(db, version + 1, diag);
		version++;
	}
	return r;
}
