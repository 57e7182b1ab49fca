/*
 * gymfleet-sim: the machines of a scenario in one process, for trying out and for load.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/sim/fleet.h"
#include "proto/base/file.h"
#include "proto/catalog_key.h"

enum { EXIT_USAGE = 2 };

struct arguments {
	const char *scenario, *state_dir, *catalogs_dir, *pki_dir, *broker;
	char *catalog_keys; /* cut at the commas */
	const char *threshold;
	int64_t history_ms, until_ms, trial_ms;
	bool offline, agents;
};

static const char usage_text[] =
    "usage: gymfleet-sim --scenario FILE --state DIR --catalogs DIR [options]\n"
    "\n"
    "  -s, --scenario FILE    which machines, how busy (see config/scenario.yaml)\n"
    "  -d, --state DIR        each machine's spool and hour meter, in DIR/<id>/\n"
    "  -c, --catalogs DIR     <class>.catalog for each class, made by 'gymfleet catalog build'\n"
    "  -H, --history SPAN     first let virtual time run through the past, e.g. 7d\n"
    "  -u, --until TIME       where that past ends (RFC 3339; now when left out)\n"
    "  -o, --offline          stop after the history\n"
    "  -b, --broker HOST:PORT go live: connect each machine with its certificate\n"
    "  -p, --pki DIR          ca.pem, devices/<id>.pem and devices/<id>.key\n"
    "  -k, --catalog-keys FILE[,FILE...]  public keys: catalogs signed by them are taken over the air\n"
    "  -n, --threshold N      how many of them it takes (1 when left out)\n"
    "  -t, --trial SPAN       how long a new catalog is on trial (10m when left out)\n"
    "  -a, --agents           write DIR/<id>/agent.yaml, so that gymfleet-agent can take the machines over\n"
    "  -V, --version          -h, --help\n";

/* 0, or EXIT_USAGE with what is wrong. */
static int take_time(int option, const char *text, struct arguments *a)
{
	if (option == 'u' && gf_time_parse(text, &a->until_ms) != 0) {
		fprintf(stderr, "gymfleet-sim: --until '%s' is no RFC 3339 time; try 2026-11-20T12:00:00Z\n", text);
		return EXIT_USAGE;
	}
	if (option == 'H' && gf_duration_parse(text, &a->history_ms) != 0) {
		fprintf(stderr, "gymfleet-sim: --history '%s' is no duration; try 7d or 12h\n", text);
		return EXIT_USAGE;
	}
	if (option == 't' && (gf_duration_parse(text, &a->trial_ms) != 0 || a->trial_ms < 1 || a->trial_ms > UINT32_MAX)) {
		fprintf(stderr, "gymfleet-sim: --trial '%s' is no duration of a trial; try 10m or 30s\n", text);
		return EXIT_USAGE;
	}
	return 0;
}

static int parse(int argc, char **argv, struct arguments *a)
{
	static const struct option options[] = {
	    {"scenario", required_argument, NULL, 's'},
	    {"state", required_argument, NULL, 'd'},
	    {"catalogs", required_argument, NULL, 'c'},
	    {"history", required_argument, NULL, 'H'},
	    {"until", required_argument, NULL, 'u'},
	    {"offline", no_argument, NULL, 'o'},
	    {"broker", required_argument, NULL, 'b'},
	    {"pki", required_argument, NULL, 'p'},
	    {"agents", no_argument, NULL, 'a'},
	    {"version", no_argument, NULL, 'V'},
	    {"help", no_argument, NULL, 'h'},
	    {"catalog-keys", required_argument, NULL, 'k'},
	    {"threshold", required_argument, NULL, 'n'},
	    {"trial", required_argument, NULL, 't'},
	    {NULL, 0, NULL, 0},
	};
	for (int option; (option = getopt_long(argc, argv, "s:d:c:H:u:ob:p:k:n:t:aVh", options, NULL)) != -1;) {
		switch (option) {
		case 's':
			a->scenario = optarg;
			break;
		case 'd':
			a->state_dir = optarg;
			break;
		case 'c':
			a->catalogs_dir = optarg;
			break;
		case 'b':
			a->broker = optarg;
			break;
		case 'p':
			a->pki_dir = optarg;
			break;
		case 'o':
			a->offline = true;
			break;
		case 'a':
			a->agents = true;
			break;
		case 'k':
			a->catalog_keys = optarg;
			break;
		case 'n':
			a->threshold = optarg;
			break;
		case 'H':
		case 'u':
		case 't':
			if (take_time(option, optarg, a) != 0)
				return EXIT_USAGE;
			break;
		case 'V':
			puts("gymfleet-sim " GF_VERSION);
			exit(EXIT_SUCCESS);
		case 'h':
			fputs(usage_text, stdout);
			exit(EXIT_SUCCESS);
		default:
			fputs(usage_text, stderr);
			return EXIT_USAGE;
		}
	}
	bool needs_broker = !a->offline || a->agents;
	if (a->scenario == NULL || a->state_dir == NULL || a->catalogs_dir == NULL || optind != argc ||
	    (needs_broker && (a->broker == NULL || a->pki_dir == NULL)) ||
	    (a->threshold != NULL && a->catalog_keys == NULL)) {
		fputs(usage_text, stderr);
		return EXIT_USAGE;
	}
	return 0;
}

