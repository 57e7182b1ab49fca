/*
 * One channel of a PWM chip in sysfs (class/pwm/pwmchipN/pwmX). Its carrier is fixed when it is opened; what changes is the duty.
 * After opening, `pwm_duty` and `pwm_off` only write to descriptors that are open already.
 */
#ifndef AGENT_DRIVER_SYSFS_PWM_H
#define AGENT_DRIVER_SYSFS_PWM_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/err.h"

enum { PWM_PERIOD_MIN_NS = 1000, PWM_PERIOD_MAX_NS = 1000000000 };

struct pwm_config {
	bool present;
	uint16_t chip, channel;
	uint32_t period_ns;
};

struct pwm {
	struct pwm_config config;
	int duty_fd, enable_fd;
	bool known, on; /* what was written last; known: and it was taken */
	uint32_t duty_ns;
};

/*
 * Exports the channel where it isn't, and waits up to two seconds until its files may be written (udev hands them over); turns it
 * off; sets the period. 0, or a negative errno with `diag`: then there is nothing to close.
 */
GF_MUST_CHECK int pwm_open(const struct pwm_config *config, const char *root, struct pwm *ret_pwm,
                           struct gf_diag *diag);
/* Leaves it as it is. */
void pwm_close(struct pwm *pwm);

/* On, with so much of the period. Writes what has changed, or all of it with `afresh`. 0 or a negative errno. */
GF_MUST_CHECK int pwm_duty(struct pwm *pwm, float share, bool afresh);
/* Duty 0 and disabled; tries both, whatever fails. Writes nothing when it is known to be off, unless `afresh`. */
int pwm_off(struct pwm *pwm, bool afresh);

/* What the hardware's files say now. 0 or a negative errno. */
GF_MUST_CHECK int pwm_look(const struct pwm *pwm, uint32_t *ret_duty_ns, bool *ret_on);

#endif
