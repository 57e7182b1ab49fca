/*
 * The wire form, byte by byte. The hex was written by protoc --encode from text that says what samples.h says, so it is
 * independent of our codec: a field that changes its number, type or unit fails here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/proto/samples.h"

static const char *const golden_records[GF_RECORD_COUNT] = {
    [GF_RECORD_UNSPECIFIED] = "0864100518c0c40720d2d995ffbc312801",
    [GF_RECORD_HEARTBEAT] =
        "0864100518c0c40720d2d995ffbc3128015a7408e0d40312160801150000ac411d000021422500005c422d00005a42121608"
        "07150000a0421d0000a242250000a4422d0000a14218c8df0220012801320b0880bab703100c18ce8c153807408080044803"
        "500258b40160b607680170c0cf2478c0ee6d8001a0f736880105900106980107a00108",
    [GF_RECORD_SESSION_STARTED] =
        "0864100518c0c40720d2d995ffbc3128016238080c1211706f73745f72756e5f636f6f6c646f776e1a0a7065726375737369"
        "6f6e200828960631ffffffffffffffff394d00000000000000",
    [GF_RECORD_SESSION_ENDED] =
        "0864100518c0c40720d2d995ffbc3128016a9b010a38080c1211706f73745f72756e5f636f6f6c646f776e1a0a7065726375"
        "7373696f6e200828960631ffffffffffffffff394d00000000000000100418e8072080d095ffbc31280130f09b3038882740"
        "e0cd2f4802521408011001180520e0d4032d00000e423500002042521408161003180a20b0ea012d0000f041350000f8415d"
        "00005e426d00000000780182010b0880bab703100c18ce8c15",
    [GF_RECORD_FAULT_RAISED] =
        "0864100518c0c40720d2d995ffbc31280172250809100f18042500008f422d00808c42300c3a116d6f746f72206174203731"
        "2e3520c2b043",
    [GF_RECORD_FAULT_CLEARED] = "0864100518c0c40720d2d995ffbc3128017a0b0809100f180320959aef3a",
    [GF_RECORD_LIMIT_HIT] =
        "0864100518c0c40720d2d995ffbc3128018201240a025033100f180225000078412d00007041300c3a09736b69705f737465"
        "704080b89929",
    [GF_RECORD_CATALOG_CHANGED] =
        "0864100518c0c40720d2d995ffbc3128018a01340a0a70657263757373696f6e1008180720032a20a0010203040506070809"
        "0a0b0c0d0e0f101112131415161718191a1b1c1d1ebf",
    [GF_RECORD_DESIRED_APPLIED] =
        "0864100518c0c40720d2d995ffbc312801920142084d10061810220a746f6f207374726f6e672a0a70657263757373696f6e"
        "30083a20a00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1ebf",
    [GF_RECORD_LOST] =
        "0864100518c0c40720d2d995ffbc3128019a011d08c70112040801105f1204080910021881d095ffbc312082d095ffbc31",
};

static const char golden_ack[] = "0a100102030405060708090a0b0c0d0e0f1010c7011802";
static const char golden_gateway_status[] = "0801101118d2d995ffbc312205302e312e30";
static const char golden_desired[] =
    "084e10d2d995ffbc311a390a0a70657263757373696f6e10081a20a00102030405060708090a0b0c0d0e0f10111213141516"
    "1718191a1b1c1d1ebf20a09c012880dddb0122180d0000724215000021421d00008c422500001a4228a0f7362801320a746f"
    "726e20636f766572";
static const char golden_command[] = "0805100118d2d995ffbc3120b0ea01";
static const char golden_reply[] = "080510021a0a6e6f2073657373696f6e";
static const char golden_goodbye[] = "080210051803";
static const char golden_birth[] =
    "08011005180322c50108c0c40710d2d995ffbc31180120042a044d582d323207534e2d303034323a05302e312e3042037369"
    "6d4a140a066265726c696e120663617264696f1a026234520b0880bab703100c18ce8c155a05636861697260096a10010203"
    "0405060708090a0b0c0d0e0f1070c80178c601800180a0f1c2b1348d010000fa44950100008c429d0100002c42a0014eaa01"
    "20a00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1ebfb00101bd0100009040c00180909de91ac8"
    "0180eab49016";
static const char golden_report[] =
    "0a100102030405060708090a0b0c0d0e0f1010641a160864100518c0c40720d2d995ffbc312801920102084d1a1208651005"
    "18c1c4077a080809100f18032005";

static void assert_hex(const unsigned char *data, size_t len, const char *hex)
{
	char text[2 * GF_RECORD_MAX + 1];

	gf_hex(data, len, text);
	assert_string_equal(text, hex);
}

/* Golden bytes back into `buf`; returns how many. */
static size_t golden_bytes(const char *hex, unsigned char buf[static GF_RECORD_MAX])
{
	size_t len = strlen(hex) / 2;

	assert_int_equal(gf_unhex(hex, buf, len), 0);
	return len;
}

