/* `catalog keygen` and `catalog sign`: where the keys are, without a gateway. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "gateway/cli/catalog_file.h"
#include "proto/base/file.h"
#include "proto/catalog_key.h"

/* The file's name without its folder. */
static const char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

static void print_keygen(struct cli *cli, const char *path, const char *id)
{
	(void)fprintf(cli->out,
	              "%s\tthe private key: keep it off the gateway and the machines, and a copy of it safe\n"
	              "%s.pub\tthe public key, id %s\n\n"
	              "Copy %s.pub to each machine, into the folder of agent.yaml, and name it there:\n\n"
	              "    catalog_keys:\n"
	              "      threshold: 1\n"
	              "      files: [%s.pub]\n\n"
	              "Then sign what the machines shall take:\n\n"
	              "    gymfleet catalog sign FILE --key %s\n",
	              path, path, id, name_of(path), name_of(path), path);
}

enum cli_exit cmd_catalog_keygen(struct cli *cli, char **args, size_t count)
{
	uint8_t key[GF_KEY_LEN];
	struct gf_key_id id;
	struct gf_diag diag = {{0}};
	char text[KEY_ID_TEXT_MAX];

	const size_t len = strlen(args[0]);

	(void)count;
	if (len >= 4 && strcmp(args[0] + len - 4, ".pub") == 0)
		return cli_fail_usage(cli, "'%s' would be the private key; leave out .pub, which the public one gets", args[0]);
	if (gf_key_make(args[0], key, &diag) != 0)
		return cli_fail(cli, CLI_REFUSED, "%s", diag.text);
	gf_key_id_of(key, &id);
	(void)catalog_key_id(&id, text);
	if (cli->format == WRITER_TABLE) {
		print_keygen(cli, args[0], text);
		return CLI_OK;
	}
	static const struct column columns[] = {
	    {"key_id", "", COLUMN_TEXT, 0, false},
	    {"private", "", COLUMN_TEXT, 0, false},
	    {"public", "", COLUMN_TEXT, 0, false},
	};
	json_t *row = json_pack("{s:s, s:s, s:s+}", "key_id", text, "private", args[0], "public", args[0], ".pub");
	enum cli_exit code = cli_object(cli, row, columns, 3);
	json_decref(row);
	return code;
}

/* The signed bytes in the place of the others; a link stays a link, and the file keeps who may read it. */
static enum cli_exit write_signed(struct cli *cli, const struct catalog_file *file, const unsigned char *data,
                                  size_t len)
{
	struct stat st;
	struct gf_diag diag = {{0}};
	char *path = realpath(file->path, NULL);

	if (path == NULL || stat(path, &st) != 0) {
		free(path);
		return cli_fail(cli, CLI_REFUSED, "%s: %s", file->path, strerror(errno));
	}
	const int r = gf_file_replace(path, data, len, st.st_mode & 0777, &diag);
	free(path);
	return r == 0 ? CLI_OK : cli_fail(cli, CLI_REFUSED, "%s", diag.text);
}

/* A line for people, a row for programs. */
static enum cli_exit tell_signed(struct cli *cli, const struct catalog_file *file, const struct gf_digest *digest,
                                 const char *key_id, json_t *rows)
{
	const struct gf_catalog *c = &file->catalog;
	const size_t n = file->sealed.signatures_count;
	char text[DIGEST_TEXT_MAX];

	(void)catalog_digest(digest, text);
	if (cli->format == WRITER_TABLE)
		(void)fprintf(cli->out, "%s: %s version %llu for %s, signed by %s; %zu signature%s, digest %.8s\n", file->path,
		              c->name, (unsigned long long)c->version, gf_class_name(c->class), key_id, n, n == 1 ? "" : "s",
		              text);
	json_t *row = json_pack("{s:s, s:s, s:I, s:s, s:I, s:s}", "file", file->path, "name", c->name, "version",
	                        (json_int_t)c->version, "key_id", key_id, "signatures", (json_int_t)n, "digest", text);
	return json_array_append_new(rows, row) == 0 ? CLI_OK : cli_fail(cli, CLI_REFUSED, "out of memory");
}

static enum cli_exit sign_file(struct cli *cli, struct catalog_file *file, const uint8_t seed[static GF_SEED_LEN],
                               json_t *rows)
{
	unsigned char *data = NULL;
	size_t len = 0;
	struct gf_digest digest;
	struct gf_key_id id;
	uint8_t key[GF_KEY_LEN];
	char text[KEY_ID_TEXT_MAX];
	int r = gf_sign(&file->sealed, seed);

	if (r == -ENOSPC)
		return cli_fail(cli, CLI_REFUSED, "%s has %d signatures already, and there is no room for more; build it anew",
		                file->path, GF_SIGNATURES_MAX);
	if (r == 0)
		r = gf_key_public(seed, key);
	if (r == 0)
		r = gf_seal(&file->sealed, &data, &len);
	if (r == -EMSGSIZE)
		return cli_fail(cli, CLI_REFUSED, "%s: with one more signature it is larger than %d KiB; leave out routines",
		                file->path, GF_CATALOG_MAX / 1024);
	if (r != 0)
		return cli_fail(cli, CLI_REFUSED, "%s can't be signed: %s", file->path, strerror(-r));
	enum cli_exit code = write_signed(cli, file, data, len);
	gf_digest_of(data, len, &digest);
	free(data);
	gf_key_id_of(key, &id);
	return code == CLI_OK ? tell_signed(cli, file, &digest, catalog_key_id(&id, text), rows) : code;
}

static enum cli_exit sign_path(struct cli *cli, const char *path, const uint8_t seed[static GF_SEED_LEN], json_t *rows)
{
	struct catalog_file file = {0};
	enum cli_exit code = catalog_file_read(cli, path, &file);

	if (code == CLI_OK)
		code = sign_file(cli, &file, seed, rows);
	catalog_file_deinit(&file);
	return code;
}

enum cli_exit cmd_catalog_sign(struct cli *cli, char **args, size_t count)
{
	static const struct column columns[] = {
	    {"file", "", COLUMN_TEXT, 0, false},        {"name", "", COLUMN_TEXT, 0, false},
	    {"version", "", COLUMN_WHOLE, 0, false},    {"key_id", "", COLUMN_TEXT, 0, false},
	    {"signatures", "", COLUMN_WHOLE, 0, false}, {"digest", "", COLUMN_TEXT, 0, false},
	};
	const size_t columns_count = sizeof(columns) / sizeof(columns[0]);
	uint8_t seed[GF_SEED_LEN];
	struct gf_diag diag = {{0}};
	enum cli_exit code = CLI_OK;

	if (cli->values[CLI_OPT_KEY] == NULL)
		return cli_fail_usage(cli, "--key FILE is missing: the private key that 'gymfleet catalog keygen' made");
	json_t *rows = json_array();
	if (gf_key_read_private(cli->values[CLI_OPT_KEY], seed, &diag) != 0)
		code = cli_fail(cli, CLI_REFUSED, "%s", diag.text);
	for (size_t i = 0; i < count && code == CLI_OK; i++)
		code = sign_path(cli, args[i], seed, rows);
	explicit_bzero(seed, sizeof(seed));
	if (code == CLI_OK && cli->format != WRITER_TABLE)
		code = count == 1 ? cli_object(cli, json_array_get(rows, 0), columns, columns_count)
		                  : cli_rows(cli, rows, columns, columns_count, NULL);
	json_decref(rows);
	return code;
}
