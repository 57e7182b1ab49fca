#include "tests/integration/gym.h"

#include <setjmp.h> /* cmocka.h needs these four */
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/base/file.h"
#include "proto/catalog_sign.h"
#include "tests/integration/many_certs.h"
#include "tests/integration/store_number.h"

enum { SOON_MS = 30000, AGAIN_MS = 1000, REFUSED_CODE = 0x80 };

/* ---- the gateway ---- */

void gym_start(struct gym *g)
{
	const char *config = it_gateway_config(g->w);
	char *text = it_read(config);
	json_t *answer = NULL;

	it_write(config, "%s%s", text, g->config);
	free(text);
	g->gateway = it_spawn(g->w, "gateway", it_program("gymfleet-gateway"), "--config", config);
	IT_UNTIL(SOON_MS, (answer = it_ask(g->w, "rollout", "list")) != NULL || !it_alive(g->gateway));
	if (!answer)
		fail_msg("the gateway ended; see %s", it_log(g->gateway));
	json_decref(answer);
}

void gym_kill(struct gym *g)
{
	it_signal(g->gateway, SIGKILL);
}

struct gym *gym_open(void **state, const char *name, const char *config)
{
	struct gym *g = calloc(1, sizeof *g);

	assert_non_null(g);
	*state = g;
	g->config = config;
	g->w = it_open(name);
	if (many_certs_make(it_path(g->w, "pki"), "chair", GYM_CHAIRS_MAX) != 0)
		fail_msg("no certificates");
	it_broker_start(g->w);
	gym_start(g);
	IT_UNTIL(SOON_MS, it_gateway_listens(g->w));
	it_catalog(g->w, "chair", 60);
	gym_do(g, "catalog", "keygen", it_path(g->w, "key"));
	memset(&g->digests[1], 1, sizeof g->digests[1]);
	return g;
}

void gym_hang_up(struct gym *g)
{
	/* All at once: each takes its time. */
	for (size_t i = 0; i < g->count; i++)
		if (g->chairs[i].m) {
			gf_link_stop(it_client_link(g->chairs[i].m->client));
			it_client_turn(g->chairs[i].m->client);
		}
	for (size_t i = 0; i < g->count; i++) {
		it_machine_close(g->chairs[i].m);
		g->chairs[i].m = NULL;
	}
}

int gym_teardown(void **state)
{
	struct gym *g = *state;

	gym_hang_up(g);
	it_close(g->w);
	free(g);
	return 0;
}

void gym_catalog(struct gym *g, unsigned version, unsigned floor)
{
	const char *path = it_path(g->w, "gym-%u.catalog", version);
	struct gf_diag diag = {""};
	char number[16], back[16], *data;
	size_t len;

	assert_in_range(version, 2, GYM_VERSIONS - 1);
	snprintf(number, sizeof number, "%u", version);
	snprintf(back, sizeof back, "%u", floor);
	/* Without a floor the last two words are left off. */
	gym_do(g, "catalog", "build", "--class", "chair", "--name", "gym", "--version", number, "-o", path,
	       it_path(g->w, "routines-chair"), floor > 0 ? "--rollback-to" : NULL, back);
	gym_do(g, "catalog", "sign", path, "--key", it_path(g->w, "key"));
	gym_do(g, "catalog", "publish", path);
	assert_int_equal(gf_file_read(path, GF_CATALOG_MAX, &data, &len, &diag), 0);
	gf_digest_of(data, len, &g->digests[version]);
	free(data);
}

/* ---- chairs ---- */

static void say_hello(struct gym *g, struct gym_chair *c)
{
	struct gf_status birth = it_birth(c->m);

	birth.next_seq = c->seq + 1;
	birth.desired_revision = c->desired.revision;
	birth.catalog_version = c->plays;
	birth.catalog_digest = g->digests[c->plays];
	gf_strcpy(birth.catalog, sizeof birth.catalog, "gym");
	gf_strcpy(birth.location.site, sizeof birth.location.site, c->site);
	it_machine_birth(c->m, &birth);
}

static void begin(struct gym *g, struct gym_chair *c)
{
	c->m = it_machine_begin(g->w, c->id);
	if (c->boot == 0)
		c->stream = c->m->stream;
	c->m->stream = c->stream;
	c->m->boot = ++c->boot;
}

static bool all_up(struct gym *g)
{
	size_t up = 0, there = 0;

	for (size_t i = 0; i < g->count; i++) {
		there += g->chairs[i].m != NULL;
		up += g->chairs[i].m && it_client_up(g->chairs[i].m->client);
	}
	return up == there;
}

static size_t online(const struct gym *g)
{
	size_t n = 0;

	for (size_t i = 0; i < g->count; i++)
		n += g->chairs[i].m != NULL;
	return n;
}

static bool knows_who_is_online(struct gym *g)
{
	return gym_count(g, "SELECT count(*) FROM devices WHERE online = 1") == (long long)online(g);
}

