/*
 * The `gymfleet` command: a table of commands, each in a file of its own (cmd_*.c), over one client of the gateway's API and one
 * writer of tables, JSON and CSV.
 *
 *     words ──> options ──> cmd_*.c ──> client ──HTTP──> gateway;  its JSON ──> writer ──> out
 *
 * Results go to `out`, everything said to the user beside them to `err`. Exit codes are the same for every command.
 */
#ifndef GATEWAY_CLI_CLI_H
#define GATEWAY_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "gateway/cli/client.h"
#include "gateway/cli/writer.h"

enum cli_exit { CLI_OK, CLI_REFUSED, CLI_USAGE, CLI_UNREACHABLE };

#define CLI_SOCKET_DEFAULT "/run/gymfleet/gateway.sock"

/* Options with a value or a switch; the table in options.c gives each its words. */
enum cli_option {
	CLI_OPT_OUTPUT, /* the first four belong to every command */
	CLI_OPT_SOCKET,
	CLI_OPT_HELP,
	CLI_OPT_VERSION,
	CLI_OPT_SINCE,
	CLI_OPT_UNTIL,
	CLI_OPT_WHERE,
	CLI_OPT_LIMIT,
	CLI_OPT_BY,
	CLI_OPT_OPEN,
	CLI_OPT_FOLLOW,
	CLI_OPT_KIND,
	CLI_OPT_DEVICE,
	CLI_OPT_CLASS,
	CLI_OPT_NAME,
	CLI_OPT_CATALOG_VERSION,
	CLI_OPT_FILE,
	CLI_OPT_EXPIRES,
	CLI_OPT_MIN_AGENT,
	CLI_OPT_ROLLBACK_TO,
	CLI_OPT_NEXT_KEYS,
	CLI_OPT_THRESHOLD,
	CLI_OPT_KEY,
	CLI_OPT_KEYS,
	CLI_OPT_WAVES,
	CLI_OPT_SOAK,
	CLI_OPT_MAX_FAILURES,
	CLI_OPT_DEADLINE,
	CLI_OPT_WINDOW,
	CLI_OPT_GATE,
	CLI_OPT_STEP,
	CLI_OPT_REASON,
	CLI_OPT_NOTE,
	CLI_OPT_TEXT,
	CLI_OPT_OUT_OF_SERVICE,
	CLI_OPT_OWNER,
	CLI_OPT_BACK,
	CLI_OPT_RELEASE,
	CLI_OPT_WITHDRAWN,
	CLI_OPT_BY_RELIABILITY,
	CLI_OPT_SITE,
	CLI_OPT_HEAT,
	CLI_OPT_TREND,
	CLI_OPT_EXPORT_FILE,
	CLI_OPT_AFTER,
	CLI_OPT_YES,
	CLI_OPT_SUBJECT_KEY,
	CLI_OPT_AT,
	CLI_OPT_COUNT,
};
_Static_assert(CLI_OPT_COUNT <= 64, "every option has its bit");
#define CLI_BIT(option) (UINT64_C(1) << (option))
#define CLI_COMMON \
	(CLI_BIT(CLI_OPT_OUTPUT) | CLI_BIT(CLI_OPT_SOCKET) | CLI_BIT(CLI_OPT_HELP) | CLI_BIT(CLI_OPT_VERSION))

enum { CLI_MANY_MAX = 8, CLI_WHEN_MAX = 32 };

struct cli;

/* What people want to do; help.c has a heading for each. */
enum cli_group {
	CLI_WATCH,
	CLI_CARE,
	CLI_OVERUSE,
	CLI_ROUTINES,
	CLI_ROLLOUTS,
	CLI_DATA,
	CLI_GATEWAY,
	CLI_GROUP_COUNT,
};

struct cli_command {
	enum cli_group group;
	const char *name; /* one word or two: "devices", "device set" */
	const char *args; /* "ID", "[ID]", ... or "" */
	const char *summary;
	const char *help;            /* what else there is to say, whole lines; may be NULL */
	uint64_t options;            /* CLI_BIT()s beyond the common ones */
	unsigned args_min, args_max; /* of positional arguments */
	enum cli_exit (*run)(struct cli *cli, char **args, size_t count);
};

struct cli {
	FILE *out, *err;
	bool terminal, colour; /* of `out` */
	bool utf8;             /* of the locale: what is drawn may be more than ASCII */
	unsigned width;        /* of the terminal, 0 = unknown */
	int64_t now_ms;
	char utc_offset_min[8];            /* of the local clock, as the API wants it */
	const struct cli_command *command; /* the one that runs */
	const char *values[CLI_OPT_COUNT]; /* NULL = not given; "" for a switch */
	const char *many[CLI_MANY_MAX]; /* each value of the option that may be repeated; a command has one such at most */
	size_t many_count;
	char when[2][CLI_WHEN_MAX]; /* --since and --until, where they were written by the clock here */
	enum writer_format format;
	unsigned long limit; /* of rows */
};

/* The whole program. `argv` is not changed beyond its order. */
enum cli_exit cli_main(int argc, char **argv, FILE *out, FILE *err);

