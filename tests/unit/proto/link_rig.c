#include "tests/unit/proto/link_rig.h"

#include <errno.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "proto/base/rand.h"
#include "proto/base/text.h"
#include "proto/link_cert.h"

struct link_probe {
	struct rig *rig;
};

static struct rig *the_rig;
static struct link_probe the_probe;

static void GF_PRINTF(2, 3) note(struct rig *rig, const char *fmt, ...)
{
	size_t used = strlen(rig->log);
	va_list args;

	assert_true(used + 50 < sizeof rig->log);
	va_start(args, fmt);
	vsnprintf(rig->log + used, sizeof rig->log - used, fmt, args);
	va_end(args);
}

/* --- what the link stands on --- */

void __wrap_gf_rand_bytes(void *out, size_t len);
void __wrap_gf_rand_bytes(void *out, size_t len)
{
	assert_int_equal(len, sizeof the_rig->random);
	memcpy(out, &the_rig->random, len);
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *ret_time);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ret_time)
{
	(void)clock;
	(void)ret_time;
	abort();
}

int link_cert_check(const struct gf_link_config *config, struct gf_diag *diag, const char **ret_field)
{
	(void)config;
	(void)diag;
	(void)ret_field;
	return 0;
}

int link_probe_start(const struct gf_link_config *config, enum link_probe_depth depth, void (*wake)(void *ctx),
                     void *ctx, struct link_probe **ret_probe)
{
	struct rig *rig = the_rig;

	assert_string_equal(config->host, rig->link->config.host);
	assert_true(wake == rig->link->ops.wake && ctx == rig->link->ops.ctx);
	assert_false(rig->probing);
	note(rig, depth == LINK_PROBE_NAME ? "probe(name) " : "probe(all) ");
	if (rig->probe_error < 0)
		return rig->probe_error;
	the_probe.rig = rig;
	*ret_probe = &the_probe;
	rig->probing = true;
	rig->probe_done = false;
	return 0;
}

bool link_probe_done(struct link_probe *probe, char *ret_reason, size_t size)
{
	if (probe->rig->probe_done)
		gf_strcpy(ret_reason, size, probe->rig->probe_reason);
	return probe->rig->probe_done;
}

void link_probe_free(struct link_probe *probe)
{
	if (probe)
		probe->rig->probing = false;
}

int link_paho_connect(struct gf_link *link, const struct gf_link_will *will)
{
	struct rig *rig = the_rig;

	note(rig, will ? "connect(%s) " : "connect(-) ", will ? (const char *)will->payload : "");
	assert_true(rig->paho == RIG_NO_HANDLE || rig->paho == RIG_RESTING); /* never two connections at a time */
	assert_true((link->paho != NULL) == (rig->paho == RIG_RESTING));
	if (rig->connect_error < 0)
		return rig->connect_error;
	link->paho = rig;
	rig->paho = RIG_CONNECTING;
	return 0;
}

int link_paho_subscribe(struct gf_link *link)
{
	struct rig *rig = the_rig;

	note(rig, "subscribe ");
	if (rig->subscribe_refusal) {
		rig->paho = RIG_RESTING;
		link_on_lost(link, rig->subscribe_refusal);
		return -ENOTCONN;
	}
	return rig->paho == RIG_CONNECTED ? rig->subscribe_error : -ENOTCONN;
}

void link_paho_renew(struct gf_link *link)
{
	assert_int_equal(link->state, GF_LINK_UP);
	note(the_rig, "renew ");
}

int link_paho_watch(struct gf_link *link, const char *filter, int qos, struct link_ask *ask)
{
	struct rig *rig = the_rig;

	note(rig, "watch(%s,%d) ", filter, qos);
	assert_int_equal(link->state, GF_LINK_UP);
	if (rig->watch_error < 0 || rig->paho != RIG_CONNECTED)
		return rig->watch_error < 0 ? rig->watch_error : -ENOTCONN;
	rig->asks[rig->asks_count++ % RIG_SENT_MAX] = ask;
	return 0;
}

