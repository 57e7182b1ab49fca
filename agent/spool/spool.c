/*
 * The happy path: spool_append puts records and state into one frame, writes it behind the last one, syncs. spool_read
 * (read.c) walks the frames for the uplink. spool_ack moves the ack forward and removes segments that nobody needs.
 *
 * Failure modes:
 * - crash: what was synced is there, a torn tail is cut off at the next opening (scan.c);
 * - disk full: heartbeats are refused; sessions and faults get the reserve; what was half written is cut off;
 * - over its own limit: drop.c;
 * - write or sync error: the file isn't trusted any more. Every further call returns SPOOL_E_FAILED until it is opened anew.
 */
#include "agent/spool/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/spool/internal.h"
#include "proto/base/file.h"
#include "proto/base/rand.h"
#include "proto/codec.h"

static struct segment *last_segment(struct spool *s)
{
	return &s->segments[s->count - 1];
}

static bool disk_full(int error)
{
	return error == -ENOSPC || error == -EDQUOT;
}

int spool_distrust(struct spool *s, int error)
{
	if (error >= 0 || disk_full(error) || error == -ENOMEM)
		return error;
	s->failed = true;
	return SPOOL_E_FAILED;
}

/* ---- the reserve ---- */

static void reserve_path(const struct spool *s, char path[static SPOOL_PATH_MAX + 32])
{
	snprintf(path, SPOOL_PATH_MAX + 32, "%s/reserve", s->dir);
}

void spool_make_reserve(struct spool *s)
{
	char path[SPOOL_PATH_MAX + 32];
	reserve_path(s, path);
	int fd = s->io.open(s->io.ctx, path, O_RDWR | O_CREAT, 0600);
	if (fd < 0)
		return;
	int r = s->io.allocate(s->io.ctx, fd, SPOOL_RESERVE_BYTES);
	(void)s->io.close(s->io.ctx, fd);
	s->reserved = r == 0;
	s->stats.disk_full = disk_full(r);
	if (!s->reserved)
		(void)s->io.unlink(s->io.ctx, path);
}

static bool release_reserve(struct spool *s)
{
	char path[SPOOL_PATH_MAX + 32];
	if (!s->reserved)
		return false;
	reserve_path(s, path);
	s->reserved = false;
	s->stats.disk_full = true;
	return s->io.unlink(s->io.ctx, path) == 0;
}

/* ---- writing ---- */

static int begin_segment(struct spool *s, uint32_t number)
{
	struct bytes content = {0};
	const struct snapshot snapshot = {
	    .next_seq = s->next_seq,
	    .acked = s->acked,
	    .dropped = s->stats.dropped,
	    .state = s->state,
	    .state_len = s->state_len,
	};
	int fd = -1;
	format_header(&content, &s->stream);
	format_snapshot(&content, &snapshot);
	int r = spool_put_segment(s, number, &content, &fd);
	if (r == 0) {
		const struct segment segment = {
		    .number = number,
		    .first_seq = s->next_seq,
		    .end_seq = s->next_seq,
		    .bytes = content.len,
		};
		r = spool_add_segment(s, &segment);
		if (r != 0)
			(void)s->io.close(s->io.ctx, fd);
	}
	if (r == 0) {
		if (s->fd >= 0)
			(void)s->io.close(s->io.ctx, s->fd);
		s->fd = fd;
		s->synced = content.len;
		s->stats.bytes += content.len;
	}
	bytes_free(&content);
	return r;
}

/* Sealed segments without anything the gateway still needs. */
static int release_segments(struct spool *s)
{
	for (size_t i = 0; i + 1 < s->count;) {
		bool needed = s->segments[i].end_seq > s->acked + 1 && s->segments[i].end_seq > s->segments[i].first_seq;
		int r = needed ? 0 : spool_remove_segment(s, i);
		if (r != 0)
			return r;
		i += needed ? 1 : 0;
	}
	return 0;
}

/* A sync that fails, for whatever reason, is never tried again: the kernel may have thrown the data away. */
static int sync_last(struct spool *s)
{
	if (s->io.fdatasync(s->io.ctx, s->fd) != 0)
		return -EIO;
	s->synced = last_segment(s)->bytes;
	return 0;
}

static int rotate(struct spool *s)
{
	/* A sealed segment is durable to its last byte: its acks were not synced yet. */
	int r = sync_last(s);
	if (r == 0)
		r = begin_segment(s, last_segment(s)->number + 1);
	if (r == 0)
		r = release_segments(s);
	if (r == 0 && s->stats.bytes > s->bytes_max)
		r = spool_shrink(s);
	return r;
}

