gf_add_library(gw_steady SOURCES steady.c)
gf_add_library(gw_daemon SOURCES broker.c config.c downlink.c downlink_catalog.c downlink_desired.c rulebook.c webhooks_yaml.c LINK gw_steady gw_rule_doubts gw_tell gw_judge gw_rules_yaml gw_ingest gw_store gw_sites gf_keys_config gf_link_config gf_codec)
gf_add_library(gw_errands SOURCES errands.c LINK gw_daemon gw_runner gw_api Threads::Threads)
gf_add_program(gymfleet-gateway SOURCES main.c LINK gw_errands gf_service)
