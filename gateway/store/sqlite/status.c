/*
 * Status messages and presence. A birth, goodbye or will belongs to one connection, named by boot and connection
 * counter: what is older than the connection known changes nothing, so that a will that the broker publishes late can't
 * mark a machine offline that is long back.
 */
#include "gateway/store/sqlite/place.h"
#include "gateway/store/sqlite/writer.h"

/* A report may still be under way when the will of its connection is published; after this it proves life. */
enum { LATE_REPORT_MS = 30 * 1000 };

static const char *const offline_sentences[] = {
    [STORE_OFFLINE_NEVER] = "never seen",
    [STORE_OFFLINE_GOODBYE] = "offline: it said goodbye",
    [STORE_OFFLINE_LOST] = "offline: its connection broke",
    [STORE_OFFLINE_SILENT] = "offline: nothing was heard of it for 3 minutes",
};

/* Goes on- or offline, with the event; nothing when it is that already. */
static int set_presence(struct apply *a, bool online, enum store_offline reason)
{
	struct device *d = a->dev;

	if (d->online == online && d->presence_since_ms)
		return 0;
	d->online = online;
	d->offline_reason = reason;
	d->presence_since_ms = a->recv_ms;
	return event_add(a->store, a->recv_ms, STORE_EVENT_PRESENCE, d->id, 0, online ? "online" : "offline", a->diag, "%s",
	                 online ? "online" : offline_sentences[reason]);
}

/* How long it was silent is judged when it is due; that it is heard again, at once. */
static int heard(struct apply *a)
{
	struct device *d = a->dev;
	bool silent = a->recv_ms - d->last_seen_ms > STORE_SILENCE_MS;

	d->last_seen_ms = a->recv_ms;
	return silent ? judge_mark_device(a->store, d->key, a->recv_ms, a->diag) : 0;
}

int presence_heard(struct apply *a)
{
	struct device *d = a->dev;
	bool said_off = d->offline_reason == STORE_OFFLINE_LOST || d->offline_reason == STORE_OFFLINE_GOODBYE;

	int r = heard(a);
	if (r || d->online || (said_off && a->recv_ms < d->presence_since_ms + LATE_REPORT_MS))
		return r;
	return set_presence(a, true, STORE_OFFLINE_NEVER);
}

/* ---- birth ---- */

/* What rules go by: class, model, place and rated life. Facts of the past count anew by it only when they are judged for another reason. */
static int mark_changed(struct apply *a, const struct gf_status *st)
{
	struct query q;
	int64_t same = 0;
	int r;

	query_begin(&q, a->db,
	            "SELECT class = ? AND model = ? AND site = ? AND rated_motor_h IS ? AND vibration_ms2 IS ? FROM devices"
	            " WHERE device = ?");
	query_i64(&q, st->class);
	query_text(&q, st->model);
	query_text(&q, st->location.site);
	query_real(&q, (double)st->rated_motor_h);
	query_real(&q, (double)st->vibration_ms2);
	query_i64(&q, a->dev->key);
	r = query_value(&q, 0, &same, a->diag);
	return r || same ? r : judge_mark_device(a->store, a->dev->key, a->recv_ms, a->diag);
}

/* What the machine is, as it says. */
static int save_identity(struct apply *a, const struct gf_status *st)
{
	const uint64_t up_ms = st->uptime_ms, recv_ms = (uint64_t)a->recv_ms;
	struct query q;
	int r = mark_changed(a, st);

	if (r)
		return r;
	query_begin(
	    &q, a->db,
	    "UPDATE devices SET class = ?, model = ?, serial = ?, agent_version = ?, driver = ?, site = ?, zone = ?,"
	    " bay = ?, rated_motor_h = ?, motor_temp_stop_c = ?, surface_temp_stop_c = ?, cert_not_after_ms = ?,"
	    " desired_revision = ?, vibration_ms2 = ? WHERE device = ?");
	query_i64(&q, st->class);
	query_text(&q, st->model);
	query_text(&q, st->serial);
	query_text(&q, st->agent_version);
	query_text(&q, st->driver);
	query_text(&q, st->location.site);
	query_text(&q, st->location.zone);
	query_text(&q, st->location.bay);
	query_real(&q, (double)st->rated_motor_h);
	query_real(&q, (double)st->motor_temp_stop_c);
	query_real(&q, (double)st->surface_temp_stop_c);
	query_u64(&q, st->cert_not_after_ms);
	query_u64(&q, st->desired_revision);
	query_real(&q, (double)st->vibration_ms2);
	query_i64(&q, a->dev->key);
	r = query_run(&q, a->diag);
	/* It reads where it is when it starts. */
	if (!r)
		r = place_told(a->store, a->dev->key, a->recv_ms - (int64_t)(up_ms < recv_ms ? up_ms : 0), a->recv_ms, a->diag);
	return r ? r : desired_outgrow(a, st->desired_revision);
}