static void every_kind_of_record_has_its_bytes(void **state)
{
	(void)state;
	for (int kind = 0; kind < GF_RECORD_COUNT; kind++) {
		struct gf_record record = sample_record((enum gf_record_kind)kind), back;
		unsigned char buf[GF_RECORD_MAX];
		size_t len;

		assert_int_equal(gf_record_encode(&record, buf, sizeof(buf), &len), 0);
		assert_hex(buf, len, golden_records[kind]);

		len = golden_bytes(golden_records[kind], buf);
		assert_int_equal(gf_record_decode(buf, len, &back, NULL), 0);
		assert_int_equal(back.kind, kind);
		assert_int_equal(gf_record_encode(&back, buf, sizeof(buf), &len), 0);
		assert_hex(buf, len, golden_records[kind]);
	}
}

static void the_ack_has_its_bytes(void **state)
{
	struct gf_ack ack = {.stream = sample_stream, .through_seq = 199, .rejected = 2}, back;
	unsigned char buf[GF_RECORD_MAX];
	size_t len;

	(void)state;
	assert_int_equal(gf_ack_encode(&ack, buf, sizeof(buf), &len), 0);
	assert_hex(buf, len, golden_ack);
	assert_int_equal(gf_ack_decode(buf, len, &back, NULL), 0);
	assert_memory_equal(&back.stream, &sample_stream, sizeof(sample_stream));
	assert_int_equal(back.through_seq, 199);
	assert_int_equal(back.rejected, 2);
}

static void the_gateway_status_has_its_bytes(void **state)
{
	struct gf_gateway_status status = {.up = true, .epoch = 17, .wall_ms = 1700000001234, .version = "0.1.0"}, back;
	unsigned char buf[GF_RECORD_MAX];
	size_t len;

	(void)state;
	assert_int_equal(gf_gateway_status_encode(&status, buf, sizeof(buf), &len), 0);
	assert_hex(buf, len, golden_gateway_status);
	assert_int_equal(gf_gateway_status_decode(buf, len, &back, NULL), 0);
	assert_true(back.up);
	assert_int_equal(back.epoch, 17);
	assert_int_equal(back.wall_ms, 1700000001234);
	assert_string_equal(back.version, "0.1.0");
}

static void the_status_has_its_bytes(void **state)
{
	struct gf_status birth = sample_birth(), goodbye = birth, back;
	unsigned char buf[GF_RECORD_MAX];
	size_t len;

	(void)state;
	assert_int_equal(gf_status_encode(&birth, buf, sizeof(buf), &len), 0);
	assert_hex(buf, len, golden_birth);
	assert_int_equal(gf_status_decode(buf, len, &back, NULL), 0);
	assert_int_equal(gf_status_encode(&back, buf, sizeof(buf), &len), 0);
	assert_hex(buf, len, golden_birth);

	goodbye.presence = GF_PRESENCE_GOODBYE;
	assert_int_equal(gf_status_encode(&goodbye, buf, sizeof(buf), &len), 0);
	assert_hex(buf, len, golden_goodbye);
	assert_int_equal(gf_status_decode(buf, len, &back, NULL), 0);
	assert_int_equal(back.presence, GF_PRESENCE_GOODBYE);
	assert_int_equal(back.connection, 3);
	assert_int_equal(back.next_seq, 0);
}

