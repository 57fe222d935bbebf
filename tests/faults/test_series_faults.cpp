// Bad calls of what is more than one prediction (histories, noise, ensembles, rollouts, calls in two halves), one row
// each: the status and a text that names the fault, the output untouched, and the next good call right.
#include "flow_bundle.h"

#include <algorithm>
#include <limits>

namespace {

constexpr std::int64_t LARGEST = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t LEAST = std::numeric_limits<std::int64_t>::min();
enum { MEMBERS = 3 };
float noise[N];

/// A good call of each kind, until a row breaks a part of it.
struct Series : FlowCall {
    double many[MEMBERS * CHANNELS * N], wide[CHANNELS * N];
    FlowBatch all{many, MEMBERS};
    FlowBatch spread{wide, 1};
    std::int64_t completed = -1, steps = MEMBERS;

    Series() {
        std::fill(std::begin(many), std::end(many), CANARY);
        std::fill(std::begin(wide), std::end(wide), CANARY);
        step.members = MEMBERS;
        for (auto &field : spread.fields) {
            field.rank -= 1;
            field.batch_axis = -1;
        }
    }

    int ensemble(surrogate_model *m) { return surrogate_predict_ensemble(m, out, spread.fields, in, count, &step); }
    int members(surrogate_model *m) { return surrogate_predict_members(m, all.fields, in, count, &step); }
    int rollout(surrogate_model *m) { return surrogate_rollout(m, &completed, all.fields, in, count, steps, &step); }
    int begin(surrogate_model *m) { return surrogate_predict_begin(m, out, in, count, &step); }

