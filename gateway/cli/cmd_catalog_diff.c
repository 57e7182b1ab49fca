/* `catalog diff`: what changes for a machine, routine by routine. Without a gateway. */
#include <stdlib.h>
#include <string.h>

#include "gateway/cli/catalog_diff.h"
#include "gateway/cli/catalog_file.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct column columns[] = {
    {"routine", "", COLUMN_TEXT, 0, false},   {"change", "", COLUMN_TEXT, 0, false},
    {"what", "", COLUMN_TEXT, 0, false},      {"steps", "", COLUMN_TEXT, 0, false},
    {"area", "", COLUMN_TEXT, 0, false},      {"side", "", COLUMN_TEXT, 0, false},
    {"technique", "", COLUMN_TEXT, 0, false}, {"field", "", COLUMN_TEXT, 0, false},
    {"before", "", COLUMN_TEXT, 0, false},    {"after", "", COLUMN_TEXT, 0, false},
};

static const char *text_at(const json_t *row, const char *key)
{
	const char *text = json_string_value(json_object_get(row, key));

	return text != NULL ? text : "";
}

/* "1-3, 7" of the numbers 1 2 3 7 */
static void print_numbers(FILE *to, const json_t *steps)
{
	const size_t count = json_array_size(steps);

	for (size_t i = 0, end; i < count; i = end) {
		const json_int_t first = json_integer_value(json_array_get(steps, i));
		for (end = i + 1; end < count; end++)
			if (json_integer_value(json_array_get(steps, end)) != first + (json_int_t)(end - i))
				break;
		(void)fprintf(to, "%s%lld", i > 0 ? ", " : "", (long long)first);
		if (end > i + 1)
			(void)fprintf(to, "-%lld", (long long)first + (long long)(end - i) - 1);
	}
}

/* A value for people; what is null in a catalog's head has no limit or isn't there. */
static void print_value(FILE *to, const json_t *value, const char *unit)
{
	if (json_is_string(value)) {
		(void)fprintf(to, "%s", json_string_length(value) > 0 ? json_string_value(value) : "nothing");
	} else if (json_is_number(value)) {
		(void)fprintf(to, "%.10g%s%s", json_number_value(value), *unit != '\0' ? " " : "", unit);
	} else if (json_is_boolean(value)) {
		(void)fputs(json_is_true(value) ? "yes" : "no", to);
	} else {
		(void)fputs("none", to);
	}
}

/* "duration 60 s -> 45 s", or what was added or removed */
static void print_change(FILE *to, const json_t *row)
{
	const char *change = text_at(row, "change"), *label = "", *unit = "";

	if (strcmp(change, "changed") != 0) {
		(void)fprintf(to, "%s %s%s", change, text_at(row, "before"), text_at(row, "after"));
		return;
	}
	catalog_diff_words(text_at(row, "field"), &label, &unit);
	(void)fprintf(to, "%s ", label);
	print_value(to, json_object_get(row, "before"), unit);
	(void)fputs(" -> ", to);
	print_value(to, json_object_get(row, "after"), unit);
}

/* Another field of the same steps: it goes onto their line. */
static bool same_steps(const json_t *row, const json_t *before)
{
	static const char *const keys[] = {"routine", "steps", "area", "side", "technique"};

	if (before == NULL || !json_is_array(json_object_get(row, "steps")))
		return false;
	for (size_t i = 0; i < COUNT(keys); i++)
		if (!json_equal(json_object_get(row, keys[i]), json_object_get(before, keys[i])))
			return false;
	return strcmp(text_at(row, "change"), text_at(before, "change")) == 0;
}

static void print_row(FILE *to, const json_t *row, const json_t *before)
{
	const char *routine = text_at(row, "routine"), *change = text_at(row, "change");
	const json_t *steps = json_object_get(row, "steps");

	if (strcmp(change, "changed") != 0 && strcmp(text_at(row, "what"), "routine") == 0) {
		(void)fprintf(to, "\n%c %s: ", *change == 'a' ? '+' : '-', routine);
		print_change(to, row);
		return;
	}
	if (same_steps(row, before)) {
		(void)fputs(", ", to);
		print_change(to, row);
		return;
	}
	if (*routine != '\0' && (before == NULL || strcmp(routine, text_at(before, "routine")) != 0))
		(void)fprintf(to, "\n~ %s", routine);
	(void)fputs(*routine != '\0' ? "\n    " : "\n  ", to);
	if (json_is_array(steps)) {
		(void)fprintf(to, "step%s ", json_array_size(steps) > 1 ? "s" : "");
		print_numbers(to, steps);
		(void)fprintf(to, ", %s %s %s: ", text_at(row, "area"), text_at(row, "side"), text_at(row, "technique"));
	}
	print_change(to, row);
}

