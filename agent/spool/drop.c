/*
 * A full spool: which records go, and what stays in their place.
 *
 * Whole sealed segments are written anew, oldest first, one level after the other (enum drop_level): what the gateway has
 * anyway, then heartbeats, and only when no sealed segment holds a heartbeat any more, everything. A run of dropped records
 * becomes one Lost record over their seqs, so the stream keeps no hole. Records on their way (pinned) are left alone.
 */
#include <stdlib.h>
#include <string.h>

#include "agent/spool/internal.h"
#include "proto/codec.h"

struct rewrite {
	struct spool *spool;
	enum drop_level level;
	struct bytes out;   /* frames of what stays */
	uint64_t first_seq; /* of what stays; 0 = nothing yet */
	uint64_t dropped;
	bool has_lost;
	struct gf_record lost; /* the run being gathered */
	/* The frame being filled: as many records as one takes, or the copy would be larger than what it replaces. */
	size_t batched;
	struct entry batch[SPOOL_BATCH_MAX];
	struct bytes held; /* their bytes, one behind the other */
};

static void flush_batch(struct rewrite *rw)
{
	const unsigned char *at = rw->held.data;
	if (rw->held.failed)
		rw->out.failed = true;
	if (rw->batched == 0 || rw->out.failed)
		return;
	for (size_t i = 0; i < rw->batched; at += rw->batch[i++].len)
		rw->batch[i].data = at;
	format_append(&rw->out, 0, rw->batch, rw->batched, NULL, 0);
	rw->batched = rw->held.len = 0;
}

static void put_entry(struct rewrite *rw, const struct entry *entry)
{
	if (rw->first_seq == 0)
		rw->first_seq = entry->seq;
	if (rw->batched == SPOOL_BATCH_MAX)
		flush_batch(rw);
	if (rw->out.failed)
		return;
	bytes_add(&rw->held, entry->data, entry->len);
	rw->batch[rw->batched++] = *entry;
}

static int flush_lost(struct rewrite *rw)
{
	unsigned char buf[GF_RECORD_MAX];
	size_t len;
	if (!rw->has_lost)
		return 0;
	int r = gf_record_encode(&rw->lost, buf, sizeof(buf), &len);
	if (r != 0)
		return r;
	put_entry(rw, &(struct entry){
	                  .seq = rw->lost.seq,
	                  .through = rw->lost.lost.through_seq,
	                  .kind = GF_RECORD_LOST,
	                  .data = buf,
	                  .len = len,
	              });
	rw->has_lost = false;
	return 0;
}

static void widen(struct gf_lost *lost, uint64_t first_wall_ms, uint64_t last_wall_ms)
{
	if (first_wall_ms != 0 && (lost->first_wall_ms == 0 || first_wall_ms < lost->first_wall_ms))
		lost->first_wall_ms = first_wall_ms;
	if (last_wall_ms > lost->last_wall_ms)
		lost->last_wall_ms = last_wall_ms;
}

/* Adds one record to the run. What doesn't decode was written by a newer build or is damaged: counted as of unknown kind. */
static void lose(struct rewrite *rw, const struct entry *entry)
{
	struct gf_record old = {0};
	if (gf_record_decode(entry->data, entry->len, &old, NULL) != 0)
		old = (struct gf_record){0};
	if (!rw->has_lost) {
		rw->lost = (struct gf_record){
		    .seq = entry->seq,
		    .boot = old.boot,
		    .uptime_ms = old.uptime_ms,
		    .wall_ms = old.wall_ms,
		    .clock_synced = old.clock_synced,
		    .kind = GF_RECORD_LOST,
		};
		rw->has_lost = true;
	}
	struct gf_lost *lost = &rw->lost.lost;
	lost->through_seq = entry->through;
	if (old.kind == GF_RECORD_LOST) {
		for (size_t kind = 0; kind < GF_RECORD_COUNT; kind++)
			lost->counts[kind] += old.lost.counts[kind];
		widen(lost, old.lost.first_wall_ms, old.lost.last_wall_ms);
		return;
	}
	lost->counts[old.kind]++;
	widen(lost, old.wall_ms, old.wall_ms);
	rw->dropped++;
}

