# gateway/judge: lets the rules judge over the store: judge_runner.c whom and when, judge_subject.c one of them, judge_facts.c by what,
# judge_flag.c writes what is found, judge_part.c says of whom it isn't all.
gf_add_library(gw_judge
    SOURCES judge/judge_facts.c judge/judge_flag.c judge/judge_part.c judge/judge_runner.c judge/judge_subject.c
    LINK gw_steady gw_store gw_rules gw_wear gw_sites gf_catalog gf_base m)
