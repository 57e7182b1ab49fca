/*
 * The spool: the machine's durable stream of records, the truth until the gateway's application ack. One append-only log in
 * segments; FORMAT.md gives every byte and every crash outcome.
 *
 * Besides records it carries one opaque state (odometers, boot count, checkpoint of the running session): spool_append writes
 * records and the new state in one frame with one checksum, so after any crash either both are there or neither.
 *
 * Full (`bytes_max` on disk, with the reserve; while a segment is rewritten its copy comes on top) it drops the oldest
 * heartbeats first, and only when none is left the oldest of the rest; each run of dropped records becomes a Lost record that
 * keeps their seqs. When the disk itself is full: a reserve made at start is released so that sessions and faults are still
 * written; heartbeats are refused (-ENOSPC) and the caller counts them.
 *
 * The recorder appends, the uplink reads and acks; the station owns it. Single-threaded. All I/O goes through a struct
 * spool_io, so that a test can cut it at any byte.
 */
#ifndef AGENT_SPOOL_H
#define AGENT_SPOOL_H

#include <sys/types.h>

#include "proto/model.h"

enum {
	SPOOL_STATE_MAX = 8 * 1024,
	SPOOL_SEGMENT_BYTES = 256 * 1024,
	SPOOL_RESERVE_BYTES = 128 * 1024,
	SPOOL_BYTES_MIN = 1024 * 1024, /* the smallest bytes_max */
	SPOOL_BATCH_MAX = 16,
};

/* Positive errors. */
enum {
	SPOOL_E_CORRUPT =
	    1, /* damaged in a place that no crash explains; the files are set aside as *.corrupt, a new stream begins */
	SPOOL_E_FAILED, /* a write or fsync failed: this file is not trusted any more; reopen the spool */
};

/* Like the system calls of the same names, returning >= 0 or a negative errno. NULL for the system's. */
struct spool_io {
	int (*open)(void *ctx, const char *path, int flags, mode_t mode);
	ssize_t (*pwrite)(void *ctx, int fd, const void *data, size_t len, off_t at);
	int (*truncate)(void *ctx, int fd, off_t len);
	int (*fdatasync)(void *ctx, int fd);
	int (*rename)(void *ctx, const char *from, const char *to);
	int (*unlink)(void *ctx, const char *path);
	int (*dirsync)(void *ctx, const char *dir);
	int (*allocate)(void *ctx, int fd, off_t len);
	int (*close)(void *ctx, int fd);
	void *ctx;
};

struct spool_config {
	const char *dir;
	uint64_t bytes_max;
	const struct spool_io *io;
	void (*random)(void *ctx, void *out, size_t len); /* for the stream id; NULL: the kernel's */
	void *random_ctx;
	bool sync; /* fdatasync every append; false only for the simulator's history, which then calls spool_sync */
};

struct spool_stats {
	uint64_t bytes;      /* on disk */
	uint64_t records;    /* not yet acked */
	uint64_t dropped;    /* since the stream began */
	uint64_t torn_bytes; /* cut off a torn tail at opening */
	bool recreated;      /* a corrupt one was set aside at opening */
	bool disk_full;      /* the reserve is in use */
};

struct spool;

/* Opens or makes it (the folder too), cuts a torn tail, finds the newest state. 0 or a negative errno (-EBUSY: another process has it; -ENOTSUP: another version wrote it), diag set. */
GF_MUST_CHECK int spool_open(const struct spool_config *config, struct spool **ret_spool, struct gf_diag *diag);
void spool_close(struct spool *spool);

struct gf_stream_id spool_stream(const struct spool *spool);
uint64_t spool_next_seq(const struct spool *spool); /* what the next record will get */
uint64_t spool_acked(const struct spool *spool);
struct spool_stats spool_stats(const struct spool *spool);

/* The newest state; *ret_len 0 when none was ever written. Valid until the next append. */
const void *spool_state(const struct spool *spool, size_t *ret_len);

/*
 * Appends `count` (0..SPOOL_BATCH_MAX) records and, when `state` isn't NULL, a new state: all or nothing. Sets each record's seq.
 * On disk (fdatasync) when it returns 0. -ENOSPC: the disk is full (nothing written); SPOOL_E_FAILED; -EINVAL too large.
 */
GF_MUST_CHECK int spool_append(struct spool *spool, struct gf_record *records, size_t count, const void *state,
                               size_t state_len);
GF_MUST_CHECK int spool_sync(struct spool *spool);

/* The gateway has everything through `seq`: forgets it and removes files no longer needed. Ignores an older or a future seq. */
GF_MUST_CHECK int spool_ack(struct spool *spool, uint64_t through_seq);

/*
 * Reads the encoded record at `seq` (or the Lost record that covers it). Returns 0 with *ret_data valid until the next call on the
 * spool, *ret_through the last seq it stands for; -ENOENT when seq is acked or not yet written; SPOOL_E_FAILED.
 */
GF_MUST_CHECK int spool_read(struct spool *spool, uint64_t seq, const void **ret_data, size_t *ret_len,
                             uint64_t *ret_through);

/*
 * For a spool that went back: an old image of the disk, or a card that forgot what it had promised. The gateway knows later seqs
 * of the stream than there are, and would take the next records for ones it has. What isn't acked goes, in memory, into a new
 * stream, and the old files are set aside as *.corrupt. 0, also when a full disk took all but heartbeats, which are counted as dropped;
 * -ENOSPC, -ENOMEM: what found no room is in the files set aside, if a new stream has begun; SPOOL_E_FAILED.
 */
GF_MUST_CHECK int spool_restart(struct spool *spool);

/* Records through here may be on their way to the gateway: dropping leaves them alone. */
void spool_pin(struct spool *spool, uint64_t through_seq);

#endif