static bool goes(const struct rewrite *rw, const struct entry *entry)
{
	if (entry->seq <= rw->spool->pinned)
		return false;
	return rw->level == DROP_ALL ||
	       (rw->level == DROP_HEARTBEATS && (entry->kind == GF_RECORD_HEARTBEAT || entry->kind == GF_RECORD_LOST));
}

static int sift(struct rewrite *rw, const unsigned char *data, size_t len)
{
	struct frame frame;
	struct entries entries;
	struct entry entry;
	for (size_t at = FORMAT_HEADER_BYTES; format_read_frame(data + at, len - at, &frame); at += frame.size) {
		if (!format_read_append(&frame, &entries))
			continue;
		while (format_next_entry(&entries, &entry)) {
			if (entry.through <= rw->spool->acked)
				continue;
			if (goes(rw, &entry)) {
				lose(rw, &entry);
				continue;
			}
			int r = flush_lost(rw);
			if (r != 0)
				return r;
			put_entry(rw, &entry);
		}
	}
	return 0;
}

static int sift_segment(struct rewrite *rw, const struct segment *segment)
{
	unsigned char *data;
	size_t len;
	int r = spool_get_segment(rw->spool, segment, &data, &len);
	if (r != 0)
		return r;
	r = sift(rw, data, len);
	free(data);
	return r;
}

static int replace(struct rewrite *rw, struct segment *segment)
{
	struct spool *s = rw->spool;
	struct bytes content = {0};
	const struct snapshot snapshot = {
	    .next_seq = rw->first_seq != 0 ? rw->first_seq : segment->end_seq,
	    .acked = s->acked,
	    .dropped = s->stats.dropped + rw->dropped,
	};
	format_header(&content, &s->stream);
	format_snapshot(&content, &snapshot);
	bytes_add(&content, rw->out.data, rw->out.len);
	content.failed = content.failed || rw->out.failed;
	int r = spool_put_segment(s, segment->number, &content, NULL);
	if (r == 0) {
		if (s->cursor.valid && s->cursor.number == segment->number)
			spool_forget_cursor(s);
		s->stats.bytes += content.len - segment->bytes;
		s->stats.dropped += rw->dropped;
		segment->bytes = content.len;
		segment->first_seq = snapshot.next_seq;
		segment->level = rw->level;
	}
	bytes_free(&content);
	return r;
}

/* Writes segment `*index` anew. When it and the one before hold nothing but Lost records, they become one. */
static int rewrite_segment(struct spool *s, size_t *index, enum drop_level level)
{
	struct rewrite rw = {.spool = s, .level = level};
	bool merge = level == DROP_ALL && *index > 0 && s->segments[*index - 1].level == DROP_ALL;
	int r = 0;
	if (merge)
		r = sift_segment(&rw, &s->segments[*index - 1]);
	if (r == 0)
		r = sift_segment(&rw, &s->segments[*index]);
	if (r == 0)
		r = flush_lost(&rw);
	flush_batch(&rw);
	if (r == 0)
		r = replace(&rw, &s->segments[*index]);
	bytes_free(&rw.out);
	bytes_free(&rw.held);
	if (r == 0 && merge) {
		r = spool_remove_segment(s, *index - 1);
		(*index)--;
	}
	return r;
}

int spool_shrink(struct spool *s)
{
	for (enum drop_level level = DROP_ACKED; level <= DROP_ALL; level++) {
		for (size_t i = 0; i + 1 < s->count; i++) {
			if (s->stats.bytes <= s->bytes_max)
				return 0;
			int r = s->segments[i].level < level ? rewrite_segment(s, &i, level) : 0;
			if (r != 0)
				return r;
		}
	}
	return 0;
}