/* "localhost:8883" taken apart; the text is cut at the colon. */
static int parse_broker(char *text, struct fleet_config *config)
{
	char *colon = strrchr(text, ':'), *end;
	unsigned long port = colon != NULL ? strtoul(colon + 1, &end, 10) : 0;
	if (port == 0 || port > 65535 || *end != '\0') {
		fprintf(stderr, "gymfleet-sim: --broker '%s' isn't HOST:PORT\n", text);
		return EXIT_USAGE;
	}
	*colon = '\0';
	config->broker_host = text;
	config->broker_port = (uint16_t)port;
	return 0;
}

/* What the machines begin with, and what they know of the catalogs that come over the air. */
struct library {
	struct gf_catalog catalogs[GF_CLASS_COUNT];
	struct gf_digest digests[GF_CLASS_COUNT];
	struct gf_keyset keys;
	char *key_files[GF_KEYS_MAX + 1];
};

static int read_keys(struct arguments *a, struct library *library, struct gf_diag *diag)
{
	struct gf_keyset *keys = &library->keys;
	char *end = NULL, *rest = NULL;
	const unsigned long threshold = a->threshold != NULL ? strtoul(a->threshold, &end, 10) : 1;

	for (char *path = strtok_r(a->catalog_keys, ",", &rest); path != NULL; path = strtok_r(NULL, ",", &rest)) {
		if (keys->count == GF_KEYS_MAX) {
			gf_diag_set(diag, "--catalog-keys: more than %d keys", GF_KEYS_MAX);
			return -EINVAL;
		}
		library->key_files[keys->count] = path;
		int r = gf_key_read_public(path, keys->keys[keys->count++], diag);
		if (r != 0)
			return r;
	}
	if (threshold < 1 || threshold > keys->count || (end != NULL && *end != '\0')) {
		gf_diag_set(diag, "--threshold '%s': of %zu keys it can take 1 to %zu",
		            a->threshold != NULL ? a->threshold : "1", keys->count, keys->count);
		return -EINVAL;
	}
	keys->threshold = (uint32_t)threshold;
	return gf_keyset_check(keys, diag);
}

enum { NOT_SIGNED = 1 };

/* With keys it must be signed, as on a machine. 0, NOT_SIGNED, or a negative errno. */
static int check_signed(const struct gf_keyset *keys, const void *data, size_t len, struct gf_diag *diag)
{
	struct gf_sealed sealed = {0};
	if (keys->threshold == 0)
		return 0;
	if (gf_unseal(data, len, &sealed, diag) != 0)
		return -EINVAL;
	const int r = gf_verify(keys, &sealed, diag);
	gf_sealed_deinit(&sealed);
	return r != 0 ? NOT_SIGNED : 0;
}

static int read_catalog(const char *path, enum gf_class class, struct library *library, struct gf_diag *diag)
{
	struct gf_catalog catalog = {0};
	char *data = NULL;
	size_t len = 0;
	int r = gf_file_read(path, GF_CATALOG_MAX, &data, &len, diag);
	if (r != 0)
		return r;
	r = check_signed(&library->keys, data, len, diag);
	if (r == 0)
		r = gf_catalog_decode(data, len, &catalog, diag);
	gf_digest_of(data, len, &library->digests[class]);
	free(data);
	if (r == 0 && catalog.class != class) {
		gf_diag_set(diag, "the catalog is for class %s", gf_class_name(catalog.class));
		gf_catalog_deinit(&catalog);
		r = -EINVAL;
	}
	if (r != 0) {
		gf_diag_prefix(diag, "%s", path);
		return r == NOT_SIGNED ? NOT_SIGNED : -EINVAL;
	}
	library->catalogs[class] = catalog;
	return 0;
}

