/* `catalog check`: routines in YAML, without a gateway. */
#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "gateway/cli/catalog_file.h"
#include "proto/catalog_yaml.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct column columns[] = {
    {"state", "STATE", COLUMN_STATE, 0, false},    {"routine", "ROUTINE", COLUMN_TEXT, 0, false},
    {"classes", "CLASSES", COLUMN_TEXT, 0, false}, {"duration_s", "LENGTH", COLUMN_SECONDS, 0, true},
    {"steps", "STEPS", COLUMN_WHOLE, 0, true},     {"file", "FILE", COLUMN_PROSE, 0, false},
    {"title", "", COLUMN_RAW_ONLY, 0, false},      {"error", "", COLUMN_RAW_ONLY, 0, false},
};

/* Checks one file and adds its row; a mistake is also said at once. */
static bool check_file(struct cli *cli, const char *path, json_t *rows)
{
	struct gf_routine routine = {0};
	struct gf_diag diag = {{0}};
	json_t *row;
	bool right = gf_catalog_yaml_routine(path, &routine, &diag) == 0;

	if (right) {
		row = json_pack("{s:s, s:s, s:s, s:s, s:o, s:i, s:i, s:n}", "file", path, "state", "ok", "routine", routine.id,
		                "title", routine.title, "classes", catalog_classes(routine.classes), "duration_s",
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
