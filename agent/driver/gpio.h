/*
 * A contact of the machine: an emergency stop, a cover, a seat switch, a button. Read through the GPIO character device
 * (libgpiod), or where it is configured as a file through the kernel's old tree (class/gpio/gpioN/value).
 *
 * A line is asked whether its circuit is closed, not whether something is pressed: whoever asks knows the kind of contact. The
 * pull makes a broken wire look like an open circuit (sysfs_driver.h says why that matters), so config refuses one that doesn't.
 */
#ifndef AGENT_DRIVER_GPIO_H
#define AGENT_DRIVER_GPIO_H

#include <stdbool.h>

#include "proto/base/err.h"
#include "proto/model.h"

enum { GPIO_PATH_MAX = 128 };

enum gpio_pull {
	GPIO_PULL_SAFE, /* towards the level of an open circuit */
	GPIO_PULL_NONE, /* the board has a resistor of its own */
	GPIO_PULL_UP,
	GPIO_PULL_DOWN,
};

struct gpio_config {
	bool present;
	char file[GPIO_PATH_MAX]; /* relative to the tree's root; empty: chip and line */
	char chip[GPIO_PATH_MAX]; /* a path, a name such as gpiochip0, or a label */
	unsigned line;
	bool active_low;      /* a closed circuit pulls the line low */
	bool normally_closed; /* the contact opens when it is pressed, or its wire breaks */
	enum gpio_pull pull;
};

struct gpio;

/* Takes the line as an input. 0, or a negative errno with `diag`. `root` is for config->file. */
GF_MUST_CHECK int gpio_open(const struct gpio_config *config, const char *root, struct gpio **ret_gpio,
                            struct gf_diag *diag);
/* Gives it back; NULL is fine. */
void gpio_close(struct gpio *gpio);

/* One system call. *ret_closed: the circuit is closed. 0, or a negative errno: nothing is known. */
GF_MUST_CHECK int gpio_read(struct gpio *gpio, bool *ret_closed);

/* Is the contact pressed? One that can't be read is what `unknown` says: true for all that keeps people safe. */
bool gpio_pressed(struct gpio *gpio, bool unknown);

/* "gpiochip0 line 17", for people. */
void gpio_name(const struct gpio_config *config, char ret_name[static GF_TEXT_MAX]);

#endif
