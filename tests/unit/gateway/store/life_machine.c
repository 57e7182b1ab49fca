#include "tests/unit/gateway/store/life_machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* splitmix64 */
static uint64_t draw(struct machine *m, uint64_t below)
{
	uint64_t z = (m->random += 0x9e3779b97f4a7c15u);
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return (z ^ (z >> 31)) % below;
}

/* ---- the machine's disk ---- */

static uint64_t waiting(const struct disk *d)
{
	return d->next_seq - 1 - d->acked;
}

static uint64_t uptime(const struct machine *m)
{
	return (uint64_t)(m->now_ms - m->disk.booted_ms);
}

static void keep(struct machine *m, struct item item)
{
	struct disk *d = &m->disk;

	if (waiting(d) == SPOOL)
		FAIL(m, "the model's spool is full");
	d->spool[waiting(d)] = item;
	d->next_seq++;
}

static struct item item(struct machine *m, enum gf_record_kind kind)
{
	return (struct item){.kind = kind,
	                     .boot = m->disk.boot,
	                     .uptime_ms = uptime(m),
	                     .wall_ms = m->disk.clock ? (uint64_t)m->now_ms : 0,
	                     .clock = m->disk.clock,
	                     .odometer = m->disk.odometer,
	                     .in_session = m->disk.running};
}

static void beat(struct machine *m)
{
	keep(m, item(m, GF_RECORD_HEARTBEAT));
}

static void start(struct machine *m)
{
	struct item s = item(m, GF_RECORD_SESSION_STARTED);

	s.start_uptime_ms = s.uptime_ms;
	s.start_wall_ms = s.wall_ms;
	s.token = ++m->tokens;
	s.routine = (uint8_t)draw(m, 2);
	s.odometer.sessions++; /* its number */
	m->disk.running = true;
	m->disk.session = s;
	if (draw(m, 2))
		keep(m, s);
}

static void end(struct machine *m, bool interrupted)
{
	struct disk *d = &m->disk;
	struct item s = d->session;

	s.kind = GF_RECORD_SESSION_ENDED;
	s.boot = d->boot;
	s.uptime_ms = uptime(m);
	s.wall_ms = d->clock ? (uint64_t)m->now_ms : 0;
	s.outcome = interrupted ? GF_OUTCOME_INTERRUPTED : GF_OUTCOME_COMPLETED;
	/* A few lengths only; longer than what an interruption leaves of it. */
	s.motor_ms = interrupted ? 20000 : 60000 + 30000 * draw(m, 2);
	if (!s.clock)
		s.motor_ms += s.token;
	s.duration_ms = s.motor_ms + 5000;
	d->odometer.motor_ms += s.motor_ms;
	d->odometer.sessions++;
	d->odometer.cycles += s.motor_ms / 100;
	s.odometer = d->odometer;
	d->running = false;
	keep(m, s);
}

/* ---- to the store ---- */

static struct gf_record encode(const struct item *i, uint64_t seq)
{
	struct gf_record r = {.seq = seq,
	                      .boot = i->boot,
	                      .uptime_ms = i->uptime_ms,
	                      .wall_ms = i->wall_ms,
	                      .clock_synced = i->wall_ms != 0,
	                      .kind = i->kind};
	struct gf_session_started st = {.session_no = i->odometer.sessions, .subject_token = i->token, .planned_s = 100};

	snprintf(st.routine, sizeof(st.routine), "routine-%u", i->routine);
	if (i->kind == GF_RECORD_HEARTBEAT) {
		r.heartbeat.interval_ms = 60000;
		r.heartbeat.odometer = i->odometer;
		r.heartbeat.in_session = i->in_session;
	} else if (i->kind == GF_RECORD_SESSION_STARTED) {
		r.session_started = st;
	} else {
		r.session_ended = (struct gf_session_ended){.start = st,
		                                            .started_boot = i->boot,
		                                            .started_uptime_ms = i->start_uptime_ms,
		                                            .started_wall_ms = i->start_wall_ms,
		                                            .started_clock_synced = i->clock,
		                                            .duration_ms = (uint32_t)i->duration_ms,
		                                            .motor_ms = i->motor_ms,
		                                            .outcome = i->outcome,
		                                            .odometer = i->odometer};
	}
	return r;
}

