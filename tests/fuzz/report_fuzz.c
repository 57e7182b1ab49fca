/* Any bytes as a report: refused with a sentence, or its good records survive another trip through the codec unchanged. */
#include "tests/fuzz/codec_fuzz.h"

static void round_trip(const struct gf_record *record)
{
	unsigned char first[GF_RECORD_MAX], second[GF_RECORD_MAX];
	struct gf_record back;
	size_t len, again;

	must(gf_record_encode(record, first, sizeof(first), &len) == 0);
	must(gf_record_decode(first, len, &back, NULL) == 0);
	must(gf_record_encode(&back, second, sizeof(second), &again) == 0);
	must(len == again && memcmp(first, second, len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gf_report *report, *strict;
	struct gf_diag diag = {0};
	bool bad[GF_REPORT_RECORDS_MAX];
	bool all_good = true;
	int result = gf_report_decode_each(data, size, &report, bad, &diag);

	if (result != 0) {
		must_refuse_well(result, &diag);
		return 0;
	}
	for (size_t i = 0; i < report->records_count; i++) {
		all_good = all_good && !bad[i];
		must(report->records[i].seq > 0);
		must(i == 0 || report->records[i].seq > gf_record_through(&report->records[i - 1]));
		if (!bad[i])
			round_trip(&report->records[i]);
	}
	free(report);

	/* The strict reader takes exactly the reports without a bad record. */
	result = gf_report_decode(data, size, &strict, &diag);
	must((result == 0) == all_good);
	if (result == 0)
		free(strict);
	else
		must_refuse_well(result, &diag);
	return 0;
}
