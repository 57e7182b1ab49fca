#include "tests/unit/gateway/judge/judge_rig.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/codec.h"
#include "proto/topic.h"

enum { REPORT_RECORDS = 6 };

/* ---- the rig ---- */

static void take_ack(void *ctx, const char *device, const void *data, size_t len)
{
	struct judge_rig *g = ctx;
	struct gf_ack ack;

	assert_int_equal(gf_ack_decode(data, len, &ack, NULL), 0);
	for (size_t i = 0; i < JUDGE_MACHINES; i++)
		if (strcmp(g->machines[i].id, device) == 0)
			g->machines[i].told = ack.through_seq;
}

static void open_all(struct judge_rig *g)
{
	const struct judge_runner_config config = {.store = g->f->store,
	                                           .sites = g->sites,
	                                           .config = &g->config,
	                                           .facts_max = g->facts_max,
	                                           .work_max = g->work_max};

	assert_int_equal(judge_runner_new(&config, g->now, &g->runner, NULL), 0);
	assert_int_equal(ingest_new(g->f->store, take_ack, g, &g->ingest), 0);
}

static void make_sites(struct judge_rig *g, const char *zone, const char *open)
{
	struct calendar hours = {.week = {{0}}}, lisbon = {.week = {{0}}};
	struct zones *zones;

	assert_int_equal(zones_new(zone, &zones, NULL), 0);
	assert_int_equal(calendar_open(&hours, "mon-sun", open, NULL), 0);
	assert_int_equal(zones_add(zones, "lisbon", "Europe/Lisbon", NULL), 0);
	assert_int_equal(calendar_open(&lisbon, "tue-sat", "08:00-20:00", NULL), 0);
	assert_int_equal(sites_new(zones, &hours, &g->sites), 0);
	assert_int_equal(sites_add(g->sites, "lisbon", &lisbon), 0);
}

void judge_births(struct judge_rig *g)
{
	for (size_t i = 0; i < JUDGE_MACHINES; i++) {
		struct gf_status st = birth(1, 1, 1);

		st.class = g->machines[i].class;
		st.rated_motor_h = 10;
		st.vibration_ms2 = st.class == GF_CLASS_PERCUSSION ? 10 : 0;
		send_status(g->f, g->machines[i].id, st, false, g->now.wall_ms);
	}
}

struct judge_rig *judge_rig_new(int64_t start_ms)
{
	struct judge_rig *g = calloc(1, sizeof(*g));
	struct gf_diag diag = {""};

	assert_non_null(g);
	fixture_setup((void **)&g->f);
	g->now = (struct gf_time){.mono_ms = 1000, .wall_ms = start_ms, .synced = true};
	if (rules_yaml_load(GF_SOURCE_DIR "/config/rules.yaml", &g->config, &diag))
		fail_msg("%s", diag.text);
	make_sites(g, "Europe/Berlin", "06:00-16:00");
	open_all(g);
	for (size_t i = 0; i < JUDGE_MACHINES; i++) {
		snprintf(g->machines[i].id, sizeof(g->machines[i].id), "machine-%zu", i);
		g->machines[i].class = i < 2 ? GF_CLASS_CHAIR : GF_CLASS_PERCUSSION;
	}
	judge_births(g);
	judge_run(g, start_ms);
	return g;
}

void judge_rig_free(struct judge_rig *g)
{
	judge_runner_free(g->runner);
	ingest_free(g->ingest);
	sites_free(g->sites);
	judgement_config_deinit(&g->config);
	fixture_teardown((void **)&g->f);
	free(g);
}

void judge_reborn_open(struct judge_rig *g, const char *zone, const char *open)
{
	struct sites *before = g->sites;

	make_sites(g, zone, open);
	judge_reborn(g);
	sites_free(before);
}

void judge_reborn(struct judge_rig *g)
{
	judge_runner_free(g->runner);
	ingest_free(g->ingest);
	fixture_reopen(g->f);
	open_all(g);
}

void judge_put_in_force(struct judge_rig *g, const char *text)
{
	struct judgement_config before = g->config, *fresh = malloc(sizeof(*fresh));
	struct gf_diag diag = {""};

	if (rules_yaml_load_text("rules.yaml", text, strlen(text), fresh, &diag))
		fail_msg("%s", diag.text);
	/* The runner keeps a pointer, and g->config is where the rig wants it: by way of another place. */
	assert_int_equal(judge_runner_rules(g->runner, fresh, g->now, NULL), 0);
	g->config = *fresh;
	assert_int_equal(judge_runner_rules(g->runner, &g->config, g->now, NULL), 0);
	free(fresh);
	judgement_config_deinit(&before);
	judge_run(g, g->now.wall_ms);
}

