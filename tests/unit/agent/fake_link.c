#include "tests/unit/agent/fake_link.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EVENTS_MAX = 256 };

struct gf_link {
	struct fake_link fake;
	struct gf_link_event events[EVENTS_MAX];
	size_t head, tail;
};

struct fake_link *fake_link;

static struct gf_link *the_link(void)
{
	return (struct gf_link *)(void *)fake_link;
}

static void happen(struct gf_link_event event)
{
	struct gf_link *l = the_link();
	if (l == NULL || l->tail - l->head == EVENTS_MAX)
		abort();
	event.connection = l->fake.connection;
	l->events[l->tail++ % EVENTS_MAX] = event;
	l->fake.ops.wake(l->fake.ops.ctx);
}

void fake_link_up(void)
{
	fake_link->state = GF_LINK_UP;
	fake_link->connection++;
	happen((struct gf_link_event){.kind = GF_LINK_EVENT_UP});
}

void fake_link_down(const char *reason)
{
	struct gf_link_event event = {.kind = GF_LINK_EVENT_DOWN};
	fake_link->state = GF_LINK_WAITING;
	snprintf(event.reason, sizeof(event.reason), "%s", reason);
	happen(event);
}

void fake_link_message(const char *topic, const void *data, size_t len)
{
	unsigned char *copy = malloc(len + 1);
	memcpy(copy, data, len);
	happen((struct gf_link_event){.kind = GF_LINK_EVENT_MESSAGE, .topic = strdup(topic), .payload = copy, .len = len});
}

void fake_link_published(uint64_t cookie, int code)
{
	happen((struct gf_link_event){.kind = GF_LINK_EVENT_PUBLISHED, .cookie = cookie, .code = code});
}

const struct fake_published *fake_link_nth(const char *topic_end, size_t n)
{
	size_t end = strlen(topic_end);
	for (size_t i = 0; i < fake_link->count; i++) {
		const struct fake_published *p = &fake_link->published[i];
		size_t len = strlen(p->topic);
		if (len >= end && strcmp(p->topic + len - end, topic_end) == 0 && n-- == 0)
			return p;
	}
	return NULL;
}

/* ---- what proto/link.h promises ---- */

int gf_link_new(const struct gf_link_config *config, const struct gf_link_ops *ops, struct gf_link **ret_link,
                struct gf_diag *diag)
{
	(void)diag;
	struct gf_link *l = calloc(1, sizeof(*l));
	if (l == NULL)
		return -ENOMEM;
	l->fake.config = *config;
	l->fake.ops = *ops;
	fake_link = &l->fake;
	*ret_link = l;
	return 0;
}

void gf_link_free(struct gf_link *link)
{
	struct gf_link_event event;
	while (link != NULL && gf_link_next(link, &event))
		gf_link_event_deinit(&event);
	if (link != NULL)
		fake_link = NULL;
	free(link);
}

int gf_link_subscribe(struct gf_link *link, const char *filter, int qos)
{
	char *subscribed = link->fake.subscribed;
	size_t used = strlen(subscribed);
	snprintf(subscribed + used, sizeof(link->fake.subscribed) - used, "%s=%d ", filter, qos);
	return 0;
}

int gf_link_watch(struct gf_link *link, const char *filter, int qos)
{
	(void)qos;
	snprintf(link->fake.watching, sizeof(link->fake.watching), "%s", filter);
	link->fake.watches++;
	return 0;
}

void gf_link_unwatch(struct gf_link *link)
{
	link->fake.watching[0] = '\0';
}

void gf_link_renew(struct gf_link *link)
{
	link->fake.renewals++;
}

void gf_link_start(struct gf_link *link)
{
	link->fake.state = GF_LINK_WAITING;
}

void gf_link_stop(struct gf_link *link)
{
	link->fake.state = link->fake.state == GF_LINK_IDLE ? GF_LINK_IDLE : GF_LINK_CLOSING;
}

enum gf_link_state gf_link_state(const struct gf_link *link)
{
	return link->fake.state;
}

int64_t gf_link_step(struct gf_link *link, int64_t mono_ms)
{
	(void)mono_ms;
	if (link->fake.state == GF_LINK_CLOSING)
		link->fake.state = GF_LINK_IDLE;
	return INT64_MAX;
}

bool gf_link_next(struct gf_link *link, struct gf_link_event *ret_event)
{
	if (link->head == link->tail)
		return false;
	*ret_event = link->events[link->head++ % EVENTS_MAX];
	return true;
}

void gf_link_event_deinit(struct gf_link_event *event)
{
	free(event->topic);
	free(event->payload);
}

int gf_link_publish(struct gf_link *link, const char *topic, const void *payload, size_t len, int qos, bool retain,
                    uint32_t expiry_s, uint64_t cookie)
{
	struct fake_link *f = &link->fake;
	(void)expiry_s;
	if (f->state != GF_LINK_UP)
		return -ENOTCONN;
	if (f->publish_error != 0)
		return f->publish_error;
	if (f->count == FAKE_PUBLISHED_MAX || len > sizeof(f->published[0].data))
		abort();
	struct fake_published *p = &f->published[f->count++];
	*p = (struct fake_published){.len = len, .qos = qos, .retained = retain, .cookie = cookie};
	snprintf(p->topic, sizeof(p->topic), "%s", topic);
	memcpy(p->data, payload, len);
	return 0;
}

struct gf_link_stats gf_link_stats(const struct gf_link *link)
{
	return (struct gf_link_stats){.connects = link->fake.connection, .dropped = link->fake.dropped};
}

uint64_t gf_link_cert_not_after_ms(const char *cert_file)
{
	(void)cert_file;
	return 1234;
}
