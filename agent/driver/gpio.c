#include "agent/driver/gpio.h"

#include <errno.h>
#include <fcntl.h>
#include <gpiod.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct gpio {
	struct gpio_config config;
	struct gpiod_chip *chip; /* NULL: a file */
	struct gpiod_line *line;
	int fd;
};

void gpio_name(const struct gpio_config *config, char ret_name[static GF_TEXT_MAX])
{
	if (config->file[0] != '\0')
		snprintf(ret_name, GF_TEXT_MAX, "%s", config->file);
	else
		snprintf(ret_name, GF_TEXT_MAX, "%s line %u", config->chip, config->line);
}

/* --- the old tree ------------------------------------------------------------------------------------------------ */

static int open_file(struct gpio *gpio, const char *root, struct gf_diag *diag)
{
	char path[PATH_MAX];
	snprintf(path, sizeof(path), "%s/%s", root, gpio->config.file);
	gpio->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (gpio->fd >= 0)
		return 0;
	const int error = errno;
	gf_diag_set(diag, "%s can't be read: %s; export the line first, or name it by chip and line", path,
	            strerror(error));
	return -error;
}

static int read_file(const struct gpio *gpio)
{
	char text[8] = {0};
	const ssize_t len = pread(gpio->fd, text, sizeof(text) - 1, 0);
	if (len < 0)
		return -errno;
	text[strcspn(text, "\n")] = '\0';
	if (strcmp(text, "0") != 0 && strcmp(text, "1") != 0)
		return -EBADMSG;
	return (text[0] == '1') != gpio->config.active_low;
}

/* --- the character device ---------------------------------------------------------------------------------------- */

static int flags_of(const struct gpio_config *config)
{
	const int low = config->active_low ? GPIOD_LINE_REQUEST_FLAG_ACTIVE_LOW : 0;
	switch (config->pull) {
	case GPIO_PULL_NONE:
		return low | GPIOD_LINE_REQUEST_FLAG_BIAS_DISABLE;
	case GPIO_PULL_UP:
		return low | GPIOD_LINE_REQUEST_FLAG_BIAS_PULL_UP;
	case GPIO_PULL_DOWN:
		return low | GPIOD_LINE_REQUEST_FLAG_BIAS_PULL_DOWN;
	case GPIO_PULL_SAFE:
		break;
	}
	return low | (low != 0 ? GPIOD_LINE_REQUEST_FLAG_BIAS_PULL_UP : GPIOD_LINE_REQUEST_FLAG_BIAS_PULL_DOWN);
}

static int say(const struct gpio_config *config, const char *what, struct gf_diag *diag)
{
	const int error = errno > 0 ? errno : EIO;
	char name[GF_TEXT_MAX];
	gpio_name(config, name);
	gf_diag_set(diag, "%s %s: %s%s", name, what, strerror(error),
	            error == EBUSY    ? "; another program holds it: see gpioinfo"
	            : error == EACCES ? "; see deploy/README.md on access to the hardware"
	                              : "");
	return -error;
}

static int open_line(struct gpio *gpio, struct gf_diag *diag)
{
	const struct gpio_config *config = &gpio->config;
	const struct gpiod_line_request_config request = {
	    .consumer = "gymfleet-agent",
	    .request_type = GPIOD_LINE_REQUEST_DIRECTION_INPUT,
	    .flags = flags_of(config),
	};
	errno = 0;
	gpio->chip = gpiod_chip_open_lookup(config->chip);
	if (gpio->chip == NULL)
		return say(config, "can't be opened", diag);
	gpio->line = gpiod_chip_get_line(gpio->chip, config->line);
	if (gpio->line == NULL)
		return say(config, "isn't there", diag);
	if (gpiod_line_request(gpio->line, &request, 0) != 0)
		return say(config, "can't be had", diag);
	return 0;
}

/* --- both -------------------------------------------------------------------------------------------------------- */

int gpio_open(const struct gpio_config *config, const char *root, struct gpio **ret_gpio, struct gf_diag *diag)
{
	struct gpio *gpio = calloc(1, sizeof(*gpio));
	if (gpio == NULL) {
		gf_diag_set(diag, "out of memory");
		return -ENOMEM;
	}
	gpio->config = *config;
	gpio->fd = -1;
	const int r = config->file[0] != '\0' ? open_file(gpio, root, diag) : open_line(gpio, diag);
	if (r != 0) {
		gpio_close(gpio);
		return r;
	}
	*ret_gpio = gpio;
	return 0;
}

void gpio_close(struct gpio *gpio)
{
	if (gpio == NULL)
		return;
	if (gpio->chip != NULL)
		gpiod_chip_close(gpio->chip); /* releases the line */
	if (gpio->fd >= 0)
		close(gpio->fd);
	free(gpio);
}

int gpio_read(struct gpio *gpio, bool *ret_closed)
{
	int value;
	if (gpio->chip == NULL) {
		value = read_file(gpio);
	} else {
		errno = 0;
		value = gpiod_line_get_value(gpio->line);
		if (value < 0)
			value = errno > 0 ? -errno : -EIO;
	}
	if (value < 0)
		return value;
	*ret_closed = value == 1;
	return 0;
}

bool gpio_pressed(struct gpio *gpio, bool unknown)
{
	bool closed;
	if (gpio_read(gpio, &closed) != 0)
		return unknown;
	return closed != gpio->config.normally_closed;
}