/* ---- machines ---- */

static struct gf_record *write_down(struct judge_machine *m, enum gf_record_kind kind, int64_t at_ms)
{
	struct gf_record *r = &m->records[m->count];

	assert_true(m->count < JUDGE_RECORDS_MAX);
	*r = record(++m->count, kind, at_ms);
	return r;
}

void judge_session(struct judge_rig *g, size_t m, int64_t ended_ms, const struct judge_session *s)
{
	struct judge_machine *machine = &g->machines[m];
	struct gf_record *r = write_down(machine, GF_RECORD_SESSION_ENDED, ended_ms);
	struct gf_session_ended *e = &r->session_ended;
	int64_t lasts_ms = s->lasts_ms ? s->lasts_ms : MINUTE;

	*e = session(1, ++machine->session_no, ended_ms).session_ended;
	if (s->routine)
		gf_strcpy(e->start.routine, sizeof(e->start.routine), s->routine);
	e->start.subject_token = s->token;
	e->start.staff_token = s->staff;
	e->duration_ms = (uint32_t)lasts_ms;
	e->paused_ms = 0;
	e->started_wall_ms = (uint64_t)(ended_ms - lasts_ms);
	e->motor_ms = (uint64_t)(s->motor_ms ? s->motor_ms : MINUTE / 10);
	e->areas_count = s->areas_count;
	memcpy(e->areas, s->areas, sizeof(s->areas));
	machine->motor_ms += e->motor_ms;
	e->odometer = (struct gf_odometer){.motor_ms = machine->motor_ms, .sessions = machine->session_no};
}

void judge_fault(struct judge_rig *g, size_t m, int64_t at_ms, enum gf_fault code)
{
	struct judge_machine *machine = &g->machines[m];

	write_down(machine, GF_RECORD_FAULT_RAISED, at_ms)->fault_raised =
	    (struct gf_fault_raised){.fault_no = ++machine->fault_no, .code = code, .severity = GF_SEVERITY_STOP};
}

void judge_limit(struct judge_rig *g, size_t m, int64_t at_ms, const char *rule, const char *action)
{
	struct gf_limit_hit *h = &write_down(&g->machines[m], GF_RECORD_LIMIT_HIT, at_ms)->limit_hit;

	*h = (struct gf_limit_hit){.observed = 31, .limit = 30};
	gf_strcpy(h->rule, sizeof(h->rule), rule);
	gf_strcpy(h->action, sizeof(h->action), action);
}

static void send(struct judge_rig *g, struct judge_machine *m, size_t first, size_t count)
{
	struct gf_stream_id id = stream_id(1);
	unsigned char buf[GF_REPORT_MAX];
	char topic[GF_TOPIC_MAX];
	struct gf_report_writer w;

	assert_int_equal(gf_report_begin(&w, buf, sizeof(buf), &id, first + 1), 0);
	for (size_t i = first; i < first + count; i++) {
		unsigned char bytes[GF_RECORD_MAX];
		size_t len;

		assert_int_equal(gf_record_encode(&m->records[i], bytes, sizeof(bytes), &len), 0);
		assert_int_equal(gf_report_add(&w, bytes, len), 0);
	}
	gf_topic_device(topic, m->id, GF_TOPIC_REPORT);
	assert_int_equal(ingest_message(g->ingest, topic, strlen(topic), buf, w.len, false, g->now.wall_ms), 0);
	assert_int_equal(ingest_commit(g->ingest, g->now.wall_ms, NULL), 0);
}

void judge_tell_some(struct judge_rig *g, size_t m, size_t until)
{
	struct judge_machine *machine = &g->machines[m];

	while (machine->told < until) {
		size_t left = until - machine->told;

		send(g, machine, machine->told, left < REPORT_RECORDS ? left : REPORT_RECORDS);
	}
}

void judge_tell(struct judge_rig *g, size_t m)
{
	judge_tell_some(g, m, g->machines[m].count);
}

void judge_tell_again(struct judge_rig *g, size_t m)
{
	struct judge_machine *machine = &g->machines[m];
	size_t count = machine->told < REPORT_RECORDS ? machine->told : REPORT_RECORDS;

	if (count > 0)
		send(g, machine, machine->told - count, count);
}

/* ---- time ---- */

