# The rules need the names of proto/model, which the codec's library carries.
gf_add_library(gf_catalog SOURCES catalog.c muscle.c told.c LINK gf_codec gf_base m)
gf_add_library(gf_catalog_yaml SOURCES catalog_yaml.c catalog_yaml_step.c catalog_folder.c LINK gf_catalog gf_yaml gf_base)
# Signatures and digests; what takes a signed catalog apart is in gf_catalog_codec.
gf_add_library(gf_catalog_sign SOURCES catalog_sign.c LINK gf_base PkgConfig::OPENSSL)
gf_add_library(gf_catalog_key SOURCES catalog_key.c LINK gf_catalog_sign gf_base PkgConfig::OPENSSL)
# What is told of a person instead of their badge.
gf_add_library(gf_subject SOURCES subject.c LINK gf_base PkgConfig::OPENSSL)
