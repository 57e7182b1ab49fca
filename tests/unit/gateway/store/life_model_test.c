/*
 * A slow and obvious machine against the store, through random histories: it plays, tells, repeats, restarts, loses its spool, is
 * wiped, and gets old images of its disk back. Whatever it went through, each session that it told is in the store once.
 *
 * The model keeps to what can be told apart (life.c). Without a clock no two sessions have the same motor time, and no image is taken
 * in the middle of a session. An image is put back only where the machine can notice it: of its stream nothing was stored since, or
 * more than what it writes when it starts; and the store has heard of that stream. Only some histories lose sessions untold; their audit has findings then.
 *
 * LIFE_SEED=n in the environment plays the history of that seed alone and prints its steps.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/gateway/store/fixture.h"

enum { SEEDS = 150, STEPS = 100, SPOOL = 128, IMAGES = 3, TOLD = 512, STREAMS = 256 };

/* A record as the machine has it on its disk. */
struct item {
	enum gf_record_kind kind;
	uint64_t boot, uptime_ms, wall_ms, token, motor_ms, duration_ms;
	uint64_t start_uptime_ms, start_wall_ms;
	struct gf_odometer odometer;
	enum gf_outcome outcome;
	bool clock, in_session;
	uint8_t routine;
};

struct disk {
	uint8_t stream;
	uint64_t next_seq, acked, boot, connection;
	int64_t booted_ms;
	struct gf_odometer odometer;
	struct item spool[SPOOL]; /* acked + 1 to next_seq - 1 */
	bool clock, running;
	struct item session;
};

struct model {
	struct fixture *f;
	uint64_t seed, random;
	unsigned step;
	bool clocks; /* this history's machine always has one */
	bool lossy;  /* and may lose sessions untold */
	int64_t now_ms;
	uint8_t streams;
	uint64_t stored[STREAMS]; /* the highest seq acked of each stream */
	bool heard[STREAMS];
	struct disk disk, images[IMAGES];
	bool has_image[IMAGES];
	uint64_t tokens;
	uint64_t motor_ms[TOLD]; /* of the told session with that token; 0 = not told */
	bool lost;               /* a session was lost untold */
	const char *last;
};

/* splitmix64 */
static uint64_t draw(struct model *m, uint64_t below)
{
	uint64_t z = (m->random += 0x9e3779b97f4a7c15u);
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return (z ^ (z >> 31)) % below;
}

#define FAIL(m, ...)                                                                      \
	do {                                                                                  \
		print_error("seed %" PRIu64 ", step %u (%s): ", (m)->seed, (m)->step, (m)->last); \
		fail_msg(__VA_ARGS__);                                                            \
	} while (0)

/* ---- the machine's disk ---- */

static uint64_t waiting(const struct disk *d)
{
	return d->next_seq - 1 - d->acked;
}

static uint64_t uptime(const struct model *m)
{
	return (uint64_t)(m->now_ms - m->disk.booted_ms);
}

static void keep(struct model *m, struct item item)
{
	struct disk *d = &m->disk;

	if (waiting(d) == SPOOL)
		FAIL(m, "the model's spool is full");
	d->spool[waiting(d)] = item;
	d->next_seq++;
}

static struct item item(struct model *m, enum gf_record_kind kind)
{
	return (struct item){.kind = kind,
	                     .boot = m->disk.boot,
	                     .uptime_ms = uptime(m),
	                     .wall_ms = m->disk.clock ? (uint64_t)m->now_ms : 0,
	                     .clock = m->disk.clock,
	                     .odometer = m->disk.odometer,
	                     .in_session = m->disk.running};
}

static void beat(struct model *m)
{
	keep(m, item(m, GF_RECORD_HEARTBEAT));
}

static void start(struct model *m)
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

static void end(struct model *m, bool interrupted)
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

static void tell_birth(struct model *m)
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
static void begin_stream(struct model *m)
{
	struct disk *d = &m->disk;

	d->next_seq -= d->acked;
	d->acked = 0;
	d->stream = ++m->streams;
	if (m->streams == STREAMS - 1)
		FAIL(m, "the model has no stream left");
}

static void hear(struct model *m, const struct gf_ack *ack)
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

static void note_told(struct model *m, const struct item *i)
{
	if (i->kind != GF_RECORD_SESSION_ENDED || m->motor_ms[i->token])
		return;
	m->motor_ms[i->token] = i->motor_ms;
}

/* Sends `count` of what waits, from the `skip`th on. */
static void tell(struct model *m, uint64_t skip, uint64_t count, bool heard)
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

static void tell_some(struct model *m)
{
	uint64_t n = waiting(&m->disk), skip;

	if (n == 0)
		return;
	skip = draw(m, 4) ? 0 : draw(m, n);
	tell(m, skip, 1 + draw(m, n - skip), draw(m, 4) != 0);
}

static void tell_all(struct model *m)
{
	while (waiting(&m->disk) > 0)
		tell(m, 0, waiting(&m->disk) < 64 ? waiting(&m->disk) : 64, true);
}

/* ---- what happens to it ---- */

static void boot(struct model *m)
{
	struct disk *d = &m->disk;

	d->boot++;
	d->connection = 0;
	d->booted_ms = m->now_ms;
	d->clock = m->clocks || draw(m, 2);
	if (d->running)
		end(m, true);
}

static void restart(struct model *m)
{
	boot(m);
	if (draw(m, 2))
		tell_birth(m);
}

/* Sessions that only this disk knows go with it in some histories, in the others they are told before. */
static void leave_disk(struct model *m)
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