static void tell_birth(struct machine *m)
{
	struct disk *d = &m->disk;
	struct gf_status st = birth(d->boot, ++d->connection, d->stream);

	m->heard[d->stream] = true;
	st.uptime_ms = uptime(m);
	st.clock_synced = d->clock;
	st.odometer = d->odometer;
	st.next_seq = d->next_seq;
	st.acked_seq = d->acked;
	send_status(m->f, "chair-1", st, false, m->now_ms);
}

/* A new stream with what isn't acked. */
static void begin_stream(struct machine *m)
{
	struct disk *d = &m->disk;

	d->next_seq -= d->acked;
	d->acked = 0;
	d->stream = ++m->streams;
	if (m->streams == STREAMS - 1)
		FAIL(m, "the model has no stream left");
}

static void hear(struct machine *m, const struct gf_ack *ack)
{
	struct disk *d = &m->disk;

	if (ack->through_seq >= d->next_seq) {
		begin_stream(m);
		tell_birth(m);
	} else if (ack->through_seq > d->acked) {
		memmove(d->spool, d->spool + (ack->through_seq - d->acked),
		        (size_t)(d->next_seq - 1 - ack->through_seq) * sizeof(d->spool[0]));
		d->acked = ack->through_seq;
	}
}

static void note_told(struct machine *m, const struct item *i)
{
	if (i->kind != GF_RECORD_SESSION_ENDED || m->motor_ms[i->token])
		return;
	m->motor_ms[i->token] = i->motor_ms;
}

/* Sends `count` of what waits, from the `skip`th on. */
static void tell(struct machine *m, uint64_t skip, uint64_t count, bool heard)
{
	struct disk *d = &m->disk;
	struct gf_record *records = calloc((size_t)count, sizeof(*records));
	uint64_t first = d->acked + 1 + skip;
	struct gf_ack ack;

	for (uint64_t n = 0; n < count; n++)
		records[n] = encode(&d->spool[skip + n], first + n);
	m->heard[d->stream] = true;
	ack = send_report(m->f, "chair-1", d->stream, records, (size_t)count, m->now_ms);
	free(records);
	for (uint64_t n = 0; n < count; n++)
		if (first + n <= ack.through_seq && first + n > m->stored[d->stream])
			note_told(m, &d->spool[skip + n]);
	m->stored[d->stream] = ack.through_seq;
	if (heard)
		hear(m, &ack);
}

static void tell_some(struct machine *m)
{
	uint64_t n = waiting(&m->disk), skip;

	if (n == 0)
		return;
	skip = draw(m, 4) ? 0 : draw(m, n);
	tell(m, skip, 1 + draw(m, n - skip), draw(m, 4) != 0);
}

static void tell_all(struct machine *m)
{
	while (waiting(&m->disk) > 0)
		tell(m, 0, waiting(&m->disk) < 64 ? waiting(&m->disk) : 64, true);
}

/* ---- what happens to it ---- */

static void boot(struct machine *m)
{
	struct disk *d = &m->disk;

	d->boot++;
	d->connection = 0;
	d->booted_ms = m->now_ms;
	d->clock = m->clocks || draw(m, 2);
	if (d->running)
		end(m, true);
}

static void restart(struct machine *m)
{
	boot(m);
	if (draw(m, 2))
		tell_birth(m);
}

