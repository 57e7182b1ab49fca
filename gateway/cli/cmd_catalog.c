/* `catalog check` and `catalog build`: routines in YAML, without a gateway. */
#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "gateway/cli/cli.h"
#include "proto/base/file.h"
#include "proto/catalog_yaml.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum { CATALOG_MODE = 0644 };

static const struct column columns[] = {
    {"state", "STATE", COLUMN_STATE, 0, false},    {"routine", "ROUTINE", COLUMN_TEXT, 0, false},
    {"classes", "CLASSES", COLUMN_TEXT, 0, false}, {"duration_s", "LENGTH", COLUMN_SECONDS, 0, true},
    {"steps", "STEPS", COLUMN_WHOLE, 0, true},     {"file", "FILE", COLUMN_PROSE, 0, false},
    {"title", "", COLUMN_RAW_ONLY, 0, false},      {"error", "", COLUMN_RAW_ONLY, 0, false},
};

/* "percussion roller" */
static void class_names(uint32_t classes, char *buf, size_t size)
{
	size_t n = 0;

	buf[0] = '\0';
	for (int c = GF_CLASS_UNSPECIFIED + 1; c < GF_CLASS_COUNT && n < size; c++)
		if ((classes & (UINT32_C(1) << c)) != 0)
			n += (size_t)snprintf(buf + n, size - n, "%s%s", n > 0 ? " " : "", gf_class_name((enum gf_class)c));
}

/* Checks one file and adds its row; a mistake is also said at once. */
static bool check_file(struct cli *cli, const char *path, json_t *rows)
{
	struct gf_routine routine = {0};
	struct gf_diag diag = {{0}};
	char classes[128];
	json_t *row;
	bool right = gf_catalog_yaml_routine(path, &routine, &diag) == 0;

	if (right) {
		class_names(routine.classes, classes, sizeof(classes));
		row = json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:n}", "file", path, "state", "ok", "routine", routine.id,
		                "title", routine.title, "classes", classes, "duration_s",
		                (int)(gf_routine_duration_ms(&routine) / 1000), "steps", (int)routine.steps_count, "error");
		gf_routine_deinit(&routine);
	} else {
		(void)cli_fail(cli, CLI_REFUSED, "%s", diag.text);
		row = json_pack("{s:s, s:s, s:n, s:n, s:n, s:n, s:n, s:s}", "file", path, "state", "problem", "routine",
		                "title", "classes", "duration_s", "steps", "error", diag.text);
	}
	(void)json_array_append_new(rows, row);
	return right;
}

static int is_yaml(const struct dirent *entry)
{
	return fnmatch("*.yaml", entry->d_name, FNM_PERIOD) == 0;
}

/* Every *.yaml of a folder, by name. */
static bool check_folder(struct cli *cli, const char *dir, json_t *rows)
{
	struct dirent **entries = NULL;
	int count = scandir(dir, &entries, is_yaml, alphasort);
	bool right = count > 0;

	if (count < 0)
		(void)cli_fail(cli, CLI_REFUSED, "can't read the folder %s: %s", dir, strerror(errno));
	if (count == 0)
		(void)cli_fail(cli, CLI_REFUSED, "there is no *.yaml in %s", dir);
	for (int i = 0; i < count; i++) {
		char *path;
		if (asprintf(&path, "%s/%s", dir, entries[i]->d_name) >= 0) {
			right = check_file(cli, path, rows) && right;
			free(path);
		}
		free(entries[i]);
	}
	free(entries);
	return right;
}

enum cli_exit cmd_catalog_check(struct cli *cli, char **args, size_t count)
{
	json_t *rows = json_array();
	bool right = true;

	for (size_t i = 0; i < count; i++) {
		struct stat st;
		bool folder = stat(args[i], &st) == 0 && S_ISDIR(st.st_mode);
		right = (folder ? check_folder(cli, args[i], rows) : check_file(cli, args[i], rows)) && right;
	}
	enum cli_exit code = cli_rows(cli, rows, columns, COUNT(columns), NULL);
	json_decref(rows);
	return code == CLI_OK && !right ? CLI_REFUSED : code;
}

struct build {
	enum gf_class class;
	const char *name, *file;
	uint64_t version;
};

static enum cli_exit take_build(struct cli *cli, struct build *ret_build)
{
	static const enum cli_option needed[] = {CLI_OPT_CLASS, CLI_OPT_NAME, CLI_OPT_CATALOG_VERSION, CLI_OPT_FILE};
	static const char *const names[] = {"--class CLASS", "--name NAME", "--version N", "-o FILE"};
	struct build b = {.name = cli->values[CLI_OPT_NAME], .file = cli->values[CLI_OPT_FILE]};
	char *end;

	for (size_t i = 0; i < COUNT(needed); i++)
		if (cli->values[needed[i]] == NULL)
			return cli_fail_usage(cli, "%s is missing", names[i]);
	const char *class = cli->values[CLI_OPT_CLASS], *version = cli->values[CLI_OPT_CATALOG_VERSION];
	if (gf_class_parse(class, &b.class) != 0)
		return cli_fail_usage(cli, "--class is '%s'; it may be percussion, roller, compression, chair or water_bed",
		                      class);
	if (*b.name == '\0' || strlen(b.name) >= GF_NAME_MAX || !gf_utf8_valid(b.name, strlen(b.name)))
		return cli_fail_usage(cli, "--name must have 1 to %d bytes of UTF-8", GF_NAME_MAX - 1);
	errno = 0;
	b.version = strtoull(version, &end, 10);
	if (*version < '0' || *version > '9' || *end != '\0' || errno != 0 || b.version == 0)
		return cli_fail_usage(cli, "--version is '%s'; expected a number from 1, greater than the last one", version);
	*ret_build = b;
	return CLI_OK;
}

static enum cli_exit write_catalog(struct cli *cli, const struct build *build, const struct gf_catalog *catalog)
{
	unsigned char *data = NULL;
	size_t len = 0;
	struct gf_diag diag = {{0}};
	int r = gf_catalog_encode(catalog, &data, &len);

	if (r != 0)
		return cli_fail(cli, CLI_REFUSED, "the catalog can't be built: %s",
		                r == -EMSGSIZE ? "it is larger than 256 KiB; leave out routines" : strerror(-r));
	r = gf_file_replace(build->file, data, len, CATALOG_MODE, &diag);
	free(data);
	if (r != 0)
		return cli_fail(cli, CLI_REFUSED, "%s", diag.text);
	(void)fprintf(cli->out, "%s: %s version %llu for %s, %zu routines, %zu bytes\n", build->file, catalog->name,
	              (unsigned long long)catalog->version, gf_class_name(catalog->class), catalog->routines_count, len);
	return CLI_OK;
}

enum cli_exit cmd_catalog_build(struct cli *cli, char **args, size_t count)
{
	struct build build = {0};
	struct gf_catalog catalog = {0};
	struct gf_diag diag = {{0}};
	enum cli_exit code = take_build(cli, &build);

	(void)count;
	if (code != CLI_OK)
		return code;
	if (gf_catalog_yaml_folder(args[0], build.class, build.name, build.version, &catalog, &diag) != 0)
		return cli_fail(cli, CLI_REFUSED, "%s", diag.text);
	code = write_catalog(cli, &build, &catalog);
	gf_catalog_deinit(&catalog);
	return code;
}
