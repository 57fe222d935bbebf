// The heap runs dry at every single allocation of every call: SURROGATE_ERROR_MEMORY, nothing leaked, the output
// untouched, and the next good call right. One row a call.
#include "failing_heap.h"
#include "flow_bundle.h"

#include <functional>
#include <limits>

namespace {

std::string folder, nowhere;
std::vector<surrogate_file> files;

/// What a row's call works on: made anew for every allocation that is let fail.
struct Setting {
    surrogate_model *model = nullptr;
    surrogate_model *opened = nullptr;
    FlowCall call;
};

struct Row {
    const char *name;
    int status; // when memory suffices
    bool needs_model;
    int (*run)(Setting &);
};

int log_lines;
void log_line(void *, int, const char *) {
    ++log_lines;
}

const Row ROWS[] = {
    {"surrogate_open", SURROGATE_OK, false,
     [](Setting &s) { return surrogate_open(&s.opened, folder.c_str(), nullptr); }},
    {"surrogate_open with options", SURROGATE_OK, false,
     [](Setting &s) {
         surrogate_open_options options;
         surrogate_open_options_init(&options, sizeof options);
         options.guards = R"({"finite": true, "bounds": {"p": {"lower": -2000, "upper": null}, "rho": null}})";
         options.engine_options = R"({"a": [1, {"b": "a text that fits no small string"}]})";
         options.verify = SURROGATE_VERIFY_EXAMPLE;
         options.log = log_line;
         return surrogate_open(&s.opened, folder.c_str(), &options);
     }},
    {"surrogate_open of a missing bundle", SURROGATE_ERROR_NOT_FOUND, false,
     [](Setting &s) { return surrogate_open(&s.opened, nowhere.c_str(), nullptr); }},
    {"surrogate_open_memory", SURROGATE_OK, false,
     [](Setting &s) { return surrogate_open_memory(&s.opened, files.data(), files.size(), nullptr); }},
    {"surrogate_predict", SURROGATE_OK, true, [](Setting &s) { return s.call.predict(s.model); }},
    {"surrogate_predict_array", SURROGATE_OK, true,
     [](Setting &s) {
         const std::int64_t shape[3] = {CHANNELS, NY, NX};
         return surrogate_predict_array(s.model, s.call.next, s.call.now, SURROGATE_FLOAT64, 3, shape, nullptr);
     }},
    {"surrogate_predict of a bad input", SURROGATE_REJECTED, true,
     [](Setting &s) {
         s.call.now[N] = std::numeric_limits<double>::quiet_NaN();
         return s.call.predict(s.model);
     }},
    {"surrogate_predict of an unknown field", SURROGATE_ERROR_FIELD, true,
     [](Setting &s) {
         s.call.in[0].name = "a name that no field of the model has";
         return s.call.predict(s.model);
     }},
    {"surrogate_verify", SURROGATE_OK, true,
     [](Setting &s) {
         surrogate_verification result;
         result.struct_size = sizeof result;
         return surrogate_verify(s.model, &result);
     }},
    {"surrogate_get_field_info of none", SURROGATE_ERROR_ARGUMENT, true,
     [](Setting &s) {
         surrogate_field_info info;
         info.struct_size = sizeof info;
         return surrogate_get_field_info(s.model, 99, &info);
     }},
};

void check_statistics(surrogate_model *model) {
    surrogate_statistics s;
    s.struct_size = sizeof s;
    CHECK_STATUS(surrogate_get_statistics(model, &s), SURROGATE_OK, "");
    CHECK(s.calls == s.ok + s.rejected + s.errors);
}

/// Run a row with its n-th allocation failing; whether there was an n-th.
bool fails_at(const Row &row, long n, bool lasting) {
    const long before = heap::live;
    const int told = failures;
    bool failed = false;
    {
        Setting setting;
        if (row.needs_model)
            CHECK_STATUS(surrogate_open(&setting.model, folder.c_str(), nullptr), SURROGATE_OK, "");
        heap::fail_at(n, lasting);
        const int status = row.run(setting);
        failed = heap::recover();
        CHECK_STATUS(status, failed ? int{SURROGATE_ERROR_MEMORY} : row.status, failed ? "memory" : "");
        CHECK((setting.opened != nullptr) == (!row.needs_model && status == SURROGATE_OK));
        CHECK(status == SURROGATE_OK || setting.call.untouched());
        if (surrogate_model *model = row.needs_model ? setting.model : setting.opened) {
            check_statistics(model);
            CHECK(predicts_right(model));
        }
        surrogate_close(setting.opened);
        surrogate_close(setting.model);
    }
    CHECK(heap::live == before);
    if (failures != told)
        std::fprintf(stderr, "  in the row '%s', allocation %ld%s\n", row.name, n, lasting ? " and all later" : "");
    return failed;
}

/// Once, so that what is kept for good (the engine, closed handles, the thread's text) is there already.
void warm_up() {
    surrogate_model *model = nullptr;
    surrogate_open(&model, std::string(20000, 'x').c_str(), nullptr);
    for (int i = 0; i < 300; ++i) {
        surrogate_open(&model, folder.c_str(), nullptr);
        surrogate_close(model);
    }
}

} // namespace

int main(int argc, char **argv) {
    start(argc, argv);
    const fs::path path = fs::path(argv[1]) / "flow.surrogate";
    fs::remove_all(path);
    FlowBundle().write(path);
    folder = path.string();
    nowhere = folder + "/nowhere/at/all";
    const auto all = FlowBundle().put_together();
    for (const auto &[name, bytes] : all)
        files.push_back({name.c_str(), bytes.data(), bytes.size()});
    warm_up();
    for (const Row &row : ROWS)
        for (const bool lasting : {false, true}) {
            long n = 1;
            while (failures < 20 && fails_at(row, n, lasting))
                ++n;
            std::printf("%-40s %5ld allocations%s\n", row.name, n - 1, lasting ? ", and all later" : "");
            std::fflush(stdout);
        }
    return finish();
}
