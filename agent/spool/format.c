#include "agent/spool/format.h"

#include <stdlib.h>
#include <string.h>

#include "proto/base/crc32c.h"

static const char magic[8] = "GFSPOOL1";

void bytes_add(struct bytes *b, const void *data, size_t len)
{
	if (b->failed)
		return;
	if (b->room - b->len < len) {
		size_t room = (b->len + len) * 2;
		unsigned char *grown = realloc(b->data, room);
		if (grown == NULL) {
			b->failed = true;
			return;
		}
		b->data = grown;
		b->room = room;
	}
	if (len > 0)
		memcpy(b->data + b->len, data, len);
	b->len += len;
}

void bytes_free(struct bytes *b)
{
	free(b->data);
	*b = (struct bytes){0};
}

static void put(struct bytes *b, uint64_t value, size_t width)
{
	unsigned char le[8];
	for (size_t i = 0; i < width; i++)
		le[i] = (unsigned char)(value >> (8 * i));
	bytes_add(b, le, width);
}

static uint64_t get(const unsigned char *at, size_t width)
{
	uint64_t value = 0;
	for (size_t i = 0; i < width; i++)
		value |= (uint64_t)at[i] << (8 * i);
	return value;
}

static void patch(struct bytes *b, size_t at, uint32_t value)
{
	for (size_t i = 0; i < 4 && !b->failed; i++)
		b->data[at + i] = (unsigned char)(value >> (8 * i));
}

void format_header(struct bytes *b, const struct gf_stream_id *stream)
{
	size_t start = b->len;
	bytes_add(b, magic, sizeof(magic));
	bytes_add(b, stream->bytes, sizeof(stream->bytes));
	put(b, b->failed ? 0 : gf_crc32c(0, b->data + start, 24), 4);
	put(b, 0, 4);
}

bool format_read_header(const unsigned char *data, size_t len, struct gf_stream_id *ret_stream)
{
	if (len < FORMAT_HEADER_BYTES || memcmp(data, magic, sizeof(magic)) != 0 ||
	    get(data + 24, 4) != gf_crc32c(0, data, 24))
		return false;
	memcpy(ret_stream->bytes, data + 8, sizeof(ret_stream->bytes));
	return true;
}

bool format_other_version(const unsigned char *data, size_t len)
{
	return len >= FORMAT_HEADER_BYTES && memcmp(data, magic, sizeof(magic) - 1) == 0 &&
	       data[7] != (unsigned char)magic[7] && get(data + 24, 4) == gf_crc32c(0, data, 24);
}

/* Length and checksum are filled in by end_frame, when the body is there. */
static size_t begin_frame(struct bytes *b, enum frame_type type)
{
	size_t start = b->len;
	put(b, 0, 8);
	put(b, type, 4);
	return start;
}

static void end_frame(struct bytes *b, size_t start)
{
	if (b->failed)
		return;
	patch(b, start, (uint32_t)(b->len - start - FORMAT_FRAME_BYTES));
	patch(b, start + 4, gf_crc32c(0, b->data + start + 8, b->len - start - 8));
}

bool format_read_frame(const unsigned char *data, size_t len, struct frame *ret_frame)
{
	if (len < FORMAT_FRAME_BYTES)
		return false;
	uint64_t body = get(data, 4), type = get(data + 8, 4);
	if (body > FORMAT_BODY_MAX || body > len - FORMAT_FRAME_BYTES || type < FRAME_SNAPSHOT || type > FRAME_ACK)
		return false;
	if (get(data + 4, 4) != gf_crc32c(0, data + 8, (size_t)body + 4))
		return false;
	*ret_frame = (struct frame){
	    .type = (enum frame_type)type,
	    .body = data + FORMAT_FRAME_BYTES,
	    .len = (size_t)body,
	    .size = (size_t)body + FORMAT_FRAME_BYTES,
	};
	return true;
}

