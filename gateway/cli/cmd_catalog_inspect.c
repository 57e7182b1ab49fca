/* `catalog inspect`: what a catalog holds, who signed it, and what a machine with these keys would say. Without a gateway. */
#include <stdlib.h>
#include <string.h>

#include "gateway/cli/catalog_file.h"
#include "proto/topic.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct column head_columns[] = {
    {"name", "catalog", COLUMN_TEXT, 0, false},       {"class", "class", COLUMN_TEXT, 0, false},
    {"version", "version", COLUMN_WHOLE, 0, false},   {"created", "created", COLUMN_TIME, 0, false},
    {"expires", "expires", COLUMN_TIME, 0, false},    {"min_agent", "minimum agent", COLUMN_TEXT, 0, false},
    {"digest", "digest", COLUMN_TEXT, 0, false},      {"size", "bytes", COLUMN_WHOLE, 0, false},
    {"parts", "messages", COLUMN_WHOLE, 0, false},    {"rollback_floor", "goes back to", COLUMN_WHOLE, 0, false},
    {"next_keys", "next keys", COLUMN_TEXT, 0, false}};

static const struct column routine_columns[] = {
    {"routine", "ROUTINE", COLUMN_TEXT, 0, false},     {"classes", "CLASSES", COLUMN_TEXT, 0, false},
    {"duration_s", "LENGTH", COLUMN_SECONDS, 0, true}, {"steps", "STEPS", COLUMN_WHOLE, 0, true},
    {"max_pct", "MOST %", COLUMN_WHOLE, 0, true},      {"staff_unlock", "STAFF", COLUMN_YES, 0, false},
    {"title", "TITLE", COLUMN_PROSE, 0, false},
};

static json_t *routine_rows(const struct gf_catalog *catalog)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < catalog->routines_count; i++) {
		const struct gf_routine *r = &catalog->routines[i];
		float most = 0;
		for (size_t s = 0; s < r->steps_count; s++) {
			most = r->steps[s].from_pct > most ? r->steps[s].from_pct : most;
			most = r->steps[s].to_pct > most ? r->steps[s].to_pct : most;
		}
		(void)json_array_append_new(rows, json_pack("{s:s, s:o, s:i, s:i, s:f, s:b, s:o}", "routine", r->id, "classes",
		                                            catalog_classes(r->classes), "duration_s",
		                                            (int)(gf_routine_duration_ms(r) / 1000), "steps",
		                                            (int)r->steps_count, "max_pct", (double)most, "staff_unlock",
		                                            r->staff_unlock, "title", catalog_text(r->title)));
	}
	return rows;
}

/* "good", "bad", "unknown", or "unchecked" without keys to check with. */
static const char *signature_state(const struct gf_keyset *keys, const struct gf_sealed *sealed,
                                   const struct gf_signature *signature)
{
	const char *state = keys->threshold > 0 ? "unknown" : "unchecked";

	for (size_t i = 0; i < keys->count; i++) {
		struct gf_key_id id;
		gf_key_id_of(keys->keys[i], &id);
		if (memcmp(id.bytes, signature->key_id.bytes, GF_KEY_ID_LEN) != 0)
			continue;
		if (gf_signature_good(sealed, signature, keys->keys[i]))
			return "good";
		state = "bad";
	}
	return state;
}

static json_t *signature_rows(const struct gf_keyset *keys, const struct gf_sealed *sealed)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < sealed->signatures_count; i++) {
		char id[KEY_ID_TEXT_MAX];
		(void)json_array_append_new(rows,
		                            json_pack("{s:s, s:s}", "key_id", catalog_key_id(&sealed->signatures[i].key_id, id),
		                                      "state", signature_state(keys, sealed, &sealed->signatures[i])));
	}
	return rows;
}

/* What a machine that trusts these keys would say: 0 or its refusal, as far as the file alone can tell. */
static enum gf_refusal judge(const struct cli *cli, const struct gf_keyset *keys, const struct catalog_file *file,
                             struct gf_diag *diag)
{
	const uint64_t expires_ms = file->catalog.expires_ms;
	const int r = gf_verify(keys, &file->sealed, diag);

	if (r != 0)
		return (enum gf_refusal)r;
	if (expires_ms != 0 && (uint64_t)cli->now_ms >= expires_ms) {
		gf_diag_set(diag, "it has expired; build it anew with a higher --version");
		return GF_REFUSAL_EXPIRED;
	}
	return GF_REFUSAL_UNSPECIFIED;
}

static json_t *verdict_of(const struct cli *cli, const struct gf_keyset *keys, const struct catalog_file *file)
{
	struct gf_diag diag = {{0}};

	if (keys->threshold == 0)
		return json_null();
	const enum gf_refusal refusal = judge(cli, keys, file, &diag);
	if (refusal == GF_REFUSAL_UNSPECIFIED)
		return json_pack("{s:b, s:n, s:s}", "taken", 1, "refusal", "text",
		                 "a machine of its class with these keys takes it, if its version and envelope allow");
	return json_pack("{s:b, s:s, s:s}", "taken", 0, "refusal", gf_refusal_name(refusal), "text", diag.text);
}

