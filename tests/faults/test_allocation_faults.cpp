// The heap runs dry at every single allocation of every call: SURROGATE_ERROR_MEMORY, nothing leaked, the output
// untouched, and the next good call right. One row a call.
#include "failing_heap.h"
#include "flow_overlay.h"

#include <algorithm>
#include <csignal>
#include <limits>
#include <utility>

namespace {

std::string folder, deep, nowhere, overlay, recording;
std::vector<surrogate_file> files;
enum { FRAMES = 3 };
double sums[4096];

/// What a row's call works on: made anew for every allocation that is let fail.
struct Setting {
    surrogate_model *model = nullptr;
    surrogate_model *opened = nullptr;
    surrogate_recorder *recorder = nullptr;
    FlowCall call;
    double many[FRAMES * CHANNELS * N], wide[CHANNELS * N];
    FlowBatch all{many, FRAMES};
    FlowBatch spread{wide, 1};
    std::int64_t completed = 0;

    Setting() {
        std::fill(std::begin(many), std::end(many), FlowCall::CANARY);
        std::fill(std::begin(wide), std::end(wide), FlowCall::CANARY);
        call.step.members = FRAMES;
    }
    /// Nothing was written, but frames of a rollout that were completed.
    bool untouched() const {
        const auto canary = [](double value) { return value == FlowCall::CANARY; };
        return call.untouched() && std::all_of(std::begin(wide), std::end(wide), canary) &&
               std::all_of(many + completed * CHANNELS * N, std::end(many), canary);
    }
};

/// The model that a row's call is given.
enum Needs { NOTHING, FLOW, DEEP, RECORDED };

struct Row {
    const char *name;
    int status; // when memory suffices
    Needs needs;
    int (*run)(Setting &);
    bool hides = false; // want of memory may also be survived: what is recorded is not the call's business
    long stride = 1;    // of the allocations that are let fail, where each try writes files
};

int log_lines;
void log_line(void *, int, const char *) {
    ++log_lines;
}

const Row ROWS[] = {
    {"surrogate_open", SURROGATE_OK, NOTHING,
     [](Setting &s) { return surrogate_open(&s.opened, folder.c_str(), nullptr); }},
    {"surrogate_open with options", SURROGATE_OK, NOTHING,
     [](Setting &s) {
         surrogate_open_options options;
         surrogate_open_options_init(&options, sizeof options);
         options.guards = R"({"finite": true, "bounds": {"p": {"lower": -2000, "upper": null}, "rho": null}})";
         options.engine_options = R"({"a": [1, {"b": "a text that fits no small string"}]})";
         options.verify = SURROGATE_VERIFY_EXAMPLE;
         options.log = log_line;
         return surrogate_open(&s.opened, folder.c_str(), &options);
     }},
    {"surrogate_open of a missing bundle", SURROGATE_ERROR_NOT_FOUND, NOTHING,
     [](Setting &s) { return surrogate_open(&s.opened, nowhere.c_str(), nullptr); }},
    {"surrogate_open_memory", SURROGATE_OK, NOTHING,
     [](Setting &s) { return surrogate_open_memory(&s.opened, files.data(), files.size(), nullptr); }},
    {"surrogate_predict", SURROGATE_OK, FLOW, [](Setting &s) { return s.call.predict(s.model); }},
    {"surrogate_predict_array", SURROGATE_OK, FLOW,
     [](Setting &s) {
         const std::int64_t shape[3] = {CHANNELS, NY, NX};
         return surrogate_predict_array(s.model, s.call.next, s.call.now, SURROGATE_FLOAT64, 3, shape, nullptr);
     }},
    {"surrogate_predict of a bad input", SURROGATE_REJECTED, FLOW,
     [](Setting &s) {
         s.call.now[N] = std::numeric_limits<double>::quiet_NaN();
         return s.call.predict(s.model);
     }},
    {"surrogate_predict of an unknown field", SURROGATE_ERROR_FIELD, FLOW,
     [](Setting &s) {
         s.call.in[0].name = "a name that no field of the model has";
         return s.call.predict(s.model);
     }},
    {"surrogate_verify", SURROGATE_OK, FLOW,
     [](Setting &s) {
         surrogate_verification result;
         result.struct_size = sizeof result;
         return surrogate_verify(s.model, &result);
     }},
    {"surrogate_get_field_info of none", SURROGATE_ERROR_ARGUMENT, FLOW,
     [](Setting &s) {
         surrogate_field_info info;
         info.struct_size = sizeof info;
         return surrogate_get_field_info(s.model, 99, &info);
     }},
    {"surrogate_open of a history with noise", SURROGATE_OK, NOTHING,
     [](Setting &s) { return surrogate_open(&s.opened, deep.c_str(), nullptr); }},
    {"surrogate_open with an overlay", SURROGATE_OK, NOTHING,
     [](Setting &s) {
         surrogate_open_options options;
         surrogate_open_options_init(&options, sizeof options);
         options.overlay = overlay.c_str();
         return surrogate_open(&s.opened, folder.c_str(), &options);
     }},
    {"surrogate_predict of a history with noise", SURROGATE_OK, DEEP,
     [](Setting &s) { return s.call.predict(s.model); }},
    {"surrogate_predict_begin, _test and _wait", SURROGATE_OK, DEEP,
     [](Setting &s) {
         int done = 0;
         int status = surrogate_predict_begin(s.model, s.call.out, s.call.in, s.call.count, &s.call.step);
         while (status == SURROGATE_OK && !done)
             status = surrogate_predict_test(s.model, &done);
         return status == SURROGATE_OK ? surrogate_predict_wait(s.model) : status;
     }},
    {"surrogate_predict_begin, _partials and _finish", SURROGATE_OK, FLOW,
     [](Setting &s) {
         surrogate_info info;
         info.struct_size = sizeof info;
         surrogate_get_info(s.model, &info);
         const auto count = static_cast<std::size_t>(info.partial_count);
         int status = surrogate_predict_begin(s.model, s.call.out, s.call.in, s.call.count, &s.call.step);
         if (status == SURROGATE_OK)
             status = surrogate_predict_partials(s.model, sums, count);
         return status == SURROGATE_OK ? surrogate_predict_finish(s.model, sums, count) : status;
     }},
    {"surrogate_parts_begin, _run, _partials and _finish", SURROGATE_OK, DEEP,
     [](Setting &s) {
         surrogate_info info;
         info.struct_size = sizeof info;
         surrogate_get_info(s.model, &info);
         static float packed[2 * CHANNELS * N];
         const std::int64_t shape[] = {NY, NX}, origins[] = {-1, 2};
         const float *increments = nullptr;
         const auto count = static_cast<std::size_t>(info.partial_count);
         int status = surrogate_parts_begin(s.model, packed, s.call.out, s.call.in, s.call.count, &s.call.step);
         if (status == SURROGATE_OK)
             status = surrogate_parts_run(s.model, &increments, packed, 1, shape, origins, &s.call.step);
         if (status == SURROGATE_OK)
             status = surrogate_parts_partials(s.model, increments, sums, count, nullptr);
         if (status == SURROGATE_OK)
             return surrogate_predict_finish(s.model, sums, count);
         return surrogate_parts_abandon(s.model), status;
     }},
    {"surrogate_open without a program", SURROGATE_OK, NOTHING,
     [](Setting &s) {
         surrogate_open_options options;
         surrogate_open_options_init(&options, sizeof options);
         options.engine = "none";
         const int status = surrogate_open_memory(&s.opened, files.data(), files.size(), &options);
         surrogate_close(std::exchange(s.opened, nullptr)); // it can predict nothing
         return status;
     }},
    {"surrogate_predict_wait for nothing", SURROGATE_ERROR_ARGUMENT, FLOW,
     [](Setting &s) { return surrogate_predict_wait(s.model); }},
    {"surrogate_predict_ensemble", SURROGATE_OK, DEEP,
     [](Setting &s) {
         for (auto &field : s.spread.fields)
             field.batch_axis = -1, field.rank -= 1;
         return surrogate_predict_ensemble(s.model, s.call.out, s.spread.fields, s.call.in, s.call.count, &s.call.step);
     }},
    {"surrogate_predict_members", SURROGATE_OK, DEEP,
     [](Setting &s) {
         return surrogate_predict_members(s.model, s.all.fields, s.call.in, s.call.count, &s.call.step);
     }},
    {"surrogate_rollout to every frame", SURROGATE_OK, DEEP,
     [](Setting &s) {
         return surrogate_rollout(s.model, &s.completed, s.all.fields, s.call.in, s.call.count, FRAMES, &s.call.step);
     }},
    {"surrogate_rollout to the last frame", SURROGATE_OK, DEEP,
     [](Setting &s) {
         return surrogate_rollout(s.model, nullptr, s.call.out, s.call.in, s.call.count, 1, &s.call.step);
     }},
    {"surrogate_noise of four axes", SURROGATE_ERROR_ARGUMENT, NOTHING,
     [](Setting &s) {
         float value;
         return surrogate_noise(&value, 0, 1, 4, s.call.in[0].shape, &s.call.step);
     }},
#if defined(HAVE_RECORDER)
    {"surrogate_open with record_calls", SURROGATE_OK, NOTHING,
     [](Setting &s) {
         surrogate_open_options options;
         surrogate_open_options_init(&options, sizeof options);
         options.record_calls = recording.c_str();
         return surrogate_open(&s.opened, folder.c_str(), &options);
     }},
    {"surrogate_predict, recorded", SURROGATE_OK, RECORDED, [](Setting &s) { return s.call.predict(s.model); }, true,
     9},
    {"surrogate_close of what was recorded", SURROGATE_OK, RECORDED,
     [](Setting &s) {
         const int status = s.call.predict(s.model);
         surrogate_close(std::exchange(s.model, nullptr));
         return status;
     },
     true, 9},
    {"surrogate_recorder_open", SURROGATE_OK, NOTHING,
     [](Setting &s) { return surrogate_recorder_open(&s.recorder, recording.c_str(), nullptr); }},
    {"surrogate_recorder_write", SURROGATE_OK, NOTHING,
     [](Setting &s) {
         if (const int status = surrogate_recorder_open(&s.recorder, recording.c_str(), nullptr))
             return status;
         return surrogate_recorder_write(s.recorder, 0.5, s.call.in, s.call.count);
     },
     false, 9},
    {"surrogate_recorder_lay_out, _pack and _settle", SURROGATE_OK, NOTHING,
     [](Setting &s) {
         const char *path = nullptr;
         std::uint64_t offsets[CHANNELS] = {};
         double block[CHANNELS * N];
         std::size_t size = sizeof block;
         int status = surrogate_recorder_open(&s.recorder, recording.c_str(), nullptr);
         if (status == SURROGATE_OK)
             status = surrogate_recorder_lay_out(s.recorder, &path, offsets, 0.5, s.call.in, s.call.count);
         if (status == SURROGATE_OK)
             status = surrogate_recorder_pack(block, &size, s.call.in, SURROGATE_FLOAT64);
         return status == SURROGATE_OK ? surrogate_recorder_settle(s.recorder, 1) : status;
     },
     false, 9},
    {"surrogate_recorder_close", SURROGATE_OK, NOTHING,
     [](Setting &s) {
         if (const int status = surrogate_recorder_open(&s.recorder, recording.c_str(), nullptr))
             return status;
         const int status = surrogate_recorder_write(s.recorder, 0.5, s.call.in, s.call.count);
         const int closed = surrogate_recorder_close(std::exchange(s.recorder, nullptr));
         return status == SURROGATE_OK ? closed : status;
     },
     false, 9},
#endif
};

surrogate_model *open_for(Needs needs) {
    surrogate_model *model = nullptr;
    surrogate_open_options options;
    surrogate_open_options_init(&options, sizeof options);
    options.record_calls = needs == RECORDED ? recording.c_str() : nullptr;
    if (needs != NOTHING)
        CHECK_STATUS(surrogate_open(&model, needs == DEEP ? deep.c_str() : folder.c_str(), &options), SURROGATE_OK, "");
    return model;
}

void remove_recording() {
    fs::remove(recording);
    fs::remove_all(recording + ".frames");
}

sigset_t signal_mask() {
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    return mask;
}

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
        remove_recording();
        setting.model = open_for(row.needs);
        const sigset_t mask = signal_mask();
        heap::fail_at(n, lasting);
        const int status = row.run(setting);
        failed = heap::recover();
        if (!row.hides || status != row.status)
            CHECK_STATUS(status, failed ? int{SURROGATE_ERROR_MEMORY} : row.status, failed ? "memory" : "");
        CHECK(!setting.opened || status == SURROGATE_OK);
        CHECK(status == SURROGATE_OK || setting.untouched());
        const sigset_t after = signal_mask();
        for (int number = 1; number < 32; ++number)
            CHECK(sigismember(&mask, number) == sigismember(&after, number));
        if (surrogate_model *model = setting.model ? setting.model : setting.opened) {
            check_statistics(model);
            CHECK(predicts_right(model));
        }
        surrogate_recorder_close(setting.recorder);
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
    for (const Row &row : ROWS) {
        Setting setting;
        remove_recording();
        setting.model = open_for(row.needs);
        row.run(setting);
        surrogate_recorder_close(setting.recorder);
        surrogate_close(setting.opened);
        surrogate_close(setting.model);
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
    deep = (fs::path(argv[1]) / "deep.surrogate").string();
    overlay = (fs::path(argv[1]) / "overlay").string();
    recording = (fs::path(argv[1]) / "calls.h5").string();
    fs::remove_all(deep);
    fs::remove_all(overlay);
    deep_flow().write(deep);
    FlowOverlay{FlowBundle()}.write(overlay);
    std::ofstream(FlowOverlay{FlowBundle()}.place(overlay).parent_path() / "timings-0.json")
        << R"({"host": {"cpu": "another"}, "timings": {}})";
    const auto all = FlowBundle().put_together();
    for (const auto &[name, bytes] : all)
        files.push_back({name.c_str(), bytes.data(), bytes.size()});
    warm_up();
    long faults = 0;
    for (const Row &row : ROWS)
        for (const bool lasting : {false, true}) {
            long tried = 0;
            while (failures < 20 && fails_at(row, 1 + tried * row.stride, lasting))
                ++tried;
            faults += tried;
            std::printf("%-46s %5ld allocations%s\n", row.name, tried, lasting ? ", and all later" : "");
            std::fflush(stdout);
        }
    std::printf("%ld faults\n", faults);
    return finish();
}
