/* Any bytes as a status, a device's or the gateway's. */
#include "tests/fuzz/codec_fuzz.h"

static void device_status(const uint8_t *data, size_t size)
{
	unsigned char first[GF_STATUS_MAX], second[GF_STATUS_MAX];
	struct gf_status status;
	struct gf_diag diag = {0};
	size_t len, again;
	int result = gf_status_decode(data, size, &status, &diag);

	if (result != 0) {
		must_refuse_well(result, &diag);
		return;
	}
	must(gf_status_encode(&status, first, sizeof(first), &len) == 0);
	must(gf_status_decode(first, len, &status, NULL) == 0);
	must(gf_status_encode(&status, second, sizeof(second), &again) == 0);
	must(len == again && memcmp(first, second, len) == 0);
}

static void gateway_status(const uint8_t *data, size_t size)
{
	struct gf_gateway_status status;
	struct gf_diag diag = {0};
	int result = gf_gateway_status_decode(data, size, &status, &diag);

	if (result != 0)
		must_refuse_well(result, &diag);
	else
		must(memchr(status.version, '\0', sizeof(status.version)) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	device_status(data, size);
	gateway_status(data, size);
	return 0;
}
