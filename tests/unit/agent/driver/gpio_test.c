/* Lines through libgpiod, whose calls are the test's: what is asked of it, and what becomes of each failure. */
#include "agent/driver/gpio.h"

#include <errno.h>
#include <gpiod.h>
#include <setjmp.h> /* cmocka.h needs these four */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* libgpiod, as a chip with one line. */
static struct {
	int chip_error, line_error, request_error, value_error; /* errno; 0: it works */
	int level;                                              /* of the wire: 1 high */
	unsigned line;
	char chip[64];
	struct gpiod_line_request_config request;
	int chips_open;
} fake;

static char a_chip, a_line;

struct gpiod_chip *__wrap_gpiod_chip_open_lookup(const char *descr);
struct gpiod_line *__wrap_gpiod_chip_get_line(struct gpiod_chip *chip, unsigned int offset);
int __wrap_gpiod_line_request(struct gpiod_line *line, const struct gpiod_line_request_config *config, int value);
int __wrap_gpiod_line_get_value(struct gpiod_line *line);
void __wrap_gpiod_chip_close(struct gpiod_chip *chip);

static int result(int error)
{
	errno = error;
	return error != 0 ? -1 : 0;
}

struct gpiod_chip *__wrap_gpiod_chip_open_lookup(const char *descr)
{
	gf_strcpy(fake.chip, sizeof(fake.chip), descr);
	if (result(fake.chip_error) != 0)
		return NULL;
	fake.chips_open++;
	return (struct gpiod_chip *)(void *)&a_chip;
}

struct gpiod_line *__wrap_gpiod_chip_get_line(struct gpiod_chip *chip, unsigned int offset)
{
	assert_ptr_equal(chip, &a_chip);
	fake.line = offset;
	return result(fake.line_error) == 0 ? (struct gpiod_line *)(void *)&a_line : NULL;
}

int __wrap_gpiod_line_request(struct gpiod_line *line, const struct gpiod_line_request_config *config, int value)
{
	assert_ptr_equal(line, &a_line);
	assert_int_equal(value, 0);
	fake.request = *config;
	return result(fake.request_error);
}

int __wrap_gpiod_line_get_value(struct gpiod_line *line)
{
	assert_ptr_equal(line, &a_line);
	if (result(fake.value_error) != 0)
		return -1;
	return (fake.request.flags & GPIOD_LINE_REQUEST_FLAG_ACTIVE_LOW) != 0 ? !fake.level : fake.level;
}

void __wrap_gpiod_chip_close(struct gpiod_chip *chip)
{
	assert_ptr_equal(chip, &a_chip);
	fake.chips_open--;
}

static int setup(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	return 0;
}

static struct gpio_config config_of(bool active_low, bool normally_closed, enum gpio_pull pull)
{
	struct gpio_config config = {.present = true,
	                             .chip = "gpiochip0",
	                             .line = 17,
	                             .active_low = active_low,
	                             .normally_closed = normally_closed,
	                             .pull = pull};
	return config;
}

static struct gpio *opened(const struct gpio_config *config)
{
	struct gpio *gpio = NULL;
	struct gf_diag diag = {{0}};
	assert_int_equal(gpio_open(config, "/nowhere", &gpio, &diag), 0);
	return gpio;
}

