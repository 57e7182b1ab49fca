#include "proto/link_box.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void item_free(struct link_item *item)
{
	free(item->text);
	free(item->payload);
}

static struct link_item *item_at(const struct link_box *box, size_t i)
{
	return &box->items[(box->head + i) % box->capacity];
}

int link_box_init(struct link_box *box, size_t messages_max)
{
	size_t capacity = messages_max + LINK_BOX_PUBLISHED_MAX + LINK_BOX_LIFECYCLE_MAX;
	struct link_item *items = calloc(capacity, sizeof *items);

	if (!items)
		return -ENOMEM;
	*box = (struct link_box){.items = items, .capacity = capacity, .messages_max = messages_max};
	return 0;
}

void link_box_deinit(struct link_box *box)
{
	for (size_t i = 0; i < box->count; i++)
		item_free(item_at(box, i));
	free(box->items);
	*box = (struct link_box){0};
}

static void push(struct link_box *box, const struct link_item *item)
{
	*item_at(box, box->count++) = *item;
}

bool link_box_message(struct link_box *box, uint64_t connection, const char *topic, size_t topic_len,
                      const void *payload, size_t len, bool retained)
{
	struct link_item item = {.kind = GF_LINK_EVENT_MESSAGE, .connection = connection, .retained = retained, .len = len};

	if (box->messages >= box->messages_max)
		return false;
	item.text = strndup(topic, topic_len);
	item.payload = malloc(len + 1); /* never of size 0; the NUL helps whoever prints it */
	if (!item.text || !item.payload) {
		item_free(&item);
		return false;
	}
	if (len > 0)
		memcpy(item.payload, payload, len);
	item.payload[len] = 0;
	push(box, &item);
	box->messages++;
	return true;
}

void link_box_published(struct link_box *box, uint64_t connection, unsigned slot, uint64_t cookie, int code)
{
	push(box, &(struct link_item){.kind = GF_LINK_EVENT_PUBLISHED,
	                              .connection = connection,
	                              .slot = (unsigned char)slot,
	                              .cookie = cookie,
	                              .code = code});
}

bool link_box_accepts_lifecycle(const struct link_box *box)
{
	return box->lifecycle + 2 <= LINK_BOX_LIFECYCLE_MAX; /* an attempt can bring an UP and a DOWN */
}

void link_box_reserve_up(struct link_box *box, uint64_t connection)
{
	push(box, &(struct link_item){.kind = GF_LINK_EVENT_UP, .connection = connection, .reserved = true});
	box->lifecycle++;
}

/* The index of the reserved place, or box->count. */
static size_t find_reserved(const struct link_box *box)
{
	size_t i = 0;

	while (i < box->count && !item_at(box, i)->reserved)
		i++;
	return i;
}

void link_box_up(struct link_box *box)
{
	size_t i = find_reserved(box);

	if (i < box->count)
		item_at(box, i)->reserved = false;
}

void link_box_down(struct link_box *box, uint64_t connection, const char *reason)
{
	size_t i = find_reserved(box);

	while (box->count > i) {
		struct link_item *last = item_at(box, --box->count);
		if (last->kind == GF_LINK_EVENT_MESSAGE)
			box->messages--;
		else
			box->lifecycle--;
		item_free(last);
	}
	push(box, &(struct link_item){.kind = GF_LINK_EVENT_DOWN, .connection = connection, .text = strdup(reason)});
	box->lifecycle++;
}

bool link_box_next(struct link_box *box, struct link_item *ret_item)
{
	if (box->count == 0 || item_at(box, 0)->reserved)
		return false;
	*ret_item = *item_at(box, 0);
	box->head = (box->head + 1) % box->capacity;
	box->count--;
	if (ret_item->kind == GF_LINK_EVENT_MESSAGE)
		box->messages--;
	else if (ret_item->kind != GF_LINK_EVENT_PUBLISHED)
		box->lifecycle--;
	return true;
}