/*
 * The machine knows of acks this store doesn't: its database was lost or restored from a backup. The machine has
 * dropped those records, so waiting for them would wedge it for ever: go on where it stands and write down what is
 * missing.
 */
static int forgive_forgotten(struct apply *a, const struct gf_status *st, const struct stream *stream)
{
	struct query q;
	int r;

	query_begin(&q, a->db,
	            "INSERT OR IGNORE INTO lost (device, stream, seq, through_seq, heartbeats, sessions, faults, others,"
	            " first_ms, last_ms, recv_ms) VALUES (?, ?, ?, ?, 0, 0, 0, ?, 0, 0, ?)");
	query_i64(&q, a->dev->key);
	query_i64(&q, stream->number);
	query_u64(&q, stream->acked_seq + 1);
	query_u64(&q, st->acked_seq);
	query_u64(&q, st->acked_seq - stream->acked_seq);
	query_i64(&q, a->recv_ms);
	r = query_run(&q, a->diag);
	if (!r)
		r = device_stream_ack(a, stream->number, st->acked_seq);
	if (!r)
		r = event_add(a->store, a->recv_ms, STORE_EVENT_LOST, a->dev->id, 0, "forgotten", a->diag,
		              "%llu records it was told are stored aren't here: was an older database restored?",
		              (unsigned long long)(st->acked_seq - stream->acked_seq));
	return r;
}

static int birth_stream(struct apply *a, const struct gf_status *st, bool retained)
{
	struct stream stream;
	bool made;
	int r = device_stream(a, &st->stream, 0, &made, &stream);

	if (r)
		return r;
	/* A retained one may be of the past. */
	if (made || !retained)
		a->dev->last_stream = stream.number;
	a->stream = stream.number;
	a->base = stream.base;
	return st->acked_seq > stream.acked_seq ? forgive_forgotten(a, st, &stream) : 0;
}

static int birth_boot(struct apply *a, const struct gf_status *st, bool retained)
{
	int64_t uptime = (int64_t)st->uptime_ms;
	int64_t epoch = 0;
	struct query q;
	int r;

	if (st->uptime_ms > (uint64_t)a->recv_ms)
		return 0;
	if (!retained)
		return device_boot_seen(a, st->boot, a->recv_ms - uptime);
	/* A retained birth is of an unknown age: it serves only where nothing better is known. */
	query_begin(&q, a->db, "SELECT epoch_ms FROM boots WHERE device = ? AND stream = ? AND boot = ?");
	query_i64(&q, a->dev->key);
	query_i64(&q, a->stream);
	query_u64(&q, st->boot);
	r = query_value(&q, 0, &epoch, a->diag);
	return r || epoch ? r : device_boot_seen(a, st->boot, a->recv_ms - uptime);
}

static int birth_state(struct apply *a, const struct gf_status *st)
{
	struct device *d = a->dev;
	struct position at = {a->stream, st->boot, st->uptime_ms};
	struct gf_odometer odometer = life_odometer(&a->base, &st->odometer);
	bool unknown;
	int r;

	if (!device_advance(d, &at))
		return 0;
	r = life_unknown(a, &odometer, &unknown);
	if (r)
		return r;
	if (d->clock_synced != st->clock_synced || !d->clock_since_ms)
		d->clock_since_ms = a->recv_ms;
	d->clock_synced = st->clock_synced;
	if (!unknown) {
		d->odometer = odometer;
		d->odo_seq = st->next_seq ? st->next_seq - 1 : 0;
	}
	gf_strcpy(d->catalog, sizeof(d->catalog), st->catalog);
	d->catalog_version = st->catalog_version;
	d->catalog_digest = st->catalog_digest;
	d->catalog_on_trial = st->catalog_on_trial;
	return 0;
}

/*
 * What its motor ran before the odometer counted. A machine that lost its memory shows a meter that has gone on and an odometer that
 * has not: what is known of it is counted already. So by its meter it may be too little for a while, but nothing is counted
 * twice; a meter that was exchanged for a new one knows nothing of the past. What people say is taken as it is.
 */
static int birth_motor_before(struct apply *a, const struct gf_status *st)
{
	struct gf_odometer counted = life_odometer(&a->base, &st->odometer);
	uint64_t before_ms = st->motor_before_ms;
	struct query q;
	bool unknown;
	int r;

	if (!st->motor_before_ms && !st->hour_meter_ms)
		return 0;
	r = life_unknown(a, &counted, &unknown);
	if (r)
		return r;
	if (unknown)
		counted = a->dev->odometer;
	if (!before_ms && st->hour_meter_ms > counted.motor_ms)
		before_ms = st->hour_meter_ms - counted.motor_ms;
	query_begin(&q, a->db,
	            "UPDATE devices SET motor_before_ms = ?2 WHERE device = ?1 AND iif(?3, motor_before_ms <> ?2,"
	            " motor_before_ms < ?2)");
	query_i64(&q, a->dev->key);
	query_u64(&q, before_ms);
	query_i64(&q, st->motor_before_ms > 0);
	r = query_run(&q, a->diag);
	if (r || sqlite3_changes(a->db->handle) == 0)
		return r;
	return judge_mark_device(a->store, a->dev->key, a->recv_ms, a->diag);
}

