/* What the catalog commands share: a catalog's file taken apart, and the keys that are named on the command line. */
#ifndef GATEWAY_CLI_CATALOG_FILE_H
#define GATEWAY_CLI_CATALOG_FILE_H

#include "gateway/cli/cli.h"
#include "proto/catalog_sign.h"

struct catalog_file {
	const char *path;    /* borrowed */
	unsigned char *data; /* the file's bytes, owned like what follows */
	size_t len;
	struct gf_digest digest;
	struct gf_sealed sealed;
	struct gf_catalog catalog;
};

enum { CATALOG_FILE_MODE = 0644, KEY_ID_TEXT_MAX = 2 * GF_KEY_ID_LEN + 1, DIGEST_TEXT_MAX = 2 * GF_DIGEST_LEN + 1 };

/* Reads a catalog and checks it by every rule; signatures are not judged. What is wrong is said on cli->err; *ret_file is ended by
 * catalog_file_deinit, on failure too. */
enum cli_exit catalog_file_read(struct cli *cli, const char *path, struct catalog_file *ret_file);
void catalog_file_deinit(struct catalog_file *file);

/* "a.pub,b.pub" of `option` with --threshold, which only one key may leave out. */
enum cli_exit catalog_keys(struct cli *cli, enum cli_option option, struct gf_keyset *ret_keys);
/* A whole number of `least`..`most` as the value of `--name`. */
enum cli_exit catalog_number(struct cli *cli, const char *name, const char *text, uint64_t least, uint64_t most,
                             uint64_t *ret_number);

const char *catalog_key_id(const struct gf_key_id *id, char buf[static KEY_ID_TEXT_MAX]);
const char *catalog_digest(const struct gf_digest *digest, char buf[static DIGEST_TEXT_MAX]);
/* RFC 3339, or null for 0. */
json_t *catalog_time(uint64_t wall_ms);
/* A text, or null for an empty one. */
json_t *catalog_text(const char *text);
/* "percussion roller": whose routine it is. */
json_t *catalog_classes(uint32_t classes);
/* {"threshold": 2, "key_ids": [...]}, or null for no keys. */
json_t *catalog_keys_json(const struct gf_keyset *keys);

#endif