static size_t count_same(const struct gf_catalog *after, const struct gf_catalog *before, const json_t *rows)
{
	const json_t *row;
	size_t same = 0, i;

	for (size_t r = 0; r < after->routines_count; r++) {
		bool changed = gf_catalog_find(before, after->routines[r].id) == NULL;
		json_array_foreach(rows, i, row)
		{
			changed = changed || strcmp(text_at(row, "routine"), after->routines[r].id) == 0;
		}
		same += !changed;
	}
	return same;
}

static void print_table(struct cli *cli, const struct catalog_file *a, const struct catalog_file *b, const json_t *rows)
{
	const json_t *row, *before = NULL;
	size_t i;

	(void)fprintf(cli->out, "%s version %llu (%s) -> %s version %llu (%s)", a->catalog.name,
	              (unsigned long long)a->catalog.version, a->path, b->catalog.name,
	              (unsigned long long)b->catalog.version, b->path);
	json_array_foreach(rows, i, row)
	{
		if (strcmp(text_at(row, "field"), "version") == 0 || strcmp(text_at(row, "field"), "name") == 0)
			continue;
		print_row(cli->out, row, before);
		before = row;
	}
	const size_t same = count_same(&b->catalog, &a->catalog, rows);
	(void)fprintf(cli->out, "\n%zu routine%s the same\n", same, same == 1 ? " is" : "s are");
}

/* The steps' numbers as a text: a cell of CSV holds no list. */
static void flatten_steps(json_t *rows)
{
	json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
	{
		char *text = NULL;
		size_t size;
		FILE *to = json_is_array(json_object_get(row, "steps")) ? open_memstream(&text, &size) : NULL;
		if (to == NULL)
			continue;
		print_numbers(to, json_object_get(row, "steps"));
		if (fclose(to) == 0)
			(void)json_object_set_new(row, "steps", json_string(text));
		free(text);
	}
}

static json_t *head_of(const struct catalog_file *file)
{
	char digest[DIGEST_TEXT_MAX];

	return json_pack("{s:s, s:s, s:s, s:I, s:s}", "file", file->path, "name", file->catalog.name, "class",
	                 gf_class_name(file->catalog.class), "version", (json_int_t)file->catalog.version, "digest",
	                 catalog_digest(&file->digest, digest));
}

static enum cli_exit print(struct cli *cli, const struct catalog_file *a, const struct catalog_file *b)
{
	json_t *rows = catalog_diff(&a->catalog, &b->catalog);
	enum cli_exit code = CLI_OK;

	if (rows == NULL)
		return cli_fail(cli, CLI_REFUSED, "out of memory");
	if (cli->format == WRITER_TABLE) {
		print_table(cli, a, b, rows);
	} else if (cli->format == WRITER_CSV) {
		flatten_steps(rows);
		code = cli_rows(cli, rows, columns, COUNT(columns), NULL);
	} else {
		json_t *whole = json_pack("{s:o, s:o, s:O}", "before", head_of(a), "after", head_of(b), "changes", rows);
		code = cli_object(cli, whole, columns, COUNT(columns));
		json_decref(whole);
	}
	json_decref(rows);
	return code;
}

enum cli_exit cmd_catalog_diff(struct cli *cli, char **args, size_t count)
{
	struct catalog_file a = {0}, b = {0};
	enum cli_exit code = catalog_file_read(cli, args[0], &a);

	(void)count;
	if (code == CLI_OK)
		code = catalog_file_read(cli, args[1], &b);
	if (code == CLI_OK)
		code = print(cli, &a, &b);
	catalog_file_deinit(&a);
	catalog_file_deinit(&b);
	return code;
}
