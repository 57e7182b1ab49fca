/* What the spool's files share: its data in memory, and how a segment gets onto the disk. */
#ifndef AGENT_SPOOL_INTERNAL_H
#define AGENT_SPOOL_INTERNAL_H

#include "agent/spool/format.h"

enum { SPOOL_SEGMENTS_MAX = 65536, SPOOL_PATH_MAX = 512 };

/* What has been taken out of a sealed segment; each level takes out more. */
enum drop_level {
	DROP_NOTHING,
	DROP_ACKED,      /* acked records, old states: nothing is lost */
	DROP_HEARTBEATS, /* and heartbeats */
	DROP_ALL,        /* everything: one Lost record stays */
};

struct segment {
	uint32_t number;
	enum drop_level level;
	uint64_t first_seq, end_seq; /* holds first_seq .. end_seq - 1 */
	uint64_t bytes;
};

/* Where the last read ended, so that the next seq is found at once. */
struct cursor {
	unsigned char *data; /* the whole segment */
	size_t len, frame_at;
	uint32_t number;
	bool valid;
	struct entries entries;
	struct entry entry; /* the last one read */
};

struct spool {
	char dir[SPOOL_PATH_MAX];
	uint64_t bytes_max;
	struct spool_io io;
	void (*random)(void *ctx, void *out, size_t len);
	void *random_ctx;
	bool sync, failed, reserved;
	int lock_fd, fd; /* of the last segment */
	uint64_t synced; /* bytes of the last segment that are known to be durable */
	struct gf_stream_id stream;
	uint64_t next_seq, acked, pinned;
	struct spool_stats stats;
	unsigned char state[SPOOL_STATE_MAX];
	size_t state_len;
	struct segment *segments; /* oldest first; the last one is written to */
	size_t count, room;
	struct cursor cursor;
};

extern const struct spool_io spool_io_system;

void spool_path(const struct spool *s, uint32_t number, const char *suffix, char path[static SPOOL_PATH_MAX + 32]);

/* Passes success, a full disk and short memory on; anything else means that what is on the disk is unknown: SPOOL_E_FAILED. */
GF_MUST_CHECK int spool_distrust(struct spool *s, int error);

/* Writes all of it, or a negative errno. */
GF_MUST_CHECK int spool_write(struct spool *s, int fd, const void *data, size_t len, uint64_t at);

/* Puts a whole segment in place: .new, sync, rename, sync of the folder. *ret_fd (may be NULL) stays open for writing. */
GF_MUST_CHECK int spool_put_segment(struct spool *s, uint32_t number, const struct bytes *content, int *ret_fd);

/* Reads a segment; the caller frees it. */
GF_MUST_CHECK int spool_get_segment(const struct spool *s, const struct segment *segment, unsigned char **ret_data,
                                    size_t *ret_len);

/* Adds one behind the last. 0, -EFBIG, -ENOMEM. */
GF_MUST_CHECK int spool_add_segment(struct spool *s, const struct segment *segment);

/* Removes a segment that is not the last, file and entry. */
GF_MUST_CHECK int spool_remove_segment(struct spool *s, size_t index);

/* The next read begins with its segment: when that has changed, or is read no more. Frees the copy. */
void spool_forget_cursor(struct spool *s);

/* Finds out what is on the disk. 0, SPOOL_E_CORRUPT (the newest state that could be found is set), or a negative errno. */
GF_MUST_CHECK int spool_scan(struct spool *s);

/*
 * A new stream begins behind the segments there are, with the newest state; then they are set aside. The caller distrusts what fails.
 */
GF_MUST_CHECK int spool_begin_anew(struct spool *s);

/* Space that is given back when the disk is full, so that sessions and faults can still be written. Finds out whether it is full. */
void spool_make_reserve(struct spool *s);

/* Sets all segments but the last aside as *.corrupt, in place of an older such set. */
GF_MUST_CHECK int spool_set_aside(struct spool *s);

/* Takes records out until the spool is within its limit again. */
GF_MUST_CHECK int spool_shrink(struct spool *s);

/* Remembers the newest state, of at most SPOOL_STATE_MAX bytes. Cannot fail: it is called when the state is on the disk already. */
void spool_keep_state(struct spool *s, const void *state, size_t len);

#endif
