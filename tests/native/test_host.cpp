// What /proc/cpuinfo says of a machine, and which programs its answers admit.
#include "check.h"

#include "host.h"
#include "overlay.h"

using namespace surrogate::core;

static const char *const X86 = "processor\t: 0\n"
                               "vendor_id\t: GenuineIntel\n"
                               "model name\t: Some CPU @ 2.00GHz\n"
                               "flags\t\t: fpu sse2  avx2 avx512f\n"
                               "vmx flags\t: vnmi\n"
                               "\n"
                               "processor\t: 1\n"
                               "model name\t: Another\n"
                               "flags\t\t: fpu\n";

static void first_processor_counts() {
    const Host host = parse_cpuinfo(X86);
    CHECK(host.cpu == "Some CPU @ 2.00GHz");
    CHECK(host.lacks({"avx512f", "fpu", "avx2"}).empty());
    CHECK(host.lacks({"avx2", "amx_tile", "sve"}) == "amx_tile");
    CHECK(host.lacks({"vnmi"}) == "vnmi");
    CHECK(host.lacks({"avx"}) == "avx"); // no prefix of a flag
}

static void arm_features_are_read() {
    const Host host = parse_cpuinfo("processor\t: 0\nFeatures\t: fp asimd sve\n");
    CHECK(host.cpu.empty());
    CHECK(host.lacks({"sve"}).empty() && host.lacks({"avx2"}) == "avx2");
}

static void machine_that_does_not_tell_has_nothing() {
    for (const char *text : {"", "\n", "flags", "flags:", ":\n:"})
        CHECK(parse_cpuinfo(text).lacks({"fpu"}) == "fpu");
}

static void this_machine_is_read() {
    CHECK(default_threads() >= 1);
    CHECK(!this_host().cpu.empty());
    CHECK(this_host().lacks({}).empty());
    CHECK(this_host().lacks({"no_such_flag"}) == "no_such_flag");
}

static void nearest_timing_is_the_best_known() {
    const std::vector<Timing> timings = {{1, 1, 100, 4.0}, {8, 16, 100, 9.0}, {8, 1, 100, 2.0}, {8, 1, 400, 5.0}};
    CHECK(best_timing(timings, 1)->milliseconds == 4.0);
    CHECK(best_timing(timings, 16)->milliseconds == 5.0); // 8 threads, one state, most cells
    CHECK(best_timing({}, 1) == nullptr);
}

int main() {
    first_processor_counts();
    arm_features_are_read();
    machine_that_does_not_tell_has_nothing();
    this_machine_is_read();
    nearest_timing_is_the_best_known();
    return finish();
}
