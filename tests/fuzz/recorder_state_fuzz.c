/* Any bytes as the recorder's state: refused and untouched, or the same bytes' worth after another trip. */
#include "agent/recorder_state.h"
#include "tests/fuzz/codec_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static unsigned char once[RECORDER_STATE_MAX], twice[RECORDER_STATE_MAX];
	struct recorder_state state = {.boot = 77}, back;
	size_t len, len_twice;
	if (recorder_state_decode(data, size, &state) != 0) {
		must(state.boot == 77);
		return 0;
	}
	must(memory_valid(&state.memory) && state.faults_count <= RECORDER_FAULTS_MAX &&
	     memchr(state.catalog, '\0', sizeof(state.catalog)) != NULL);
	must(recorder_state_encode(&state, once, sizeof(once), &len) == 0);
	must(recorder_state_decode(once, len, &back) == 0);
	must(recorder_state_encode(&back, twice, sizeof(twice), &len_twice) == 0);
	must(len == len_twice && memcmp(once, twice, len) == 0);
	return 0;
}