/* -1, 0, 1: the message's connection is older, the same, newer than the one known. */
static int connection_age(const struct device *d, const struct gf_status *st)
{
	if (st->boot != d->boot)
		return st->boot < d->boot ? -1 : 1;
	return (st->connection > d->connection) - (st->connection < d->connection);
}

static int apply_birth(struct apply *a, const struct gf_status *st, bool retained)
{
	struct device *d = a->dev;
	int age = connection_age(d, st);
	int64_t stream_before = d->stream;
	int r = birth_stream(a, st, retained);

	if (r)
		return r;
	/* A machine whose disk was wiped counts its boots from 1 again; its new stream tells it apart from a late birth. */
	if (d->stream > stream_before)
		age = 1;
	if (age < 0)
		return 0;
	r = birth_boot(a, st, retained);
	if (!r)
		r = save_identity(a, st);
	if (!r)
		r = birth_state(a, st);
	if (!r)
		r = birth_motor_before(a, st);
	if (r)
		return r;
	if (!retained || age > 0)
		r = heard(a);
	if (!r && (age > 0 || !retained || !d->born))
		r = set_presence(a, true, STORE_OFFLINE_NEVER);
	d->born = true;
	d->boot = st->boot;
	d->connection = st->connection;
	return r;
}

/* Goodbye or will. */
static int apply_gone(struct apply *a, const struct gf_status *st)
{
	struct device *d = a->dev;

	if (connection_age(d, st) < 0)
		return 0;
	d->boot = st->boot;
	d->connection = st->connection;
	return set_presence(a, false, st->presence == GF_PRESENCE_GOODBYE ? STORE_OFFLINE_GOODBYE : STORE_OFFLINE_LOST);
}

int store_apply_status(struct store *s, const char *device, const struct gf_status *status, bool retained,
                       int64_t recv_ms, struct gf_diag *diag)
{
	struct device dev;
	struct apply a = {.store = s, .db = &s->db, .dev = &dev, .recv_ms = recv_ms, .diag = diag};
	int r = device_load(s, device, recv_ms, &dev, diag);

	if (r)
		return r;
	r = status->presence == GF_PRESENCE_BIRTH ? apply_birth(&a, status, retained) : apply_gone(&a, status);
	return r ? r : device_save(s, &dev, diag);
}

/* ---- silence ---- */

enum { SWEEP_MAX = 256, CLOCK_SLACK_MS = 10 * 1000 };

static int silent_devices(struct store *s, int64_t now_ms, char (*ret_ids)[GF_ID_MAX], size_t *ret_count,
                          struct gf_diag *diag)
{
	struct query q;
	size_t n = 0;
	int rc, r;

	/* Heard of in the future: that was before the clock was set back, and never since. */
	query_begin(&q, &s->db, "SELECT id FROM devices WHERE online = 1 AND last_seen_ms NOT BETWEEN ? AND ? LIMIT ?");
	query_i64(&q, now_ms - STORE_SILENCE_MS);
	query_i64(&q, now_ms + CLOCK_SLACK_MS);
	query_i64(&q, SWEEP_MAX);
	while ((rc = query_step(&q)) == QUERY_ROW && n < SWEEP_MAX)
		col_text(&q, ret_ids[n++], GF_ID_MAX);
	r = query_end(&q, rc, diag);
	if (!r)
		*ret_count = n;
	return r;
}

static int mark_silent(struct store *s, const char *id, int64_t now_ms, struct gf_diag *diag)
{
	struct device dev;
	struct apply a = {.store = s, .db = &s->db, .dev = &dev, .recv_ms = now_ms, .diag = diag};
	int r = device_load(s, id, now_ms, &dev, diag);

	if (!r)
		r = set_presence(&a, false, STORE_OFFLINE_SILENT);
	return r ? r : device_save(s, &dev, diag);
}

int store_presence(struct store *s, int64_t listening_since_ms, int64_t now_ms, unsigned *ret_gone,
                   struct gf_diag *diag)
{
	char ids[SWEEP_MAX][GF_ID_MAX];
	unsigned gone = 0;
	size_t count = 0;
	int r;

	if (now_ms - listening_since_ms < STORE_SILENCE_MS) {
		*ret_gone = 0;
		return 0;
	}
	do {
		r = store_begin(s, diag);
		if (r)
			return r;
		r = silent_devices(s, now_ms, ids, &count, diag);
		for (size_t i = 0; i < count && !r; i++)
			r = mark_silent(s, ids[i], now_ms, diag);
		r = store_finish(s, r, diag);
		if (r)
			return r;
		gone += (unsigned)count;
	} while (count == SWEEP_MAX);
	*ret_gone = gone;
	return 0;
}
