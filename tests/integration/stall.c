#include "tests/integration/stall.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/base/text.h"
#include "tests/integration/stall_control.h"

enum { PATH_SIZE = 600 };

struct it_stall {
	char dir[PATH_SIZE];
	const char *control_file;
	struct stall_control *control;
};

struct it_stall *it_stall_open(struct it_world *w, const char *dir)
{
	static unsigned number;
	struct it_stall *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	gf_strcpy(s->dir, sizeof(s->dir), dir);
	s->control_file = it_path(w, "stall.%u", number++);
	const int fd = open(s->control_file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, sizeof(*s->control)) != 0)
		fail_msg("%s: %s", s->control_file, strerror(errno));
	void *page = mmap(NULL, sizeof(*s->control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (page == MAP_FAILED)
		fail_msg("%s: %s", s->control_file, strerror(errno));
	s->control = page;
	return s;
}

void it_stall_close(struct it_stall *s)
{
	if (s == NULL)
		return;
	munmap(s->control, sizeof(*s->control));
	free(s);
}

struct it_proc *it_spawn_stalled(struct it_world *w, const char *name, const struct it_stall *s, const char *program,
                                 const char *config)
{
	const char *asan = getenv("ASAN_OPTIONS");
	char options[PATH_SIZE], folder[PATH_SIZE + 32], control[PATH_SIZE + 32];

	/* The sanitizer wants to be the first library; here it is the second. */
	snprintf(options, sizeof(options), "ASAN_OPTIONS=%s%sverify_asan_link_order=0", asan != NULL ? asan : "",
	         asan != NULL ? ":" : "");
	snprintf(folder, sizeof(folder), STALL_FOLDER_ENV "=%s", s->dir);
	snprintf(control, sizeof(control), STALL_CONTROL_ENV "=%s", s->control_file);
	return it_spawn(w, name, "env", options, folder, control, "LD_PRELOAD=" GF_BINARY_DIR "/tests/libstall_disk.so",
	                program, "--config", config);
}

void it_stall_set(struct it_stall *s, int64_t ms)
{
	atomic_store(&s->control->stall_ms, ms);
}

uint64_t it_stall_count(const struct it_stall *s)
{
	return atomic_load(&s->control->stalls);
}
