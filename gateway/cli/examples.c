/* An example of each command, as somebody would type it: most people read these first, some only these. */
#include <string.h>

#include "gateway/cli/cli.h"

static const struct example {
	const char *name, *lines; /* each "gymfleet ...", ended by a newline */
} examples[] = {
    {"status", "gymfleet status\n"},
    {"devices", "gymfleet devices --where 'site=berlin and (health!=ok or motor_hours>1500)'\n"},
    {"device show", "gymfleet device show chair-berlin-01\n"},
    {"device trend", "gymfleet device trend chair-berlin-01 --since 7d\n"
                     "gymfleet device trend chair-berlin-01 --since 2026-11-20 --until 2026-11-21 -o csv\n"},
    {"faults", "gymfleet faults --open\n"
               "gymfleet faults chair-berlin-01 --since 2026-11-20\n"
               "gymfleet faults --by class --since 30d\n"},
    {"faults show", "gymfleet faults show 12\n"},
    {"faults ack", "gymfleet faults ack 12 --note 'fan ordered, comes on Friday'\n"},
    {"faults clear", "gymfleet faults clear 12 --note 'cover renewed'\n"},
    {"faults report", "gymfleet faults report chair-berlin-01 --text 'a tear in the left cover' --out-of-service "
                      "--owner anna --back 3d\n"},
    {"device tag", "gymfleet device tag chair-berlin-01 --reason 'belt torn' --owner anna --back 2026-11-25\n"},
    {"device untag", "gymfleet device untag chair-berlin-01\n"},
    {"wear", "gymfleet wear chair-berlin-01\n"
             "gymfleet wear --where 'used_pct>=80'\n"},
    {"device service", "gymfleet device service chair-berlin-01 cover --note 'torn, renewed'\n"},
    {"device set", "gymfleet device set chair-berlin-01 name='By the window' bay=7\n"
                   "gymfleet device set chair-berlin-01 site=hamburg --since 2026-11-20\n"
                   "gymfleet device set chair-berlin-01 limit.intensity_max_pct=60\n"},
    {"device lock", "gymfleet device lock chair-berlin-01 --reason 'the room is being painted'\n"},
    {"device unlock", "gymfleet device unlock chair-berlin-01\n"},
    {"device stop", "gymfleet device stop chair-berlin-01\n"},
    {"health", "gymfleet health\n"
               "gymfleet health chair-berlin-01\n"},
    {"sessions", "gymfleet sessions chair-berlin-01 --since 24h\n"
                 "gymfleet sessions --since 7d --where 'outcome=user_stopped and duration_s<60'\n"},
    {"usage", "gymfleet usage --since 7d\n"
              "gymfleet usage --by site --since 2026-11-01 --until 2026-12-01\n"
              "gymfleet usage --heat --site berlin\n"},
    {"export", "gymfleet export csv sessions --since 2026-11-01 --until 2026-12-01 -o november.csv\n"},
    {"subject erase", "gymfleet subject erase 2b44b8023864fdeb\n"},
    {"subject token", "gymfleet subject token 4711 --key subject.key\n"},
    {"audit", "gymfleet audit\n"},
    {"audit log", "gymfleet audit log --since 7d --where \"subject=chair-berlin-01\"\n"},
    {"events", "gymfleet events --follow --kind fault\n"},
    {"doctor", "gymfleet doctor\n"},
    {"webhooks", "gymfleet webhooks\n"},
    {"webhooks reload", "gymfleet webhooks reload\n"},
    {"webhooks retry", "gymfleet webhooks retry mqtt\n"},
    {"overuse", "gymfleet overuse\n"
                "gymfleet overuse --since 7d --where 'level=act'\n"},
    {"overuse show", "gymfleet overuse show 12\n"},
    {"overuse ack", "gymfleet overuse ack 12 --note 'spoke to the member'\n"},
    {"rules", "gymfleet rules --where 'open_flags>0'\n"},
    {"rules check", "gymfleet rules check rules.yaml\n"},
    {"rules reload", "gymfleet rules reload\n"},
    {"catalog check", "gymfleet catalog check config/routines\n"},
    {"catalog build", "gymfleet catalog build config/routines --class chair --name gym --version 2 -o gym-2.catalog\n"},
    {"catalog keygen", "gymfleet catalog keygen keys/release\n"},
    {"catalog sign", "gymfleet catalog sign gym-2.catalog --key keys/release\n"},
    {"catalog inspect", "gymfleet catalog inspect gym-2.catalog --keys keys/release.pub\n"},
    {"catalog diff", "gymfleet catalog diff gym-1.catalog gym-2.catalog\n"},
    {"catalog publish", "gymfleet catalog publish gym-2.catalog\n"},
    {"catalog list", "gymfleet catalog list\n"},
    {"rollout start", "gymfleet rollout start gym@2 --where 'site=berlin' --waves 1,50%,100% --soak 30m\n"},
    {"rollout list", "gymfleet rollout list\n"},
    {"rollout show", "gymfleet rollout show gym@2 --step failed,expired\n"},
    {"rollout watch", "gymfleet rollout watch gym@2\n"},
    {"rollout pause", "gymfleet rollout pause gym@2\n"},
    {"rollout resume", "gymfleet rollout resume gym@2\n"},
    {"rollout halt", "gymfleet rollout halt gym@2\n"},
    {"rollout rollback", "gymfleet rollout rollback gym@2\n"},
    {"help", "gymfleet help device set\n"},
};

const char *cli_example(const char *name)
{
	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++)
		if (strcmp(examples[i].name, name) == 0)
			return examples[i].lines;
	return "";
}