static int put_frame(struct spool *s, const struct bytes *frame, bool sync)
{
	if (frame->failed)
		return -ENOMEM;
	if (last_segment(s)->bytes + frame->len > SPOOL_SEGMENT_BYTES) {
		int r = rotate(s);
		if (r != 0)
			return r;
	}
	int r = spool_write(s, s->fd, frame->data, frame->len, last_segment(s)->bytes);
	if (r != 0) {
		int cut = s->io.truncate(s->io.ctx, s->fd, (off_t)last_segment(s)->bytes);
		return cut != 0 ? -EIO : r;
	}
	last_segment(s)->bytes += frame->len;
	s->stats.bytes += frame->len;
	return sync ? sync_last(s) : 0;
}

/* Encodes the records one behind the other; the entries point into *encoded. */
static int encode(struct spool *s, struct gf_record *records, size_t count, struct bytes *encoded,
                  struct entry *entries)
{
	unsigned char buf[GF_RECORD_MAX];
	uint64_t seq = s->next_seq;
	for (size_t i = 0; i < count; i++) {
		records[i].seq = seq;
		entries[i] = (struct entry){.seq = seq, .through = gf_record_through(&records[i]), .kind = records[i].kind};
		int r = gf_record_encode(&records[i], buf, sizeof(buf), &entries[i].len);
		if (r != 0 || entries[i].through < seq)
			return -EINVAL;
		bytes_add(encoded, buf, entries[i].len);
		seq = entries[i].through + 1;
	}
	if (encoded->failed)
		return -ENOMEM;
	const unsigned char *at = encoded->data;
	for (size_t i = 0; i < count; i++, at += entries[i - 1].len)
		entries[i].data = at;
	return 0;
}

static bool only_heartbeats(const struct entry *entries, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (entries[i].kind != GF_RECORD_HEARTBEAT)
			return false;
	}
	return count > 0;
}

static int write_records(struct spool *s, const struct entry *entries, size_t count, const void *state,
                         size_t state_len)
{
	struct bytes frame = {0};
	bool spare = only_heartbeats(entries, count) && state == NULL;
	if (spare && s->stats.disk_full)
		spool_make_reserve(s); /* before anything less important may be written again */
	if (spare && s->stats.disk_full)
		return -ENOSPC;
	format_append(&frame, (uint32_t)s->synced, entries, count, state, state_len);
	int r = put_frame(s, &frame, s->sync);
	if (disk_full(r) && !spare && release_reserve(s))
		r = put_frame(s, &frame, s->sync);
	bytes_free(&frame);
	return disk_full(r) ? -ENOSPC : spool_distrust(s, r);
}

int spool_append(struct spool *spool, struct gf_record *records, size_t count, const void *state, size_t state_len)
{
	struct entry entries[SPOOL_BATCH_MAX] = {0};
	struct bytes encoded = {0};
	if (spool->failed)
		return SPOOL_E_FAILED;
	if (count > SPOOL_BATCH_MAX || state_len > SPOOL_STATE_MAX)
		return -EINVAL;
	if (count == 0 && state == NULL)
		return 0;
	int r = encode(spool, records, count, &encoded, entries);
	if (r == 0)
		r = write_records(spool, entries, count, state, state_len);
	if (r == 0 && count > 0) {
		spool->next_seq = entries[count - 1].through + 1;
		last_segment(spool)->end_seq = spool->next_seq;
	}
	bytes_free(&encoded);
	if (r == 0 && state != NULL)
		spool_keep_state(spool, state, state_len);
	return r;
}

int spool_sync(struct spool *spool)
{
	return spool->failed ? SPOOL_E_FAILED : spool_distrust(spool, sync_last(spool));
}

int spool_ack(struct spool *spool, uint64_t through_seq)
{
	struct bytes frame = {0};
	if (spool->failed)
		return SPOOL_E_FAILED;
	if (through_seq <= spool->acked || through_seq >= spool->next_seq)
		return 0;
	spool->acked = through_seq;
	/* Not synced: an ack that is lost only means that the records are sent, and acked, once more. */
	format_ack(&frame, through_seq);
	int r = put_frame(spool, &frame, false);
	bytes_free(&frame);
	if (r == 0 || disk_full(r))
		r = release_segments(spool);
	if (!spool->reserved)
		spool_make_reserve(spool);
	return spool_distrust(spool, r);
}

void spool_pin(struct spool *spool, uint64_t through_seq)
{
	spool->pinned = through_seq;
}

/* ---- opening ---- */

static void new_stream(struct spool *s)
{
	if (s->random != NULL)
		s->random(s->random_ctx, s->stream.bytes, sizeof(s->stream.bytes));
	else
		gf_rand_bytes(s->stream.bytes, sizeof(s->stream.bytes));
	s->next_seq = 1;
	s->acked = 0;
}

/* A disk without room for a copy: the file itself, synced once more. */
static int reuse_last(struct spool *s)
{
	char path[SPOOL_PATH_MAX + 32];
	spool_path(s, last_segment(s)->number, ".seg", path);
	s->fd = s->io.open(s->io.ctx, path, O_RDWR, 0600);
	if (s->fd < 0)
		return s->fd;
	int r = 0;
	if (s->stats.torn_bytes > 0)
		r = s->io.truncate(s->io.ctx, s->fd, (off_t)last_segment(s)->bytes);
	return r == 0 && s->sync ? sync_last(s) : r;
}