/* Sessions that only this disk knows go with it in some histories, in the others they are told before. */
static void leave_disk(struct machine *m)
{
	struct disk *d = &m->disk;
	bool untold = d->running;

	for (uint64_t n = 0; n < waiting(d); n++)
		untold = untold || (d->spool[n].kind == GF_RECORD_SESSION_ENDED && !m->motor_ms[d->spool[n].token]);
	if (untold && m->lossy) {
		m->lost = true;
	} else if (untold) {
		if (d->running)
			end(m, false);
		tell_all(m);
	}
}

static void lose_spool(struct machine *m)
{
	struct disk *d = &m->disk;

	leave_disk(m);
	d->acked = d->next_seq - 1;
	begin_stream(m);
	boot(m);
	if (draw(m, 2))
		tell_birth(m);
}

static void wipe(struct machine *m)
{
	leave_disk(m);
	m->disk = (struct disk){.next_seq = 1};
	begin_stream(m);
	boot(m);
	tell_birth(m);
}

static void take_image(struct machine *m)
{
	unsigned n = (unsigned)draw(m, IMAGES);

	if (m->disk.running && !m->clocks)
		return;
	m->images[n] = m->disk;
	m->has_image[n] = true;
}

static void put_image(struct machine *m)
{
	unsigned n = (unsigned)draw(m, IMAGES);
	const struct disk *d = &m->images[n];

	if (!m->has_image[n] || !m->heard[d->stream])
		return;
	leave_disk(m);
	if (m->stored[d->stream] >= d->next_seq && m->stored[d->stream] < d->next_seq + 3)
		return;
	m->disk = *d;
	boot(m);
	tell_birth(m);
	if (draw(m, 2))
		beat(m);
	if (waiting(&m->disk) == 0)
		beat(m);
	tell(m, 0, 1, true);
	/* What other images hold of a stream that goes on is not what it will be. */
	for (unsigned i = 0; i < IMAGES; i++)
		if (i != n && m->images[i].stream == m->disk.stream)
			m->has_image[i] = false;
}

static void reopen(struct machine *m)
{
	fixture_reopen(m->f);
}

static void start_or_end(struct machine *m)
{
	if (m->disk.running)
		end(m, false);
	else
		start(m);
}

static const struct {
	const char *name;
	void (*run)(struct machine *m);
	unsigned weight;
} happenings[] = {
    {"start or end", start_or_end, 40},
    {"heartbeat", beat, 10},
    {"birth", tell_birth, 5},
    {"report", tell_some, 30},
    {"restart", restart, 5},
    {"spool lost", lose_spool, 2},
    {"wiped", wipe, 2},
    {"image taken", take_image, 4},
    {"image put back", put_image, 4},
    {"reopened", reopen, 1},
};

void machine_happen(struct machine *m)
{
	unsigned sum = 0, at;
	size_t i = 0;

	for (size_t n = 0; n < sizeof(happenings) / sizeof(happenings[0]); n++)
		sum += happenings[n].weight;
	at = (unsigned)draw(m, sum);
	while (at >= happenings[i].weight)
		at -= happenings[i++].weight;
	m->last = happenings[i].name;
	m->now_ms += MINUTE * 2 + (int64_t)draw(m, HOUR);
	if (getenv("LIFE_SEED"))
		print_message("%u %s: sessions %" PRIu64 " stream %u seq %" PRIu64 " acked %" PRIu64 " running %d clock %d\n",
		              m->step, m->last, m->disk.odometer.sessions, m->disk.stream, m->disk.next_seq, m->disk.acked,
		              m->disk.running, m->disk.clock);
	if (waiting(&m->disk) > SPOOL / 2)
		tell_all(m);
	happenings[i].run(m);
}

void machine_begin(struct machine *m)
{
	m->disk.next_seq = 1;
	begin_stream(m);
	boot(m);
}

void machine_rest(struct machine *m)
{
	m->last = "the end";
	if (m->disk.running)
		end(m, false);
	m->now_ms += HOUR;
	if (draw(m, 2)) {
		start(m);
		end(m, false);
	}
	beat(m);
	tell_birth(m);
	tell_all(m);
}
