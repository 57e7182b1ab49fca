/* `catalog publish` and `catalog list` with a real API over a real store. */
#include "tests/unit/gateway/cli/words.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/base/file.h"
#include "proto/catalog_sign.h"
#include "tests/unit/gateway/api/server.h"

/* percussion@`version` of `steps` steps in each of `routines` routines, signed, as the file `name` beside the store. */
static char *make(const struct server *s, const char *name, uint64_t version, size_t routines, size_t steps)
{
	struct gf_step *step = calloc(steps, sizeof(*step));
	struct gf_routine *routine = calloc(routines, sizeof(*routine));
	const struct gf_catalog catalog = {.name = "percussion",
	                                   .class = GF_CLASS_PERCUSSION,
	                                   .version = version,
	                                   .created_ms = (uint64_t)NOON,
	                                   .routines_count = routines,
	                                   .routines = routine};
	const uint8_t seed[GF_SEED_LEN] = {1};
	struct gf_sealed sealed = {0};
	unsigned char *data;
	size_t len;
	char *path = NULL;

	for (size_t i = 0; i < steps; i++)
		step[i] = (struct gf_step){.area = (enum gf_area)(i % 2 == 0 ? GF_AREA_CALVES : GF_AREA_QUADS),
		                           .side = i % 4 < 2 ? GF_SIDE_LEFT : GF_SIDE_RIGHT,
		                           .technique = GF_TECHNIQUE_STROKE,
		                           .duration_ms = 1000,
		                           .from_pct = 20,
		                           .to_pct = 20};
	for (size_t i = 0; i < routines; i++) {
		routine[i] = (struct gf_routine){
		    .title = "Title", .classes = 1U << GF_CLASS_PERCUSSION, .steps = step, .steps_count = steps};
		snprintf(routine[i].id, sizeof(routine[i].id), "r%zu", i);
	}
	assert_int_equal(gf_manifest_encode(&catalog, &sealed.manifest, &sealed.manifest_len), 0);
	assert_int_equal(gf_sign(&sealed, seed), 0);
	assert_int_equal(gf_seal(&sealed, &data, &len), 0);
	assert_true(asprintf(&path, "%s/%s", s->store->dir, name) > 0);
	assert_int_equal(gf_file_replace(path, data, len, 0600, NULL), 0);
	free(data);
	free(step);
	free(routine);
	gf_sealed_deinit(&sealed);
	return path;
}

static void publish(const struct server *s, char *path, int code, const char *out, const char *err)
{
	char words[256];

	snprintf(words, sizeof(words), "catalog|publish|%s", path);
	expect(s->socket, words, code, out, err);
	(void)unlink(path);
	free(path);
}

static void what_is_published_is_listed(void **state)
{
	struct server *s = *state;

	expect(s->socket, "catalog|list", CLI_OK, "no catalog has been published", "");
	publish(s, make(s, "c", 8, 1, 4), CLI_OK, "percussion version 8 for percussion is published, digest ", "");
	expect(s->socket, "catalog|list", CLI_OK, "percussion        8  percussion", "");
	publish(s, make(s, "c", 8, 1, 4), CLI_OK, "percussion version 8 for percussion was published already", "");
}

static void a_version_is_published_once(void **state)
{
	struct server *s = *state;

	publish(s, make(s, "c", 8, 1, 4), CLI_OK, "is published", "");
	publish(s, make(s, "c", 8, 1, 6), CLI_REFUSED, "", "was published with another content");
	publish(s, make(s, "c", 9, 1, 6), CLI_OK, "percussion version 9", "");
	expect(s->socket, "catalog|list|--where|version=9", CLI_OK, "percussion        9", "");
	expect(s->socket, "catalog|list|--where|version>9", CLI_OK, "no catalog fits --where", "");
	expect(s->socket, "catalog|list|--where|versoin=9", CLI_USAGE, "", "did you mean 'version'?");
}

/* Nearly as large as one may be: it goes up in one piece. */
static void a_large_catalog_is_published(void **state)
{
	struct server *s = *state;

	publish(s, make(s, "c", 8, 38, 256), CLI_OK, "is published", "");
	struct result r = run(s->socket, "catalog|list|-o|json");
	json_t *items = json_loads(r.out, 0, NULL);
	assert_int_equal(json_array_size(items), 1);
	assert_true(json_integer_value(json_object_get(json_array_get(items, 0), "size")) > 200 * 1024);
	json_decref(items);
	forget(&r);
}

static void csv_of_the_list_has_every_key_of_json(void **state)
{
	struct server *s = *state;
	const char *key;
	json_t *value;

	publish(s, make(s, "c", 8, 1, 4), CLI_OK, "is published", "");
	struct result csv = run(s->socket, "catalog|list|-o|csv"), json = run(s->socket, "catalog|list|-o|json");
	json_t *items = json_loads(json.out, 0, NULL);
	csv.out[strcspn(csv.out, "\r")] = '\0';
	json_object_foreach(json_array_get(items, 0), key, value)
	{
		if (strstr(csv.out, key) == NULL)
			fail_msg("no column '%s' in '%s'", key, csv.out);
	}
	json_decref(items);
	forget(&csv);
	forget(&json);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, server_setup, server_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(what_is_published_is_listed),
	    TEST(a_version_is_published_once),
	    TEST(a_large_catalog_is_published),
	    TEST(csv_of_the_list_has_every_key_of_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
