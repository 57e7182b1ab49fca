gf_add_library(gf_base SOURCES
    base/err.c base/log.c base/clock.c base/file.c base/rand.c base/crc32c.c base/spsc.c base/text.c
    LINK m)