    bool all_untouched() const {
        const auto canary = [](double value) { return value == CANARY; };
        return untouched() && std::all_of(std::begin(many), std::end(many), canary) &&
               std::all_of(std::begin(wide), std::end(wide), canary);
    }
};

struct SeriesFault {
    const char *name;
    int status;
    const char *text;
    int (*inject)(surrogate_model *, Series &);
};

constexpr int ARGUMENT = SURROGATE_ERROR_ARGUMENT, SHAPE = SURROGATE_ERROR_SHAPE, FIELD = SURROGATE_ERROR_FIELD,
              OVERLAP = SURROGATE_ERROR_OVERLAP, PARAMETER = SURROGATE_ERROR_PARAMETER;

const SeriesFault FAULTS[] = {
    // frames of a history
    {"a field a frame too few", FIELD, "3 fields given, expected 4",
     [](auto *m, auto &s) { return s.count = 3, s.predict(m); }},
    {"the frames counted as fields", FIELD, "8 fields given, expected 4",
     [](auto *m, auto &s) { return s.count = 8, s.predict(m); }},
    {"older frame without its field", FIELD, "'rho' is given twice",
     [](auto *m, auto &s) { return s.in[7].name = "rho", s.predict(m); }},
    {"older frame without data", ARGUMENT, "data is NULL",
     [](auto *m, auto &s) { return s.in[5].data = nullptr, s.predict(m); }},
    {"older frame of another grid", SHAPE, "input frame 1: grid [8, 8], batch 1, float64 given",
     [](auto *m, auto &s) {
         for (int f = 4; f < 8; ++f)
             s.in[f].shape[s.in[f].rank - 1] = 8;
         return s.predict(m);
     }},
    {"older frame of another dtype", SURROGATE_ERROR_DTYPE, "frame 1",
     [](auto *m, auto &s) {
         for (int f = 4; f < 8; ++f)
             s.in[f].dtype = SURROGATE_FLOAT32;
         return s.predict(m);
     }},
    {"output on another field of the older frame", OVERLAP, "shares memory",
     [](auto *m, auto &s) { return s.out[0].data = s.in[7].data, s.predict(m); }},
    {"an array where frames are needed", SURROGATE_ERROR_UNSUPPORTED, "the model reads 2 frames",
     [](auto *m, auto &s) {
         const std::int64_t shape[3] = {CHANNELS, NY, NX};
         return surrogate_predict_array(m, s.next, s.now, SURROGATE_FLOAT64, 3, shape, &s.step);
     }},
    // which random numbers
    {"no step", PARAMETER, "step.step is not given", [](auto *m, auto &s) { return s.step.step = -1, s.predict(m); }},
    {"no step options", PARAMETER, "step.step is not given",
     [](auto *m, auto &s) { return surrogate_predict(m, s.out, s.in, s.count, nullptr); }},
    {"least step", PARAMETER, "step.step", [](auto *m, auto &s) { return s.step.step = LEAST, s.predict(m); }},
    {"member negative", ARGUMENT, "step.member -1",
     [](auto *m, auto &s) { return s.step.member = -1, s.predict(m); }},
    {"member beyond counting", ARGUMENT, "step.member 9223372036854775807",
     [](auto *m, auto &s) { return s.step.member = LARGEST, s.ensemble(m); }},
    {"origin of the least integer", ARGUMENT, "step.origin [-9223372036854775808, 0]",
     [](auto *m, auto &s) { return s.step.origin[0] = LEAST, s.predict(m); }},
    {"origin of the largest integer", ARGUMENT, "step.origin [0, 9223372036854775807]",
     [](auto *m, auto &s) { return s.step.origin[1] = LARGEST, s.predict(m); }},
    {"domain negative", ARGUMENT, "step.global_shape [0, -12]",
     [](auto *m, auto &s) { return s.step.global_shape[1] = -12, s.predict(m); }},
    {"domain of too many cells", ARGUMENT, "step.global_shape",
     [](auto *m, auto &s) {
         s.step.global_shape[0] = s.step.global_shape[1] = LARGEST / 2;
         return s.predict(m);
     }},
    // ensembles
    {"ensemble of no members", ARGUMENT, "step.members 0 given",
     [](auto *m, auto &s) { return s.step.members = 0, s.ensemble(m); }},
    {"members none", ARGUMENT, "step.members 0 given",
     [](auto *m, auto &s) { return s.step.members = 0, s.members(m); }},
    {"members negative", ARGUMENT, "step.members -5 given",
     [](auto *m, auto &s) { return s.step.members = -5, s.members(m); }},
    {"spread of one member", ARGUMENT, "a spread needs two",
     [](auto *m, auto &s) { return s.step.members = 1, s.ensemble(m); }},
    {"members beyond reason", ARGUMENT, "step.members 9223372036854775807",
     [](auto *m, auto &s) { return s.step.members = LARGEST, s.ensemble(m); }},
    {"members that the output has not", SHAPE, "output batch of 3 states given, expected 4",
     [](auto *m, auto &s) { return s.step.members = 4, s.members(m); }},
    {"members without output", ARGUMENT, "output is NULL",
     [](auto *m, auto &s) { return surrogate_predict_members(m, nullptr, s.in, s.count, &s.step); }},
    {"ensemble without input", ARGUMENT, "input is NULL",
     [](auto *m, auto &s) { return surrogate_predict_ensemble(m, s.out, nullptr, nullptr, s.count, &s.step); }},
    {"ensemble of nothing", ARGUMENT, "mean and spread are NULL",
     [](auto *m, auto &s) { return surrogate_predict_ensemble(m, nullptr, nullptr, s.in, s.count, &s.step); }},
    {"mean on the spread", OVERLAP, "share memory",
     [](auto *m, auto &s) { return surrogate_predict_ensemble(m, s.out, s.out, s.in, s.count, &s.step); }},
    {"spread of another grid", SHAPE, "grid [8, 8] given, expected [8, 12]",
     [](auto *m, auto &s) {
         for (auto &field : s.spread.fields)
             field.shape[field.rank - 1] = 8;
         return s.ensemble(m);
     }},
    {"ensemble without a step", PARAMETER, "step.step is not given",
     [](auto *m, auto &s) { return s.step.step = -1, s.ensemble(m); }},
    {"members of a bad input", SURROGATE_REJECTED, "input field 'rho' is not finite at cell [0, 3]",
     [](auto *m, auto &s) { return s.now[3] = std::numeric_limits<double>::infinity(), s.members(m); }},
    // rollouts
    {"steps negative", ARGUMENT, "steps -1 given", [](auto *m, auto &s) { return s.steps = -1, s.rollout(m); }},
    {"steps beyond reason", ARGUMENT, "steps 9223372036854775807",
     [](auto *m, auto &s) { return s.steps = LARGEST, s.rollout(m); }},
    {"steps beyond the largest step", ARGUMENT, "it counts on with the steps",
     [](auto *m, auto &s) { return s.step.step = LARGEST - 1, s.rollout(m); }},
    {"frames of another number", SHAPE, "output batch of 3 states given, expected 2",
     [](auto *m, auto &s) { return s.steps = 2, s.rollout(m); }},
    {"frames without output", ARGUMENT, "output is NULL",
     [](auto *m, auto &s) { return surrogate_rollout(m, &s.completed, nullptr, s.in, s.count, 3, &s.step); }},
    {"frames on their input", OVERLAP, "shares memory",
     [](auto *m, auto &s) {
         FlowBatch in(s.many, 1);
         for (int f = 0; f < 4; ++f)
             s.in[f].data = in.fields[f].data;
         return s.rollout(m);
     }},
    {"rollout without a step", PARAMETER, "step.step is not given",
     [](auto *m, auto &s) { return s.step.step = -1, s.rollout(m); }},
    // two halves
    {"wait for nothing", ARGUMENT, "no prediction of this model is under way",
     [](auto *m, auto &) { return surrogate_predict_wait(m); }},
    {"test of nothing", ARGUMENT, "no prediction of this model is under way",
     [](auto *m, auto &) {
         int done;
         return surrogate_predict_test(m, &done);
     }},
    {"partials of nothing", ARGUMENT, "no prediction of this model is under way",
     [](auto *m, auto &s) { return surrogate_predict_partials(m, s.many, 1); }},
    {"finish of nothing", ARGUMENT, "no prediction of this model is under way",
     [](auto *m, auto &s) { return surrogate_predict_finish(m, s.many, 1); }},
    {"begin with a bad field", FIELD, "'rhoo' is unknown",
     [](auto *m, auto &s) { return s.in[0].name = "rhoo", s.begin(m); }},
    {"begin without a step", PARAMETER, "step.step is not given",
     [](auto *m, auto &s) { return s.step.step = -1, s.begin(m); }},
    {"begin with an output on its input", OVERLAP, "shares memory",
     [](auto *m, auto &s) { return s.out[0].data = s.in[3].data, s.begin(m); }},
    {"begin with a bad value", SURROGATE_REJECTED, "surrogate_predict_wait: rejected: input field 'rho'",
     [](auto *m, auto &s) {
         s.now[3] = std::numeric_limits<double>::quiet_NaN();
         return s.begin(m) == SURROGATE_OK ? surrogate_predict_wait(m) : 0;
     }},
    // the solver's own numbers
    {"noise nowhere", ARGUMENT, "values is NULL",
     [](auto *, auto &s) { return surrogate_noise(nullptr, 0, 1, 2, s.in[0].shape, &s.step); }},
    {"noise of no shape", ARGUMENT, "shape is NULL",
     [](auto *, auto &s) { return surrogate_noise(noise, 0, 1, 2, nullptr, &s.step); }},
    {"noise of no axis", ARGUMENT, "rank 0",
     [](auto *, auto &s) { return surrogate_noise(noise, 0, 1, 0, s.in[0].shape, &s.step); }},
    {"noise of four axes", ARGUMENT, "rank 4",
     [](auto *, auto &s) { return surrogate_noise(noise, 0, 1, 4, s.in[0].shape, &s.step); }},
    {"noise of a negative input", ARGUMENT, "input -1",
     [](auto *, auto &s) { return surrogate_noise(noise, -1, 1, 2, s.in[0].shape, &s.step); }},
    {"noise of no channel", ARGUMENT, "channels 0",
     [](auto *, auto &s) { return surrogate_noise(noise, 0, 0, 2, s.in[0].shape, &s.step); }},
    {"noise of no cell", SHAPE, "shape [0, 12] given",
     [](auto *, auto &s) { return s.in[0].shape[0] = 0, surrogate_noise(noise, 0, 1, 2, s.in[0].shape, &s.step); }},
    {"noise beyond memory", SHAPE, "shape",
     [](auto *, auto &s) {
         return s.in[0].shape[0] = LARGEST, surrogate_noise(noise, 0, 1, 2, s.in[0].shape, &s.step);
     }},
    {"noise of no step", PARAMETER, "step.step is not given",
     [](auto *, auto &s) { return surrogate_noise(noise, 0, 1, 2, s.in[0].shape, nullptr); }},
    {"noise far away", ARGUMENT, "step.origin [-9223372036854775808, 0]",
     [](auto *, auto &s) {
         return s.step.origin[0] = LEAST, surrogate_noise(noise, 0, 1, 2, s.in[0].shape, &s.step);
     }},
};

/// While a call is under way: refused, and the call goes on as if nothing had been asked.
const SeriesFault MEANWHILE[] = {
    {"begin again", ARGUMENT, "is under way", [](auto *m, auto &s) { return s.begin(m); }},
    {"predict", ARGUMENT, "is under way", [](auto *m, auto &s) { return s.predict(m); }},
    {"ensemble", ARGUMENT, "is under way", [](auto *m, auto &s) { return s.ensemble(m); }},
    {"members", ARGUMENT, "is under way", [](auto *m, auto &s) { return s.members(m); }},
    {"rollout", ARGUMENT, "is under way", [](auto *m, auto &s) { return s.rollout(m); }},
    {"array", ARGUMENT, "is under way",
     [](auto *m, auto &s) {
         const std::int64_t shape[3] = {CHANNELS, NY, NX};
         return surrogate_predict_array(m, s.next, s.now, SURROGATE_FLOAT64, 3, shape, &s.step);
     }},
    {"statistics", ARGUMENT, "is under way",
     [](auto *m, auto &) {
         surrogate_statistics statistics;
         statistics.struct_size = sizeof statistics;
         return surrogate_get_statistics(m, &statistics);
     }},
    {"last rejection", ARGUMENT, "is under way",
     [](auto *m, auto &) {
         surrogate_rejection rejection;
         rejection.struct_size = sizeof rejection;
         return surrogate_last_rejection(m, &rejection);
     }},
    {"verify", ARGUMENT, "is under way",
     [](auto *m, auto &) {
         surrogate_verification verification;
         verification.struct_size = sizeof verification;
         return surrogate_verify(m, &verification);
     }},
    {"test of nowhere", ARGUMENT, "done is NULL", [](auto *m, auto &) { return surrogate_predict_test(m, nullptr); }},
    {"partials nowhere", ARGUMENT, "partials is NULL",
     [](auto *m, auto &) { return surrogate_predict_partials(m, nullptr, 1); }},
    {"partials of another count", ARGUMENT, "count 1 given",
     [](auto *m, auto &s) { return surrogate_predict_partials(m, s.many, 1); }},
    {"partials of no count", ARGUMENT, "count 0 given",
     [](auto *m, auto &s) { return surrogate_predict_partials(m, s.many, 0); }},
    {"finish with another count", ARGUMENT, "count 18446744073709551615 given",
     [](auto *m, auto &s) { return surrogate_predict_finish(m, s.many, SIZE_MAX); }},
};

void every_fault_is_refused(surrogate_model *model) {
    for (const SeriesFault &fault : FAULTS) {
        Series call;
        const int before = failures;
        CHECK_STATUS(fault.inject(model, call), fault.status, fault.text);
        CHECK(call.all_untouched() && call.completed <= 0);
        CHECK(predicts_right(model));
        if (failures != before)
            std::fprintf(stderr, "  in the row '%s'\n", fault.name);
    }
}

void a_call_under_way_is_not_disturbed(surrogate_model *model) {
    for (const SeriesFault &fault : MEANWHILE) {
        Series call, other;
        const int before = failures;
        CHECK_STATUS(call.begin(model), SURROGATE_OK, "");
        CHECK_STATUS(fault.inject(model, other), fault.status, fault.text);
        CHECK(call.all_untouched() && other.all_untouched() && other.completed <= 0);
        CHECK_STATUS(surrogate_predict_finish(model, nullptr, 0), SURROGATE_OK, "");
        CHECK(!call.untouched() && predicts_right(model));
        if (failures != before)
            std::fprintf(stderr, "  in the row '%s' while a call is under way\n", fault.name);
    }
}

/// Totals that no ranks can have summed up: a verdict, and never a frame that a guard would have refused.
void totals_of_nonsense_are_refused(surrogate_model *model) {
    surrogate_info info;
    info.struct_size = sizeof info;
    CHECK_STATUS(surrogate_get_info(model, &info), SURROGATE_OK, "");
    for (const double value : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
        Series call;
        const std::vector<double> totals(static_cast<std::size_t>(info.partial_count), value);
        CHECK_STATUS(call.begin(model), SURROGATE_OK, "");
        CHECK_STATUS(surrogate_predict_finish(model, totals.data(), totals.size()), SURROGATE_REJECTED, "");
        CHECK(call.untouched() && predicts_right(model));
    }
}

/// What looks like a fault and is none.
void what_is_allowed(surrogate_model *model) {
    Series none, one;
    none.steps = 0;
    CHECK_STATUS(none.rollout(model), SURROGATE_OK, "");
    CHECK(none.completed == 0 && none.all_untouched());
    one.step.members = 1;
    CHECK_STATUS(surrogate_predict_ensemble(model, one.out, nullptr, one.in, one.count, &one.step), SURROGATE_OK, "");
    Series around; // the domain is periodic
    around.step.origin[0] = -1000001;
    CHECK_STATUS(around.predict(model), SURROGATE_OK, "");
}

} // namespace

int main(int argc, char **argv) {
    start(argc, argv);
    const fs::path folder = fs::path(argv[1]) / "deep.surrogate";
    fs::remove_all(folder);
    deep_flow().write(folder);
    surrogate_model *model = nullptr;
    if (!CHECK_STATUS(surrogate_open(&model, folder.c_str(), nullptr), SURROGATE_OK, ""))
        return finish();
    every_fault_is_refused(model);
    a_call_under_way_is_not_disturbed(model);
    totals_of_nonsense_are_refused(model);
    what_is_allowed(model);
    surrogate_close(model);
    std::printf("%zu faults\n", std::size(FAULTS) + std::size(MEANWHILE) + 2);
    return finish();
}