/* commands.c: the commands, ended by one without a name. */
extern const struct cli_command cli_commands[];
const struct cli_command *cli_find(const char *const *words, size_t count, size_t *ret_used);

/*
 * options.c. Reads the options of argv[1..] into cli->values: those of every command, and cli->command's when it is set. Without a
 * command it stops at the first argument; with one it moves the options before the arguments. argv[*ret_first] is
 * the first argument.
 */
enum cli_exit cli_options(struct cli *cli, int argc, char **argv, int *ret_first);
/* "  --since TIME   ..." for each option of the command (NULL = those of every command). */
void cli_options_help(const struct cli *cli, const struct cli_command *command, FILE *to);

/* help.c: `words` may be a command, the first word of several, or nothing. Returns CLI_USAGE when there is no such command. */
enum cli_exit cli_help(struct cli *cli, FILE *to, const char *const *words, size_t count);
enum cli_exit cli_help_command(const struct cli *cli, const struct cli_command *command, FILE *to);
/* Whole lines; and "  left   right", `left` being so wide. Both in the width of the terminal. */
void cli_help_text(const struct cli *cli, FILE *to, const char *text);
void cli_help_entry(const struct cli *cli, FILE *to, const char *left, unsigned width, const char *right);
void cli_usage_line(const struct cli_command *command, FILE *to);

/* examples.c: lines to try, each "gymfleet ...\n"; "" for an unknown command. */
const char *cli_example(const char *name);

/* "gymfleet: <sentence>" on `err`, and the code. */
enum cli_exit cli_fail(struct cli *cli, enum cli_exit code, const char *fmt, ...) GF_PRINTF(3, 4);
/* The same with the command's usage line: for wrong arguments. */
enum cli_exit cli_fail_usage(struct cli *cli, const char *fmt, ...) GF_PRINTF(2, 3);

/*
 * request.c. A request whose answer isn't a success is said on `err` and becomes an exit code. *ret_body is the caller's to
 * json_decref; untouched on failure.
 */
struct cli_request {
	const char *method; /* NULL = GET */
	const char *path;
	struct client_param params[10]; /* name NULL ends them; value NULL leaves one out */
	json_t *body;                   /* borrowed; may be NULL */
	const void *bytes;              /* sent as they are in place of a body; may be NULL */
	size_t bytes_len;
	int timeout_s; /* 0 = the usual */
};
enum cli_exit cli_request(struct cli *cli, const struct cli_request *request, json_t **ret_body);
/* The same of a gateway that answered before: while it restarts it is waited for, a minute at most. *ret_waited is set when it was. */
enum cli_exit cli_request_again(struct cli *cli, const struct cli_request *request, json_t **ret_body,
                                bool *ret_waited);
/* "/v1/devices/" + id + suffix into buf. */
enum cli_exit cli_device_path(struct cli *cli, const char *id, const char *suffix, char *buf, size_t size);

/* prefix + number + suffix into buf: "/v1/flags/" "12" "/ack"; `what` names it where the text is no number. */
enum cli_exit cli_number_path(struct cli *cli, const char *prefix, const char *number, const char *suffix,
                              const char *what, char *buf, size_t size);
/* The option's text, if it was given, into an object that is asked for; must be UTF-8. */
enum cli_exit cli_body_text(struct cli *cli, json_t *body, enum cli_option option, const char *key);
/* A time to come, as RFC 3339. */
enum cli_exit cli_body_when(struct cli *cli, json_t *body, enum cli_option option, const char *key);
/*
 * when.c: the value of an option, which was given, as wall ms: a span (7d: so long ago, or `ahead` of now), a day (2026-11-20: its
 * first moment in the time zone here), a time here (2026-11-20 17:42), or RFC 3339. CLI_USAGE when it is none of these.
 */
enum cli_exit cli_when(struct cli *cli, enum cli_option option, bool ahead, int64_t *ret_ms);
/* --since and --until, where they are given, as the gateway reads them. */
enum cli_exit cli_take_range(struct cli *cli);
/* What a TIME may be, if the command has an option that takes one. */
void cli_when_help(const struct cli *cli, const struct cli_command *command, FILE *to);

/* The word of an option, without its dashes. */
const char *cli_option_name(enum cli_option option);

/* Asks page after page until cli->limit rows are there and writes them; `none` is said when there are none. */
typedef void (*cli_item_fn)(const struct cli *cli, const json_t *item);
struct cli_list {
	struct cli_request request;
	const struct column *columns;
	size_t columns_count;
	const char *none;
	cli_item_fn
	    item; /* prints one row for people, several lines of it; NULL = as a table. At most CLI_ITEMS unless --limit asks for more */
};
enum { CLI_ITEMS = 25 };
enum cli_exit cli_list(struct cli *cli, const struct cli_list *list);
/* What is said where no machine is listed: none is chosen, or there is none. */
const char *cli_no_machine(const struct cli *cli);
/* Why a list is empty, on `err`, if the answer says so. */
void cli_hint(struct cli *cli, const json_t *answer);
/* Writes the rows of an array. */
enum cli_exit cli_rows(struct cli *cli, const json_t *items, const struct column *columns, size_t columns_count,
                       const char *none);
