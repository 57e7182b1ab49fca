#include "proto/base/service.h"

#include <errno.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

/* The service manager's end: a datagram socket with a path. */
struct manager {
	char dir[64];
	struct sockaddr_un address;
	int fd;
};

static int setup(void **state)
{
	static struct manager m;

	m = (struct manager){.dir = "/tmp/gymfleet-notify-XXXXXX", .address = {.sun_family = AF_UNIX}};
	*state = &m;
	if (mkdtemp(m.dir) == NULL)
		return -1;
	snprintf(m.address.sun_path, sizeof(m.address.sun_path), "%s/socket", m.dir);
	m.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	return m.fd < 0 ? -1 : bind(m.fd, (const struct sockaddr *)&m.address, sizeof(m.address));
}

static int teardown(void **state)
{
	struct manager *m = *state;
	unsetenv("NOTIFY_SOCKET");
	close(m->fd);
	unlink(m->address.sun_path);
	return rmdir(m->dir);
}

/* The next datagram; sending is synchronous, so what was sent is there. */
static const char *heard(const struct manager *m, char buf[static 64])
{
	ssize_t len = recv(m->fd, buf, 63, 0);
	if (len < 0) {
		assert_int_equal(errno, EAGAIN);
		return "";
	}
	buf[len] = '\0';
	return buf;
}

static void the_manager_hears_what_happens(void **state)
{
	const struct manager *m = *state;
	char buf[64];

	assert_int_equal(setenv("NOTIFY_SOCKET", m->address.sun_path, 1), 0);
	gf_service_ready();
	gf_service_watchdog();
	gf_service_stopping();
#ifdef GF_HAVE_SYSTEMD
	assert_string_equal(heard(m, buf), "READY=1");
	assert_string_equal(heard(m, buf), "WATCHDOG=1");
	assert_string_equal(heard(m, buf), "STOPPING=1");
#endif
	assert_string_equal(heard(m, buf), "");
	/* The address stays: a watchdog tells it again and again. */
	assert_string_equal(getenv("NOTIFY_SOCKET"), m->address.sun_path);
}

static void without_a_manager_nothing_happens(void **state)
{
	const struct manager *m = *state;
	char buf[64];

	unsetenv("NOTIFY_SOCKET");
	gf_service_ready();
	gf_service_watchdog();
	gf_service_stopping();
	assert_string_equal(heard(m, buf), "");
}

static void a_manager_that_is_gone_is_no_failure(void **state)
{
	(void)state;
	assert_int_equal(setenv("NOTIFY_SOCKET", "/nowhere/notify", 1), 0);
	gf_service_ready();
	assert_int_equal(setenv("NOTIFY_SOCKET", "not an address", 1), 0);
	gf_service_watchdog();
}

#define SERVICE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    SERVICE_TEST(the_manager_hears_what_happens),
	    SERVICE_TEST(without_a_manager_nothing_happens),
	    SERVICE_TEST(a_manager_that_is_gone_is_no_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
