# gateway/tell: tells what happened to those outside. flood.c is pure; outbox.c reads the log for one receiver; tell.c publishes on the main loop,
# hook.c posts from a thread of its own; board.c says how far each is. feed.c has the JSON, for the API too.
gf_add_library(gw_feed SOURCES tell/feed.c LINK gw_store gf_codec gf_base PkgConfig::JANSSON)
gf_add_library(gw_tell
    SOURCES tell/flood.c tell/sign.c tell/outbox.c tell/board.c tell/roster.c tell/post.c tell/hook.c tell/tell.c
    LINK gw_feed gw_store gf_base PkgConfig::CURL PkgConfig::OPENSSL Threads::Threads)
