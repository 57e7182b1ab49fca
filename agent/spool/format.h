/*
 * The bytes of a segment (FORMAT.md): building frames, and walking over them. No I/O.
 */
#ifndef AGENT_SPOOL_FORMAT_H
#define AGENT_SPOOL_FORMAT_H

#include "agent/spool/spool.h"

enum {
	FORMAT_HEADER_BYTES = 32,
	FORMAT_APPEND_BYTES = 8, /* before the records */
	FORMAT_FRAME_BYTES = 12, /* before the body */
	FORMAT_ENTRY_BYTES = 20, /* before a record */
	FORMAT_BODY_MAX = FORMAT_APPEND_BYTES + SPOOL_BATCH_MAX * (FORMAT_ENTRY_BYTES + GF_RECORD_MAX) + SPOOL_STATE_MAX,
};

/* The protocol's greatest seq. */
#define FORMAT_SEQ_MAX ((UINT64_C(1) << 53) - 1)

enum frame_type { FRAME_SNAPSHOT = 1, FRAME_APPEND = 2, FRAME_ACK = 3 };

/* A growing buffer; `failed` once memory was out, and then nothing is added any more. */
struct bytes {
	unsigned char *data;
	size_t len, room;
	bool failed;
};
void bytes_add(struct bytes *b, const void *data, size_t len);
void bytes_free(struct bytes *b);

struct snapshot {
	uint64_t next_seq, acked, dropped;
	const unsigned char *state;
	size_t state_len;
};

/* One record with what is needed to keep or drop it without decoding. */
struct entry {
	uint64_t seq, through;
	enum gf_record_kind kind;
	const unsigned char *data;
	size_t len;
};

struct frame {
	enum frame_type type;
	const unsigned char *body;
	size_t len;
	size_t size; /* with its head */
};

void format_header(struct bytes *b, const struct gf_stream_id *stream);
void format_snapshot(struct bytes *b, const struct snapshot *snapshot);
/* `state` NULL: the frame changes no state. `synced`: what of the segment was durable before this frame was written. */
void format_append(struct bytes *b, uint32_t synced, const struct entry *entries, size_t count, const void *state,
                   size_t state_len);
void format_ack(struct bytes *b, uint64_t through);

/* Each returns false for bytes that are not what they should be. */
bool format_read_header(const unsigned char *data, size_t len, struct gf_stream_id *ret_stream);
/* A whole header of the same kind of file, of a version that this code doesn't know. */
bool format_other_version(const unsigned char *data, size_t len);
bool format_read_frame(const unsigned char *data, size_t len, struct frame *ret_frame);
bool format_read_snapshot(const struct frame *frame, struct snapshot *ret_snapshot);
bool format_read_ack(const struct frame *frame, uint64_t *ret_through);

/* Walks over an append frame's records. */
struct entries {
	const unsigned char *at, *end;
	size_t left;
	uint32_t synced;
	bool has_state, bad;
};
bool format_read_append(const struct frame *frame, struct entries *ret_entries);
/* The next record; false at the end and when the frame is bad (entries->bad). */
bool format_next_entry(struct entries *entries, struct entry *ret_entry);
/* After the last entry: the state, NULL when the frame has none. */
const unsigned char *format_state(const struct entries *entries, size_t *ret_len);

#endif
