#include "tests/integration/rogue.h"

#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/base/text.h"
#include "proto/topic.h"

enum { ANSWER_MS = 30000, ANSWERS_MAX = sizeof(((struct it_rogue *)0)->answers) / sizeof(struct gf_desired_applied) };

#define KEYS_YAML "catalog_keys: {threshold: 2, files: [../../k0.pub, ../../k1.pub, ../../k2.pub]}\n"
const char it_rogue_yaml[] = KEYS_YAML "catalog_trial_s: 10\n",
           it_rogue_yaml_brief[] = KEYS_YAML "catalog_trial_s: 1\n";

void it_rogue_keys(struct it_world *w)
{
	for (unsigned i = 0; i < IT_ROGUE_KEYS; i++) {
		uint8_t key[GF_KEY_LEN];
		struct gf_diag diag = {{0}};
		if (access(it_path(w, "k%u", i), F_OK) != 0 && gf_key_make(it_path(w, "k%u", i), key, &diag) != 0)
			fail_msg("%s", diag.text);
	}
}

struct it_rogue *it_rogue_open(struct it_world *w, const char *device)
{
	struct it_rogue *r = calloc(1, sizeof(*r));
	char report[GF_TOPIC_MAX];
	struct gf_diag diag = {{0}};
	assert_non_null(r);
	r->w = w;
	gf_strcpy(r->id, sizeof(r->id), device);
	it_rogue_keys(w);
	for (unsigned i = 0; i < IT_ROGUE_KEYS; i++) {
		if (gf_key_read_private(it_path(w, "k%u", i), r->seeds[i], &diag) != 0)
			fail_msg("%s", diag.text);
	}
	const struct it_client_options options = {
	    .client_id = "rogue", .mailbox_max = 4096, .filters = {gf_topic_device(report, device, GF_TOPIC_REPORT)}};
	r->client = it_client_open(w, "gateway", &options);
	IT_UNTIL(ANSWER_MS, it_client_up(r->client));
	return r;
}

void it_rogue_close(struct it_rogue *r)
{
	if (r == NULL)
		return;
	it_client_close(r->client);
	free(r);
}

static void note_record(struct it_rogue *r, const struct gf_record *record)
{
	if (gf_record_through(record) <= r->through_seq)
		return;
	r->through_seq = gf_record_through(record);
	if (record->kind == GF_RECORD_DESIRED_APPLIED && r->answers_count < ANSWERS_MAX)
		r->answers[r->answers_count++] = record->desired_applied;
	if (record->kind == GF_RECORD_SESSION_STARTED) {
		r->sessions++;
		r->session_version = record->session_started.catalog_version;
	}
}

static void read_report(struct it_rogue *r, const struct it_message *message)
{
	struct gf_report *report = NULL;
	struct gf_diag diag = {{0}};
	unsigned char ack[GF_ACK_MAX];
	char topic[GF_TOPIC_MAX];
	size_t len;
	if (gf_report_decode(message->payload, message->len, &report, &diag) != 0)
		fail_msg("a report that can't be read: %s", diag.text);
	for (size_t i = 0; i < report->records_count; i++)
		note_record(r, &report->records[i]);
	const struct gf_ack said = {.stream = report->stream, .through_seq = r->through_seq};
	free(report);
	assert_int_equal(gf_ack_encode(&said, ack, sizeof(ack), &len), 0);
	assert_int_equal(gf_link_publish(it_client_link(r->client), gf_topic_device(topic, r->id, GF_TOPIC_ACK), ack, len,
	                                 0, false, 0, 0),
	                 0);
}

void it_rogue_turn(struct it_rogue *r)
{
	const struct it_message *message;
	it_client_turn(r->client);
	while ((message = it_client_message(r->client, r->read)) != NULL) {
		r->read++;
		read_report(r, message);
	}
}

struct gf_catalog it_rogue_catalog(const char *class, uint64_t version, unsigned seconds)
{
	struct gf_catalog catalog = {.version = version, .created_ms = 1790000000000, .routines_count = 1};
	assert_int_equal(gf_class_parse(class, &catalog.class), 0);
	gf_strcpy(catalog.name, sizeof(catalog.name), "rogue");
	catalog.routines = calloc(1, sizeof(*catalog.routines));
	assert_non_null(catalog.routines);
	struct gf_routine *routine = catalog.routines;
	gf_strcpy(routine->id, sizeof(routine->id), "short");
	gf_strcpy(routine->title, sizeof(routine->title), "A short one");
	routine->classes = 1U << catalog.class;
	routine->steps_count = 1;
	routine->steps = calloc(1, sizeof(*routine->steps));
	assert_non_null(routine->steps);
	*routine->steps = (struct gf_step){.area = GF_AREA_CALVES,
	                                   .side = GF_SIDE_LEFT,
	                                   .technique = GF_TECHNIQUE_PRESS,
	                                   .duration_ms = seconds * 1000,
	                                   .from_pct = 20,
	                                   .to_pct = 20};
	return catalog;
}