/*
 * Goes on where the last segment holds; a torn tail is left out. What was read need not be on the disk: a sync that failed, here
 * or in the life before, leaves data in memory that no later sync of this file writes. So a copy takes the file's place.
 */
static int open_last(struct spool *s)
{
	struct segment *last = last_segment(s);
	struct bytes content = {0};
	if (!s->sync)
		return reuse_last(s);
	int r = spool_get_segment(s, last, &content.data, &content.len);
	if (r != 0)
		return r;
	if (content.len > last->bytes)
		content.len = (size_t)last->bytes;
	r = spool_put_segment(s, last->number, &content, &s->fd);
	bytes_free(&content);
	if (disk_full(r))
		return reuse_last(s);
	s->synced = last->bytes;
	return r;
}

/* After a crash in between the files of two streams lie side by side, and this is done once more. */
int spool_begin_anew(struct spool *s)
{
	uint32_t number = last_segment(s)->number + 1;
	s->stats = (struct spool_stats){.recreated = true};
	new_stream(s);
	int r = begin_segment(s, number);
	s->reserved = true; /* that of the life before, if it is there; spool_open finds out */
	if (disk_full(r) && release_reserve(s))
		r = begin_segment(s, number);
	return r == 0 ? spool_set_aside(s) : r;
}

static int open_files(struct spool *s)
{
	int r = spool_scan(s);
	if (r == SPOOL_E_CORRUPT)
		return spool_begin_anew(s);
	if (r != 0)
		return r;
	if (s->count > 0)
		return open_last(s);
	new_stream(s);
	return begin_segment(s, 1);
}

static int open_spool(struct spool *s, const struct spool_config *config, struct gf_diag *diag)
{
	char lock[SPOOL_PATH_MAX + 32];
	if (!gf_strcpy(s->dir, sizeof(s->dir), config->dir)) {
		gf_diag_set(diag, "%s: the spool's path is longer than %d bytes", config->dir, SPOOL_PATH_MAX - 1);
		return -ENAMETOOLONG;
	}
	int r = gf_dir_make(s->dir, diag);
	if (r != 0)
		return r;
	snprintf(lock, sizeof(lock), "%s/lock", s->dir);
	r = gf_file_lock(lock, &s->lock_fd, diag);
	if (r != 0)
		return r;
	r = open_files(s);
	if (r == -ENOTSUP)
		gf_diag_set(diag,
		            "%s: the spool was written by another version of the agent; install the newer agent, or move "
		            "the folder away to begin a new one",
		            s->dir);
	else if (r != 0)
		gf_diag_set(diag, "%s: the spool can't be opened: %s", s->dir, strerror(r < 0 ? -r : EIO));
	return r;
}

int spool_open(const struct spool_config *config, struct spool **ret_spool, struct gf_diag *diag)
{
	struct spool *s = calloc(1, sizeof(*s));
	if (s == NULL)
		return -ENOMEM;
	s->lock_fd = s->fd = -1;
	s->io = config->io != NULL ? *config->io : spool_io_system;
	s->sync = config->sync;
	s->random = config->random;
	s->random_ctx = config->random_ctx;
	s->bytes_max = config->bytes_max > SPOOL_BYTES_MIN ? config->bytes_max : SPOOL_BYTES_MIN;
	/* Room for the last segment to grow, and for the reserve. */
	s->bytes_max -= SPOOL_SEGMENT_BYTES + SPOOL_RESERVE_BYTES;
	int r = open_spool(s, config, diag);
	if (r != 0) {
		spool_close(s);
		return r;
	}
	spool_make_reserve(s);
	*ret_spool = s;
	return 0;
}

void spool_close(struct spool *spool)
{
	if (spool == NULL)
		return;
	if (spool->fd >= 0)
		(void)spool->io.close(spool->io.ctx, spool->fd);
	if (spool->lock_fd >= 0)
		close(spool->lock_fd);
	spool_forget_cursor(spool);
	free(spool->segments);
	free(spool);
}

struct gf_stream_id spool_stream(const struct spool *spool)
{
	return spool->stream;
}

uint64_t spool_next_seq(const struct spool *spool)
{
	return spool->next_seq;
}

uint64_t spool_acked(const struct spool *spool)
{
	return spool->acked;
}

struct spool_stats spool_stats(const struct spool *spool)
{
	struct spool_stats stats = spool->stats;
	stats.records = spool->next_seq - 1 - spool->acked;
	return stats;
}

const void *spool_state(const struct spool *spool, size_t *ret_len)
{
	*ret_len = spool->state_len;
	return spool->state;
}
