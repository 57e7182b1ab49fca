/* A new stream for a spool that went back (spool_restart). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/spool/internal.h"
#include "proto/codec.h"

/* What isn't acked, one behind the other: a u32 length, the encoded record. */
static int collect(struct spool *s, struct bytes *kept)
{
	uint64_t through = 0;
	for (uint64_t seq = s->acked + 1; seq < s->next_seq; seq = through + 1) {
		const void *data;
		size_t len;
		int r = spool_read(s, seq, &data, &len, &through);
		if (r != 0)
			return r;
		const uint32_t size = (uint32_t)len;
		bytes_add(kept, &size, sizeof(size));
		bytes_add(kept, data, len);
	}
	spool_forget_cursor(s);
	return kept->failed ? -ENOMEM : 0;
}

/* A Lost record stands for as many seqs as before. Those that this build can't read stay in the files set aside. */
static bool take(const unsigned char *data, size_t len, uint64_t seq, struct gf_record *ret_record)
{
	if (gf_record_decode(data, len, ret_record, NULL) != 0)
		return false;
	if (ret_record->kind == GF_RECORD_LOST)
		ret_record->lost.through_seq = seq + (ret_record->lost.through_seq - ret_record->seq);
	return true;
}

/* The next records, as many as one append takes; *at moves on. */
static size_t gather(const struct spool *s, const struct bytes *kept, size_t *at, struct gf_record *batch)
{
	uint64_t seq = s->next_seq;
	size_t count = 0;
	while (*at < kept->len && count < SPOOL_BATCH_MAX) {
		uint32_t size;
		memcpy(&size, kept->data + *at, sizeof(size));
		*at += sizeof(size);
		if (take(kept->data + *at, size, seq, &batch[count])) {
			batch[count].seq = seq;
			seq = gf_record_through(&batch[count++]) + 1;
		}
		*at += size;
	}
	return count;
}

/* A full disk takes no heartbeats; what comes behind them may still go into the reserve. */
static int append(struct spool *s, const struct bytes *kept, struct gf_record *batch)
{
	int r = 0;
	for (size_t at = 0; at < kept->len && r == 0;) {
		const size_t count = gather(s, kept, &at, batch);
		size_t beats = 0;
		while (beats < count && batch[beats].kind == GF_RECORD_HEARTBEAT)
			beats++;
		r = count > 0 ? spool_append(s, batch, count, NULL, 0) : 0;
		if (r == -ENOSPC && beats == count) {
			s->stats.dropped += count;
			r = 0;
		}
	}
	return r;
}

int spool_restart(struct spool *spool)
{
	struct bytes kept = {0};
	if (spool->failed)
		return SPOOL_E_FAILED;
	struct gf_record *batch = malloc(SPOOL_BATCH_MAX * sizeof(*batch));
	int r = batch != NULL ? collect(spool, &kept) : -ENOMEM;
	if (r == 0) {
		spool->pinned = 0;
		r = spool_distrust(spool, spool_begin_anew(spool));
	}
	if (r == 0)
		spool_make_reserve(spool);
	if (r == 0)
		r = append(spool, &kept, batch);
	bytes_free(&kept);
	free(batch);
	return r;
}
