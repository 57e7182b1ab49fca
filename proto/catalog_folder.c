/* A folder of routines becomes a catalog: its files in the order of their names, each read by proto/catalog_yaml.c. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/catalog_yaml.h"

enum { FOLDER_FILES_MAX = 512 };

static int is_yaml_file(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return entry->d_name[0] != '.' && dot != NULL && strcmp(dot, ".yaml") == 0;
}

/* By bytes: the order doesn't depend on the locale. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

struct folder {
	const char *dir;
	enum gf_class class;
	struct dirent **files;
	int files_count;
	char (*ids)[GF_NAME_MAX]; /* of each file read so far, whatever its class */
	struct gf_catalog out;
	struct gf_diag *diag;
};

static int check_id(const struct folder *f, int file, const char *id)
{
	for (int i = 0; i < file; i++) {
		if (strcmp(f->ids[i], id) != 0)
			continue;
		gf_diag_set(f->diag, "%s/%s: the id '%s' is already that of %s; each routine needs its own", f->dir,
		            f->files[file]->d_name, id, f->files[i]->d_name);
		return -EINVAL;
	}
	return 0;
}

static int add_file(struct folder *f, int file)
{
	char *path = NULL;
	struct gf_routine routine;

	if (asprintf(&path, "%s/%s", f->dir, f->files[file]->d_name) < 0) {
		gf_diag_set(f->diag, "out of memory");
		return -ENOMEM;
	}
	int r = gf_catalog_yaml_routine(path, &routine, f->diag);
	free(path);
	if (r != 0)
		return r;
	r = check_id(f, file, routine.id);
	memcpy(f->ids[file], routine.id, sizeof(routine.id));
	if (r == 0 && (routine.classes & (1U << f->class)) != 0) {
		if (f->out.routines_count < GF_CATALOG_ROUTINES_MAX) {
			f->out.routines[f->out.routines_count++] = routine;
			return 0;
		}
		gf_diag_set(f->diag, "%s: more than %d routines for class %s", f->dir, GF_CATALOG_ROUTINES_MAX,
		            gf_class_name(f->class));
		r = -EINVAL;
	}
	gf_routine_deinit(&routine);
	return r;
}

static int add_files(struct folder *f)
{
	if (f->files_count > FOLDER_FILES_MAX) {
		gf_diag_set(f->diag, "%s: more than %d files", f->dir, FOLDER_FILES_MAX);
		return -EINVAL;
	}
	f->ids = calloc((size_t)f->files_count + 1, sizeof(*f->ids));
	f->out.routines = calloc(GF_CATALOG_ROUTINES_MAX, sizeof(*f->out.routines));
	if (f->ids == NULL || f->out.routines == NULL) {
		gf_diag_set(f->diag, "out of memory");
		return -ENOMEM;
	}
	for (int i = 0; i < f->files_count; i++) {
		int r = add_file(f, i);
		if (r != 0)
			return r;
	}
	if (f->out.routines_count > 0)
		return 0;
	gf_diag_set(f->diag, "%s: no routine for class %s in its *.yaml files", f->dir, gf_class_name(f->class));
	return -EINVAL;
}

int gf_catalog_yaml_folder(const char *dir, enum gf_class class, const char *name, uint64_t version,
                           struct gf_catalog *ret_catalog, struct gf_diag *diag)
{
	struct folder f = {.dir = dir, .class = class, .diag = diag, .out = {.class = class, .version = version}};

	if (name[0] == '\0' || !gf_strcpy(f.out.name, sizeof(f.out.name), name) || version == 0) {
		gf_diag_set(diag, "a catalog needs a name of 1 to %d bytes and a version from 1", GF_NAME_MAX - 1);
		return -EINVAL;
	}
	f.files_count = scandir(dir, &f.files, is_yaml_file, by_name);
	if (f.files_count < 0) {
		int r = -errno;
		gf_diag_set(diag, "the folder %s can't be read: %s", dir, strerror(-r));
		return r;
	}
	int r = add_files(&f);
	for (int i = 0; i < f.files_count; i++)
		free(f.files[i]);
	free(f.files);
	free(f.ids);
	if (r != 0) {
		gf_catalog_deinit(&f.out);
		return r;
	}
	*ret_catalog = f.out;
	return 0;
}
