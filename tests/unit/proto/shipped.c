#include "tests/unit/proto/shipped.h"

#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "proto/base/file.h"
#include "tests/unit/proto/certs.h"

enum { FILE_MAX = 1 << 16 };

/* A new text with the first, or every, `from` replaced. */
static char *replaced(const char *text, const char *from, const char *to, bool every)
{
	char *out = calloc(1, FILE_MAX);
	size_t len = 0;
	const char *at;
	while (out != NULL && (at = strstr(text, from)) != NULL) {
		len += (size_t)snprintf(out + len, FILE_MAX - len, "%.*s%s", (int)(at - text), text, to);
		text = at + strlen(from);
		if (!every)
			break;
	}
	if (out != NULL)
		snprintf(out + len, FILE_MAX - len, "%s", text);
	return out;
}

int shipped_init(struct shipped *s, const char *file, const char *name)
{
	char from[256], pki[128], *text = NULL;
	size_t len;

	*s = (struct shipped){.dir = "/tmp/gymfleet-config-XXXXXX"};
	if (mkdtemp(s->dir) == NULL)
		return -1;
	snprintf(pki, sizeof(pki), "%s/pki", s->dir);
	snprintf(s->path, sizeof(s->path), "%s/%s", s->dir, file);
	snprintf(from, sizeof(from), "%s/config/%s", GF_SOURCE_DIR, file);
	if (mkdir(pki, 0700) != 0 || gf_file_read(from, FILE_MAX, &text, &len, NULL) != 0)
		return -1;
	s->text = replaced(text, "/etc/gymfleet", s->dir, true);
	free(text);
	if (s->text == NULL || (name != NULL && (certs_make(pki, "ca", "ca") != 0 || certs_make(pki, name, name) != 0)))
		return -1;
	return gf_file_replace(s->path, s->text, strlen(s->text), 0600, NULL);
}

int shipped_deinit(struct shipped *s)
{
	char command[128];
	free(s->text);
	free(s->changed);
	snprintf(command, sizeof(command), "rm -rf %s", s->dir);
	return system(command);
}

/* `text` without its caret. */
static char *plain(const char *text)
{
	char *out = replaced(text, "^", "", false);
	assert_non_null(out);
	return out;
}

static void mark(struct shipped *s, const char *text, size_t offset)
{
	s->line = 1;
	s->column = 1;
	for (size_t i = 0; i < offset; i++) {
		s->line += text[i] == '\n' ? 1 : 0;
		s->column = text[i] == '\n' ? 1 : s->column + 1;
	}
}

void shipped_place(struct shipped *s, const char *text)
{
	const char *whole = s->changed != NULL ? s->changed : s->text, *caret = strchr(text, '^');
	char *without = plain(text);
	const char *found = strstr(whole, without);

	if (caret == NULL || found == NULL)
		fail_msg("'%s' is nowhere", text);
	mark(s, whole, (size_t)(found - whole) + (size_t)(caret - text));
	free(without);
}

void shipped_change(struct shipped *s, const char *from, const char *to)
{
	const char *found = strstr(s->text, from), *caret = strchr(to, '^');
	if (found == NULL)
		fail_msg("the shipped file has no '%s'", from);
	char *without = plain(to);
	free(s->changed);
	s->changed = replaced(s->text, from, without, false);
	free(without);
	assert_non_null(s->changed);
	assert_int_equal(gf_file_replace(s->path, s->changed, strlen(s->changed), 0600, NULL), 0);
	if (caret != NULL)
		mark(s, s->changed, (size_t)(found - s->text) + (size_t)(caret - to));
}

void shipped_expect(const struct shipped *s, const char *sentence)
{
	char *full = replaced(sentence, "%D", s->dir, true), want[GF_DIAG_MAX];
	assert_non_null(full);
	snprintf(want, sizeof(want), "%s:%u:%u: %s", s->path, s->line, s->column, full);
	free(full);
	assert_string_equal(s->diag.text, want);
}
