# gateway/wear
gf_add_test(gateway_wear_test SOURCES unit/gateway/wear/wear_test.c LINK gw_wear LABELS unit)