/* The report's outermost layer is written by hand: it must be what protobuf writes. */
static void the_report_has_its_bytes(void **state)
{
	struct gf_record first = sample_record(GF_RECORD_DESIRED_APPLIED);
	/* As agents wrote it that knew the revision alone. */
	first.desired_applied = (struct gf_desired_applied){.revision = 77};
	struct gf_record second = {
	    .seq = 101,
	    .boot = 5,
	    .uptime_ms = 123457,
	    .kind = GF_RECORD_FAULT_CLEARED,
	    .fault_cleared = {9, GF_FAULT_STORAGE, GF_CLEARED_BY_RESTART, 5},
	};
	unsigned char buf[GF_REPORT_MAX], one[GF_RECORD_MAX];
	struct gf_report_writer w;
	struct gf_report *back;
	size_t len;

	(void)state;
	assert_int_equal(gf_report_begin(&w, buf, sizeof(buf), &sample_stream, 100), 0);
	assert_int_equal(gf_record_encode(&first, one, sizeof(one), &len), 0);
	assert_int_equal(gf_report_add(&w, one, len), 0);
	assert_int_equal(gf_record_encode(&second, one, sizeof(one), &len), 0);
	assert_int_equal(gf_report_add(&w, one, len), 0);
	assert_hex(buf, w.len, golden_report);

	assert_int_equal(gf_report_decode(buf, w.len, &back, NULL), 0);
	assert_int_equal(back->records_count, 2);
	assert_int_equal(back->first_seq, 100);
	assert_memory_equal(&back->stream, &sample_stream, sizeof(sample_stream));
	assert_int_equal(back->records[0].desired_applied.revision, 77);
	assert_int_equal(back->records[1].fault_cleared.lasted_ms, 5);
	free(back);
}

static void what_is_desired_has_its_bytes(void **state)
{
	struct gf_desired desired = sample_desired(), back;
	unsigned char buf[GF_DESIRED_MAX];
	size_t len;

	(void)state;
	assert_int_equal(gf_desired_encode(&desired, buf, sizeof(buf), &len), 0);
	assert_hex(buf, len, golden_desired);
	assert_int_equal(gf_desired_decode(buf, len, &back, NULL), 0);
	assert_true(back.has_catalog && back.locked);
	assert_int_equal(back.catalog.within_ms, 3600000);
	assert_memory_equal(&back.catalog.digest, &sample_digest, sizeof(sample_digest));
	assert_int_equal(gf_desired_encode(&back, buf, sizeof(buf), &len), 0);
	assert_hex(buf, len, golden_desired);
}

static void commands_and_replies_have_their_bytes(void **state)
{
	const struct gf_command_order command = {5, GF_COMMAND_STOP, 1700000001234, 30000};
	const struct gf_reply reply = {5, GF_COMMAND_OUTCOME_REFUSED, "no session"};
	struct gf_command_order command_back;
	struct gf_reply reply_back;
	unsigned char buf[GF_REPLY_MAX];
	size_t len;

	(void)state;
	assert_int_equal(gf_command_encode(&command, buf, sizeof(buf), &len), 0);
	assert_hex(buf, len, golden_command);
	assert_int_equal(gf_command_decode(buf, len, &command_back, NULL), 0);
	assert_int_equal(command_back.id, 5);
	assert_int_equal(command_back.kind, GF_COMMAND_STOP);
	assert_int_equal(command_back.within_ms, 30000);
	assert_int_equal(gf_reply_encode(&reply, buf, sizeof(buf), &len), 0);
	assert_hex(buf, len, golden_reply);
	assert_int_equal(gf_reply_decode(buf, len, &reply_back, NULL), 0);
	assert_int_equal(reply_back.outcome, GF_COMMAND_OUTCOME_REFUSED);
	assert_string_equal(reply_back.detail, "no session");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_desired_has_its_bytes),      cmocka_unit_test(commands_and_replies_have_their_bytes),
	    cmocka_unit_test(every_kind_of_record_has_its_bytes), cmocka_unit_test(the_ack_has_its_bytes),
	    cmocka_unit_test(the_gateway_status_has_its_bytes),   cmocka_unit_test(the_status_has_its_bytes),
	    cmocka_unit_test(the_report_has_its_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
