gf_add_library(gf_base SOURCES
    base/err.c base/log.c base/clock.c base/file.c base/rand.c base/crc32c.c base/spsc.c base/text.c
    LINK m)

# Apart from gf_base, so that only who reads configuration files links libcyaml and libyaml.
gf_add_library(gf_yaml SOURCES base/yaml.c base/yaml_syntax.c LINK gf_base PkgConfig::CYAML PkgConfig::YAML)
