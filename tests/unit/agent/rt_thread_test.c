/* What is asked of the kernel for a thread at hardware; the test stands between, because what a test may have differs by machine. */
#include "agent/rt_thread.h"

#include <errno.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { PRIORITY = 7, STACK_BYTES = 192 * 1024, CALLS_MAX = 4 };

static struct {
	int answers[CALLS_MAX]; /* 0: an ordinary thread is made, whatever was asked for */
	struct {
		int inherit, policy, priority;
		size_t stack_bytes;
	} calls[CALLS_MAX];
	int count;
} kernel;

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *), void *ctx);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *), void *ctx);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *), void *ctx)
{
	struct sched_param param = {0};
	const int call = kernel.count++;
	assert_true(call < CALLS_MAX);
	pthread_attr_getinheritsched(attr, &kernel.calls[call].inherit);
	pthread_attr_getschedpolicy(attr, &kernel.calls[call].policy);
	pthread_attr_getschedparam(attr, &param);
	pthread_attr_getstacksize(attr, &kernel.calls[call].stack_bytes);
	kernel.calls[call].priority = param.sched_priority;
	return kernel.answers[call] != 0 ? kernel.answers[call] : __real_pthread_create(thread, NULL, run, ctx);
}

static void *note(void *ctx)
{
	sigset_t blocked;
	pthread_sigmask(SIG_BLOCK, NULL, &blocked);
	*(bool *)ctx = sigismember(&blocked, SIGTERM) == 1 && sigismember(&blocked, SIGCHLD) == 1 &&
	               sigismember(&blocked, SIGSEGV) == 0;
	return ctx;
}

static int setup(void **state)
{
	(void)state;
	kernel.count = 0;
	for (int i = 0; i < CALLS_MAX; i++)
		kernel.answers[i] = 0;
	return 0;
}

static void assert_runs(void)
{
	bool ran = false;
	void *result = NULL;
	pthread_t thread;
	assert_int_equal(rt_thread_create(PRIORITY, STACK_BYTES, note, &ran, &thread), 0);
	assert_int_equal(pthread_join(thread, &result), 0);
	assert_true(ran); /* and hears no signal */
	sigset_t blocked;
	pthread_sigmask(SIG_BLOCK, NULL, &blocked);
	assert_int_equal(sigismember(&blocked, SIGTERM), 0);
	assert_ptr_equal(result, &ran);
}

static void a_priority_is_asked_for(void **state)
{
	(void)state;
	assert_runs();
	assert_int_equal(kernel.count, 1);
	assert_int_equal(kernel.calls[0].inherit, PTHREAD_EXPLICIT_SCHED);
	assert_int_equal(kernel.calls[0].policy, SCHED_FIFO);
	assert_int_equal(kernel.calls[0].priority, PRIORITY);
	assert_int_equal(kernel.calls[0].stack_bytes, STACK_BYTES);
}

static void who_may_not_have_it_gets_an_ordinary_thread(void **state)
{
	(void)state;
	kernel.answers[0] = EPERM;
	assert_runs();
	assert_int_equal(kernel.count, 2);
	assert_int_equal(kernel.calls[1].inherit, PTHREAD_INHERIT_SCHED);
	assert_int_equal(kernel.calls[1].stack_bytes, STACK_BYTES);
}

static void other_errors_are_passed_on(void **state)
{
	const pthread_t self = pthread_self();
	pthread_t thread = self;
	bool ran = false;
	(void)state;
	kernel.answers[0] = EAGAIN;
	assert_int_equal(rt_thread_create(PRIORITY, STACK_BYTES, note, &ran, &thread), -EAGAIN);
	assert_int_equal(kernel.count, 1);
	kernel.answers[1] = EPERM;
	kernel.answers[2] = EAGAIN;
	assert_int_equal(rt_thread_create(PRIORITY, STACK_BYTES, note, &ran, &thread), -EAGAIN);
	assert_int_equal(kernel.count, 3);
	assert_true(pthread_equal(thread, self));
	assert_false(ran);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(a_priority_is_asked_for, setup),
	    cmocka_unit_test_setup(who_may_not_have_it_gets_an_ordinary_thread, setup),
	    cmocka_unit_test_setup(other_errors_are_passed_on, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
