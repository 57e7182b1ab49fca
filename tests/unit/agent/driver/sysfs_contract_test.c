/* The contract of every driver, kept by the sysfs driver over a tree of files, with the real watcher beside it. */
#include <errno.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/base/now.h"
#include "tests/unit/agent/driver/contract.h"
#include "tests/unit/agent/driver/fake_sysfs.h"

static struct fake_sysfs fake;
static struct contract_rig rig;
static bool is_cut; /* this process's writes fail; the watcher's don't */

ssize_t __real_pwrite(int fd, const void *data, size_t len, off_t at);
ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t at);

ssize_t __wrap_pwrite(int fd, const void *data, size_t len, off_t at)
{
	if (!is_cut)
		return __real_pwrite(fd, data, len, at);
	errno = ENODEV;
	return -1;
}

static int64_t now_ms(struct contract_rig *r)
{
	(void)r;
	return gf_now_ms(CLOCK_BOOTTIME);
}

static void pass(struct contract_rig *r, int ms)
{
	(void)r;
	fake_time_passes(ms);
}

static bool is_on(struct contract_rig *r)
{
	(void)r;
	return fake_on(&fake);
}

static void cut(struct contract_rig *r, bool now)
{
	(void)r;
	is_cut = now;
}

static int setup(void **state)
{
	struct gf_diag diag = {{0}};
	fake_sysfs_make(&fake);
	is_cut = false;
	rig = (struct contract_rig){
	    .now_ms = now_ms, .pass = pass, .on = is_on, .cut = cut, .settle_ms = 100, .recover_ms = 2000};
	if (sysfs_driver_new(&fake.config, &rig.driver, &diag) != 0)
		fail_msg("%s", diag.text);
	*state = &rig;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	is_cut = false;
	if (rig.driver != NULL)
		rig.driver->ops->free(rig.driver);
	fake_sysfs_remove(&fake);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {CONTRACT_TESTS(setup, teardown)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