void gym_chairs(struct gym *g, size_t count, const char *site)
{
	for (size_t i = 0; i < count; i++) {
		struct gym_chair *c = &g->chairs[g->count++];

		assert_in_range(g->count, 1, GYM_CHAIRS_MAX);
		snprintf(c->id, sizeof c->id, "chair-%02zu", g->count);
		gf_strcpy(c->site, sizeof c->site, site);
		c->plays = 1;
		c->answered = true; /* nothing is desired yet */
		begin(g, c);
	}
	IT_UNTIL(SOON_MS, all_up(g));
	for (size_t i = g->count - count; i < g->count; i++)
		say_hello(g, &g->chairs[i]);
	GYM_UNTIL(g, SOON_MS, knows_who_is_online(g));
}

void gym_leave(struct gym *g, struct gym_chair *c)
{
	struct gf_status bye = {.presence = GF_PRESENCE_GOODBYE, .boot = c->m->boot, .connection = c->m->connection};

	it_machine_birth(c->m, &bye);
	it_machine_close(c->m);
	c->m = NULL;
	if (it_alive(g->gateway))
		GYM_UNTIL(g, SOON_MS, knows_who_is_online(g));
}

void gym_return(struct gym *g, struct gym_chair *c)
{
	begin(g, c);
	IT_UNTIL(SOON_MS, all_up(g));
	say_hello(g, c);
	if (it_alive(g->gateway))
		GYM_UNTIL(g, SOON_MS, knows_who_is_online(g));
}

struct gym_chair *gym_chair(struct gym *g, const char *id)
{
	for (size_t i = 0; i < g->count; i++)
		if (strcmp(g->chairs[i].id, id) == 0)
			return &g->chairs[i];
	fail_msg("there is no %s", id);
	return NULL;
}

/* ---- what they say ---- */

void gym_say(struct gym_chair *c, struct gf_record record)
{
	assert_in_range(c->records_count, 0, GYM_RECORDS_MAX - 1);
	record.seq = ++c->seq;
	c->records[c->records_count++] = record;
	c->sent_ms = 0;
}

void gym_use(struct gym_chair *c, int64_t started_ms, unsigned faults)
{
	struct gf_record used = it_session(c->m, 0, ++c->session_no, started_ms);
	struct gf_session_ended *s = &used.session_ended;

	used.wall_ms -= IT_SESSION_MS - GYM_SESSION_MS;
	used.uptime_ms -= IT_SESSION_MS - GYM_SESSION_MS;
	s->duration_ms = GYM_SESSION_MS;
	s->motor_ms = s->areas[0].ms = GYM_SESSION_MS;
	s->odometer.motor_ms = c->session_no * GYM_SESSION_MS;
	for (unsigned i = 0; i < faults; i++) {
		struct gf_record fault = used;

		fault.kind = GF_RECORD_FAULT_RAISED;
		fault.fault_raised = (struct gf_fault_raised){.fault_no = ++c->fault_no,
		                                              .code = GF_FAULT_STALL,
		                                              .severity = GF_SEVERITY_STOP,
		                                              .observed = 0,
		                                              .limit = 1,
		                                              .session_no = c->session_no,
		                                              .detail = "the motor stood still"};
		gym_say(c, fault);
	}
	gym_say(c, used);
}

static void answer(struct gym_chair *c, enum gf_desired_step step)
{
	gym_say(c, it_answer(c->m, 0, &c->desired, step));
}

static void refuse(struct gym_chair *c)
{
	struct gf_record record = it_answer(c->m, 0, &c->desired, GF_DESIRED_STEP_REFUSED);

	record.desired_applied.refusal = GF_REFUSAL_ENVELOPE;
	gf_strcpy(record.desired_applied.detail, GF_TEXT_MAX, "short: 20 % is more than the 10 % of this machine");
	gym_say(c, record);
}

static void take(struct gym_chair *c)
{
	if (c->desired.catalog.version != c->plays) {
		gym_say(c, it_changed(c->m, 0, &c->desired.catalog, c->plays));
		answer(c, GF_DESIRED_STEP_ACTIVE);
		c->plays = c->desired.catalog.version;
	}
	answer(c, GF_DESIRED_STEP_CONFIRMED);
}

static void act(struct gym *g, struct gym_chair *c)
{
	struct gf_desired desired = it_machine_desired(c->m);
	bool in_use = c->manner == GYM_IN_USE;

	if (desired.revision > c->desired.revision) {
		c->desired = desired;
		c->answered = !desired.has_catalog;
		if (desired.has_catalog && desired.catalog.version != c->plays) {
			c->offers++;
			if (g->refusals > 0) {
				g->refusals--;
				c->manner = GYM_REFUSES;
			}
			if (in_use)
				answer(c, GF_DESIRED_STEP_WAITING);
		}
	}
	if (c->answered || c->manner == GYM_KEEPS_SILENT || c->manner == GYM_IN_USE)
		return;
	if (c->manner == GYM_REFUSES)
		refuse(c);
	else
		take(c);
	c->answered = true;
}

