// Programs that share objects with the fuzz targets, and do not count what they reach.
extern "C" void __sanitizer_cov_trace_pc(void) {}
