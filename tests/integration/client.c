#include "tests/integration/client.h"

#include <errno.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { PUBLISH_MS = 10000, CLOSE_MS = 5000, MESSAGES_MAX = 65536 };

struct it_client {
	struct gf_link *link;
	struct it_message *messages;
	size_t count;
	bool up;
	uint64_t cookie, answered;
	int code, watch_code;
	size_t watches;
	char reason[200];
};

static void nothing(void *ctx)
{
	(void)ctx;
}

static void keep_message(struct it_client *c, struct gf_link_event *event)
{
	assert_true(c->count < MESSAGES_MAX);
	c->messages = realloc(c->messages, (c->count + 1) * sizeof *c->messages);
	assert_non_null(c->messages);
	c->messages[c->count++] = (struct it_message){
	    .topic = event->topic, .payload = event->payload, .len = event->len, .retained = event->retained};
}

static void take_event(struct it_client *c, struct gf_link_event *event)
{
	switch (event->kind) {
	case GF_LINK_EVENT_UP:
		c->up = true;
		break;
	case GF_LINK_EVENT_DOWN:
		c->up = false;
		memcpy(c->reason, event->reason, sizeof c->reason);
		break;
	case GF_LINK_EVENT_MESSAGE:
		keep_message(c, event);
		break;
	case GF_LINK_EVENT_PUBLISHED:
		c->answered = event->cookie;
		c->code = event->code;
		break;
	case GF_LINK_EVENT_WATCHED:
		c->watches++;
		c->watch_code = event->code;
		break;
	}
}

void it_client_turn(struct it_client *c)
{
	struct gf_link_event event;

	gf_link_step(c->link, it_now_ms());
	while (gf_link_next(c->link, &event))
		take_event(c, &event);
}

bool it_client_up(struct it_client *c)
{
	it_client_turn(c);
	return c->up;
}

const char *it_client_reason(struct it_client *c)
{
	it_client_turn(c);
	return c->reason;
}

struct it_client *it_client_open(struct it_world *w, const char *id, const struct it_client_options *options)
{
	static const struct it_client_options none;
	const struct it_client_options *o = options ? options : &none;
	bool integrator = strncmp(id, "integrators/", strlen("integrators/")) == 0;
	bool gateway = strcmp(id, "gateway") == 0, device = !gateway && !integrator;
	const char *folder = device ? "devices/" : "";
	uint16_t port = gateway ? it_gateway_port(w) : integrator ? it_integrator_port(w) : it_device_port(w);
	struct gf_link_config config = {
	    .host = (char *)(o->host ? o->host : "localhost"),
	    .port = o->port ? o->port : port,
	    .client_id = (char *)(o->client_id ? o->client_id : id),
	    .ca_file = (char *)(o->ca_file ? o->ca_file : it_path(w, "pki/ca.pem")),
	    .cert_file = (char *)it_path(w, "pki/%s%s.pem", folder, id),
	    .key_file = (char *)it_path(w, "pki/%s%s.key", folder, id),
	    .keepalive_s = 15,
	    .mailbox_max = o->mailbox_max ? o->mailbox_max : 256,
	    .window_max = o->window_max ? o->window_max : GF_LINK_WINDOW_MAX,
	    .packet_max = o->packet_max ? o->packet_max : 1 << 20,
	};
	struct gf_link_ops ops = {.wake = nothing, .will = o->will};
	struct gf_diag diag = {""};
	struct it_client *c = calloc(1, sizeof *c);

	assert_non_null(c);
	if (device && access(config.cert_file, F_OK) != 0)
		it_device(w, id);
	if (gf_link_new(&config, &ops, &c->link, &diag) != 0)
		fail_msg("%s", diag.text);
	for (unsigned i = 0; i < GF_LINK_SUBS_MAX && o->filters[i]; i++)
		assert_int_equal(gf_link_subscribe(c->link, o->filters[i], 1), 0);
	gf_link_start(c->link);
	return c;
}

static void release(struct it_client *c)
{
	gf_link_free(c->link);
	for (size_t i = 0; i < c->count; i++) {
		free(c->messages[i].topic);
		free(c->messages[i].payload);
	}
	free(c->messages);
	free(c);
}

void it_client_close(struct it_client *c)
{
	if (!c)
		return;
	gf_link_stop(c->link);
	for (int64_t end = it_now_ms() + CLOSE_MS; gf_link_state(c->link) != GF_LINK_IDLE && it_now_ms() < end; it_pause())
		it_client_turn(c);
	release(c);
}

int it_client_publish(struct it_client *c, const char *topic, const void *payload, size_t len, bool retain)
{
	uint64_t cookie = ++c->cookie;

	IT_UNTIL(PUBLISH_MS, it_client_up(c));
	if (gf_link_publish(c->link, topic, payload, len, 1, retain, 0, cookie) != 0)
		return -1;
	IT_UNTIL(PUBLISH_MS, (it_client_turn(c), c->answered == cookie));
	return c->code;
}

size_t it_client_heard(struct it_client *c, const char *topic)
{
	size_t n = 0;

	it_client_turn(c);
	for (size_t i = 0; i < c->count; i++)
		n += !topic || strcmp(c->messages[i].topic, topic) == 0;
	return n;
}

const struct it_message *it_client_last(struct it_client *c, const char *topic)
{
	it_client_turn(c);
	for (size_t i = c->count; i > 0; i--)
		if (!topic || strcmp(c->messages[i - 1].topic, topic) == 0)
			return &c->messages[i - 1];
	return NULL;
}

const struct it_message *it_client_message(const struct it_client *c, size_t index)
{
	return index < c->count ? &c->messages[index] : NULL;
}

size_t it_client_watches(struct it_client *c, int *ret_code)
{
	it_client_turn(c);
	*ret_code = c->watch_code;
	return c->watches;
}

struct gf_link *it_client_link(struct it_client *c)
{
	return c->link;
}
