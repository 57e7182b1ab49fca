#include "gateway/cli/catalog_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/clock.h"
#include "proto/base/file.h"
#include "proto/base/text.h"
#include "proto/catalog_key.h"
#include "proto/topic.h"

static const char *const option_names[CLI_OPT_COUNT] = {
    [CLI_OPT_KEYS] = "keys",
    [CLI_OPT_NEXT_KEYS] = "next-keys",
};

enum cli_exit catalog_file_read(struct cli *cli, const char *path, struct catalog_file *ret_file)
{
	struct gf_diag diag = {{0}};
	char *data = NULL;
	int r = gf_file_read(path, GF_CATALOG_MAX, &data, &ret_file->len, &diag);

	ret_file->path = path;
	ret_file->data = (unsigned char *)data;
	if (r == -EFBIG)
		return cli_fail(cli, CLI_REFUSED, "%s: larger than any catalog may be (%d KiB)", path, GF_CATALOG_MAX / 1024);
	if (r != 0)
		return cli_fail(cli, CLI_REFUSED, "%s", diag.text);
	r = gf_unseal(data, ret_file->len, &ret_file->sealed, &diag);
	if (r == 0)
		r = gf_manifest_decode(ret_file->sealed.manifest, ret_file->sealed.manifest_len, &ret_file->catalog, &diag);
	if (r == -ENOMEM)
		return cli_fail(cli, CLI_REFUSED, "out of memory");
	if (r != 0)
		return cli_fail(cli, CLI_REFUSED,
		                "%s: this is no catalog that a machine would take: %s; build one with 'gymfleet catalog build'",
		                path, diag.text);
	gf_digest_of(ret_file->data, ret_file->len, &ret_file->digest);
	return CLI_OK;
}

void catalog_file_deinit(struct catalog_file *file)
{
	free(file->data);
	gf_sealed_deinit(&file->sealed);
	gf_catalog_deinit(&file->catalog);
	*file = (struct catalog_file){0};
}

enum cli_exit catalog_number(struct cli *cli, const char *name, const char *text, uint64_t least, uint64_t most,
                             uint64_t *ret_number)
{
	char *end;

	errno = 0;
	const unsigned long long number = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 || number < least || number > most)
		return cli_fail_usage(cli, "--%s is '%s'; expected a number from %llu to %llu", name, text,
		                      (unsigned long long)least, (unsigned long long)most);
	*ret_number = number;
	return CLI_OK;
}

/* Reads the files of a list into `keys`; the list is taken apart in place. */
static enum cli_exit read_keys(struct cli *cli, enum cli_option option, char *list, struct gf_keyset *keys)
{
	char *rest = NULL;
	struct gf_diag diag = {{0}};

	for (char *path = strtok_r(list, ",", &rest); path != NULL; path = strtok_r(NULL, ",", &rest)) {
		if (keys->count == GF_KEYS_MAX)
			return cli_fail_usage(cli, "--%s names more than %d keys", option_names[option], GF_KEYS_MAX);
		if (gf_key_read_public(path, keys->keys[keys->count], &diag) != 0)
			return cli_fail(cli, CLI_REFUSED, "%s", diag.text);
		keys->count++;
	}
	if (keys->count == 0)
		return cli_fail_usage(cli, "--%s names no file", option_names[option]);
	return CLI_OK;
}

enum cli_exit catalog_keys(struct cli *cli, enum cli_option option, struct gf_keyset *ret_keys)
{
	struct gf_keyset keys = {0};
	struct gf_diag diag = {{0}};
	const char *threshold = cli->values[CLI_OPT_THRESHOLD];
	uint64_t needed = 1;
	char *list = strdup(cli->values[option]);
	enum cli_exit code =
	    list != NULL ? read_keys(cli, option, list, &keys) : cli_fail(cli, CLI_REFUSED, "out of memory");

	free(list);
	if (code == CLI_OK && threshold != NULL)
		code = catalog_number(cli, "threshold", threshold, 1, keys.count, &needed);
	else if (code == CLI_OK && keys.count > 1)
		code =
		    cli_fail_usage(cli, "--threshold N is missing: how many of these %zu keys must have signed?", keys.count);
	if (code != CLI_OK)
		return code;
	keys.threshold = (uint32_t)needed;
	if (gf_keyset_check(&keys, &diag) != 0)
		return cli_fail(cli, CLI_REFUSED, "--%s: %s", option_names[option], diag.text);
	*ret_keys = keys;
	return CLI_OK;
}

const char *catalog_key_id(const struct gf_key_id *id, char buf[static KEY_ID_TEXT_MAX])
{
	gf_hex(id->bytes, GF_KEY_ID_LEN, buf);
	return buf;
}

const char *catalog_digest(const struct gf_digest *digest, char buf[static DIGEST_TEXT_MAX])
{
	gf_hex(digest->bytes, GF_DIGEST_LEN, buf);
	return buf;
}

json_t *catalog_time(uint64_t wall_ms)
{
	char text[GF_RFC3339_MAX];

	return wall_ms != 0 ? json_string(gf_time_format((int64_t)wall_ms, text)) : json_null();
}

json_t *catalog_text(const char *text)
{
	return *text != '\0' ? json_string(text) : json_null();
}

json_t *catalog_classes(uint32_t classes)
{
	char text[128] = "";
	size_t n = 0;

	for (int c = GF_CLASS_UNSPECIFIED + 1; c < GF_CLASS_COUNT && n < sizeof(text); c++)
		if ((classes & UINT32_C(1) << c) != 0)
			n +=
			    (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", n > 0 ? " " : "", gf_class_name((enum gf_class)c));
	return json_string(text);
}

json_t *catalog_keys_json(const struct gf_keyset *keys)
{
	if (keys->threshold == 0)
		return json_null();
	json_t *ids = json_array();
	for (size_t i = 0; i < keys->count; i++) {
		struct gf_key_id id;
		char text[KEY_ID_TEXT_MAX];
		gf_key_id_of(keys->keys[i], &id);
		(void)json_array_append_new(ids, json_string(catalog_key_id(&id, text)));
	}
	return json_pack("{s:i, s:o}", "threshold", (int)keys->threshold, "key_ids", ids);
}
