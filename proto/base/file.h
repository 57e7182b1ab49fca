/*
 * Files that survive a power cut, and the checks on the ones that hold secrets.
 */
#ifndef GF_BASE_FILE_H
#define GF_BASE_FILE_H

#include <stddef.h>
#include <sys/types.h>

#include "proto/base/err.h"

/*
 * Replaces `path` by `len` bytes: writes `path`.new, fsyncs, renames, fsyncs the folder. After a crash the file is
 * whole: the old one or the new one. Returns 0 or a negative errno with `diag` (may be NULL) set.
 */
GF_MUST_CHECK int gf_file_replace(const char *path, const void *data, size_t len, mode_t mode, struct gf_diag *diag);

/* Writes on through short writes and signals. Returns 0 or a negative errno. */
GF_MUST_CHECK int gf_write_all(int fd, const void *data, size_t len);

/* Reads a whole file of at most `max` bytes; the caller frees *ret_data (which has a NUL after its last byte).
 * Returns 0, -EFBIG when it is larger, or a negative errno. */
GF_MUST_CHECK int gf_file_read(const char *path, size_t max, char **ret_data, size_t *ret_len, struct gf_diag *diag);

/* Makes a folder and its parents (mode 0750 for new ones) and fsyncs the parent. Existing is fine. */
GF_MUST_CHECK int gf_dir_make(const char *path, struct gf_diag *diag);
GF_MUST_CHECK int gf_dir_sync(const char *path);

/* Refuses a private file that group or world may read (-EACCES) or that is missing (-ENOENT); says which chmod mends it. */
GF_MUST_CHECK int gf_file_check_private(const char *path, struct gf_diag *diag);

/* Takes an exclusive lock on `path` (made when missing) until the descriptor is closed; -EBUSY with a sentence when
 * another process holds it. */
GF_MUST_CHECK int gf_file_lock(const char *path, int *ret_fd, struct gf_diag *diag);

#endif
