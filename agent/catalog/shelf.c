#include "agent/catalog/shelf.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/base/file.h"

enum { FILE_MODE = 0640, NAME_LONGEST = 16 };

struct shelf {
	bool sync;
	char dir[PATH_MAX - NAME_LONGEST];
};

static const char *const slot_names[SHELF_SLOTS] = {[SHELF_A] = "a.catalog", [SHELF_B] = "b.catalog"};

static const char *path_of(const struct shelf *shelf, const char *name, char path[static PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/%s", shelf->dir, name);
	return path;
}

/* Whole after the process was killed, though not after a power cut. */
static int replace_unsynced(const char *path, const void *data, size_t len, struct gf_diag *diag)
{
	char temporary[PATH_MAX + NAME_LONGEST];
	snprintf(temporary, sizeof(temporary), "%s.new", path);
	const int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, FILE_MODE);
	int r = fd >= 0 ? gf_write_all(fd, data, len) : -errno;
	if (fd >= 0)
		close(fd);
	if (r == 0 && rename(temporary, path) != 0)
		r = -errno;
	if (r != 0) {
		unlink(temporary);
		gf_diag_set(diag, "%s: can't write: %s", path, strerror(-r));
	}
	return r;
}

static int replace(const struct shelf *shelf, const char *name, const void *data, size_t len, struct gf_diag *diag)
{
	char path[PATH_MAX];
	path_of(shelf, name, path);
	return shelf->sync ? gf_file_replace(path, data, len, FILE_MODE, diag) : replace_unsynced(path, data, len, diag);
}

/* So that the next start doesn't stumble over it again, and somebody can look at it. A power cut may undo it: then it is done again. */
static void set_aside(const struct shelf *shelf)
{
	char from[PATH_MAX], to[PATH_MAX];
	if (rename(path_of(shelf, "state", from), path_of(shelf, "state.bad", to)) != 0)
		unlink(from);
}

static int load(const struct shelf *shelf, struct shelf_state *ret_state, struct gf_diag *diag)
{
	char path[PATH_MAX], *data = NULL;
	struct gf_diag found = {{0}};
	size_t len = 0;
	int r = gf_file_read(path_of(shelf, "state", path), SHELF_STATE_MAX, &data, &len, &found);
	if (r == -ENOENT) { /* the first start: nothing that anybody need be told */
		*ret_state = (struct shelf_state){0};
		return 0;
	}
	if (r == 0) {
		r = shelf_state_decode(data, len, ret_state, &found);
		free(data);
	}
	if (r == -EFBIG)
		r = -EINVAL;
	if (r == -EINVAL) {
		gf_diag_prefix(&found, "%s", path);
		set_aside(shelf);
	}
	if (r != 0)
		gf_diag_set(diag, "%s", found.text);
	return r;
}

int shelf_open(const char *dir, bool sync, struct shelf **ret_shelf, struct shelf_state *ret_state,
               struct gf_diag *diag)
{
	int r = gf_dir_make(dir, diag);
	if (r != 0)
		return r;
	struct shelf *shelf = calloc(1, sizeof(*shelf));
	if (shelf == NULL)
		return -ENOMEM;
	shelf->sync = sync;
	if (gf_strcpy(shelf->dir, sizeof(shelf->dir), dir)) {
		r = load(shelf, ret_state, diag);
	} else {
		gf_diag_set(diag, "%s: the path is too long", dir);
		r = -ENAMETOOLONG;
	}
	if (r != 0) {
		free(shelf);
		return r;
	}
	*ret_shelf = shelf;
	return 0;
}

void shelf_close(struct shelf *shelf)
{
	free(shelf);
}

int shelf_save(struct shelf *shelf, const struct shelf_state *state, struct gf_diag *diag)
{
	unsigned char buf[SHELF_STATE_MAX];
	return replace(shelf, "state", buf, shelf_state_encode(state, buf), diag);
}

static const char *name_of(enum shelf_slot slot)
{
	return slot < SHELF_SLOTS ? slot_names[slot] : NULL;
}

int shelf_put(struct shelf *shelf, enum shelf_slot slot, const void *data, size_t len, struct gf_diag *diag)
{
	if (name_of(slot) == NULL || len == 0 || len > GF_CATALOG_MAX) {
		gf_diag_set(diag, "slot %d can't hold a catalog of %zu bytes", (int)slot, len);
		return -EINVAL;
	}
	return replace(shelf, name_of(slot), data, len, diag);
}

int shelf_read(struct shelf *shelf, enum shelf_slot slot, unsigned char **ret_data, size_t *ret_len,
               struct gf_diag *diag)
{
	char path[PATH_MAX], *data = NULL;
	if (name_of(slot) == NULL) {
		gf_diag_set(diag, "there is no slot %d on the shelf", (int)slot);
		return -EINVAL;
	}
	const int r = gf_file_read(path_of(shelf, name_of(slot), path), GF_CATALOG_MAX, &data, ret_len, diag);
	if (r == 0)
		*ret_data = (unsigned char *)data;
	return r;
}

int shelf_get(struct shelf *shelf, enum shelf_slot slot, const struct gf_digest *digest, unsigned char **ret_data,
              size_t *ret_len, struct gf_diag *diag)
{
	char want[9], have[9];
	unsigned char *data = NULL;
	size_t len = 0;
	struct gf_digest found;
	const int r = shelf_read(shelf, slot, &data, &len, diag);
	if (r != 0)
		return r;
	gf_digest_of(data, len, &found);
	if (!gf_digest_equal(&found, digest)) {
		gf_diag_set(diag, "%s/%s: holds catalog %s, not %s", shelf->dir, name_of(slot), gf_digest_short(&found, have),
		            gf_digest_short(digest, want));
		free(data);
		return -EILSEQ;
	}
	*ret_data = data;
	*ret_len = len;
	return 0;
}