void format_snapshot(struct bytes *b, const struct snapshot *snapshot)
{
	size_t start = begin_frame(b, FRAME_SNAPSHOT);
	put(b, snapshot->next_seq, 8);
	put(b, snapshot->acked, 8);
	put(b, snapshot->dropped, 8);
	bytes_add(b, snapshot->state, snapshot->state_len);
	end_frame(b, start);
}

bool format_read_snapshot(const struct frame *frame, struct snapshot *ret_snapshot)
{
	if (frame->type != FRAME_SNAPSHOT || frame->len < 24 || frame->len - 24 > SPOOL_STATE_MAX)
		return false;
	*ret_snapshot = (struct snapshot){
	    .next_seq = get(frame->body, 8),
	    .acked = get(frame->body + 8, 8),
	    .dropped = get(frame->body + 16, 8),
	    .state = frame->body + 24,
	    .state_len = frame->len - 24,
	};
	return ret_snapshot->next_seq > 0 && ret_snapshot->next_seq <= FORMAT_SEQ_MAX &&
	       ret_snapshot->acked < FORMAT_SEQ_MAX;
}

void format_append(struct bytes *b, uint32_t synced, const struct entry *entries, size_t count, const void *state,
                   size_t state_len)
{
	size_t start = begin_frame(b, FRAME_APPEND);
	put(b, count, 2);
	put(b, state != NULL ? 1 : 0, 2);
	put(b, synced, 4);
	for (size_t i = 0; i < count; i++) {
		put(b, entries[i].seq, 8);
		put(b, entries[i].through, 8);
		put(b, entries[i].len, 2);
		put(b, entries[i].kind, 2);
		bytes_add(b, entries[i].data, entries[i].len);
	}
	if (state != NULL)
		bytes_add(b, state, state_len);
	end_frame(b, start);
}

bool format_read_append(const struct frame *frame, struct entries *ret_entries)
{
	if (frame->type != FRAME_APPEND || frame->len < FORMAT_APPEND_BYTES)
		return false;
	*ret_entries = (struct entries){
	    .at = frame->body + FORMAT_APPEND_BYTES,
	    .end = frame->body + frame->len,
	    .left = (size_t)get(frame->body, 2),
	    .has_state = get(frame->body + 2, 2) != 0,
	    .synced = (uint32_t)get(frame->body + 4, 4),
	};
	return true;
}

bool format_next_entry(struct entries *entries, struct entry *ret_entry)
{
	if (entries->left == 0 || entries->bad)
		return false;
	size_t room = (size_t)(entries->end - entries->at);
	if (room < FORMAT_ENTRY_BYTES || room - FORMAT_ENTRY_BYTES < get(entries->at + 16, 2)) {
		entries->bad = true;
		return false;
	}
	const unsigned char *at = entries->at;
	*ret_entry = (struct entry){
	    .seq = get(at, 8),
	    .through = get(at + 8, 8),
	    .len = (size_t)get(at + 16, 2),
	    .kind = (enum gf_record_kind)get(at + 18, 2),
	    .data = at + FORMAT_ENTRY_BYTES,
	};
	if (ret_entry->seq == 0 || ret_entry->through < ret_entry->seq || ret_entry->through >= FORMAT_SEQ_MAX) {
		entries->bad = true;
		return false;
	}
	entries->at += FORMAT_ENTRY_BYTES + ret_entry->len;
	entries->left--;
	return true;
}

const unsigned char *format_state(const struct entries *entries, size_t *ret_len)
{
	*ret_len = entries->has_state ? (size_t)(entries->end - entries->at) : 0;
	return entries->has_state ? entries->at : NULL;
}

void format_ack(struct bytes *b, uint64_t through)
{
	size_t start = begin_frame(b, FRAME_ACK);
	put(b, through, 8);
	end_frame(b, start);
}

bool format_read_ack(const struct frame *frame, uint64_t *ret_through)
{
	if (frame->type != FRAME_ACK || frame->len != 8)
		return false;
	*ret_through = get(frame->body, 8);
	return *ret_through < FORMAT_SEQ_MAX;
}
