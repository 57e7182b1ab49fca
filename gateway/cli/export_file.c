#include "gateway/cli/export_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/base/file.h"
#include "proto/base/text.h"

enum { FILE_MODE = 0666 }; /* the umask narrows it, as for any other output */

const char *export_file_name(const struct export_file *file)
{
	return file->part[0] != '\0' ? file->part : file->name != NULL ? file->name : "the output";
}

static enum cli_exit cannot(struct cli *cli, const char *path, int error)
{
	return cli_fail(cli, CLI_REFUSED, "can't write %s: %s", path, strerror(error));
}

/* A link stays one: what it names is replaced. */
static bool take_path(const char *name, struct export_file *f)
{
	char *real = realpath(name, NULL);
	bool fits = gf_strcpy(f->path, sizeof(f->path), real != NULL ? real : name) &&
	            (size_t)snprintf(f->part, sizeof(f->part), "%s" EXPORT_PART, f->path) < sizeof(f->part);

	free(real);
	return fits;
}

/* Who had the lock until now may have given the part its name, or thrown it away. */
static bool is_part(const struct export_file *f, const struct stat *st)
{
	struct stat now;

	return lstat(f->part, &now) == 0 && now.st_dev == st->st_dev && now.st_ino == st->st_ino;
}

/* Two that write the same part would make one that looks whole of two halves. */
static enum cli_exit open_part(struct cli *cli, bool go_on, mode_t mode, struct export_file *f)
{
	int fd = open(f->part, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, mode);
	struct stat st;

	if (fd < 0)
		return cannot(cli, f->part, errno);
	if (flock(fd, LOCK_EX | LOCK_NB) != 0 || fstat(fd, &st) != 0 || !is_part(f, &st)) {
		(void)close(fd);
		return cli_fail(cli, CLI_REFUSED, "another export writes %s; wait for its end, or choose another file",
		                f->part);
	}
	f->to = fdopen(fd, "a");
	if (f->to == NULL) {
		enum cli_exit code = cannot(cli, f->part, errno);
		(void)close(fd);
		return code;
	}
	f->begun = go_on;
	f->whole = st.st_size;
	return CLI_OK;
}

enum cli_exit export_file_open(struct cli *cli, const char *name, bool go_on, struct export_file *ret_file)
{
	struct export_file f = {.to = cli->out, .name = name, .whole = -1};
	struct stat st;

	if (name == NULL) {
		*ret_file = f;
		return CLI_OK;
	}
	bool there = stat(name, &st) == 0;
	if (there && !S_ISREG(st.st_mode)) {
		f.to = fopen(name, "ae");
		if (f.to == NULL)
			return cannot(cli, name, errno);
		*ret_file = f;
		return CLI_OK;
	}
	if (!there && lstat(name, &st) == 0)
		return cli_fail(cli, CLI_REFUSED, "%s is a link to what isn't there; name the file itself", name);
	if (!take_path(name, &f))
		return cannot(cli, name, ENAMETOOLONG);
	f.fresh = access(f.part, F_OK) != 0;
	if (go_on && f.fresh && there)
		return cli_fail(
		    cli, CLI_REFUSED,
		    "%s is whole, and there is no %s to go on with; to begin anew leave --after out, or name a file "
		    "that isn't there for the rest alone",
		    name, f.part);
	/* What nobody else may read is theirs to read in no part of it. */
	enum cli_exit code = open_part(cli, go_on, there ? (st.st_mode & ACCESSPERMS) | S_IWUSR : FILE_MODE, &f);
	if (code == CLI_OK)
		*ret_file = f;
	return code;
}

int export_file_begin(struct export_file *file)
{
	if (file->begun || file->part[0] == '\0')
		return 0;
	if (ftruncate(fileno(file->to), 0) != 0)
		return -errno;
	file->begun = true;
	file->whole = 0;
	return 0;
}

int export_file_flush(struct export_file *file)
{
	if (fflush(file->to) != 0 || ferror(file->to))
		return errno != 0 ? -errno : -EIO;
	if (file->part[0] != '\0')
		file->whole = ftello(file->to);
	return 0;
}

bool export_file_cut(struct export_file *file)
{
	if (file->part[0] == '\0' || file->whole < 0)
		return false;
	__fpurge(file->to); /* or closing would write what is cut off here */
	return ftruncate(fileno(file->to), file->whole) == 0;
}

/* With the rights that the file had. */
static int rename_part(struct export_file *f)
{
	char folder[PATH_MAX];
	struct stat st;

	if (fflush(f->to) != 0 || fsync(fileno(f->to)) != 0)
		return -errno;
	if (stat(f->path, &st) == 0 && fchmod(fileno(f->to), st.st_mode & ALLPERMS) != 0)
		return -errno;
	if (rename(f->part, f->path) != 0)
		return -errno;
	(void)gf_strcpy(folder, sizeof(folder), f->path);
	return gf_dir_sync(dirname(folder));
}

enum cli_exit export_file_publish(struct cli *cli, struct export_file *file)
{
	int r = 0;

	if (file->name == NULL)
		return CLI_OK;
	if (file->part[0] != '\0')
		r = rename_part(file);
	if (fclose(file->to) != 0 && r == 0)
		r = -errno;
	file->to = NULL;
	return r == 0 ? CLI_OK : cannot(cli, file->name, -r);
}

void export_file_abandon(struct export_file *file, bool drop)
{
	if (file->name == NULL || file->to == NULL)
		return;
	if (drop && file->part[0] != '\0')
		(void)unlink(file->part);
	(void)fclose(file->to);
	file->to = NULL;
}
