#include "proto/base/spsc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int gf_spsc_init(struct gf_spsc *q, size_t element, size_t capacity)
{
	if (element == 0 || capacity == 0 || (capacity & (capacity - 1)) != 0)
		return -EINVAL;
	unsigned char *slots = calloc(capacity, element);
	if (slots == NULL)
		return -ENOMEM;
	q->slots = slots;
	q->element = element;
	q->mask = capacity - 1;
	atomic_init(&q->head, 0);
	atomic_init(&q->tail, 0);
	return 0;
}

void gf_spsc_deinit(struct gf_spsc *q)
{
	free(q->slots);
	q->slots = NULL;
}

bool gf_spsc_push(struct gf_spsc *q, const void *element)
{
	size_t tail = atomic_load_explicit(&q->tail, memory_order_relaxed);
	if (tail - atomic_load_explicit(&q->head, memory_order_acquire) > q->mask)
		return false;
	memcpy(q->slots + (tail & q->mask) * q->element, element, q->element);
	atomic_store_explicit(&q->tail, tail + 1, memory_order_release);
	return true;
}

bool gf_spsc_pop(struct gf_spsc *q, void *ret_element)
{
	size_t head = atomic_load_explicit(&q->head, memory_order_relaxed);
	if (head == atomic_load_explicit(&q->tail, memory_order_acquire))
		return false;
	memcpy(ret_element, q->slots + (head & q->mask) * q->element, q->element);
	atomic_store_explicit(&q->head, head + 1, memory_order_release);
	return true;
}

size_t gf_spsc_free_slots(const struct gf_spsc *q)
{
	size_t tail = atomic_load_explicit(&q->tail, memory_order_acquire);
	return q->mask + 1 - (tail - atomic_load_explicit(&q->head, memory_order_acquire));
}
