/*
 * What Paho's threads report about a connection, as the owner will see it: signals for the next step, events in the mailbox. No
 * Paho here: link_paho.c translates its callbacks into these calls.
 */
#include "proto/link_impl.h"

/* From here on an MQTT 5 reason code is a failure. */
enum { REASON_FAILURE = 0x80 };

static void wake(struct gf_link *link)
{
	link->ops.wake(link->ops.ctx);
}

void link_on_connected(struct gf_link *link, unsigned receive_max)
{
	pthread_mutex_lock(&link->lock);
	link->connection++;
	link->open = true;
	link->stats.connects++;
	link_box_reserve_up(&link->box, link->connection);
	link->signals.connected = true;
	link->signals.receive_max = receive_max;
	pthread_mutex_unlock(&link->lock);
	wake(link);
}

void link_on_granted(struct gf_link *link)
{
	pthread_mutex_lock(&link->lock);
	link->signals.granted++;
	pthread_mutex_unlock(&link->lock);
	wake(link);
}

void link_on_failed(struct gf_link *link, int refusal)
{
	pthread_mutex_lock(&link->lock);
	link->signals.failed = true;
	if (refusal)
		link->signals.refusal = refusal;
	pthread_mutex_unlock(&link->lock);
	wake(link);
}

/* Paho tells twice of a cut with a reason; the second time may come when the next attempt is under way already. */
void link_on_lost(struct gf_link *link, int refusal)
{
	bool current;

	pthread_mutex_lock(&link->lock);
	current = link->open;
	link->open = false;
	if (current) {
		link->signals.lost = true;
		link->signals.refusal = refusal;
	}
	pthread_mutex_unlock(&link->lock);
	if (current)
		wake(link);
}

void link_on_closed(struct gf_link *link)
{
	pthread_mutex_lock(&link->lock);
	link->signals.closed = true;
	pthread_mutex_unlock(&link->lock);
	wake(link);
}

void link_on_answer(struct link_slot *slot, int code)
{
	struct gf_link *link = slot->link;
	bool current;

	pthread_mutex_lock(&link->lock);
	current =
	    slot->state == LINK_SLOT_IN_FLIGHT && slot >= link_bank(link) && slot < link_bank(link) + GF_LINK_WINDOW_MAX;
	if (current) {
		link_answer_slot(link, slot, code);
		link->stats.published += code >= 0 && code < REASON_FAILURE;
	}
	pthread_mutex_unlock(&link->lock);
	if (current)
		wake(link);
}

void link_on_watched(struct link_ask *ask, int code)
{
	struct gf_link *link = ask->link;
	bool newest;

	pthread_mutex_lock(&link->lock);
	newest = link->open && ask->no == link->ask_no;
	if (newest) {
		link->signals.watched = true;
		link->signals.watch_code = code;
	}
	pthread_mutex_unlock(&link->lock);
	if (newest)
		wake(link);
}

void link_on_message(struct gf_link *link, const char *topic, size_t topic_len, const void *payload, size_t len,
                     bool retained)
{
	pthread_mutex_lock(&link->lock);
	if (len > link->config.packet_max)
		link->stats.too_large++;
	else if (link_box_message(&link->box, link->connection, topic, topic_len, payload, len, retained))
		link->stats.received++;
	else
		link->stats.dropped++;
	pthread_mutex_unlock(&link->lock);
	wake(link);
}
