/* Opening a machine in sysfs with too little memory, at each allocation in turn: off, nothing half-made, nothing lost. */
#include <errno.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/agent/driver/fake_sysfs.h"
#include "tests/unit/proto/alloc_fail.h"

static void i5_memory_that_runs_out_leaves_all_off(void **state)
{
	struct fake_sysfs fake;
	struct driver *driver = NULL;
	int failures = 0;
	(void)state;
	fake_sysfs_make(&fake);
	for (; driver == NULL; failures++) {
		struct gf_diag diag = {{0}};
		fake_write(&fake, FAKE_DUTY, "20000\n");
		fake_write(&fake, FAKE_ENABLE, "1\n");
		alloc_fail_after(failures);
		const int r = sysfs_driver_new(&fake.config, &driver, &diag);
		alloc_fail_after(-1);
		if (r == 0)
			break;
		assert_int_equal(r, -ENOMEM);
		assert_null(driver);
		assert_true(diag.text[0] != '\0');
		assert_int_equal(fake_on(&fake), failures == 0); /* the first is for the driver itself */
	}
	assert_true(failures >= 15);
	assert_false(fake_on(&fake));
	driver->ops->free(driver);
	fake_sysfs_remove(&fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(i5_memory_that_runs_out_leaves_all_off)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
