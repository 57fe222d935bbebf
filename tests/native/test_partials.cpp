// A domain in four parts, whose sums are added, gets the verdict of the whole and, with 'project', its frame.
#include "check.h"

#include <cmath>
#include <cstdint>
#include <vector>

constexpr std::int64_t NY = 24, NX = 40, CELLS = NY * NX, STATES = 2;
static const char *const NAMES[] = {"u", "v", "w"};

struct Domain {
    std::vector<double> input, output;
    Domain() : input(STATES * 3 * CELLS), output(input.size(), -7.0) {
        for (std::size_t i = 0; i < input.size(); ++i)
            input[i] = std::sin(0.37 * static_cast<double>(i) + 1e-3 * static_cast<double>(i * i % 1009));
    }
};

/// The part of `data` that begins at (y, x) with ny x nx cells, as fields with a batch axis.
static void describe(surrogate_field *fields, double *data, std::int64_t y, std::int64_t x, std::int64_t ny,
                     std::int64_t nx) {
    const std::int64_t shape[] = {STATES, ny, nx};
    for (int f = 0; f < 3; ++f) {
        surrogate_field_init(&fields[f], NAMES[f], data + f * CELLS + y * NX + x, SURROGATE_FLOAT64, 3, shape);
        fields[f].batch_axis = 0;
        fields[f].strides[0] = 3 * CELLS * 8;
        fields[f].strides[1] = NX * 8;
    }
}

static surrogate_model *open_guarded(const char *guards) {
    surrogate_open_options options;
    surrogate_open_options_init(&options, sizeof options);
    options.guards = guards;
    surrogate_model *model = nullptr;
    CHECK_STATUS(surrogate_open(&model, bundle("guarded"), &options), SURROGATE_OK, "");
    return model;
}

static surrogate_rejection rejection(surrogate_model *model) {
    surrogate_rejection result{};
    result.struct_size = sizeof result;
    surrogate_last_rejection(model, &result);
    return result;
}

static std::size_t partial_count(surrogate_model *model) {
    surrogate_info info{};
    info.struct_size = sizeof info;
    surrogate_get_info(model, &info);
    return static_cast<std::size_t>(info.partial_count) * STATES;
}

static bool close(const std::vector<double> &a, const std::vector<double> &b) {
    for (std::size_t i = 0; i < a.size(); ++i)
        if (!(std::abs(a[i] - b[i]) <= 1e-13))
            return false;
    return true;
}

/// Predict as a whole and in 2 x 2 parts by four models, and compare.
static void compare(const char *guards, int expected, double spoil = 0) {
    Domain whole, parts;
    if (spoil != 0)
        whole.input[3 * CELLS + 5] = parts.input[3 * CELLS + 5] = spoil; // u of state 1, in the first part
    surrogate_model *model = open_guarded(guards);
    surrogate_field in[3], out[3];
    describe(in, whole.input.data(), 0, 0, NY, NX);
    describe(out, whole.output.data(), 0, 0, NY, NX);
    CHECK(surrogate_predict(model, out, in, 3, nullptr) == expected);
    const surrogate_rejection of_whole = rejection(model);

    const std::size_t count = partial_count(model);
    surrogate_model *ranks[4];
    std::vector<double> totals(count), sums(count);
    for (int r = 0; r < 4; ++r) {
        ranks[r] = open_guarded(guards);
        const std::int64_t y = r / 2 * 10, x = r % 2 * 17; // of unequal sizes
        const std::int64_t ny = r / 2 ? NY - 10 : 10, nx = r % 2 ? NX - 17 : 17;
        describe(in, parts.input.data(), y, x, ny, nx);
        describe(out, parts.output.data(), y, x, ny, nx);
        CHECK_STATUS(surrogate_predict_begin(ranks[r], out, in, 3, nullptr), SURROGATE_OK, "");
        CHECK_STATUS(surrogate_predict_partials(ranks[r], sums.data(), count), SURROGATE_OK, "");
        for (std::size_t k = 0; k < count; ++k)
            totals[k] += sums[k];
    }
    for (auto *rank : ranks) {
        CHECK(surrogate_predict_finish(rank, totals.data(), count) == expected);
        if (expected == SURROGATE_REJECTED) {
            const surrogate_rejection of_part = rejection(rank);
            CHECK(of_part.reason == of_whole.reason && of_part.field == of_whole.field);
            CHECK(of_part.batch == of_whole.batch && of_part.upper == of_whole.upper);
            if (of_whole.reason > SURROGATE_REASON_OUTPUT_OUT_OF_BOUNDS)
                CHECK(std::abs(of_part.value - of_whole.value) <= 1e-12 * std::abs(of_whole.value));
        }
        surrogate_close(rank);
    }
    CHECK(close(parts.output, whole.output)); // untouched, if rejected
    surrogate_close(model);
}

