/*
 * Where an export goes. A file appears under its name when it is whole, and not before:
 *
 *     FILE.part, locked ──> fsync ──> renamed to FILE ──> fsync of the folder
 *
 * What broke off stays in FILE.part, where the next one with --after goes on; FILE is as it was. What is no regular file (a pipe, a device) is written
 * as it comes, like standard output.
 */
#ifndef GATEWAY_CLI_EXPORT_FILE_H
#define GATEWAY_CLI_EXPORT_FILE_H

#include <linux/limits.h>
#include <sys/types.h>

#include "gateway/cli/cli.h"

#define EXPORT_PART ".part"

struct export_file {
	FILE *to;
	const char *name;    /* as it was given, borrowed; NULL = standard output */
	char path[PATH_MAX]; /* where it will be: behind a link what the link names */
	char part[PATH_MAX]; /* "" = there is none */
	bool fresh;          /* the part wasn't there before */
	bool begun;          /* what the part had of an earlier export, and isn't gone on with, is away */
	off_t whole;         /* so many bytes of the part are whole pages; -1 = it can't be cut */
};

/* `name` NULL = cli->out. `go_on`: behind what is in the part. Says what is wrong on cli->err. */
enum cli_exit export_file_open(struct cli *cli, const char *name, bool go_on, struct export_file *ret_file);
/* Before anything is written, once the gateway has answered: until then an earlier export's part stays. 0 or a negative errno. */
GF_MUST_CHECK int export_file_begin(struct export_file *file);
/* What is written so far stays, whatever breaks. 0 or a negative errno. */
GF_MUST_CHECK int export_file_flush(struct export_file *file);
/* Cuts off what came after the last flush that succeeded; false when it can't. */
bool export_file_cut(struct export_file *file);
/* It is whole: gives it its name and closes it, on failure too. */
enum cli_exit export_file_publish(struct cli *cli, struct export_file *file);
/* Closes it as it is; `drop`: nothing in it is worth keeping. */
void export_file_abandon(struct export_file *file, bool drop);
/* What is being written, for a sentence. */
const char *export_file_name(const struct export_file *file);

#endif
