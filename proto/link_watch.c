/*
 * The one subscription that comes and goes while the link is up. The broker's answer goes the way of all signals; one to an older
 * question, of this connection or of the one before, changes nothing (link_on_watched).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/link_impl.h"

static struct link_ask *next_ask(struct gf_link *link)
{
	struct link_ask *ask;

	pthread_mutex_lock(&link->lock);
	ask = &link->asks[link->asks_count++ % LINK_ASKS_MAX];
	*ask = (struct link_ask){.link = link, .no = link->asks_count};
	link->ask_no = ask->no;
	link->signals.watched = false;
	pthread_mutex_unlock(&link->lock);
	return ask;
}

/* What was asked before is of no interest any more. */
static void forget_ask(struct gf_link *link)
{
	pthread_mutex_lock(&link->lock);
	link->ask_no = 0;
	link->signals.watched = false;
	pthread_mutex_unlock(&link->lock);
	link->watch.asked = link->watch.answered = link->watch.told = false;
}

static void answer(struct gf_link *link, int code)
{
	link->watch.answered = link->watch.told = true;
	link->watch.code = code;
}

static void ask(struct gf_link *link)
{
	struct link_watch *watch = &link->watch;

	forget_ask(link);
	watch->asked = true;
	if (link_paho_watch(link, watch->filter, watch->qos, next_ask(link)) < 0) {
		answer(link, -1);
		link->ops.wake(link->ops.ctx);
	}
}

void link_watch_up(struct gf_link *link)
{
	if (link->watch.filter)
		ask(link);
}

void link_watch_down(struct gf_link *link)
{
	forget_ask(link);
}

void link_watch_signals(struct gf_link *link, const struct link_signals *s)
{
	if (s->watched)
		answer(link, s->watch_code);
}

bool link_watch_next(struct gf_link *link, struct gf_link_event *ret_event)
{
	if (!link->watch.told)
		return false;
	link->watch.told = false;
	*ret_event =
	    (struct gf_link_event){.kind = GF_LINK_EVENT_WATCHED, .connection = link->connection, .code = link->watch.code};
	return true;
}

void link_watch_deinit(struct gf_link *link)
{
	free(link->watch.filter);
	link->watch.filter = NULL;
}

int gf_link_watch(struct gf_link *link, const char *filter, int qos)
{
	struct link_watch *watch = &link->watch;

	if (watch->filter && watch->qos == qos && strcmp(watch->filter, filter) == 0) {
		if (watch->asked && !watch->answered)
			return 0;
	} else {
		char *copy = strdup(filter);
		if (!copy)
			return -ENOMEM;
		gf_link_unwatch(link);
		watch->filter = copy;
		watch->qos = qos;
	}
	if (link->state == GF_LINK_UP)
		ask(link);
	return 0;
}

void gf_link_unwatch(struct gf_link *link)
{
	if (!link->watch.filter)
		return;
	if (link->state == GF_LINK_UP && link->watch.asked)
		link_paho_unwatch(link, link->watch.filter);
	forget_ask(link);
	link_watch_deinit(link);
}