void link_paho_unwatch(struct gf_link *link, const char *filter)
{
	assert_int_equal(link->state, GF_LINK_UP);
	note(the_rig, "unwatch(%s) ", filter);
}

int link_paho_disconnect(struct gf_link *link)
{
	struct rig *rig = the_rig;

	assert_ptr_equal(link->paho, rig);
	note(rig, "disconnect ");
	if (rig->disconnect_error < 0 || rig->paho != RIG_CONNECTED)
		return rig->disconnect_error < 0 ? rig->disconnect_error : -ENOTCONN;
	rig->paho = RIG_DISCONNECTING;
	return 0;
}

void link_paho_drop(struct gf_link *link)
{
	struct rig *rig = the_rig;

	if (link->paho)
		note(rig, "drop ");
	link->paho = NULL;
	rig->paho = RIG_NO_HANDLE;
}

int link_paho_send(struct gf_link *link, const char *topic, const void *payload, size_t len, bool retain,
                   uint32_t expiry_s, struct link_slot *slot)
{
	struct rig *rig = the_rig;

	(void)topic;
	(void)payload;
	(void)len;
	(void)retain;
	(void)expiry_s;
	assert_ptr_equal(link, rig->link);
	if (rig->send_error < 0 || rig->paho != RIG_CONNECTED)
		return rig->send_error < 0 ? rig->send_error : -ENOTCONN;
	if (slot)
		rig->sent[rig->sent_count++ % RIG_SENT_MAX] = slot;
	return 0;
}

/* --- the owner --- */

static void wake(void *ctx)
{
	((struct rig *)ctx)->wakes++;
}

static bool make_will(void *ctx, uint64_t connection, struct gf_link_will *ret_will)
{
	struct rig *rig = ctx;

	rig->will_number = connection;
	if (rig->no_will)
		return false;
	ret_will->topic = "status";
	ret_will->len = (size_t)snprintf((char *)ret_will->payload, sizeof ret_will->payload, "%d", (int)connection);
	return true;
}

struct rig *rig_open_window(const char *host, unsigned subs, unsigned window)
{
	struct rig *rig = calloc(1, sizeof *rig);
	struct gf_link_config config = {
	    .host = (char *)host,
	    .port = 8883,
	    .client_id = (char *)"chair-1",
	    .ca_file = (char *)"ca",
	    .cert_file = (char *)"cert",
	    .key_file = (char *)"key",
	    .keepalive_s = 15,
	    .mailbox_max = RIG_MAILBOX,
	    .window_max = window,
	    .packet_max = RIG_PACKET,
	};

	assert_non_null(rig);
	the_rig = rig;
	rig->now = 1000;
	rig->random = 100;
	rig->due = INT64_MAX;
	assert_int_equal(
	    gf_link_new(&config, &(struct gf_link_ops){.wake = wake, .will = make_will, .ctx = rig}, &rig->link, NULL), 0);
	for (unsigned i = 0; i < subs; i++)
		assert_int_equal(gf_link_subscribe(rig->link, "filter", 1), 0);
	return rig;
}

struct rig *rig_open(const char *host, unsigned subs)
{
	return rig_open_window(host, subs, 5);
}

void rig_close(struct rig *rig)
{
	gf_link_free(rig->link);
	assert_false(rig->probing);
	assert_int_equal(rig->paho, RIG_NO_HANDLE);
	the_rig = NULL;
	free(rig);
}

static void write_down(struct rig *rig, const struct gf_link_event *event)
{
	switch (event->kind) {
	case GF_LINK_EVENT_UP:
		note(rig, "UP:%d ", (int)event->connection);
		break;
	case GF_LINK_EVENT_DOWN:
		note(rig, "DOWN:%d ", (int)event->connection);
		break;
	case GF_LINK_EVENT_MESSAGE:
		note(rig, "MSG:%s ", event->topic);
		break;
	case GF_LINK_EVENT_PUBLISHED:
		note(rig, "PUB:%d=%d ", (int)event->cookie, event->code);
		break;
	case GF_LINK_EVENT_WATCHED:
		note(rig, "WATCHED:%d=%d ", (int)event->connection, event->code);
		break;
	}
}