static void lose_spool(struct model *m)
{
	struct disk *d = &m->disk;

	leave_disk(m);
	d->acked = d->next_seq - 1;
	begin_stream(m);
	boot(m);
	if (draw(m, 2))
		tell_birth(m);
}

static void wipe(struct model *m)
{
	leave_disk(m);
	m->disk = (struct disk){.next_seq = 1};
	begin_stream(m);
	boot(m);
	tell_birth(m);
}

static void take_image(struct model *m)
{
	unsigned n = (unsigned)draw(m, IMAGES);

	if (m->disk.running && !m->clocks)
		return;
	m->images[n] = m->disk;
	m->has_image[n] = true;
}

static void put_image(struct model *m)
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

static void reopen(struct model *m)
{
	fixture_reopen(m->f);
}

static void start_or_end(struct model *m)
{
	if (m->disk.running)
		end(m, false);
	else
		start(m);
}

static const struct {
	const char *name;
	void (*run)(struct model *m);
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

static void happen(struct model *m)
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

/* ---- what the store has ---- */

struct listing {
	struct model *m;
	uint64_t no[TOLD]; /* by token; 0 = not there */
	uint64_t count;
};

static int list(void *ctx, const struct store_session *s)
{
	struct listing *l = ctx;

	if (s->running)
		FAIL(l->m, "session %" PRIu64 " is shown as running", s->session_no);
	if (s->subject_token == 0 || s->subject_token > l->m->tokens)
		FAIL(l->m, "session %" PRIu64 " was never played", s->session_no);
	if (l->no[s->subject_token])
		FAIL(l->m, "session %" PRIu64 " is session %" PRIu64 " too", s->session_no, l->no[s->subject_token]);
	if (s->motor_ms != l->m->motor_ms[s->subject_token])
		FAIL(l->m, "session %" PRIu64 " has another motor time: %" PRIu64 ", %" PRIu64, s->session_no, s->motor_ms,
		     l->m->motor_ms[s->subject_token]);
	l->no[s->subject_token] = s->session_no;
	l->count++;
	return 0;
}

static void check_sessions(struct model *m, uint64_t *ret_count, uint64_t *ret_motor_ms)
{
	struct listing l = {.m = m};
	uint64_t motor_ms = 0, last = 0, count = 0;

	assert_int_equal(
	    store_read_sessions(m->f->reader, &(struct store_session_query){.device = "chair-1"}, list, &l, NULL), 0);
	for (uint64_t token = 1; token <= m->tokens; token++) {
		if (!m->motor_ms[token])
			continue;
		if (!l.no[token])
			FAIL(m, "the %" PRIu64 ". session is missing", token);
		if (!m->lost && l.no[token] <= last)
			FAIL(m, "the %" PRIu64 ". session has number %" PRIu64 ", after %" PRIu64, token, l.no[token], last);
		last = l.no[token];
		motor_ms += m->motor_ms[token];
		count++;
	}
	assert_int_equal(count, l.count);
	*ret_count = count;
	*ret_motor_ms = motor_ms;
}

static void check(struct model *m)
{
	struct store_finding findings[64];
	uint64_t count, motor_ms;
	size_t found;
	struct store_audit audit = get_audit(m->f, findings, 64, &found);
	struct store_device device = get_device(m->f, "chair-1", m->now_ms);

	check_sessions(m, &count, &motor_ms);
	assert_int_equal(audit.sessions, count);
	assert_int_equal(audit.motor_ms, motor_ms);
	assert_int_equal(device.running_session, 0);
	for (size_t n = 0; n < found; n++)
		if (findings[n].kind == STORE_AUDIT_DUPLICATE)
			FAIL(m, "%s", findings[n].text);
	if (m->lost)
		return; /* what the lost ones leave is found, but not always as what it is */
	if (found > 0)
		FAIL(m, "%s", findings[0].text);
	if (device.odometer.motor_ms != motor_ms || device.odometer.sessions != count)
		FAIL(m, "the odometer is %" PRIu64 ", the sum %" PRIu64, device.odometer.motor_ms, motor_ms);
}

static void play(struct fixture *f, uint64_t seed, bool clocks)
{
	struct model *m = calloc(1, sizeof(*m));

	m->f = f;
	m->seed = m->random = seed;
	m->clocks = clocks;
	m->lossy = clocks && seed % 2;
	m->now_ms = NOON - 60 * DAY;
	m->disk.next_seq = 1;
	begin_stream(m);
	boot(m);
	for (m->step = 0; m->step < STEPS; m->step++)
		happen(m);
	/* It ends in peace: all told, the last one played and told by the machine as it is. */
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
	check(m);
	free(m);
}

static void histories(uint64_t first, bool clocks)
{
	const char *only = getenv("LIFE_SEED");

	for (uint64_t seed = first; seed < first + SEEDS; seed++) {
		void *state;

		if (only && strtoull(only, NULL, 10) != seed)
			continue;
		assert_int_equal(fixture_setup(&state), 0);
		play(state, seed, clocks);
		assert_int_equal(fixture_teardown(&state), 0);
	}
}

static void i1_no_history_of_a_machine_with_a_clock_loses_or_doubles_a_session(void **state)
{
	(void)state;
	histories(1000, true);
}

static void i1_no_history_of_a_machine_without_a_clock_does(void **state)
{
	(void)state;
	histories(5000, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(i1_no_history_of_a_machine_with_a_clock_loses_or_doubles_a_session),
	    cmocka_unit_test(i1_no_history_of_a_machine_without_a_clock_does),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
