FUZZ_SRC_fuzz_ctl  = $(CTL_SRC)
FUZZ_LIBS_fuzz_ctl = -lev -ljansson -lsystemd -lsodium -lnettle
