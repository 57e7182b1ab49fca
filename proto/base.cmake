# proto/base: what C lacks and every layer needs, each header a module of its own: err (codes and sentences), log, clock (time as an
# argument), date, file (replace, lock, sync), rand (the kernel's, and a seeded one), crc32c, spsc (a mailbox between two threads), text, and
# yaml (a checked document with places of mistakes; log_yaml is its key for the log). Includes nothing of the project above it, owns nothing but what it hands out,
# starts no thread. Only log writes to the outside by itself.
gf_add_library(gf_base SOURCES
    base/err.c base/log.c base/clock.c base/file.c base/rand.c base/crc32c.c base/spsc.c base/text.c base/pack.c base/date.c
    LINK m)

# Apart from gf_base, so that only who reads configuration files links libcyaml and libyaml.
gf_add_library(gf_yaml SOURCES base/yaml.c base/yaml_syntax.c base/log_yaml.c LINK gf_base PkgConfig::CYAML PkgConfig::YAML)
