/* The owner's side of the link: made, told what is wanted, asked for events, given messages. What follows of it is link_step.c's. */
#include "proto/link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/text.h"
#include "proto/link_cert.h"
#include "proto/link_impl.h"

void gf_link_renew(struct gf_link *link)
{
	if (link->state == GF_LINK_UP)
		link_paho_renew(link);
}

void gf_link_start(struct gf_link *link)
{
	link->desired = true;
}

void gf_link_stop(struct gf_link *link)
{
	link->desired = false;
}

enum gf_link_state gf_link_state(const struct gf_link *link)
{
	return link->state;
}

bool gf_link_next(struct gf_link *link, struct gf_link_event *ret_event)
{
	struct link_item item;
	bool found;

	pthread_mutex_lock(&link->lock);
	found = link_box_next(&link->box, &item);
	if (found && item.kind == GF_LINK_EVENT_PUBLISHED)
		link->slots[item.connection & 1][item.slot].state = LINK_SLOT_FREE;
	pthread_mutex_unlock(&link->lock);
	if (!found)
		return link_watch_next(link, ret_event);
	*ret_event = (struct gf_link_event){
	    .kind = item.kind,
	    .connection = item.connection,
	    .cookie = item.cookie,
	    .code = item.code,
	    .retained = item.retained,
	    .payload = item.payload,
	    .len = item.len,
	};
	if (item.kind == GF_LINK_EVENT_DOWN) {
		gf_strcpy(ret_event->reason, sizeof ret_event->reason, item.text ? item.text : "memory is short");
		free(item.text);
	} else {
		ret_event->topic = item.text;
	}
	return true;
}

void gf_link_event_deinit(struct gf_link_event *event)
{
	free(event->topic);
	free(event->payload);
	event->topic = NULL;
	event->payload = NULL;
}

/* With the lock held. */
static unsigned free_slots(struct gf_link *link)
{
	unsigned taken = 0;

	for (unsigned i = 0; i < GF_LINK_WINDOW_MAX; i++)
		taken += link_bank(link)[i].state != LINK_SLOT_FREE;
	return taken < link->window ? link->window - taken : 0;
}

unsigned gf_link_window(const struct gf_link *link)
{
	struct gf_link *l = (struct gf_link *)link; /* the lock changes, the link doesn't */
	unsigned n;

	if (link->state != GF_LINK_UP)
		return 0;
	pthread_mutex_lock(&l->lock);
	n = free_slots(l);
	pthread_mutex_unlock(&l->lock);
	return n;
}

static struct link_slot *take_slot(struct gf_link *link, uint64_t cookie)
{
	struct link_slot *slot = NULL;

	pthread_mutex_lock(&link->lock);
	if (free_slots(link) > 0) {
		slot = link_bank(link);
		while (slot->state != LINK_SLOT_FREE)
			slot++;
		slot->state = LINK_SLOT_IN_FLIGHT;
		slot->cookie = cookie;
	}
	pthread_mutex_unlock(&link->lock);
	return slot;
}

static void give_back(struct gf_link *link, struct link_slot *slot)
{
	pthread_mutex_lock(&link->lock);
	slot->state = LINK_SLOT_FREE;
	pthread_mutex_unlock(&link->lock);
}

int gf_link_publish(struct gf_link *link, const char *topic, const void *payload, size_t len, int qos, bool retain,
                    uint32_t expiry_s, uint64_t cookie)
{
	struct link_slot *slot = NULL;
	int r;

	if (link->state != GF_LINK_UP)
		return -ENOTCONN;
	if (len > link->config.packet_max)
		return -EMSGSIZE;
	if (qos > 0) {
		slot = take_slot(link, cookie);
		if (!slot)
			return -EAGAIN;
	}
	r = link_paho_send(link, topic, payload, len, retain, expiry_s, slot);
	if (r < 0 && slot)
		give_back(link, slot);
	return r;
}

struct gf_link_stats gf_link_stats(const struct gf_link *link)
{
	struct gf_link *l = (struct gf_link *)link;
	struct gf_link_stats stats;

	pthread_mutex_lock(&l->lock);
	stats = l->stats;
	pthread_mutex_unlock(&l->lock);
	return stats;
}

int gf_link_subscribe(struct gf_link *link, const char *filter, int qos)
{
	char *copy;

	if (link->subs_count == GF_LINK_SUBS_MAX)
		return -ENOSPC;
	copy = strdup(filter);
	if (!copy)
		return -ENOMEM;
	link->subs[link->subs_count++] = (struct link_subscription){.filter = copy, .qos = qos};
	return 0;
}

static bool copy_config(struct gf_link *link, const struct gf_link_config *config)
{
	link->config = *config;
	link->config.host = strdup(config->host);
	link->config.client_id = strdup(config->client_id);
	link->config.ca_file = strdup(config->ca_file);
	link->config.cert_file = strdup(config->cert_file);
	link->config.key_file = strdup(config->key_file);
	return link->config.host && link->config.client_id && link->config.ca_file && link->config.cert_file &&
	       link->config.key_file;
}

static int check_config(const struct gf_link_config *config, struct gf_diag *diag)
{
	if (!config->host || !*config->host || strlen(config->host) > 253 || config->port == 0) {
		gf_diag_set(diag, "the broker's host or port is missing: set both");
		return -EINVAL;
	}
	if (!config->client_id || !*config->client_id) {
		gf_diag_set(diag, "the client id is missing: it is the certificate's common name");
		return -EINVAL;
	}
	if (config->window_max < 1 || config->window_max > GF_LINK_WINDOW_MAX || config->mailbox_max < 1 ||
	    config->keepalive_s < 1 || config->packet_max < 1) {
		gf_diag_set(diag, "the link's limits are wrong: window 1..%d, mailbox, keep-alive and packet above 0",
		            GF_LINK_WINDOW_MAX);
		return -EINVAL;
	}
	return link_cert_check(config, diag, NULL);
}

int gf_link_new(const struct gf_link_config *config, const struct gf_link_ops *ops, struct gf_link **ret_link,
                struct gf_diag *diag)
{
	struct gf_link *link;
	int r = check_config(config, diag);

	if (r < 0)
		return r;
	link = calloc(1, sizeof *link);
	if (!link)
		return -ENOMEM;
	pthread_mutex_init(&link->lock, NULL);
	link->ops = *ops;
	for (unsigned i = 0; i < 2 * GF_LINK_WINDOW_MAX; i++)
		link->slots[i / GF_LINK_WINDOW_MAX][i % GF_LINK_WINDOW_MAX].link = link;
	if (!copy_config(link, config) || link_box_init(&link->box, config->mailbox_max) < 0) {
		gf_link_free(link);
		return -ENOMEM;
	}
	*ret_link = link;
	return 0;
}

void gf_link_free(struct gf_link *link)
{
	if (!link)
		return;
	link_paho_drop(link);
	link_probe_free(link->probe);
	link_box_deinit(&link->box);
	link_watch_deinit(link);
	for (unsigned i = 0; i < link->subs_count; i++)
		free(link->subs[i].filter);
	free(link->config.host);
	free(link->config.client_id);
	free(link->config.ca_file);
	free(link->config.cert_file);
	free(link->config.key_file);
	pthread_mutex_destroy(&link->lock);
	free(link);
}
