#include "agent/resident.h"

#include <errno.h>
#include <link.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/* The first object is the program, into which all of our own layers are linked; libraries are left as they are. */
static int read_in(struct dl_phdr_info *info, size_t size, void *ctx)
{
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	(void)size, (void)ctx;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
		if (segment->p_type != PT_LOAD || (segment->p_flags & PF_W) != 0)
			continue;
		uintptr_t from = (info->dlpi_addr + segment->p_vaddr) / page * page;
		uintptr_t to = info->dlpi_addr + segment->p_vaddr + segment->p_memsz;
		/* An old kernel can't: then the pages come when they are first needed. */
		(void)madvise((void *)from, to - from, MADV_POPULATE_READ);
	}
	return 1;
}

int resident_lock(void)
{
	dl_iterate_phdr(read_in, NULL);
	/* Only what is there now and as far as it is there: locking what comes later would make its mapping fail at the limit. */
	return mlockall(MCL_CURRENT | MCL_ONFAULT) == 0 ? 0 : -errno;
}
