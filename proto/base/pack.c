#include "proto/base/pack.h"

#include <string.h>

void gf_pack_bytes(struct gf_pack *pack, const void *data, size_t len)
{
	if (pack->full || (size_t)(pack->end - pack->at) < len) {
		pack->full = true;
		return;
	}
	memcpy(pack->at, data, len);
	pack->at += len;
}

void gf_pack_int(struct gf_pack *pack, uint64_t value, size_t width)
{
	unsigned char le[8];
	for (size_t i = 0; i < width; i++)
		le[i] = (unsigned char)(value >> (8 * i));
	gf_pack_bytes(pack, le, width);
}

const unsigned char *gf_unpack_bytes(struct gf_unpack *unpack, size_t len)
{
	if (unpack->bad || (size_t)(unpack->end - unpack->at) < len) {
		unpack->bad = true;
		return NULL;
	}
	unpack->at += len;
	return unpack->at - len;
}

uint64_t gf_unpack_int(struct gf_unpack *unpack, size_t width)
{
	const unsigned char *le = gf_unpack_bytes(unpack, width);
	uint64_t value = 0;
	for (size_t i = 0; le != NULL && i < width; i++)
		value |= (uint64_t)le[i] << (8 * i);
	return value;
}
