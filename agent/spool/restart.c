/* A new stream for a spool that went back (spool_restart). */
#include <errno.h>
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

static int append(struct spool *s, const struct bytes *kept)
{
	int r = 0;
	for (size_t at = 0; at < kept->len && r == 0;) {
		struct gf_record record;
		uint32_t size;
		memcpy(&size, kept->data + at, sizeof(size));
		at += sizeof(size);
		if (take(kept->data + at, size, s->next_seq, &record))
			r = spool_append(s, &record, 1, NULL, 0);
		at += size;
	}
	return r;
}

int spool_restart(struct spool *spool)
{
	struct bytes kept = {0};
	int r = spool->failed ? SPOOL_E_FAILED : collect(spool, &kept);
	if (r == 0) {
		spool->pinned = 0;
		r = spool_distrust(spool, spool_begin_anew(spool));
	}
	if (r == 0)
		spool_make_reserve(spool);
	if (r == 0)
		r = append(spool, &kept);
	bytes_free(&kept);
	return r;
}
