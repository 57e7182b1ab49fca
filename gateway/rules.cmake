# gateway/rules: what is too much, of whom, since when. Pure: rule.c and metric_kind.c what a rule is, rule_*.c whether it can be, worth.c and
# metric.c what facts come to, automaton.c and silence.c when that opens a flag, judge.c the walk over the moments, flag.c which stored flag
# an episode is, say.c the sentence. rules_yaml*.c read the file.
gf_add_library(gw_rules
    SOURCES rules/automaton.c rules/fact.c rules/flag.c rules/judge.c rules/metric.c rules/metric_kind.c rules/rule.c rules/rule_check.c rules/rule_condition.c rules/rule_filter.c rules/rule_sense.c rules/say.c rules/silence.c rules/worth.c
    LINK gw_calendar gf_catalog gf_codec gf_base m)
gf_add_library(gw_rules_yaml SOURCES rules_yaml.c rules_yaml_schema.c rules_yaml_service.c LINK gw_rules gf_yaml gf_base)
