/*
 * Opening: what is on the disk, and what of it can be trusted.
 *
 * The happy path reads each segment from its header to its last frame and takes over the newest state. A crash explains only
 * three things: a torn tail of the last segment (cut off), an older copy of a segment that was merged into the next one
 * (removed), and an ack that is older than the segments it allowed to remove (moved on). Anything else is damage.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/spool/internal.h"

enum { NUMBER_DIGITS = 10 };

static int by_number(const void *a, const void *b)
{
	const struct segment *x = a, *y = b;
	return x->number < y->number ? -1 : x->number > y->number;
}

int spool_add_segment(struct spool *s, const struct segment *segment)
{
	if (s->count == SPOOL_SEGMENTS_MAX)
		return -EFBIG;
	if (s->count == s->room) {
		size_t room = s->room == 0 ? 16 : s->room * 2;
		struct segment *grown = reallocarray(s->segments, room, sizeof(*grown));
		if (grown == NULL)
			return -ENOMEM;
		s->segments = grown;
		s->room = room;
	}
	s->segments[s->count++] = *segment;
	return 0;
}

/* "0000000007.seg" to 7; what a crash left half-made is removed. */
static int take_name(struct spool *s, const char *name)
{
	char path[SPOOL_PATH_MAX + 300];
	if (strspn(name, "0123456789") != NUMBER_DIGITS)
		return 0;
	unsigned long number = strtoul(name, NULL, 10);
	if (number > UINT32_MAX)
		return 0;
	if (strcmp(name + NUMBER_DIGITS, ".seg") == 0)
		return spool_add_segment(s, &(struct segment){.number = (uint32_t)number});
	if (strcmp(name + NUMBER_DIGITS, ".new") == 0) {
		snprintf(path, sizeof(path), "%s/%s", s->dir, name);
		return s->io.unlink(s->io.ctx, path);
	}
	return 0;
}

static int list(struct spool *s)
{
	DIR *dir = opendir(s->dir);
	int r = 0;
	if (dir == NULL)
		return -errno;
	for (const struct dirent *entry; r == 0 && (entry = readdir(dir)) != NULL;)
		r = take_name(s, entry->d_name);
	closedir(dir);
	if (s->count > 1)
		qsort(s->segments, s->count, sizeof(s->segments[0]), by_number);
	return r;
}

/* What one segment says, frame by frame. */
struct reading {
	struct spool *spool;
	struct segment *segment;
	uint64_t next_seq;
	bool first; /* the snapshot is still to come */
};

static int take_snapshot(struct reading *reading, const struct frame *frame)
{
	struct snapshot snapshot;
	struct spool *s = reading->spool;
	if (!format_read_snapshot(frame, &snapshot))
		return SPOOL_E_CORRUPT;
	reading->next_seq = reading->segment->first_seq = snapshot.next_seq;
	if (snapshot.acked > s->acked)
		s->acked = snapshot.acked;
	if (snapshot.dropped > s->stats.dropped)
		s->stats.dropped = snapshot.dropped;
	if (snapshot.state_len > 0)
		spool_keep_state(s, snapshot.state, snapshot.state_len);
	return 0;
}

/* `entries` has been walked to its end. */
static void take_state(struct spool *s, const struct entries *entries)
{
	size_t len;
	const unsigned char *state = format_state(entries, &len);
	if (state != NULL && len <= SPOOL_STATE_MAX)
		spool_keep_state(s, state, len);
}

static int take_append(struct reading *reading, const struct frame *frame)
{
	struct entries entries;
	struct entry entry;
	if (!format_read_append(frame, &entries))
		return SPOOL_E_CORRUPT;
	while (format_next_entry(&entries, &entry)) {
		if (entry.seq != reading->next_seq)
			return SPOOL_E_CORRUPT;
		reading->next_seq = entry.through + 1;
	}
	if (entries.bad)
		return SPOOL_E_CORRUPT;
	take_state(reading->spool, &entries);
	return 0;
}

static int take_frame(struct reading *reading, const struct frame *frame)
{
	uint64_t through;
	if (reading->first != (frame->type == FRAME_SNAPSHOT))
		return SPOOL_E_CORRUPT;
	reading->first = false;
	switch (frame->type) {
	case FRAME_SNAPSHOT:
		return take_snapshot(reading, frame);
	case FRAME_APPEND:
		return take_append(reading, frame);
	case FRAME_ACK:
		if (!format_read_ack(frame, &through))
			return SPOOL_E_CORRUPT;
		if (through > reading->spool->acked)
			reading->spool->acked = through;
		return 0;
	}
	return SPOOL_E_CORRUPT;
}

/*
 * Does a whole frame further on say that what is bad here was durable when it was written? Then no crash has torn it: it is
 * damage. (Frames after the last sync may have reached the disk in any order.)
 */
static bool was_durable(const unsigned char *data, size_t len, size_t bad)
{
	struct frame frame;
	struct entries entries;
	for (size_t at = bad + 1; at + FORMAT_FRAME_BYTES < len; at++) {
		if (format_read_frame(data + at, len - at, &frame) && format_read_append(&frame, &entries) &&
		    entries.synced > bad)
			return true;
	}
	return false;
}

