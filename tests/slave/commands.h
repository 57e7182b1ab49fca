/*
 * What a test tells the controller while it runs, a line at a time over a SOCK_SEQPACKET socket; each is answered with a line. By hand:
 * socat - UNIX-CONNECT:SOCKET,socktype=5
 *
 *     on?                      "on" or "off": do motor or heater get power
 *     reg ADDRESS              a holding register, e.g. "reg 0x05"
 *     inject FAULT MS          the simulated machine has it for so long: estop, cover_open, overcurrent ...; 0: no longer
 *     fault FAULT|none         the controller latches it
 *     sensor NAME ok|none|freeze|VALUE
 *     press BUTTON MS          stop, pause, pain, up, down, staff
 *     routine N MS             its button (index + 1) is held
 *     version N, class NAME, serial TEXT, deadman MS|none, ready on|off, runaway on|off, carriage stuck|free
 *     late MS                  answers so late from now on
 *     deaf on|off              hears nothing: the cable is out
 *     mute N                   does the next N requests, and doesn't answer
 *     broken N                 the next N answers have a wrong CRC (TCP: transaction number)
 *     exception CODE N         the next N requests are refused
 *     refuse FUNCTION|off      requests with this function code are refused, "no such value"
 *     drop                     TCP: hangs up
 *     away on|off              TCP: hangs up, and on each who comes
 */
#ifndef TESTS_SLAVE_COMMANDS_H
#define TESTS_SLAVE_COMMANDS_H

#include "tests/slave/controller.h"

struct mischief {
	int late_ms;
	bool deaf, away, drop;
	unsigned mute, broken, exceptions;
	uint8_t exception, refused_function;
};

enum { COMMAND_MAX = 256 };

/* Does the line and puts the reply into ret_reply. */
void command_do(struct controller *c, struct mischief *m, const char *line, char ret_reply[static COMMAND_MAX]);

#endif
