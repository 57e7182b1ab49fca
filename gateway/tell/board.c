#include "gateway/tell/board.h"

#include <string.h>

#include "proto/base/text.h"

_Static_assert(BOARD_MAX <= 32, "each receiver has a bit of urgent");

void board_init(struct board *b, const struct store_told *rows, size_t count)
{
	*b = (struct board){.count = count};
	pthread_mutex_init(&b->lock, NULL);
	for (size_t i = 0; i < count; i++)
		b->states[i].told = rows[i];
}

void board_deinit(struct board *b)
{
	pthread_mutex_destroy(&b->lock);
}

/* Called under the lock; NULL = there is none of this name. */
static struct tell_state *find(struct board *b, const char *name)
{
	for (size_t i = 0; i < b->count; i++)
		if (strcmp(b->states[i].told.receiver, name) == 0)
			return &b->states[i];
	return NULL;
}

void board_change(struct board *b, const struct store_told *rows, size_t count)
{
	struct tell_state states[BOARD_MAX] = {{.next_ms = 0}};
	uint32_t urgent = 0;

	pthread_mutex_lock(&b->lock);
	for (size_t i = 0; i < count; i++) {
		const struct tell_state *before = find(b, rows[i].receiver);
		states[i] = before != NULL ? *before : (struct tell_state){.told = rows[i]};
		if (before != NULL && (b->urgent & UINT32_C(1) << (before - b->states)) != 0)
			urgent |= UINT32_C(1) << i;
	}
	memcpy(b->states, states, sizeof(states));
	b->count = count;
	b->urgent = urgent;
	pthread_mutex_unlock(&b->lock);
}

static void move(struct board *b, struct tell_state *s, uint64_t to)
{
	if (to > s->told.cursor)
		s->told.cursor = to;
	b->changed = true;
}

static bool end_failing(struct tell_state *s)
{
	bool failed = s->failing_since_ms != 0;

	s->failing_since_ms = s->next_ms = 0;
	s->error[0] = '\0';
	return failed;
}

bool board_took(struct board *b, size_t receiver, const struct outbox_message *m)
{
	struct tell_state *s = &b->states[receiver];

	pthread_mutex_lock(&b->lock);
	s->told.told += m->told;
	s->told.summed += m->summed;
	s->told.missed += m->missed;
	move(b, s, m->to);
	bool failed = end_failing(s);
	pthread_mutex_unlock(&b->lock);
	return failed;
}

void board_skip(struct board *b, size_t receiver, uint64_t to)
{
	struct tell_state *s = &b->states[receiver];

	pthread_mutex_lock(&b->lock);
	if (to > s->told.cursor)
		move(b, s, to);
	pthread_mutex_unlock(&b->lock);
}

void board_passed(struct board *b, size_t receiver, const struct outbox_message *m, int64_t wall_ms)
{
	struct tell_state *s = &b->states[receiver];

	pthread_mutex_lock(&b->lock);
	s->told.passed_over += m->told + m->summed;
	s->told.missed += m->missed;
	s->told.passed_ms = wall_ms;
	move(b, s, m->to);
	pthread_mutex_unlock(&b->lock);
}

bool board_failed(struct board *b, size_t receiver, const char *reason, int64_t wall_ms, int64_t next_ms)
{
	struct tell_state *s = &b->states[receiver];

	pthread_mutex_lock(&b->lock);
	bool first = s->failing_since_ms == 0;
	if (first)
		s->failing_since_ms = wall_ms;
	s->failures++;
	s->next_ms = next_ms;
	(void)gf_strcpy_utf8(s->error, sizeof(s->error), reason);
	pthread_mutex_unlock(&b->lock);
	return first;
}

bool board_urge(struct board *b, const char *name)
{
	pthread_mutex_lock(&b->lock);
	const struct tell_state *s = find(b, name);
	if (s != NULL)
		b->urgent |= UINT32_C(1) << (s - b->states);
	pthread_mutex_unlock(&b->lock);
	return s != NULL;
}

bool board_urged(struct board *b, size_t receiver)
{
	const uint32_t bit = UINT32_C(1) << receiver;

	pthread_mutex_lock(&b->lock);
	bool urged = (b->urgent & bit) != 0;
	b->urgent &= ~bit;
	pthread_mutex_unlock(&b->lock);
	return urged;
}

bool board_urges(struct board *b)
{
	pthread_mutex_lock(&b->lock);
	bool urges = b->urgent != 0;
	pthread_mutex_unlock(&b->lock);
	return urges;
}

bool board_unsaved(struct board *b, struct store_told rows[static BOARD_MAX], size_t *ret_count)
{
	pthread_mutex_lock(&b->lock);
	bool changed = b->changed;
	b->changed = false;
	for (size_t i = 0; i < b->count; i++)
		rows[i] = b->states[i].told;
	*ret_count = b->count;
	pthread_mutex_unlock(&b->lock);
	return changed;
}

void board_not_saved(struct board *b)
{
	pthread_mutex_lock(&b->lock);
	b->changed = true;
	pthread_mutex_unlock(&b->lock);
}

size_t board_read(struct board *b, struct tell_state *ret_states, size_t max)
{
	size_t count;

	pthread_mutex_lock(&b->lock);
	count = b->count < max ? b->count : max;
	for (size_t i = 0; i < count; i++)
		ret_states[i] = b->states[i];
	pthread_mutex_unlock(&b->lock);
	return count;
}