/* Of a damaged segment: the states of whole frames behind the damage are newer than what is known. */
static void salvage_state(struct spool *s, const unsigned char *data, size_t len, size_t bad)
{
	struct frame frame;
	struct snapshot snapshot;
	struct entries entries;
	struct entry entry;
	for (size_t at = bad; at + FORMAT_FRAME_BYTES < len; at++) {
		if (!format_read_frame(data + at, len - at, &frame))
			continue;
		if (format_read_snapshot(&frame, &snapshot) && snapshot.state_len > 0) {
			spool_keep_state(s, snapshot.state, snapshot.state_len);
		} else if (format_read_append(&frame, &entries)) {
			while (format_next_entry(&entries, &entry)) {
			}
			if (!entries.bad)
				take_state(s, &entries);
		}
		at += frame.size - 1;
	}
}

/* Walks over a segment's bytes; *ret_good is how far they hold. */
static int walk(struct reading *reading, const unsigned char *data, size_t len, size_t *ret_good)
{
	struct gf_stream_id stream;
	struct frame frame;
	int r = 0;
	*ret_good = 0;
	if (format_other_version(data, len))
		return -ENOTSUP;
	if (!format_read_header(data, len, &stream))
		return SPOOL_E_CORRUPT;
	if (reading->segment == reading->spool->segments)
		reading->spool->stream = stream;
	else if (memcmp(&stream, &reading->spool->stream, sizeof(stream)) != 0)
		return SPOOL_E_CORRUPT;
	size_t at = FORMAT_HEADER_BYTES;
	for (; r == 0 && at < len && format_read_frame(data + at, len - at, &frame); at += r == 0 ? frame.size : 0)
		r = take_frame(reading, &frame);
	*ret_good = at;
	return r == 0 && reading->first ? SPOOL_E_CORRUPT : r;
}

static int scan_segment(struct spool *s, size_t index)
{
	struct segment *segment = &s->segments[index];
	struct reading reading = {.spool = s, .segment = segment, .first = true};
	unsigned char *data;
	size_t len, good;
	int r = spool_get_segment(s, segment, &data, &len);
	if (r != 0)
		return r == -EFBIG ? SPOOL_E_CORRUPT : r;
	r = walk(&reading, data, len, &good);
	if (r == 0 && good < len) {
		bool last = index + 1 == s->count;
		if (last && !was_durable(data, len, good))
			s->stats.torn_bytes = len - good;
		else
			r = SPOOL_E_CORRUPT;
	}
	if (r == SPOOL_E_CORRUPT)
		salvage_state(s, data, len, good);
	free(data);
	segment->end_seq = reading.next_seq;
	segment->bytes = good;
	return r;
}

/* A crash between merging a segment into the next one and removing it leaves both: the later one holds everything. */
static int remove_superseded(struct spool *s, size_t *index)
{
	while (*index > 0 && s->segments[*index].first_seq <= s->segments[*index - 1].first_seq &&
	       s->segments[*index].end_seq > s->segments[*index].first_seq) {
		int r = spool_remove_segment(s, *index - 1);
		if (r != 0)
			return r;
		(*index)--;
	}
	return 0;
}

/* Does segment `index` begin where the one before ends, or behind a hole that is acked? */
static bool follows(const struct spool *s, size_t index)
{
	uint64_t first = s->segments[index].first_seq, expected = s->segments[index - 1].end_seq;
	return first == expected || (first > expected && first <= s->acked + 1);
}

int spool_scan(struct spool *s)
{
	int r = list(s), damage = 0;
	for (size_t i = 0; r == 0 && i < s->count; i++) {
		/* Damage in one segment doesn't keep the next ones from telling the newest state. */
		int e = scan_segment(s, i);
		if (e == SPOOL_E_CORRUPT)
			damage = e;
		else
			r = e;
		s->stats.bytes += s->segments[i].bytes;
		if (r == 0 && damage == 0)
			r = remove_superseded(s, &i);
		if (r == 0 && damage == 0 && i > 0 && !follows(s, i))
			damage = SPOOL_E_CORRUPT;
	}
	if (r == 0 && damage == 0 && s->count > 0) {
		s->next_seq = s->segments[s->count - 1].end_seq;
		/* A segment is removed only when it is acked; the ack itself need not have reached the disk. */
		if (s->acked + 1 < s->segments[0].first_seq)
			s->acked = s->segments[0].first_seq - 1;
		if (s->acked >= s->next_seq)
			damage = SPOOL_E_CORRUPT;
	}
	return r != 0 ? r : damage;
}

int spool_set_aside(struct spool *s)
{
	char from[SPOOL_PATH_MAX + 32], to[SPOOL_PATH_MAX + 300];
	DIR *dir = opendir(s->dir);
	if (dir == NULL)
		return -errno;
	/* One set is kept, for whoever wants to look; more would fill the disk. */
	for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		const char *dot = strrchr(entry->d_name, '.');
		snprintf(to, sizeof(to), "%s/%s", s->dir, entry->d_name);
		if (dot != NULL && strcmp(dot, ".corrupt") == 0)
			(void)s->io.unlink(s->io.ctx, to);
	}
	closedir(dir);
	for (size_t i = 0; i + 1 < s->count; i++) {
		spool_path(s, s->segments[i].number, ".seg", from);
		spool_path(s, s->segments[i].number, ".corrupt", to);
		int r = s->io.rename(s->io.ctx, from, to);
		if (r != 0)
			return r;
	}
	s->segments[0] = s->segments[s->count - 1];
	s->count = 1;
	return s->io.dirsync(s->io.ctx, s->dir);
}
