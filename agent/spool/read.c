/*
 * Reading, from where the last read ended: the cursor holds a copy of one segment and stands in it. A record that was appended
 * behind the copy, and one that lies before the cursor, make the segment be read anew.
 */
#include <errno.h>
#include <stdlib.h>

#include "agent/spool/internal.h"

void spool_forget_cursor(struct spool *s)
{
	free(s->cursor.data);
	s->cursor = (struct cursor){0};
}

/* The next record of the segment under the cursor. */
static bool advance(struct cursor *c)
{
	struct frame frame;
	while (!format_next_entry(&c->entries, &c->entry)) {
		if (!format_read_frame(c->data + c->frame_at, c->len - c->frame_at, &frame))
			return false;
		c->frame_at += frame.size;
		if (!format_read_append(&frame, &c->entries))
			c->entries = (struct entries){0};
	}
	return true;
}

static int open_cursor(struct spool *s, const struct segment *segment)
{
	spool_forget_cursor(s);
	int r = spool_get_segment(s, segment, &s->cursor.data, &s->cursor.len);
	if (r != 0)
		return r;
	s->cursor.number = segment->number;
	s->cursor.frame_at = FORMAT_HEADER_BYTES;
	s->cursor.valid = true;
	return 0;
}

/* Moves on to the record that holds `seq`; false when the cursor's copy of the segment ends before it. */
static bool find(struct cursor *c, uint64_t seq)
{
	if (c->entry.seq > seq)
		return false;
	while (c->entry.seq == 0 || c->entry.through < seq) {
		if (!advance(c))
			return false;
	}
	return c->entry.seq <= seq;
}

static const struct segment *segment_of(const struct spool *s, uint64_t seq)
{
	for (size_t i = 0; i < s->count; i++) {
		if (s->segments[i].first_seq <= seq && seq < s->segments[i].end_seq)
			return &s->segments[i];
	}
	return NULL;
}

int spool_read(struct spool *spool, uint64_t seq, const void **ret_data, size_t *ret_len, uint64_t *ret_through)
{
	struct cursor *c = &spool->cursor;
	if (spool->failed)
		return SPOOL_E_FAILED;
	if (seq <= spool->acked || seq >= spool->next_seq) {
		/* At the end there is nothing more to read for a while: give the memory back. */
		if (seq >= spool->next_seq)
			spool_forget_cursor(spool);
		return -ENOENT;
	}
	const struct segment *segment = segment_of(spool, seq);
	if (segment == NULL)
		return spool_distrust(spool, -EIO);
	if (!c->valid || c->number != segment->number || !find(c, seq)) {
		int r = open_cursor(spool, segment);
		if (r != 0 || !find(c, seq)) {
			spool_forget_cursor(spool);
			return spool_distrust(spool, r != 0 ? r : -EIO);
		}
	}
	*ret_data = c->entry.data;
	*ret_len = c->entry.len;
	*ret_through = c->entry.through;
	return 0;
}