static void send_report(struct gym_chair *c)
{
	uint64_t through = it_machine_acked(c->m);
	size_t acked = 0;

	while (acked < c->records_count && through != UINT64_MAX && c->records[acked].seq <= through)
		acked++;
	c->records_count -= acked;
	memmove(c->records, c->records + acked, c->records_count * sizeof *c->records);
	if (c->records_count == 0 || it_now_ms() < c->sent_ms + AGAIN_MS)
		return;
	it_machine_report(c->m, c->records, c->records_count);
	c->sent_ms = it_now_ms();
}

void gym_turn(struct gym *g)
{
	for (size_t i = 0; i < g->count; i++) {
		struct gym_chair *c = &g->chairs[i];

		if (!c->m)
			continue;
		act(g, c);
		send_report(c);
	}
}

bool gym_all_acked(struct gym *g)
{
	size_t left = 0;

	for (size_t i = 0; i < g->count; i++)
		left += g->chairs[i].records_count;
	return left == 0;
}

/* ---- what is retained ---- */

/* The chair's own connection, to which the broker sends what it has: its desired state before the gateway's. */
static struct it_client *listen_as(struct gym *g, const char *id)
{
	char topic[GF_TOPIC_MAX];

	gf_topic_device(topic, id, GF_TOPIC_DESIRED);
	return it_client_open(g->w, id, &(struct it_client_options){.filters = {topic, "gymfleet/v1/gateway/status"}});
}

static bool heard_all(struct it_client **clients, size_t count)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		n += it_client_heard(clients[i], "gymfleet/v1/gateway/status") > 0;
	return n == count;
}

void gym_retained(struct gym *g, size_t *ret_states, size_t *ret_catalogs)
{
	struct it_client *clients[GYM_CHAIRS_MAX];
	size_t states = 0, catalogs = 0;

	gym_hang_up(g);
	for (size_t i = 0; i < g->count; i++)
		clients[i] = listen_as(g, g->chairs[i].id);
	IT_UNTIL(SOON_MS, heard_all(clients, g->count));
	for (size_t i = 0; i < g->count; i++) {
		const struct it_message *m = it_client_message(clients[i], 0);
		struct gf_desired desired;

		if (strstr(m->topic, "/desired")) {
			assert_int_equal(gf_desired_decode(m->payload, m->len, &desired, NULL), 0);
			states++;
			catalogs += desired.has_catalog;
		}
		gf_link_stop(it_client_link(clients[i]));
		it_client_turn(clients[i]);
	}
	for (size_t i = 0; i < g->count; i++)
		it_client_close(clients[i]);
	*ret_states = states;
	*ret_catalogs = catalogs;
}

/* ---- asking ---- */

void gym_expect(struct it_output output, int status, const char *words)
{
	if (output.status != status || (!strstr(output.out, words) && !strstr(output.err, words)))
		fail_msg("ended with %d; '%s' is not in: %s%s", output.status, words, output.out, output.err);
	it_output_free(&output);
}

static json_t *show(struct gym *g, unsigned rollout)
{
	char id[16];

	snprintf(id, sizeof id, "%u", rollout);
	return it_ask(g->w, "rollout", "show", id);
}

bool gym_state_is(struct gym *g, unsigned rollout, const char *state)
{
	json_t *row = show(g, rollout);
	const char *is = json_string_value(json_object_get(row, "state"));
	bool same = is && strcmp(is, state) == 0;

	json_decref(row);
	return same;
}

void gym_reason_has(struct gym *g, unsigned rollout, const char *words)
{
	json_t *row = show(g, rollout);
	const char *reason = json_string_value(json_object_get(row, "reason"));

	if (!reason || !strstr(reason, words))
		fail_msg("'%s' is not in: %s", words, reason ? reason : "(nothing)");
	json_decref(row);
}

long long gym_at(struct gym *g, unsigned rollout, const char *step)
{
	json_t *row = show(g, rollout);
	const json_t *number = json_object_get(json_object_get(row, "counts"), step);
	long long n = number ? json_integer_value(number) : -1;

	json_decref(row);
	return n;
}

json_t *gym_row(struct gym *g, unsigned rollout, const char *step, const char *id)
{
	char number[16];
	json_t *rows, *row;

	snprintf(number, sizeof number, "%u", rollout);
	rows = it_ask(g->w, "rollout", "show", number, "--step", step);
	row = json_incref((json_t *)it_find(it_items(rows), "device", id));
	json_decref(rows);
	return row;
}

bool gym_row_says(struct gym *g, unsigned rollout, const char *step, const char *id, const char *words)
{
	json_t *row = gym_row(g, rollout, step, id);
	const char *detail = json_string_value(json_object_get(row, "detail"));
	bool says = detail && strstr(detail, words);

	json_decref(row);
	return says;
}

long long gym_count(struct gym *g, const char *sql)
{
	return it_store_number(g->w, sql);
}