static void a_line_is_asked_for_as_configured(void **state)
{
	static const struct {
		bool active_low;
		enum gpio_pull pull;
		int flags;
	} rows[] = {
	    /* Without a word: away from the level of a closed contact. */
	    {true, GPIO_PULL_SAFE, GPIOD_LINE_REQUEST_FLAG_ACTIVE_LOW | GPIOD_LINE_REQUEST_FLAG_BIAS_PULL_UP},
	    {false, GPIO_PULL_SAFE, GPIOD_LINE_REQUEST_FLAG_BIAS_PULL_DOWN},
	    {true, GPIO_PULL_NONE, GPIOD_LINE_REQUEST_FLAG_ACTIVE_LOW | GPIOD_LINE_REQUEST_FLAG_BIAS_DISABLE},
	    {false, GPIO_PULL_UP, GPIOD_LINE_REQUEST_FLAG_BIAS_PULL_UP},
	    {false, GPIO_PULL_DOWN, GPIOD_LINE_REQUEST_FLAG_BIAS_PULL_DOWN},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct gpio_config config = config_of(rows[i].active_low, true, rows[i].pull);
		struct gpio *gpio = opened(&config);
		assert_string_equal(fake.chip, "gpiochip0");
		assert_int_equal(fake.line, 17);
		assert_int_equal(fake.request.request_type, GPIOD_LINE_REQUEST_DIRECTION_INPUT);
		assert_int_equal(fake.request.flags, rows[i].flags);
		assert_string_equal(fake.request.consumer, "gymfleet-agent");
		gpio_close(gpio);
		assert_int_equal(fake.chips_open, 0);
	}
}

static void i4_a_contact_that_opens_is_pressed_and_so_is_a_broken_wire(void **state)
{
	const struct gpio_config config = config_of(true, true, GPIO_PULL_SAFE);
	struct gpio *gpio = opened(&config);
	bool closed;
	(void)state;

	fake.level = 0;
	assert_int_equal(gpio_read(gpio, &closed), 0);
	assert_true(closed);
	assert_false(gpio_pressed(gpio, true));
	fake.level = 1; /* the pull-up, with nothing at the other end */
	assert_true(gpio_pressed(gpio, false));
	gpio_close(gpio);
}

static void a_contact_that_closes_is_pressed_by_closing(void **state)
{
	const struct gpio_config config = config_of(true, false, GPIO_PULL_SAFE);
	struct gpio *gpio = opened(&config);
	(void)state;
	fake.level = 1;
	assert_false(gpio_pressed(gpio, true));
	fake.level = 0;
	assert_true(gpio_pressed(gpio, false));
	gpio_close(gpio);
}

static void i4_a_line_that_fails_is_what_is_safe(void **state)
{
	const struct gpio_config config = config_of(true, true, GPIO_PULL_SAFE);
	struct gpio *gpio = opened(&config);
	bool closed = true;
	(void)state;
	fake.value_error = ENODEV;
	assert_int_equal(gpio_read(gpio, &closed), -ENODEV);
	assert_true(closed); /* untouched */
	assert_true(gpio_pressed(gpio, true));
	assert_false(gpio_pressed(gpio, false));
	fake.value_error = 0;
	assert_false(gpio_pressed(gpio, true));
	gpio_close(gpio);
}

static void assert_refused(int error, const char *said)
{
	const struct gpio_config config = config_of(false, true, GPIO_PULL_SAFE);
	struct gpio *gpio = NULL;
	struct gf_diag diag = {{0}};
	assert_int_equal(gpio_open(&config, "/nowhere", &gpio, &diag), error);
	assert_null(gpio);
	assert_non_null(strstr(diag.text, "gpiochip0 line 17"));
	assert_non_null(strstr(diag.text, said));
	assert_int_equal(fake.chips_open, 0);
}

static void what_cannot_be_had_is_named(void **state)
{
	(void)state;
	fake.request_error = EBUSY;
	assert_refused(-EBUSY, "another program holds it");
	fake.line_error = EINVAL;
	assert_refused(-EINVAL, "isn't there");
	fake.chip_error = EACCES;
	assert_refused(-EACCES, "deploy/README.md");
	fake.chip_error = ENOENT;
	assert_refused(-ENOENT, "can't be opened");
	gpio_close(NULL);
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_line_is_asked_for_as_configured),
	    TEST(i4_a_contact_that_opens_is_pressed_and_so_is_a_broken_wire),
	    TEST(a_contact_that_closes_is_pressed_by_closing),
	    TEST(i4_a_line_that_fails_is_what_is_safe),
	    TEST(what_cannot_be_had_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