static int load_catalog(const char *dir, enum gf_class class, struct library *library, struct gf_diag *diag)
{
	char path[PATH_MAX];
	struct gf_diag why = {{0}};
	snprintf(path, sizeof(path), "%s/%s.catalog", dir, gf_class_name(class));
	int r = read_catalog(path, class, library, &why);
	if (r == NOT_SIGNED)
		gf_diag_set(diag, "%s; sign it with 'gymfleet catalog sign'", why.text);
	else if (r != 0)
		gf_diag_set(diag, "%s; build it with 'gymfleet catalog build --class %s'", why.text, gf_class_name(class));
	return r;
}

/* The catalogs of the classes that the scenario has. */
static int load_catalogs(const struct scenario *scenario, const char *dir, struct library *library,
                         struct gf_diag *diag)
{
	for (size_t i = 0; i < scenario->count; i++) {
		enum gf_class class = scenario->machines[i].sim.class;
		int r = library->catalogs[class].routines_count > 0 ? 0 : load_catalog(dir, class, library, diag);
		if (r != 0)
			return r;
	}
	return 0;
}

static void print_progress(size_t done, size_t of)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\rhistory  %zu of %zu machines%s", done, of, done == of ? "\n" : "");
}

static int play_history(const struct arguments *a, const struct fleet_config *config, struct gf_diag *diag)
{
	struct fleet_totals totals;
	char span[GF_DURATION_MAX];
	int64_t until_ms = a->until_ms != 0 ? a->until_ms : gf_clock_now(gf_clock_system(GF_CLOCK_TRUST_SYSTEM)).wall_ms;
	int r = fleet_history(config, until_ms - a->history_ms, until_ms, print_progress, diag);
	if (r == 0)
		r = fleet_totals(config, &totals, diag);
	if (r == 0)
		printf("%llu machines, %s of history: %llu sessions, %.1f motor hours\n", (unsigned long long)totals.machines,
		       gf_duration_format(a->history_ms, span), (unsigned long long)totals.sessions,
		       (double)totals.motor_ms / 3.6e6);
	return r;
}

static int run(struct arguments *a, struct fleet_config *config, struct library *library, struct scenario *scenario,
               struct gf_diag *diag)
{
	int r;
	if (a->catalog_keys != NULL && (r = read_keys(a, library, diag)) != 0)
		return r;
	if (library->keys.count > 0) {
		config->keys = &library->keys;
		config->key_files = library->key_files;
	}
	if ((r = scenario_load(a->scenario, scenario, diag)) != 0 ||
	    (r = load_catalogs(scenario, a->catalogs_dir, library, diag)) != 0)
		return r;
	if (a->history_ms > 0 && (r = play_history(a, config, diag)) != 0)
		return r;
	if (a->agents && (r = fleet_write_agents(config, a->catalogs_dir, diag)) != 0)
		return r;
	fflush(stdout);
	return a->offline ? 0 : fleet_live(config, 10, diag);
}

int main(int argc, char **argv)
{
	struct arguments a = {0};
	struct library library = {0};
	struct scenario scenario = {0};
	struct gf_diag diag = {{0}};
	struct fleet_config config = {.scenario = &scenario, .catalogs = library.catalogs, .digests = library.digests};
	char *broker = NULL;

	int status = parse(argc, argv, &a);
	if (status != 0)
		return status;
	if (a.broker != NULL) {
		broker = strdup(a.broker);
		status = broker != NULL ? parse_broker(broker, &config) : EXIT_FAILURE;
	}
	signal(SIGPIPE, SIG_IGN);
	config.state_dir = a.state_dir;
	config.pki_dir = a.pki_dir;
	config.trial_ms = (uint32_t)a.trial_ms;
	if (status == 0) {
		int r = run(&a, &config, &library, &scenario, &diag);
		if (r != 0) {
			fprintf(stderr, "gymfleet-sim: %s\n", diag.text[0] != '\0' ? diag.text : strerror(r < 0 ? -r : EIO));
			status = EXIT_FAILURE;
		}
	}
	for (size_t i = 0; i < GF_CLASS_COUNT; i++)
		gf_catalog_deinit(&library.catalogs[i]);
	scenario_deinit(&scenario);
	free(broker);
	return status;
}
