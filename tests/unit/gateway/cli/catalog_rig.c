#include "tests/unit/gateway/cli/catalog_rig.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/gateway/cli/words.h"

struct rig {
	char dir[64], back[4096];
};

int catalog_setup(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	snprintf(r->dir, sizeof(r->dir), "/tmp/gymfleet_cli_XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	assert_non_null(getcwd(r->back, sizeof(r->back)));
	assert_int_equal(chdir(r->dir), 0);
	*state = r;
	return 0;
}

int catalog_teardown(void **state)
{
	struct rig *r = *state;
	DIR *dir = opendir(".");

	assert_non_null(dir);
	for (struct dirent *e; (e = readdir(dir)) != NULL;)
		if (e->d_name[0] != '.')
			(void)unlink(e->d_name);
	closedir(dir);
	assert_int_equal(chdir(r->back), 0);
	assert_int_equal(rmdir(r->dir), 0);
	free(r);
	return 0;
}

/* `gymfleet catalog <words>`, with the socket that a stand-in of the gateway has. */
void catalog_words(const char *words, int code, const char *out, const char *err)
{
	char all[1024];

	snprintf(all, sizeof(all), "catalog|%s", words);
	expect("sock", all, code, out, err);
}

void build_catalog(const char *more)
{
	char words[512];

	snprintf(words, sizeof(words), "build|--class|percussion|--name|base|-o|c|" ROUTINES "|%s", more);
	catalog_words(words, CLI_OK, "c: base version ", "");
}
