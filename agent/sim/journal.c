#include "agent/sim/journal.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct page {
	char magic[8];
	_Atomic uint64_t starts, motor_ms, cycles;
	uint64_t zero;
};
_Static_assert(sizeof(struct page) == 40, "the file's format");

static const char magic[8] = {'G', 'F', 'H', 'O', 'U', 'R', 'S', '1'};
static const char no_magic[8];

struct journal {
	struct page *page;
};

/* Empty or all zero is a journal that a crash left before its first count. */
static bool believable(const struct page *page)
{
	return memcmp(page->magic, magic, sizeof(magic)) == 0 || memcmp(page->magic, no_magic, sizeof(no_magic)) == 0;
}

static int map(const char *path, int fd, struct page **ret_page, struct gf_diag *diag)
{
	struct stat st;
	if (fstat(fd, &st) != 0)
		return -errno;
	if (st.st_size != 0 && st.st_size != (off_t)sizeof(struct page)) {
		gf_diag_set(diag, "%s is no hour meter's journal; remove it to begin a new one", path);
		return -EINVAL;
	}
	/* With its room on the disk: a hole would kill the process at the first count on a full one (SIGBUS). */
	int error = posix_fallocate(fd, 0, sizeof(struct page));
	if (error != 0)
		return -error;
	struct page *page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED)
		return -errno;
	if (!believable(page)) {
		munmap(page, sizeof(*page));
		gf_diag_set(diag, "%s is no hour meter's journal; remove it to begin a new one", path);
		return -EINVAL;
	}
	memcpy(page->magic, magic, sizeof(magic));
	*ret_page = page;
	return 0;
}

int journal_open(const char *path, struct journal **ret_journal, struct gf_diag *diag)
{
	struct journal *journal = calloc(1, sizeof(*journal));
	if (journal == NULL)
		return -ENOMEM;
	const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	int r = fd < 0 ? -errno : map(path, fd, &journal->page, diag);
	if (fd >= 0)
		close(fd);
	if (r != 0) {
		if (r != -EINVAL)
			gf_diag_set(diag, "%s: the hour meter's journal can't be opened: %s", path, strerror(-r));
		free(journal);
		return r;
	}
	*ret_journal = journal;
	return 0;
}

void journal_close(struct journal *journal)
{
	if (journal == NULL)
		return;
	munmap(journal->page, sizeof(*journal->page));
	free(journal);
}

static uint64_t load(const _Atomic uint64_t *number)
{
	return le64toh(atomic_load_explicit(number, memory_order_relaxed));
}

static void add(_Atomic uint64_t *number, uint64_t more)
{
	atomic_store_explicit(number, htole64(load(number) + more), memory_order_relaxed);
}

static struct sim_journal numbers(const struct page *page)
{
	return (struct sim_journal){load(&page->starts), load(&page->motor_ms), load(&page->cycles)};
}

struct sim_journal journal_get(const struct journal *journal)
{
	return numbers(journal->page);
}

void journal_add(struct journal *journal, uint64_t starts, uint64_t motor_ms, uint64_t cycles)
{
	add(&journal->page->starts, starts);
	add(&journal->page->motor_ms, motor_ms);
	add(&journal->page->cycles, cycles);
}

int sim_journal_read(const char *path, struct sim_journal *ret_journal)
{
	struct page page = {.zero = 0};
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	struct stat st;
	const int r = fstat(fd, &st) != 0 || read(fd, &page, sizeof(page)) < 0 ? -errno : 0;
	close(fd);
	if (r != 0)
		return r;
	if (st.st_size == 0) {
		*ret_journal = (struct sim_journal){0};
		return 0;
	}
	if (st.st_size != (off_t)sizeof(page) || !believable(&page))
		return -EINVAL;
	*ret_journal = numbers(&page);
	return 0;
}
