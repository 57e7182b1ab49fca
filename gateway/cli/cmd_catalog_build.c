/* `catalog build`: a folder of routines becomes a catalog, which nobody has signed yet. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/cli/catalog_file.h"
#include "proto/base/clock.h"
#include "proto/base/file.h"
#include "proto/base/text.h"
#include "proto/catalog_yaml.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define YEAR_MS (INT64_C(365) * 24 * 3600 * 1000)

enum { EXPIRES_MAX_YEARS = 20 };

static enum cli_exit check_needed(struct cli *cli)
{
	static const enum cli_option needed[] = {CLI_OPT_CLASS, CLI_OPT_NAME, CLI_OPT_CATALOG_VERSION, CLI_OPT_FILE};
	static const char *const names[] = {"--class CLASS", "--name NAME", "--version N", "-o FILE"};

	for (size_t i = 0; i < COUNT(needed); i++)
		if (cli->values[needed[i]] == NULL)
			return cli_fail_usage(cli, "%s is missing", names[i]);
	return CLI_OK;
}

/* Name, class and version, which every catalog has. */
static enum cli_exit take_head(struct cli *cli, struct gf_catalog *head)
{
	const char *class = cli->values[CLI_OPT_CLASS], *version = cli->values[CLI_OPT_CATALOG_VERSION],
	           *name = cli->values[CLI_OPT_NAME];
	enum cli_exit code = check_needed(cli);

	if (code != CLI_OK)
		return code;
	if (gf_class_parse(class, &head->class) != 0)
		return cli_fail_usage(cli, "--class is '%s'; it may be percussion, roller, compression, chair or water_bed",
		                      class);
	if (*name == '\0' || !gf_utf8_valid(name, strlen(name)) || gf_has_controls(name, strlen(name)) ||
	    !gf_strcpy(head->name, sizeof(head->name), name))
		return cli_fail_usage(cli, "--name must have 1 to %d bytes of UTF-8", GF_NAME_MAX - 1);
	return catalog_number(cli, "version", version, 1, GF_CATALOG_VERSION_MAX, &head->version);
}

static enum cli_exit take_expiry(struct cli *cli, struct gf_catalog *head)
{
	const char *text = cli->values[CLI_OPT_EXPIRES];
	enum cli_exit code;
	int64_t at_ms = 0;

	if (text == NULL)
		return CLI_OK;
	if ((code = cli_when(cli, CLI_OPT_EXPIRES, true, &at_ms)) != CLI_OK)
		return code;
	if (at_ms <= cli->now_ms || at_ms - cli->now_ms > EXPIRES_MAX_YEARS * YEAR_MS)
		return cli_fail_usage(cli, "--expires is '%s'; expected a time to come, of at most %d years", text,
		                      EXPIRES_MAX_YEARS);
	head->expires_ms = (uint64_t)at_ms;
	return CLI_OK;
}

/* What a catalog may say beyond its routines. */
static enum cli_exit take_terms(struct cli *cli, struct gf_catalog *head)
{
	const char *floor = cli->values[CLI_OPT_ROLLBACK_TO], *agent = cli->values[CLI_OPT_MIN_AGENT];
	enum cli_exit code;

	head->created_ms = (uint64_t)cli->now_ms;
	if ((code = take_expiry(cli, head)) != CLI_OK)
		return code;
	if (floor != NULL) {
		code = catalog_number(cli, "rollback-to", floor, 1, head->version, &head->rollback_floor);
		if (code != CLI_OK)
			return code;
	}
	if (agent != NULL &&
	    (strspn(agent, "0123456789.") != strlen(agent) || !gf_strcpy(head->min_agent, sizeof(head->min_agent), agent)))
		return cli_fail_usage(cli, "--min-agent is '%s'; expected numbers with dots between them, such as 1.2.0",
		                      agent);
	if (cli->values[CLI_OPT_NEXT_KEYS] != NULL)
		return catalog_keys(cli, CLI_OPT_NEXT_KEYS, &head->next_keys);
	if (cli->values[CLI_OPT_THRESHOLD] != NULL)
		return cli_fail_usage(cli, "--threshold is for --next-keys, which is missing");
	return CLI_OK;
}

/* The bytes as a machine will read them: what it would refuse isn't written. */
static enum cli_exit check_bytes(struct cli *cli, const unsigned char *data, size_t len)
{
	struct gf_catalog back;
	struct gf_diag diag = {{0}};

	if (gf_catalog_decode(data, len, &back, &diag) != 0)
		return cli_fail(cli, CLI_REFUSED, "the catalog can't be built: no machine would take it: %s", diag.text);
	gf_catalog_deinit(&back);
	return CLI_OK;
}

static enum cli_exit write_catalog(struct cli *cli, const struct gf_catalog *catalog)
{
	const char *path = cli->values[CLI_OPT_FILE];
	unsigned char *data = NULL;
	size_t len = 0;
	struct gf_diag diag = {{0}};
	int r = gf_catalog_encode(catalog, &data, &len);

	if (r != 0)
		return cli_fail(cli, CLI_REFUSED, "the catalog can't be built: %s",
		                r == -EMSGSIZE ? "it is larger than 256 KiB; leave out routines" : strerror(-r));
	enum cli_exit code = check_bytes(cli, data, len);
	if (code == CLI_OK && gf_file_replace(path, data, len, CATALOG_FILE_MODE, &diag) != 0)
		code = cli_fail(cli, CLI_REFUSED, "%s", diag.text);
	free(data);
	if (code == CLI_OK)
		(void)fprintf(cli->out, "%s: %s version %llu for %s, %zu routines, %zu bytes\n", path, catalog->name,
		              (unsigned long long)catalog->version, gf_class_name(catalog->class), catalog->routines_count,
		              len);
	return code;
}

enum cli_exit cmd_catalog_build(struct cli *cli, char **args, size_t count)
{
	struct gf_catalog head = {0}, catalog = {0};
	struct gf_diag diag = {{0}};
	enum cli_exit code = take_head(cli, &head);

	(void)count;
	if (code == CLI_OK)
		code = take_terms(cli, &head);
	if (code != CLI_OK)
		return code;
	if (gf_catalog_yaml_folder(args[0], head.class, head.name, head.version, &catalog, &diag) != 0)
		return cli_fail(cli, CLI_REFUSED, "%s", diag.text);
	head.routines = catalog.routines;
	head.routines_count = catalog.routines_count;
	code = write_catalog(cli, &head);
	gf_catalog_deinit(&catalog);
	return code;
}
