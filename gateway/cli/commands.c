/* The commands, by what people want to do: the order is that of the help. */
#include "gateway/cli/cli.h"

#define RANGE (CLI_BIT(CLI_OPT_SINCE) | CLI_BIT(CLI_OPT_UNTIL))
#define ROWS (CLI_BIT(CLI_OPT_WHERE) | CLI_BIT(CLI_OPT_LIMIT))
#define WHERE_HELP                                                                                               \
	"EXPR compares any field that -o json prints by = != < <= > >= ~ (a glob with * and ?), joined by and, or\n" \
	"and not, with parentheses. Texts with spaces stand in quotes. For a time, -7d is seven days ago and +30d\n" \
	"in thirty days; a day is written with its zone: 2026-11-20T00:00:00+01:00.\n"
#define ROLLOUT_HELP                                                                                                 \
	"All machines for which --where holds and that are of a class with a catalog of this name and version, now or "  \
	"later,\n"                                                                                                       \
	"take part. Each wave reaches so many machines, or so many percent of them, together with the waves before it; " \
	"online\n"                                                                                                       \
	"ones first. A machine in use changes when its session ends; one that is offline in the last wave catches up.\n" \
	"The rollout halts by itself when too many fail or a gate doesn't hold, and waits for a person then.\n"          \
	"Gates: faults_per_100h (faults that stopped, per 100 motor hours) and user_stops_per_100 (sessions stopped by " \
	"the\n"                                                                                                          \
	"user, of 100), at most N, or Nx: so many times the rate of the machines still waiting.\n"                       \
	"Without options: --waves 1,10%,100% --soak 30m --max-failures 2% --deadline 24h, at any time of day,\n"         \
	"--gate faults_per_100h<=1.5x --gate user_stops_per_100<=2x. --gate none leaves the gates out.\n"