static void a_call_ends_once_and_with_the_right_count() {
    surrogate_model *model = open_guarded(nullptr);
    Domain domain;
    surrogate_field in[3], out[3];
    describe(in, domain.input.data(), 0, 0, NY, NX);
    describe(out, domain.output.data(), 0, 0, NY, NX);
    const std::size_t count = partial_count(model);
    std::vector<double> sums(count);
    CHECK_STATUS(surrogate_predict_partials(model, sums.data(), count), SURROGATE_ERROR_ARGUMENT, "under way");
    CHECK_STATUS(surrogate_predict_finish(model, sums.data(), count), SURROGATE_ERROR_ARGUMENT, "under way");
    CHECK_STATUS(surrogate_predict_begin(model, out, in, 3, nullptr), SURROGATE_OK, "");
    CHECK_STATUS(surrogate_predict_partials(model, sums.data(), count - 1), SURROGATE_ERROR_ARGUMENT, "partial_count");
    CHECK_STATUS(surrogate_predict_partials(model, nullptr, count), SURROGATE_ERROR_ARGUMENT, "NULL");
    CHECK_STATUS(surrogate_predict_finish(model, sums.data(), count + 1), SURROGATE_ERROR_ARGUMENT, "partial_count");
    CHECK_STATUS(surrogate_predict_finish(model, nullptr, 0), SURROGATE_OK, "");
    CHECK(domain.output[0] != -7.0);
    CHECK_STATUS(surrogate_predict_finish(model, nullptr, 0), SURROGATE_ERROR_ARGUMENT, "under way");
    surrogate_close(model);
}

static void totals_that_are_not_a_number_are_refused() {
    surrogate_model *model = open_guarded(nullptr);
    Domain domain;
    surrogate_field in[3], out[3];
    describe(in, domain.input.data(), 0, 0, NY, NX);
    describe(out, domain.output.data(), 0, 0, NY, NX);
    std::vector<double> totals(partial_count(model), std::nan(""));
    CHECK_STATUS(surrogate_predict_begin(model, out, in, 3, nullptr), SURROGATE_OK, "");
    CHECK_STATUS(surrogate_predict_finish(model, totals.data(), totals.size()), SURROGATE_REJECTED, "another rank");
    CHECK(domain.output[0] == -7.0);
    surrogate_close(model);
}

int main(int argc, char **argv) {
    start(argc, argv);
    compare("{\"policy\": {\"conserved\": \"project\"}}", SURROGATE_OK);
    compare("{\"policy\": {\"conserved\": \"project\", \"bounds\": \"clip\"}, \"bounds\": {\"v\": {\"upper\": 1.05}}}",
            SURROGATE_OK);
    compare("{\"range\": {\"share\": 0}, \"statistics\": {\"distance\": 9}, \"jump\": {\"upper\": 9}}", SURROGATE_OK);
    compare("{\"conserved\": {\"tolerance\": 1e-3}}", SURROGATE_REJECTED);
    compare("{\"statistics\": {\"distance\": 1e-3}}", SURROGATE_REJECTED);
    compare("{\"jump\": {\"upper\": 0.1}}", SURROGATE_REJECTED);
    compare("{\"range\": {\"share\": 0.0001}}", SURROGATE_REJECTED, 2.5);
    compare("{\"bounds\": {\"u\": {\"upper\": 2}}}", SURROGATE_REJECTED, 2.5);
    compare(nullptr, SURROGATE_REJECTED, std::nan(""));
    a_call_ends_once_and_with_the_right_count();
    totals_that_are_not_a_number_are_refused();
    return finish();
}
