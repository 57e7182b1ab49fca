/* Any bytes as what the gateway tells a machine, or as a machine's reply. What is taken survives another trip. */
#include "tests/fuzz/codec_fuzz.h"

static void desired_state(const uint8_t *data, size_t size)
{
	unsigned char first[GF_DESIRED_MAX], second[GF_DESIRED_MAX];
	struct gf_desired desired;
	struct gf_diag diag = {0};
	size_t len, again;
	int result = gf_desired_decode(data, size, &desired, &diag);

	if (result != 0) {
		must_refuse_well(result, &diag);
		return;
	}
	must(desired.revision > 0);
	must(gf_desired_encode(&desired, first, sizeof(first), &len) == 0);
	must(gf_desired_decode(first, len, &desired, NULL) == 0);
	must(gf_desired_encode(&desired, second, sizeof(second), &again) == 0);
	must(len == again && memcmp(first, second, len) == 0);
}

static void command(const uint8_t *data, size_t size)
{
	unsigned char buf[GF_COMMAND_MAX];
	struct gf_command_order command, back;
	struct gf_diag diag = {0};
	size_t len;
	int result = gf_command_decode(data, size, &command, &diag);

	if (result != 0) {
		must_refuse_well(result, &diag);
		return;
	}
	must(gf_command_encode(&command, buf, sizeof(buf), &len) == 0);
	must(gf_command_decode(buf, len, &back, NULL) == 0);
	must(back.id == command.id && back.kind == command.kind && back.within_ms == command.within_ms);
}

static void reply(const uint8_t *data, size_t size)
{
	unsigned char buf[GF_REPLY_MAX];
	struct gf_reply reply, back;
	struct gf_diag diag = {0};
	size_t len;
	int result = gf_reply_decode(data, size, &reply, &diag);

	if (result != 0) {
		must_refuse_well(result, &diag);
		return;
	}
	must(gf_reply_encode(&reply, buf, sizeof(buf), &len) == 0);
	must(gf_reply_decode(buf, len, &back, NULL) == 0);
	must(back.id == reply.id && strcmp(back.detail, reply.detail) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	desired_state(data, size);
	command(data, size);
	reply(data, size);
	return 0;
}
