/* `catalog publish` and `catalog list`: what the gateway has for its machines. */
#include <stdlib.h>

#include "gateway/cli/catalog_file.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct column list_columns[] = {
    {"name", "CATALOG", COLUMN_TEXT, 0, false},    {"version", "VERSION", COLUMN_WHOLE, 0, true},
    {"class", "CLASS", COLUMN_TEXT, 0, false},     {"wanted_by", "WANTED BY", COLUMN_WHOLE, 0, true},
    {"on_machines", "ON", COLUMN_WHOLE, 0, true},  {"published", "PUBLISHED", COLUMN_TIME, 0, false},
    {"published_by", "BY", COLUMN_TEXT, 0, false}, {"expires", "EXPIRES", COLUMN_TIME, 0, false},
    {"size", "BYTES", COLUMN_WHOLE, 0, true},      {"digest", "DIGEST", COLUMN_TEXT, 13, false},
    {"created", "", COLUMN_RAW_ONLY, 0, false},    {"rollback_to", "", COLUMN_RAW_ONLY, 0, false},
    {"signatures", "", COLUMN_RAW_ONLY, 0, false},
};

enum cli_exit cmd_catalog_list(struct cli *cli, char **args, size_t count)
{
	const char *where = cli->values[CLI_OPT_WHERE];
	const struct cli_list list = {.request = {.path = "/v1/catalogs", .params = {{"where", where}}},
	                              .columns = list_columns,
	                              .columns_count = COUNT(list_columns),
	                              .none = where != NULL
	                                          ? "no catalog fits --where"
	                                          : "no catalog has been published; see 'gymfleet help catalog publish'"};

	(void)args;
	(void)count;
	return cli_list(cli, &list);
}

static void print_published(struct cli *cli, const struct catalog_file *file, const json_t *body)
{
	const json_t *signatures = json_object_get(body, "signatures"), *id;
	size_t i;
	char digest[DIGEST_TEXT_MAX];

	(void)fprintf(cli->out, "%s version %llu for %s %s, digest %.8s, signed by", file->catalog.name,
	              (unsigned long long)file->catalog.version, gf_class_name(file->catalog.class),
	              json_is_true(json_object_get(body, "replaced")) ? "was published already" : "is published",
	              catalog_digest(&file->digest, digest));
	json_array_foreach(signatures, i, id)
	{
		(void)fprintf(cli->out, "%s %s", i > 0 ? "," : "", json_string_value(id));
	}
	(void)fputc('\n', cli->out);
}

/* What the gateway said of it goes into `rows`. */
static enum cli_exit publish(struct cli *cli, const char *path, json_t *rows, bool last)
{
	struct catalog_file file = {0};
	json_t *body = NULL;
	enum cli_exit code = catalog_file_read(cli, path, &file);

	if (code == CLI_OK && file.sealed.signatures_count == 0)
		code = cli_fail(cli, CLI_REFUSED,
		                "%s is not signed, and no machine would take it; sign it first: gymfleet catalog sign %s --key "
		                "KEY",
		                path, path);
	const struct cli_request request = {
	    .method = "POST", .path = "/v1/catalogs", .bytes = file.data, .bytes_len = file.len};
	if (code == CLI_OK)
		code = cli_request(cli, &request, &body);
	if (code == CLI_OK && cli->format == WRITER_TABLE)
		print_published(cli, &file, body);
	if (code == CLI_OK && cli->format == WRITER_TABLE && last)
		(void)fprintf(
		    cli->out,
		    "No machine changes by this. Bring it to them with: gymfleet rollout start %s@%llu --where EXPR\n",
		    file.catalog.name, (unsigned long long)file.catalog.version);
	if (code == CLI_OK && json_array_append(rows, body) != 0)
		code = cli_fail(cli, CLI_REFUSED, "out of memory");
	json_decref(body);
	catalog_file_deinit(&file);
	return code;
}

enum cli_exit cmd_catalog_publish(struct cli *cli, char **args, size_t count)
{
	static const struct column columns[] = {
	    {"digest", "", COLUMN_TEXT, 0, false},   {"name", "", COLUMN_TEXT, 0, false},
	    {"class", "", COLUMN_TEXT, 0, false},    {"version", "", COLUMN_WHOLE, 0, false},
	    {"size", "", COLUMN_WHOLE, 0, false},    {"signatures", "", COLUMN_TEXT, 0, false},
	    {"replaced", "", COLUMN_TEXT, 0, false},
	};
	json_t *rows = json_array();
	enum cli_exit code = CLI_OK;

	for (size_t i = 0; i < count && code == CLI_OK; i++)
		code = publish(cli, args[i], rows, i + 1 == count);
	if (code == CLI_OK && cli->format != WRITER_TABLE)
		code = count == 1 ? cli_object(cli, json_array_get(rows, 0), columns, COUNT(columns))
		                  : cli_rows(cli, rows, columns, COUNT(columns), NULL);
	json_decref(rows);
	return code;
}
