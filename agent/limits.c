#include "agent/limits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/crc32c.h"
#include "proto/base/file.h"
#include "proto/base/text.h"
#include "proto/codec.h"

/* "GFLIMIT" and the version, the CRC-32C of the message, the message: a Desired without a catalog. */
static const unsigned char magic[8] = {'G', 'F', 'L', 'I', 'M', 'I', 'T', 1};
enum { CRC_AT = sizeof(magic), MESSAGE_AT = CRC_AT + 4, FILE_MAX = MESSAGE_AT + GF_DESIRED_MAX };

struct limits limits_of(const struct gf_desired *desired)
{
	const struct gf_desired_limits *from = &desired->limits;
	struct limits limits = {
	    .revision = desired->revision,
	    .limits =
	        {
	            .locked = desired->locked,
	            .intensity_max_pct = from->intensity_max_pct,
	            .frequency_max_hz = from->frequency_max_hz,
	            .pressure_max_mmhg = from->pressure_max_mmhg,
	            .heat_max_c = from->heat_max_c,
	            .session_max_ms = from->session_max_ms,
	        },
	};
	gf_strcpy(limits.lock_reason, sizeof(limits.lock_reason), desired->locked ? desired->lock_reason : "");
	return limits;
}

static bool same_number(float a, float b)
{
	return !(a < b) && !(a > b);
}

bool limits_same(const struct limits *a, const struct limits *b)
{
	const struct control_limits *x = &a->limits, *y = &b->limits;
	return x->locked == y->locked && same_number(x->intensity_max_pct, y->intensity_max_pct) &&
	       same_number(x->frequency_max_hz, y->frequency_max_hz) &&
	       same_number(x->pressure_max_mmhg, y->pressure_max_mmhg) && same_number(x->heat_max_c, y->heat_max_c) &&
	       x->session_max_ms == y->session_max_ms && strcmp(a->lock_reason, b->lock_reason) == 0;
}

static void put_crc(unsigned char *out, uint32_t crc)
{
	for (int i = 0; i < 4; i++)
		out[i] = (unsigned char)(crc >> 8 * i);
}

static int decode(const unsigned char *data, size_t len, struct limits *ret_limits, struct gf_diag *diag)
{
	unsigned char crc[4];
	struct gf_desired desired;

	if (len < MESSAGE_AT || memcmp(data, magic, sizeof(magic)) != 0) {
		gf_diag_set(diag, "no file of this agent's");
		return -EINVAL;
	}
	put_crc(crc, gf_crc32c(0, data + MESSAGE_AT, len - MESSAGE_AT));
	if (memcmp(data + CRC_AT, crc, sizeof(crc)) != 0) {
		gf_diag_set(diag, "damaged");
		return -EINVAL;
	}
	if (gf_desired_decode(data + MESSAGE_AT, len - MESSAGE_AT, &desired, diag) != 0)
		return -EINVAL;
	*ret_limits = limits_of(&desired);
	return 0;
}

int limits_load(const char *path, struct limits *ret_limits, struct gf_diag *diag)
{
	char *data = NULL;
	size_t len = 0;
	int r = gf_file_read(path, FILE_MAX, &data, &len, diag);

	if (r == 0) {
		r = decode((const unsigned char *)data, len, ret_limits, diag);
		if (r != 0)
			gf_diag_prefix(diag, "%s", path);
	}
	free(data);
	if (r == -ENOENT) {
		*ret_limits = (struct limits){0};
		return 0;
	}
	if (r != 0)
		*ret_limits =
		    (struct limits){.limits = {.locked = true}, .lock_reason = "what is desired of it can't be read any more"};
	return r;
}

int limits_save(const char *path, const struct limits *limits, struct gf_diag *diag)
{
	const struct control_limits *from = &limits->limits;
	struct gf_desired desired = {
	    .revision = limits->revision,
	    .limits =
	        {
	            .intensity_max_pct = from->intensity_max_pct,
	            .frequency_max_hz = from->frequency_max_hz,
	            .pressure_max_mmhg = from->pressure_max_mmhg,
	            .heat_max_c = from->heat_max_c,
	            .session_max_ms = from->session_max_ms,
	        },
	    .locked = from->locked,
	};
	unsigned char file[FILE_MAX];
	size_t len = 0;

	gf_strcpy(desired.lock_reason, sizeof(desired.lock_reason), limits->lock_reason);
	int r = gf_desired_encode(&desired, file + MESSAGE_AT, sizeof(file) - MESSAGE_AT, &len);
	if (r != 0) {
		gf_diag_set(diag, "%s: what is desired doesn't fit", path);
		return r;
	}
	memcpy(file, magic, sizeof(magic));
	put_crc(file + CRC_AT, gf_crc32c(0, file + MESSAGE_AT, len));
	return gf_file_replace(path, file, MESSAGE_AT + len, 0640, diag);
}