struct it_offer it_rogue_seal(const struct it_rogue *r, const struct gf_catalog *catalog, unsigned signers)
{
	struct gf_sealed sealed = {0};
	struct it_offer offer = {.version = catalog->version};
	assert_int_equal(gf_manifest_encode(catalog, &sealed.manifest, &sealed.manifest_len), 0);
	for (unsigned i = 0; i < IT_ROGUE_KEYS; i++) {
		if (signers & 1U << i)
			assert_int_equal(gf_sign(&sealed, r->seeds[i]), 0);
	}
	assert_int_equal(gf_seal(&sealed, &offer.data, &offer.len), 0);
	gf_sealed_deinit(&sealed);
	it_offer_restamp(&offer);
	return offer;
}

struct it_offer it_rogue_draft(const struct it_rogue *r, uint64_t version, unsigned signers)
{
	struct gf_catalog catalog = it_rogue_catalog("chair", version, 4);
	struct it_offer offer = it_rogue_seal(r, &catalog, signers);
	gf_catalog_deinit(&catalog);
	return offer;
}

void it_offer_free(struct it_offer *offer)
{
	free(offer->data);
	*offer = (struct it_offer){0};
}

void it_offer_restamp(struct it_offer *offer)
{
	gf_digest_of(offer->data, offer->len, &offer->digest);
	offer->size = (uint32_t)offer->len;
}

void it_rogue_publish(struct it_rogue *r, const struct it_offer *offer)
{
	const size_t parts = gf_catalog_parts(offer->len);
	char topic[GF_TOPIC_MAX];
	if (parts == 0) {
		gf_topic_catalog(topic, &offer->digest, GF_TOPIC_CATALOG_WHOLE);
		assert_int_equal(it_client_publish(r->client, topic, offer->data, offer->len, true) & 0x80, 0);
	}
	for (size_t i = 0; i < parts; i++) {
		const size_t at = i * GF_CATALOG_PART_MAX, left = offer->len - at;
		gf_topic_catalog(topic, &offer->digest, (int)i);
		assert_int_equal(it_client_publish(r->client, topic, offer->data + at,
		                                   left < GF_CATALOG_PART_MAX ? left : GF_CATALOG_PART_MAX, true) &
		                     0x80,
		                 0);
	}
}

void it_rogue_desire(struct it_rogue *r, const struct it_offer *offer, uint64_t revision)
{
	struct gf_desired desired = {.revision = revision, .issued_ms = 1790000000000};
	unsigned char buf[GF_DESIRED_MAX];
	char topic[GF_TOPIC_MAX];
	size_t len;
	if (offer != NULL) {
		desired.has_catalog = true;
		gf_strcpy(desired.catalog.name, sizeof(desired.catalog.name), "rogue");
		desired.catalog.version = offer->version;
		desired.catalog.digest = offer->digest;
		desired.catalog.size = offer->size;
		desired.catalog.within_ms = offer->within_ms;
	}
	assert_int_equal(gf_desired_encode(&desired, buf, sizeof(buf), &len), 0);
	gf_topic_device(topic, r->id, GF_TOPIC_DESIRED);
	assert_int_equal(it_client_publish(r->client, topic, buf, len, true) & 0x80, 0);
}

uint64_t it_rogue_offer(struct it_rogue *r, const struct it_offer *offer)
{
	it_rogue_publish(r, offer);
	it_rogue_desire(r, offer, ++r->revision);
	return r->revision;
}

static const struct gf_desired_applied *answer(struct it_rogue *r, uint64_t revision, enum gf_desired_step step)
{
	it_rogue_turn(r);
	for (size_t i = 0; i < r->answers_count; i++) {
		if (r->answers[i].revision == revision && r->answers[i].step == step)
			return &r->answers[i];
	}
	return NULL;
}

bool it_rogue_heard(struct it_rogue *r, uint64_t revision, enum gf_desired_step step)
{
	return answer(r, revision, step) != NULL;
}

enum gf_refusal it_rogue_refusal(struct it_rogue *r, uint64_t revision)
{
	const struct gf_desired_applied *refused = NULL;
	IT_UNTIL(ANSWER_MS, (refused = answer(r, revision, GF_DESIRED_STEP_REFUSED)) != NULL ||
	                        it_rogue_heard(r, revision, GF_DESIRED_STEP_ACTIVE));
	if (refused == NULL) {
		fail_msg("the machine took it");
		return GF_REFUSAL_COUNT; /* not reached, which the compiler does not know */
	}
	/* Whoever reads of it must learn something. */
	assert_true(strlen(refused->detail) > 10);
	return refused->refusal;
}
