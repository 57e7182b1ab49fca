#include "gateway/tell/feed.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "proto/base/clock.h"

/* Texts in the store are UTF-8. One that isn't must not keep all that comes after it from being told. */
static json_t *sentence(const char *text)
{
	return json_string(gf_utf8_valid(text, strlen(text)) ? text : "(unreadable)");
}

static json_t *text_or_null(const char *text)
{
	return *text != '\0' ? sentence(text) : json_null();
}

static json_t *time_or_null(int64_t wall_ms)
{
	char text[GF_RFC3339_MAX];

	return text_or_null(gf_time_format(wall_ms, text));
}

/* Sets a key, or gives the object up; NULL stays NULL. */
static void put(json_t **object, const char *key, json_t *value)
{
	if (*object == NULL) {
		json_decref(value);
	} else if (json_object_set_new(*object, key, value) != 0) {
		json_decref(*object);
		*object = NULL;
	}
}

json_t *feed_event(const struct store_event *e)
{
	json_t *row = json_object(), *data = json_object();

	if (e->ref != 0)
		put(&data, "ref", json_integer((json_int_t)e->ref));
	if (e->code[0] != '\0')
		put(&data, "code", sentence(e->code));
	if (e->notify)
		put(&data, "notify", json_true());
	put(&row, "id", json_integer((json_int_t)e->id));
	put(&row, "time", time_or_null(e->at_ms));
	put(&row, "kind", json_string(store_event_kind_name(e->kind)));
	put(&row, "device", text_or_null(e->device));
	put(&row, "text", sentence(e->text));
	put(&row, "data", data);
	return row;
}

uint64_t feed_sum_events(const struct feed_sum *sum)
{
	uint64_t events = 0;

	for (int i = 0; i < STORE_EVENT_COUNT; i++)
		events += sum->count[i];
	return events;
}

static void sum_text(const struct feed_sum *sum, char *text, size_t size)
{
	uint64_t events = feed_sum_events(sum);
	FILE *out = fmemopen(text, size, "w");
	bool first = true;

	text[0] = '\0';
	if (out == NULL)
		return;
	if (sum->missed > 0)
		(void)fprintf(out,
		              "%" PRIu64 " events were missed: they were deleted before they could be told, the log keeps the "
		              "newest %d",
		              sum->missed, STORE_EVENTS_KEPT);
	else
		(void)fprintf(out, "%" PRIu64 " events in one message:", events);
	for (int i = 0; i < STORE_EVENT_COUNT; i++) {
		if (sum->count[i] == 0)
			continue;
		(void)fprintf(out, "%s %" PRIu64 " %s", first ? "" : ",", sum->count[i],
		              store_event_kind_name((enum store_event_kind)i));
		first = false;
	}
	if (events > 0)
		(void)fprintf(out, "; each is in /v1/events?after=%" PRIu64, sum->from - 1);
	(void)fclose(out);
}

json_t *feed_sum(const struct feed_sum *sum)
{
	char text[GF_TEXT_MAX * 4];
	json_t *row = json_object(), *counts = json_object();

	for (int i = 0; i < STORE_EVENT_COUNT; i++)
		if (sum->count[i] > 0)
			put(&counts, store_event_kind_name((enum store_event_kind)i), json_integer((json_int_t)sum->count[i]));
	sum_text(sum, text, sizeof(text));
	put(&row, "id", json_integer((json_int_t)sum->to));
	put(&row, "time", time_or_null(sum->now_ms));
	put(&row, "kind", json_string("summary"));
	put(&row, "from", json_integer((json_int_t)sum->from));
	put(&row, "to", json_integer((json_int_t)sum->to));
	put(&row, "counts", counts);
	put(&row, "missed", json_integer((json_int_t)sum->missed));
	put(&row, "text", json_string(text));
	return row;
}

const char *feed_topic(char buf[static GF_TOPIC_MAX], const struct store_event *e)
{
	char number[24];

	(void)snprintf(number, sizeof(number), "%" PRIu64, e->ref);
	const char *id = e->device[0] != '\0' ? e->device : e->ref != 0 ? number : "gateway";
	return gf_topic_event(buf, store_event_kind_name(e->kind), id);
}

const char *feed_sum_topic(char buf[static GF_TOPIC_MAX])
{
	return gf_topic_event(buf, "summary", "gateway");
}