static json_t *inspect(const struct cli *cli, const struct gf_keyset *keys, const struct catalog_file *file)
{
	const struct gf_catalog *c = &file->catalog;
	const size_t parts = gf_catalog_parts(file->len);
	char digest[DIGEST_TEXT_MAX];

	return json_pack("{s:s, s:s, s:I, s:o, s:o, s:o, s:o, s:o, s:s, s:I, s:I, s:o, s:o, s:o}", "name", c->name, "class",
	                 gf_class_name(c->class), "version", (json_int_t)c->version, "created", catalog_time(c->created_ms),
	                 "expires", catalog_time(c->expires_ms), "min_agent", catalog_text(c->min_agent), "rollback_floor",
	                 c->rollback_floor != 0 ? json_integer((json_int_t)c->rollback_floor) : json_null(), "next_keys",
	                 catalog_keys_json(&c->next_keys), "digest", catalog_digest(&file->digest, digest), "size",
	                 (json_int_t)file->len, "parts", (json_int_t)(parts > 0 ? parts : 1), "signatures",
	                 signature_rows(keys, &file->sealed), "verdict", verdict_of(cli, keys, file), "routines",
	                 routine_rows(c));
}

/* What stands there in place of a value that is null. */
static const char *when_null(const char *key)
{
	static const char *const words[][2] = {
	    {"created", "not said"},        {"expires", "never"},
	    {"min_agent", "any"},           {"rollback_floor", "no older version"},
	    {"next_keys", "the keys stay"},
	};

	for (size_t i = 0; i < COUNT(words); i++)
		if (strcmp(words[i][0], key) == 0)
			return words[i][1];
	return "-";
}

static void print_keys(struct cli *cli, const json_t *keys)
{
	const json_t *id;
	size_t i;

	(void)fprintf(cli->out, "%d of", (int)json_integer_value(json_object_get(keys, "threshold")));
	json_array_foreach(json_object_get(keys, "key_ids"), i, id)
	{
		(void)fprintf(cli->out, "%s %s", i > 0 ? "," : "", json_string_value(id));
	}
	(void)fputc('\n', cli->out);
}

static void print_head(struct cli *cli, const json_t *found)
{
	for (size_t i = 0; i < COUNT(head_columns); i++) {
		const json_t *value = json_object_get(found, head_columns[i].key);
		char *cell = writer_cell(&head_columns[i], found, cli->now_ms);

		(void)fprintf(cli->out, "%-16s ", head_columns[i].title);
		if (json_is_null(value))
			(void)fprintf(cli->out, "%s\n", when_null(head_columns[i].key));
		else if (json_is_object(value))
			print_keys(cli, value);
		else
			(void)fprintf(cli->out, "%s\n", cell != NULL ? cell : "");
		free(cell);
	}
}

static void print_signatures(struct cli *cli, const json_t *found)
{
	const json_t *row, *verdict = json_object_get(found, "verdict");
	size_t i;

	if (json_array_size(json_object_get(found, "signatures")) == 0)
		(void)fprintf(cli->out, "%-16s nobody; sign it with 'gymfleet catalog sign'\n", "signed by");
	json_array_foreach(json_object_get(found, "signatures"), i, row)
	{
		const char *state = json_string_value(json_object_get(row, "state"));
		(void)fprintf(cli->out, "%-16s %s  %s\n", i == 0 ? "signed by" : "",
		              json_string_value(json_object_get(row, "key_id")),
		              strcmp(state, "unchecked") == 0 ? "not checked: name the keys by --keys" : state);
	}
	if (!json_is_object(verdict))
		return;
	const char *refusal = json_string_value(json_object_get(verdict, "refusal"));
	(void)fprintf(cli->out, "%-16s %s%s%s\n", "verdict", refusal != NULL ? refusal : "", refusal != NULL ? ": " : "",
	              json_string_value(json_object_get(verdict, "text")));
}

static enum cli_exit print(struct cli *cli, const json_t *found)
{
	const json_t *routines = json_object_get(found, "routines");

	if (cli->format == WRITER_JSON)
		return cli_object(cli, found, head_columns, COUNT(head_columns));
	if (cli->format == WRITER_TABLE) {
		print_head(cli, found);
		print_signatures(cli, found);
		(void)fputc('\n', cli->out);
	}
	return cli_rows(cli, routines, routine_columns, COUNT(routine_columns), NULL);
}

enum cli_exit cmd_catalog_inspect(struct cli *cli, char **args, size_t count)
{
	struct catalog_file file = {0};
	struct gf_keyset keys = {0};
	enum cli_exit code = CLI_OK;

	(void)count;
	if (cli->values[CLI_OPT_KEYS] != NULL)
		code = catalog_keys(cli, CLI_OPT_KEYS, &keys);
	else if (cli->values[CLI_OPT_THRESHOLD] != NULL)
		code = cli_fail_usage(cli, "--threshold is for --keys, which is missing");
	if (code == CLI_OK)
		code = catalog_file_read(cli, args[0], &file);
	if (code == CLI_OK) {
		json_t *found = inspect(cli, &keys, &file);
		code = found != NULL ? print(cli, found) : cli_fail(cli, CLI_REFUSED, "out of memory");
		if (code == CLI_OK && json_is_false(json_object_get(json_object_get(found, "verdict"), "taken")))
			code = CLI_REFUSED;
		json_decref(found);
	}
	catalog_file_deinit(&file);
	return code;
}