const struct cli_command cli_commands[] = {
    {CLI_WATCH, "status", "", "the fleet in one screen", NULL, 0, 0, 0, cmd_status},
    {CLI_WATCH, "devices", "", "all machines", WHERE_HELP, ROWS, 0, 0, cmd_devices},
    {CLI_WATCH, "device show", "ID", "all that is known of one machine", NULL, 0, 1, 1, cmd_device_show},
    {CLI_WATCH, "device trend", "ID", "how a machine's sensors go over time",
     "The last 24 hours, unless --since says otherwise: 5 minutes a step up to a day, hours up to two weeks, then "
     "days.\n"
     "-o csv has every step.\n",
     RANGE, 1, 1, cmd_device_trend},
    {CLI_CARE, "faults", "[ID]", "what is or was broken, newest first",
     "ID is a machine, or a fault's number. What a machine raises again within half an hour is the same fault, with a\n"
     "count. --by tells how often machines fail instead, and how long they were down.\n" WHERE_HELP,
     RANGE | ROWS | CLI_BIT(CLI_OPT_OPEN) | CLI_BIT(CLI_OPT_BY_RELIABILITY), 0, 1, cmd_faults},
    {CLI_CARE, "faults show", "N", "a fault as a ticket, for whoever repairs the machine",
     "What happened, which machine it is and where, the session in which it came, wear and warranty, who renewed "
     "what,\n"
     "and the machine's other faults.\n",
     0, 1, 1, cmd_faults_show},
    {CLI_CARE, "faults ack", "N", "say that you have seen a fault", "It stays open until it is cleared.\n",
     CLI_BIT(CLI_OPT_NOTE), 1, 1, cmd_faults_ack},
    {CLI_CARE, "faults clear", "N", "say that reported damage is mended",
     "A latched fault is cleared by staff at the machine alone, with the staff key; others when the machine "
     "recovers.\n",
     CLI_BIT(CLI_OPT_NOTE), 1, 1, cmd_faults_clear},
    {CLI_CARE, "faults report", "ID", "report damage that no sensor sees",
     "A tear, a crack, a smell: it becomes a fault of the machine ID. --out-of-service also hangs a tag on it.\n",
     CLI_BIT(CLI_OPT_TEXT) | CLI_BIT(CLI_OPT_OUT_OF_SERVICE) | CLI_BIT(CLI_OPT_OWNER) | CLI_BIT(CLI_OPT_BACK), 1, 1,
     cmd_faults_report},
    {CLI_CARE, "device tag", "ID", "take a machine out of service",
     "No session starts while the tag hangs on it; one that runs goes on.\n",
     CLI_BIT(CLI_OPT_REASON) | CLI_BIT(CLI_OPT_OWNER) | CLI_BIT(CLI_OPT_BACK), 1, 1, cmd_device_tag},
    {CLI_CARE, "device untag", "ID", "take a machine back into service", NULL, 0, 1, 1, cmd_device_untag},
    {CLI_CARE, "wear", "[ID]", "how much of its life each part has behind it, and when it is due", WHERE_HELP, ROWS, 0,
     1, cmd_wear},
    {CLI_CARE, "device service", "ID [PART]", "say that a part was renewed, or a machine serviced",
     "PART is motor, head, roller, filter or cover; without it the machine was serviced. Its counters begin anew.\n",
     CLI_BIT(CLI_OPT_NOTE), 1, 2, cmd_device_service},
    {CLI_CARE, "device set", "ID KEY=VALUE...", "name a machine, say where it stands, or limit what it may do",
     "KEY is name, site, zone or bay. What is set here goes before what the machine says of itself; an empty\n"
     "value (zone=) takes it back. What it did until now stays at the site where it was; with --since it is at\n"
     "its site (site=) since then. Limits narrow what the machine may do, never widen it: limit.intensity_max_pct,\n"
     "limit.frequency_max_hz, limit.pressure_max_mmhg, limit.heat_max_c and limit.session_max_s: percent of the\n"
     "machine's full strength, strokes a second, mmHg, degrees Celsius and seconds. An empty value lifts one.\n",
     CLI_BIT(CLI_OPT_SINCE), 2, 6, cmd_device_set},
    {CLI_CARE, "device lock", "ID", "let no session start on a machine until it is unlocked",
     "A session that runs goes on. A machine that is offline is locked as soon as it is back.\n"
     "One that is locked already stays so; without --reason with the reason that it has, --reason '' takes it away.\n",
     CLI_BIT(CLI_OPT_REASON), 1, 1, cmd_device_lock},
    {CLI_CARE, "device unlock", "ID", "let sessions start again", NULL, 0, 1, 1, cmd_device_unlock},
    {CLI_CARE, "device stop", "ID", "end the session that runs on a machine",
     "Waits for the machine's answer, a few seconds at most. For an emergency use the button on the machine.\n", 0, 1,
     1, cmd_device_stop},
    {CLI_WATCH, "health", "[ID]", "what needs attention, why, and what to do", WHERE_HELP, ROWS, 0, 1, cmd_health},
    {CLI_DATA, "sessions", "[ID]", "sessions, newest first", WHERE_HELP, RANGE | ROWS, 0, 1, cmd_sessions},
    {CLI_DATA, "usage", "", "who or what is used how much, and when",
     "Without --by, --heat and --trend: the whole on one screen. Hours and days of --by are local, by the offset from\n"
     "UTC of today; the map and the weeks are in the local time of the sites. --device and --site belong to those "
     "two.\n",
     RANGE | CLI_BIT(CLI_OPT_BY) | CLI_BIT(CLI_OPT_HEAT) | CLI_BIT(CLI_OPT_TREND) | CLI_BIT(CLI_OPT_DEVICE) |
         CLI_BIT(CLI_OPT_SITE),
     0, 0, cmd_usage},
    {CLI_DATA, "export", "csv|jsonl KIND", "all rows of a kind, in a steady stream",
     "KIND is sessions, heartbeats, flags or faults. When it breaks off, the exit code is 1, and it says how to go on\n"
     "from there. A file that is named by -o appears when it is whole; until then its rows are in FILE.part.\n",
     RANGE | CLI_BIT(CLI_OPT_DEVICE) | CLI_BIT(CLI_OPT_EXPORT_FILE) | CLI_BIT(CLI_OPT_AFTER), 2, 2, cmd_export},
    {CLI_DATA, "subject erase", "TOKEN", "forget a person, for good",
     "TOKEN is the 16 hex digits of the person's token. Sessions stay, without whose they were; flags about the "
     "person,\n"
     "and what else has the token, are gone. Asks first, unless --yes.\n",
     CLI_BIT(CLI_OPT_YES), 1, 1, cmd_subject_erase},
    {CLI_DATA, "subject token", "BADGE", "which tokens a badge has, to find or erase a person's data",
     "Where the machines turn badges into tokens: the one of now and the one before it, which together are all that "
     "is\n"
     "kept. BADGE is its number, or 0x and hexadecimal digits. Asks no gateway: it hasn't got the key.\n",
     CLI_BIT(CLI_OPT_SUBJECT_KEY) | CLI_BIT(CLI_OPT_AT), 1, 1, cmd_subject_token},
    {CLI_DATA, "audit", "[ID]", "the sessions stored against each machine's odometer",
     "Exit code 1 when a session is missing, doubled or overlapping.\n", 0, 0, 1, cmd_audit},
    {CLI_GATEWAY, "audit log", "", "who changed what, when, from where", NULL, CLI_BIT(CLI_OPT_SINCE) | ROWS, 0, 0,
     cmd_audit_log},
    {CLI_WATCH, "events", "", "what happened",
     "--follow waits for a gateway that restarts, a minute at most, and misses nothing meanwhile.\n",
     CLI_BIT(CLI_OPT_SINCE) | CLI_BIT(CLI_OPT_LIMIT) | CLI_BIT(CLI_OPT_FOLLOW) | CLI_BIT(CLI_OPT_KIND) |
         CLI_BIT(CLI_OPT_DEVICE),
     0, 0, cmd_events},
    {CLI_GATEWAY, "doctor", "", "is the gateway well, and if not, what to do", "Works without a gateway too.\n", 0, 0,
     0, cmd_doctor},
    {CLI_GATEWAY, "webhooks", "", "who is told what happens, how far each is, and why one isn't",
     "The broker (mqtt) first, then the webhooks of gateway.yaml. What one doesn't take is tried again, in order; "
     "what\n"
     "is beyond its rate comes summed up. One that is well again is tried within five minutes, or by: webhooks "
     "retry.\n",
     0, 0, 0, cmd_webhooks},
    {CLI_GATEWAY, "webhooks reload", "", "have the gateway read the webhooks in gateway.yaml again",
     "And their secrets; the rest of the file waits for the gateway's next start. A file with a mistake changes "
     "nothing.\n",
     0, 0, 0, cmd_webhooks_reload},
    {CLI_GATEWAY, "webhooks retry", "NAME", "tell a receiver now that would be tried later",
     "When it is well again: by itself a gateway waits for up to five minutes. NAME is a webhook's, or mqtt.\n", 0, 1,
     1, cmd_webhooks_retry},
    {CLI_OVERUSE, "overuse", "", "what is too much, of whom, since when, and what to do",
     "What is open now; with --since or --where also what is over.\n" WHERE_HELP,
     CLI_BIT(CLI_OPT_OPEN) | CLI_BIT(CLI_OPT_SINCE) | CLI_BIT(CLI_OPT_DEVICE) | CLI_BIT(CLI_OPT_WITHDRAWN) | ROWS, 0, 0,
     cmd_overuse},
    {CLI_OVERUSE, "overuse show", "N", "all that is known of one flag", NULL, 0, 1, 1, cmd_overuse_show},
    {CLI_OVERUSE, "overuse ack", "N", "say that you have seen a flag",
     "It stays open until it clears by its rule. --release also lifts the lock or cap by which it holds a machine.\n",
     CLI_BIT(CLI_OPT_NOTE) | CLI_BIT(CLI_OPT_RELEASE), 1, 1, cmd_overuse_ack},
    {CLI_OVERUSE, "rules", "[list]", "the rules, and how many flags of each are open", WHERE_HELP, ROWS, 0, 1,
     cmd_rules},
    {CLI_OVERUSE, "rules check", "FILE", "would the gateway take these rules",
     "Says what is wrong, with its line. Changes nothing.\n", 0, 1, 1, cmd_rules_check},
    {CLI_OVERUSE, "rules reload", "", "have the gateway read its rules again",
     "A file with a mistake changes nothing. What the new rules say of the past is flagged, too.\n", 0, 0, 0,
     cmd_rules_reload},
    {CLI_ROUTINES, "catalog check", "FILE|DIR...", "check routines written in YAML", NULL, 0, 1, 64, cmd_catalog_check},
    {CLI_ROUTINES, "catalog build", "DIR", "build a catalog from routines",
     "DIR holds the routines; those for CLASS are taken. A machine never takes a version again with other content,\n"
     "and goes back to an older one only when --rollback-to of the newest it had allows it. --next-keys changes whose\n"
     "signatures count: the old keys must sign it, the next catalog is then for the new ones, --threshold of them.\n",
     CLI_BIT(CLI_OPT_CLASS) | CLI_BIT(CLI_OPT_NAME) | CLI_BIT(CLI_OPT_CATALOG_VERSION) | CLI_BIT(CLI_OPT_FILE) |
         CLI_BIT(CLI_OPT_EXPIRES) | CLI_BIT(CLI_OPT_MIN_AGENT) | CLI_BIT(CLI_OPT_ROLLBACK_TO) |
         CLI_BIT(CLI_OPT_NEXT_KEYS) | CLI_BIT(CLI_OPT_THRESHOLD),
     1, 1, cmd_catalog_build},
    {CLI_ROUTINES, "catalog keygen", "FILE", "make a key to sign catalogs with",
     "FILE becomes the private key, FILE.pub the public one. Neither is ever overwritten.\n", 0, 1, 1,
     cmd_catalog_keygen},
    {CLI_ROUTINES, "catalog sign", "FILE...", "sign catalogs",
     "Adds the key's signature, or puts it in the place of an older one of the same key. Do so before it is "
     "published:\n"
     "each signature changes the digest, by which machines know a catalog.\n",
     CLI_BIT(CLI_OPT_KEY), 1, 64, cmd_catalog_sign},
    {CLI_ROUTINES, "catalog inspect", "FILE", "what a catalog holds, and who signed it",
     "With --keys it also tells what a machine that trusts these would say; exit code 1 when it would refuse.\n",
     CLI_BIT(CLI_OPT_KEYS) | CLI_BIT(CLI_OPT_THRESHOLD), 1, 1, cmd_catalog_inspect},
    {CLI_ROUTINES, "catalog diff", "BEFORE AFTER", "what changes for a machine between two catalogs",
     "Steps are those a machine plays: sides and repetitions unrolled. They are numbered as in BEFORE, added ones as "
     "in\n"
     "AFTER.\n",
     0, 2, 2, cmd_catalog_diff},
    {CLI_ROUTINES, "catalog publish", "FILE...", "hand signed catalogs to the gateway",
     "Machines get it once a rollout wants it of them: see 'gymfleet help rollout'.\n", 0, 1, 64, cmd_catalog_publish},
    {CLI_ROUTINES, "catalog list", "", "the catalogs the gateway has", WHERE_HELP, ROWS, 0, 0, cmd_catalog_list},
    {CLI_ROLLOUTS, "rollout start", "NAME@VERSION", "bring a published catalog to machines, wave by wave", ROLLOUT_HELP,
     CLI_BIT(CLI_OPT_WHERE) | CLI_BIT(CLI_OPT_WAVES) | CLI_BIT(CLI_OPT_SOAK) | CLI_BIT(CLI_OPT_MAX_FAILURES) |
         CLI_BIT(CLI_OPT_DEADLINE) | CLI_BIT(CLI_OPT_WINDOW) | CLI_BIT(CLI_OPT_GATE),
     1, 1, cmd_rollout_start},
    {CLI_ROLLOUTS, "rollout list", "", "rollouts, newest first", WHERE_HELP, ROWS, 0, 0, cmd_rollout_list},
    {CLI_ROLLOUTS, "rollout show", "N|NAME@VERSION", "how far a rollout is, what failed, and what to do",
     "Names every machine that failed, and what a rollback would bring back. --step lists others: waiting, absent\n"
     "(offline), offered (told), installed (on trial), confirmed, failed, expired (no answer), missed (stayed away),\n"
     "withdrawn, left (left out), reverting (going back), reverted, stuck (can't go back).\n",
     CLI_BIT(CLI_OPT_STEP) | CLI_BIT(CLI_OPT_LIMIT), 1, 1, cmd_rollout_show},
    {CLI_ROLLOUTS, "rollout watch", "N|NAME@VERSION", "follow a rollout until its end",
     "Exit code 0 when it completes, 1 when it halts or is rolled back.\n", 0, 1, 1, cmd_rollout_watch},
    {CLI_ROLLOUTS, "rollout pause", "N|NAME@VERSION", "tell no more machines for now",
     "Machines that were told go on. A pause of 7 days halts the rollout.\n", 0, 1, 1, cmd_rollout_pause},
    {CLI_ROLLOUTS, "rollout resume", "N|NAME@VERSION", "go on after a pause or a halt",
     "What failed until now isn't held against the rollout again.\n", 0, 1, 1, cmd_rollout_resume},
    {CLI_ROLLOUTS, "rollout halt", "N|NAME@VERSION",
     "end it: machines that have the catalog keep it, the others aren't told", NULL, 0, 1, 1, cmd_rollout_halt},
    {CLI_ROLLOUTS, "rollout rollback", "N|NAME@VERSION", "end it, and bring its machines back to what they had",
     "As far as the catalog allows it: see --rollback-to of 'catalog build'.\n", 0, 1, 1, cmd_rollout_rollback},
    {CLI_GATEWAY, "help", "[COMMAND]", "what a command does", NULL, 0, 0, 2, cmd_help},
    {0},
};
