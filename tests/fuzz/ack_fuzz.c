/* Any bytes as an ack: refused with a sentence, or the same ack after another trip. */
#include "tests/fuzz/codec_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned char buf[GF_ACK_MAX];
	struct gf_ack ack, back;
	struct gf_diag diag = {0};
	size_t len;
	int result = gf_ack_decode(data, size, &ack, &diag);

	if (result != 0) {
		must_refuse_well(result, &diag);
		return 0;
	}
	must(gf_ack_encode(&ack, buf, sizeof(buf), &len) == 0);
	must(gf_ack_decode(buf, len, &back, NULL) == 0);
	must(back.through_seq == ack.through_seq && back.rejected == ack.rejected);
	must(memcmp(&back.stream, &ack.stream, sizeof(ack.stream)) == 0);
	return 0;
}
