/*
 * Any bytes as a spool's files. The checksums are put right first, else nothing behind them would ever be reached. The spool opens, or
 * it refuses; what it then says it has can be read, it takes a record and an ack, and says the same after opening again.
 *
 * Input: u16 the length of the first segment, its bytes; the rest is the second segment (none: there is none).
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/spool/internal.h"
#include "proto/base/crc32c.h"
#include "tests/fuzz/codec_fuzz.h"

static char dir[64];

static void empty(void)
{
	char path[400];
	DIR *d = opendir(dir);
	for (const struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		if (e->d_name[0] != '.')
			unlink(path);
	}
	if (d != NULL)
		closedir(d);
}

static void leave(void)
{
	empty();
	rmdir(dir);
}

static uint32_t get(const unsigned char *at)
{
	return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static void put(unsigned char *at, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		at[i] = (unsigned char)(value >> (8 * i));
}

/* As far as the lengths lead. */
static void correct(unsigned char *data, size_t len)
{
	if (len < FORMAT_HEADER_BYTES)
		return;
	put(data + 24, gf_crc32c(0, data, 24));
	for (size_t at = FORMAT_HEADER_BYTES; len - at >= FORMAT_FRAME_BYTES;) {
		size_t body = get(data + at);
		if (body > len - at - FORMAT_FRAME_BYTES)
			return;
		put(data + at + 4, gf_crc32c(0, data + at + 8, body + 4));
		at += FORMAT_FRAME_BYTES + body;
	}
}

static void segment(unsigned number, const uint8_t *data, size_t len)
{
	char path[128];
	unsigned char *copy = malloc(len + 1);
	must(copy != NULL);
	memcpy(copy, data, len);
	correct(copy, len);
	snprintf(path, sizeof(path), "%s/%010u.seg", dir, number);
	FILE *file = fopen(path, "wb");
	must(file != NULL && fwrite(copy, 1, len, file) == len);
	fclose(file);
	free(copy);
}

static int no_sync(void *ctx, int fd)
{
	(void)ctx;
	(void)fd;
	return 0;
}

static int no_dirsync(void *ctx, const char *path)
{
	(void)ctx;
	(void)path;
	return 0;
}

static struct spool *open_spool(void)
{
	struct spool_io io = spool_io_system;
	struct spool *spool = NULL;
	struct gf_diag diag = {{0}};
	io.fdatasync = no_sync;
	io.dirsync = no_dirsync;
	const struct spool_config config = {.dir = dir, .bytes_max = SPOOL_BYTES_MIN, .io = &io, .sync = true};
	int r = spool_open(&config, &spool, &diag);
	must(r == 0 || (r == -ENOTSUP && diag.text[0] != '\0'));
	return spool;
}

static void read_all(struct spool *spool)
{
	const void *data;
	size_t len;
	uint64_t through;
	for (uint64_t seq = spool_acked(spool) + 1; seq < spool_next_seq(spool); seq = through + 1) {
		must(spool_read(spool, seq, &data, &len, &through) == 0);
		must(through >= seq && through < spool_next_seq(spool) && len <= GF_RECORD_MAX * 16);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gf_record record = {.boot = 1, .kind = GF_RECORD_HEARTBEAT};
	const unsigned char state[3] = {1, 2, 3};
	size_t len;
	if (dir[0] == '\0') {
		strcpy(dir, "/tmp/spool-fuzz-XXXXXX");
		must(mkdtemp(dir) != NULL);
		atexit(leave);
	}
	if (size < 2)
		return 0;
	size_t first = (size_t)(data[0] | data[1] << 8) % (size - 1);
	segment(1, data + 2, first < size - 2 ? first : size - 2);
	if (size - 2 > first)
		segment(2, data + 2 + first, size - 2 - first);

	struct spool *spool = open_spool();
	if (spool != NULL) {
		read_all(spool);
		spool_state(spool, &len);
		must(len <= SPOOL_STATE_MAX);
		uint64_t seq = spool_next_seq(spool);
		must(spool_append(spool, &record, 1, state, sizeof(state)) == 0);
		must(record.seq == seq && spool_next_seq(spool) == seq + 1);
		read_all(spool);
		spool_close(spool);
		spool = open_spool();
		must(spool != NULL && !spool_stats(spool).recreated && spool_next_seq(spool) == seq + 1);
		must(memcmp(spool_state(spool, &len), state, sizeof(state)) == 0 && len == sizeof(state));
		must(spool_ack(spool, seq) == 0 && spool_stats(spool).records == 0);
		spool_close(spool);
	}
	empty();
	return 0;
}