static void take_events(struct rig *rig)
{
	struct gf_link_event event;

	while (!rig->sleeps && gf_link_next(rig->link, &event)) {
		if (event.kind == GF_LINK_EVENT_DOWN)
			gf_strcpy(rig->reason, sizeof rig->reason, event.reason);
		(rig->on_event ? rig->on_event : write_down)(rig, &event);
		gf_link_event_deinit(&event);
	}
}

void rig_step(struct rig *rig)
{
	static const char *const names[] = {"idle", "waiting", "connecting", "up", "closing"};

	rig->due = gf_link_step(rig->link, rig->now);
	if (gf_link_state(rig->link) != rig->state)
		note(rig, "%s ", names[gf_link_state(rig->link)]);
	rig->state = gf_link_state(rig->link);
	take_events(rig);
}

void rig_advance(struct rig *rig, int64_t ms)
{
	rig->now += ms;
	rig_step(rig);
}

void rig_expect(struct rig *rig, const char *words)
{
	size_t used = strlen(rig->log);

	if (used > 0)
		rig->log[used - 1] = 0;
	assert_string_equal(rig->log, words);
	rig->log[0] = 0;
}

void rig_expect_reason(const struct rig *rig, const char *words)
{
	if (!strstr(rig->reason, words))
		fail_msg("'%s' expected in '%s'", words, rig->reason);
}

void rig_come_up(struct rig *rig, unsigned number)
{
	if (rig->state == GF_LINK_IDLE) {
		gf_link_start(rig->link);
		rig_step(rig);
	} else {
		rig_advance(rig, rig->due - rig->now);
	}
	rig_accept(rig, 0);
	for (unsigned i = 0; i < rig->link->subs_count; i++)
		rig_grant(rig);
	assert_int_equal(gf_link_state(rig->link), GF_LINK_UP);
	assert_true(rig->link->connection == number);
	rig->log[0] = 0;
}

/* --- the broker --- */

void rig_accept(struct rig *rig, unsigned receive_max)
{
	assert_int_equal(rig->paho, RIG_CONNECTING);
	rig->paho = RIG_CONNECTED;
	rig->sent_count = 0;
	link_on_connected(rig->link, receive_max);
	rig_step(rig);
}

void rig_refuse(struct rig *rig, int code)
{
	if (rig->paho == RIG_CONNECTING)
		rig->paho = RIG_RESTING;
	link_on_failed(rig->link, code);
	rig_step(rig);
}

void rig_grant(struct rig *rig)
{
	link_on_granted(rig->link);
	rig_step(rig);
}

void rig_lose(struct rig *rig, int code)
{
	assert_true(rig->paho == RIG_CONNECTED || rig->paho == RIG_DISCONNECTING);
	rig->paho = RIG_RESTING;
	link_on_lost(rig->link, code);
	rig_step(rig);
}

void rig_probe_finds(struct rig *rig, const char *reason)
{
	assert_true(rig->probing);
	gf_strcpy(rig->probe_reason, sizeof rig->probe_reason, reason);
	rig->probe_done = true;
	rig_step(rig);
}

void rig_close_done(struct rig *rig)
{
	assert_int_equal(rig->paho, RIG_DISCONNECTING);
	rig->paho = RIG_RESTING;
	link_on_closed(rig->link);
	rig_step(rig);
}

void rig_answer(struct rig *rig, unsigned i, int code)
{
	assert_true(i < rig->sent_count);
	link_on_answer(rig->sent[i % RIG_SENT_MAX], code);
	rig_step(rig);
}

int rig_publish(struct rig *rig, uint64_t cookie)
{
	return gf_link_publish(rig->link, "report", "x", 1, 1, false, 0, cookie);
}

void rig_answer_watch(struct rig *rig, unsigned i, int code)
{
	assert_true(i < rig->asks_count);
	link_on_watched(rig->asks[i % RIG_SENT_MAX], code);
	rig_step(rig);
}

void rig_message(struct rig *rig, const char *topic)
{
	link_on_message(rig->link, topic, strlen(topic), "payload", 7, false);
}