void judge_run(struct judge_rig *g, int64_t until_ms)
{
	for (;;) {
		int64_t due_ms = judge_runner_step(g->runner, !g->deaf, g->now), pass_ms;
		struct judge_state state;

		judge_runner_state(g->runner, &state);
		if (state.failing_since_ms != 0)
			fail_msg("%s", state.last_error.text);
		if (due_ms <= g->now.mono_ms)
			continue;
		pass_ms = due_ms - g->now.mono_ms;
		if (g->now.wall_ms >= until_ms)
			return;
		if (pass_ms > until_ms - g->now.wall_ms)
			pass_ms = until_ms - g->now.wall_ms;
		g->now.mono_ms += pass_ms;
		g->now.wall_ms += pass_ms;
	}
}

void judge_now(struct judge_rig *g, size_t m, int64_t at_ms)
{
	judge_run(g, at_ms + 1000);
	judge_tell(g, m);
	judge_run(g, at_ms + 1000);
}

/* ---- looking ---- */

struct taking {
	const char *rule;
	struct store_flag *flags;
	size_t count;
};

static int take_flag(void *ctx, const struct store_flag *flag)
{
	struct taking *t = ctx;

	if (t->rule == NULL ? strcmp(flag->rule, "silent") == 0 : strcmp(flag->rule, t->rule) != 0)
		return 0;
	assert_true(t->count < JUDGE_FLAGS_MAX);
	t->flags[t->count++] = *flag;
	/* I9 */
	if (flag->episode.ended_ms == 0)
		assert_in_range(flag->due_ms, 1, INT64_MAX - 1);
	return 0;
}

static int by_what(const void *a, const void *b)
{
	const struct store_flag *x = a, *y = b;
	int64_t d = x->episode.opened_ms - y->episode.opened_ms;

	if (d == 0)
		d = strcmp(x->rule, y->rule);
	if (d == 0)
		d = strcmp(x->device, y->device);
	if (d == 0)
		d = (int64_t)x->muscle - (int64_t)y->muscle;
	if (d == 0)
		d = (int64_t)x->side - (int64_t)y->side;
	if (d == 0)
		d = x->subject.key - y->subject.key;
	return d < 0 ? -1 : d > 0;
}

size_t judge_flags(struct judge_rig *g, const char *rule, struct store_flag flags[static JUDGE_FLAGS_MAX])
{
	struct taking t = {.rule = rule, .flags = flags};

	assert_int_equal(store_read_flags(g->f->reader, &(struct store_flag_query){.id = 0}, take_flag, &t, NULL), 0);
	qsort(flags, t.count, sizeof(*flags), by_what);
	return t.count;
}

struct counting {
	const char *code;
	uint64_t flag;
	size_t count;
};

static int count_event(void *ctx, const struct store_event *event)
{
	struct counting *c = ctx;

	c->count += event->ref == c->flag && strcmp(event->code, c->code) == 0;
	return 0;
}

size_t judge_events(struct judge_rig *g, const char *code, uint64_t flag)
{
	struct counting c = {.code = code, .flag = flag};
	const struct store_event_query query = {.kinds = 1U << STORE_EVENT_FLAG};

	assert_int_equal(store_read_events(g->f->reader, &query, count_event, &c, NULL), 0);
	return c.count;
}

char *judge_fingerprint(struct judge_rig *g)
{
	struct store_flag *flags = calloc(JUDGE_FLAGS_MAX, sizeof(*flags));
	char *text = NULL;
	size_t size = 0, count = judge_flags(g, NULL, flags);
	FILE *out = open_memstream(&text, &size);

	for (size_t i = 0; i < count; i++) {
		const struct store_flag *f = &flags[i];
		const struct episode *e = &f->episode;

		fprintf(out,
		        "%s %d %s%" PRIx64 " %s %s opened %" PRId64 " acted %" PRId64 " ended %" PRId64
		        " %s %s %g of %g x%u by",
		        f->rule, (int)f->subject.kind, f->device, f->device[0] ? 0 : (uint64_t)f->subject.key,
		        gf_muscle_name(f->muscle), gf_side_name(f->side), e->opened_ms, e->acted_ms, e->ended_ms,
		        store_flag_end_name(f->end), rule_level_name(e->level), e->observed, e->limit, e->times);
		/* The numbers of the machines depend on who came first. */
		for (size_t n = 0; n < e->behind_count; n++)
			fprintf(out, " %d/%" PRIu64, (int)e->behind[n].kind, e->behind[n].no);
		fputc('\n', out);
	}
	fclose(out);
	free(flags);
	return text;
}