/* Writes an object: as it is for JSON, by `columns` otherwise. */
enum cli_exit cli_object(struct cli *cli, const json_t *object, const struct column *columns, size_t columns_count);

/* findings.c: rows with "text" and "action" as a list for people, `state` and `subject` (NULL = none) being further keys. */
void cli_findings(const struct cli *cli, const json_t *rows, const char *state, const char *subject);

/* The commands: args[0..count-1] are the arguments, their number is checked. */
enum cli_exit cmd_status(struct cli *cli, char **args, size_t count);
enum cli_exit cmd_devices(struct cli *cli, char **args, size_t count);
enum cli_exit cmd_device_show(struct cli *cli, char **args, size_t count);
enum cli_exit cmd_device_set(struct cli *cli, char **args, size_t count);
enum cli_exit cmd_health(struct cli *cli, char **args, size_t count);
enum cli_exit cmd_sessions(struct cli *cli, char **args, size_t count);
enum cli_exit cmd_usage(struct cli *cli, char **args, size_t count);
enum cli_exit cmd_faults(struct cli *cli, char **args, size_t count);
enum cli_exit cmd_faults_show(struct cli *cli, char **args, size_t count);
enum cli_exit cmd_faults_ack(struct cli *cli, char **args, size_t count);
enum cli_exit cmd_faults_clear(struct cli *cli, char **args, size_t count);
enum cli_exit cmd_faults_report(struct cli *cli, char **args, size_t count);
enum cli_exit cmd_device_tag(struct cli *cli, char **args, size_t count);
enum cli_exit cmd_device_untag(struct cli *cli, char **args, size_t count);
enum cli_exit cmd_device_service(struct cli *cli, char **args, size_t count);
enum cli_exit cmd_wear(struct cli *cli, char **args, size_t count);
enum cli_exit cmd_overuse(struct cli *cli, char **args, size_t count);
enum cli_exit cmd_overuse_show(struct cli *cli, char **args, size_t count);
enum cli_exit cmd_overuse_ack(struct cli *cli, char **args, size_t count);
enum cli_exit cmd_rules(struct cli *cli, char **args, size_t count);
enum cli_exit cmd_rules_check(struct cli *cli, char **args, size_t count);
enum cli_exit cmd_rules_reload(struct cli *cli, char **args, size_t count);
enum cli_exit cmd_export(struct cli *cli, char **args, size_t count);
enum cli_exit cmd_subject_erase(struct cli *cli, char **args, size_t count);
enum cli_exit cmd_subject_token(struct cli *cli, char **args, size_t count);
enum cli_exit cmd_audit(struct cli *cli, char **args, size_t count);
enum cli_exit cmd_events(struct cli *cli, char **args, size_t count);
enum cli_exit cmd_webhooks(struct cli *cli, char **args, size_t count);
enum cli_exit cmd_webhooks_reload(struct cli *cli, char **args, size_t count);
enum cli_exit cmd_webhooks_retry(struct cli *cli, char **args, size_t count);
enum cli_exit cmd_doctor(struct cli *cli, char **args, size_t count);
enum cli_exit cmd_catalog_check(struct cli *cli, char **args, size_t count);
enum cli_exit cmd_catalog_build(struct cli *cli, char **args, size_t count);
enum cli_exit cmd_catalog_keygen(struct cli *cli, char **args, size_t count);
enum cli_exit cmd_catalog_sign(struct cli *cli, char **args, size_t count);
enum cli_exit cmd_catalog_inspect(struct cli *cli, char **args, size_t count);
enum cli_exit cmd_catalog_diff(struct cli *cli, char **args, size_t count);
enum cli_exit cmd_catalog_publish(struct cli *cli, char **args, size_t count);
enum cli_exit cmd_catalog_list(struct cli *cli, char **args, size_t count);
enum cli_exit cmd_device_trend(struct cli *cli, char **args, size_t count);
enum cli_exit cmd_device_lock(struct cli *cli, char **args, size_t count);
enum cli_exit cmd_device_unlock(struct cli *cli, char **args, size_t count);
enum cli_exit cmd_device_stop(struct cli *cli, char **args, size_t count);
enum cli_exit cmd_audit_log(struct cli *cli, char **args, size_t count);
enum cli_exit cmd_rollout_start(struct cli *cli, char **args, size_t count);
enum cli_exit cmd_rollout_list(struct cli *cli, char **args, size_t count);
enum cli_exit cmd_rollout_show(struct cli *cli, char **args, size_t count);
enum cli_exit cmd_rollout_watch(struct cli *cli, char **args, size_t count);
enum cli_exit cmd_rollout_pause(struct cli *cli, char **args, size_t count);
enum cli_exit cmd_rollout_resume(struct cli *cli, char **args, size_t count);
enum cli_exit cmd_rollout_halt(struct cli *cli, char **args, size_t count);
enum cli_exit cmd_rollout_rollback(struct cli *cli, char **args, size_t count);
enum cli_exit cmd_help(struct cli *cli, char **args, size_t count);

#endif
