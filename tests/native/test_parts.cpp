// A domain in uneven blocks, predicted in parts by one model a block while another runs the program, gets the bits of
// one serial call: frames, verdicts, totals.
#include "parted_domain.h"

#include <cmath>
#include <limits>

namespace {

const double NOT_A_NUMBER = std::numeric_limits<double>::quiet_NaN();

struct Case {
    const char *bundle, *guards;
    int status = SURROGATE_OK;
    double spoil = 0; // put into one value of channel 0, if not 0
};

/// Totals of the blocks against those of one call over the whole.
void check_totals(const std::vector<double> &parts, const std::vector<double> &whole) {
    for (std::size_t i = 0; i < whole.size(); ++i)
        CHECK(std::abs(parts[i] - whole[i]) <= 1e-12 * std::max(1.0, std::abs(whole[i])));
}

template <class T> void compare(const Case &row, bool ghosts, bool in_place, const std::vector<Block> &blocks) {
    const int before = failures;
    Parted<T> parts(row.bundle, row.guards, ghosts, in_place, blocks);
    Parted<T> whole(row.bundle, row.guards, ghosts, in_place, {{0, 0, NY, NX}});
    if (row.spoil != 0)
        parts.value(0, 0, SPOILT[0], SPOILT[1]) = whole.value(0, 0, SPOILT[0], SPOILT[1]) = static_cast<T>(row.spoil);
    std::vector<double> sums;
    CHECK(whole.predict_serially(sums) == row.status);
    for (const int status : parts.predict_in_parts())
        CHECK(status == row.status);
    CHECK(parts.same_frame(whole));
    if (row.status == SURROGATE_OK)
        check_totals(parts.totals(), sums);
    const surrogate_rejection expected = whole.rejection(0);
    const surrogate_statistics counted = whole.statistics(0);
    for (std::size_t r = 0; r < blocks.size(); ++r) {
        const surrogate_rejection found = parts.rejection(r);
        CHECK(found.reason == expected.reason && found.field == expected.field);
        CHECK(found.component == expected.component && found.upper == expected.upper);
        const surrogate_statistics s = parts.statistics(r);
        CHECK(s.calls == 1 && s.ok == counted.ok && s.rejected == counted.rejected && s.errors == 0);
        CHECK(s.clipped_cells == counted.clipped_cells && s.projections == counted.projections);
        for (int reason = 0; reason < 16; ++reason)
            CHECK(s.kept_by[reason] == counted.kept_by[reason]);
        const surrogate_rejection &own = parts.own(r);
        const bool here = row.spoil != 0 && blocks[r].holds(SPOILT[0], SPOILT[1]) &&
                          expected.reason != SURROGATE_REASON_NONE &&
                          expected.reason <= SURROGATE_REASON_OUTPUT_OUT_OF_BOUNDS;
        CHECK(own.reason == (here ? expected.reason : int{SURROGATE_REASON_NONE}));
        if (here) {
            CHECK(own.cell[0] == SPOILT[0] - blocks[r].y && own.cell[1] == SPOILT[1] - blocks[r].x);
            CHECK(own.call == 1 && own.upper == expected.upper);
            CHECK(own.value == expected.value || std::isnan(expected.value));
            CHECK(found.cell[0] == own.cell[0] && found.cell[1] == own.cell[1]);
        }
    }
    if (failures != before)
        std::fprintf(stderr, "  %s, guards %s, %zu bytes, %zu blocks%s%s\n", row.bundle, row.guards ? row.guards : "",
                     sizeof(T), blocks.size(), ghosts ? ", ghost cells" : "", in_place ? ", in place" : "");
}

void blocks_get_the_bits_of_the_whole() {
    const Case cases[] = {
        {"identity", nullptr},
        {"flow", nullptr},
        {"history", nullptr},
        {"noisy", nullptr},
        {"view", nullptr},
        {"guarded", R"({"range": {"share": 1}, "statistics": {"distance": 99}, "conserved": {"tolerance": 9},
                        "jump": {"upper": 99}})"},
        {"guarded",
         R"({"policy": {"bounds": "clip"}, "bounds": {"u": {"upper": 1.01}, "v": {"lower": -5, "upper": 1.02}},
                        "jump": {"upper": 99}})"},
        {"guarded", R"({"statistics": {"distance": 1e-3}, "jump": {"upper": 1e-3},
                        "policy": {"statistics": "keep", "jump": "keep"}})"},
        {"guarded", nullptr, SURROGATE_REJECTED, NOT_A_NUMBER},
        {"guarded", R"({"finite": true, "policy": {"finite": "keep"}})", SURROGATE_OK, NOT_A_NUMBER},
        {"guarded", R"({"bounds": {"u": {"upper": 2}}})", SURROGATE_REJECTED, 2.5},
        {"guarded", R"({"bounds": {"u": {"upper": 2.75}}})", SURROGATE_REJECTED, 2.5}, // the predicted frame
        {"guarded", R"({"bounds": {"u": {"upper": 2}}, "policy": {"bounds": "keep"}})", SURROGATE_OK, 2.5},
        {"guarded", R"({"range": {"share": 1e-4}})", SURROGATE_REJECTED, 2.5},
        {"guarded", R"({"conserved": {"tolerance": 1e-3}})", SURROGATE_REJECTED},
        {"guarded", R"({"statistics": {"distance": 1e-3}})", SURROGATE_REJECTED},
    };
    const std::vector<Block> cuts[] = {
        {{0, 0, NY, NX}}, // one block is the whole
        {{0, 0, 5, NX}, {5, 0, NY - 5, NX}},
        {{0, 0, 11, 13}, {0, 13, 11, NX - 13}, {11, 0, NY - 11, 1}, {11, 1, NY - 11, NX - 1}}};
    for (const Case &row : cases)
        for (const auto &blocks : cuts)
            for (const bool ghosts : {false, true})
                for (const bool in_place : {false, true}) {
                    compare<float>(row, ghosts, in_place, blocks);
                    compare<double>(row, ghosts, in_place, blocks);
                }
}

/// The mean that is taken away is a quotient of totals, whose last bits depend on how they were added.
void an_integral_is_restored_over_all_blocks() {
    const char *guards = R"({"policy": {"conserved": "project"}})";
    const std::vector<Block> blocks = {{0, 0, NY, 7}, {0, 7, NY, NX - 7}};
    Parted<double> parts("guarded", guards, true, false, blocks),
        whole("guarded", guards, true, false, {{0, 0, NY, NX}});
    std::vector<double> sums;
    CHECK(whole.predict_serially(sums) == SURROGATE_OK);
    for (const int status : parts.predict_in_parts())
        CHECK(status == SURROGATE_OK);
    check_totals(parts.totals(), sums);
    double before = 0, after = 0;
    for (std::int64_t y = 0; y < NY; ++y)
        for (std::int64_t x = 0; x < NX; ++x) {
            CHECK(std::abs(parts.predicted(0, y, x) - whole.predicted(0, y, x)) <= 1e-14);
            before += parts.value(0, 0, y, x), after += parts.predicted(0, y, x);
        }
    CHECK(std::abs(after - before) <= 1e-11);
    CHECK(parts.statistics(1).projections == 2);
    // With the totals of the whole the bits are those of the whole.
    Parted<double> exact("guarded", guards, true, false, blocks);
    for (const int status : exact.predict_in_parts(&sums))
        CHECK(status == SURROGATE_OK);
    CHECK(exact.same_frame(whole));
}

/// Tiles anywhere, halos beyond the domain's edges included, draw the numbers of their cells.
void a_tile_draws_the_noise_of_its_cells() {
    surrogate_model *model = open_bundle("noisy");
    surrogate_step_options step;
    surrogate_step_options_init(&step, sizeof step);
    step.step = 3, step.seed = 7, step.member = 2;
    step.global_shape[0] = NY, step.global_shape[1] = NX;
    const std::int64_t whole_shape[] = {NY, NX}, shape[] = {9, 11}, origins[] = {-4, -5, NY - 3, NX - 2, 6, 1};
    const std::vector<float> none(2 * NY * NX);
    const float *found = nullptr;
    CHECK_STATUS(surrogate_parts_run(model, &found, none.data(), 1, whole_shape, nullptr, &step), SURROGATE_OK, "");
    const std::vector<float> whole(found, found + none.size());
    CHECK_STATUS(surrogate_parts_run(model, &found, none.data(), 3, shape, origins, &step), SURROGATE_OK, "");
    for (std::int64_t b = 0; b < 3; ++b)
        for (std::int64_t c = 0; c < 2; ++c)
            for (std::int64_t y = 0; y < 9; ++y)
                for (std::int64_t x = 0; x < 11; ++x) {
                    const std::int64_t at_y = (origins[2 * b] + y + NY) % NY, at_x = (origins[2 * b + 1] + x + NX) % NX;
                    CHECK(found[((b * 2 + c) * 9 + y) * 11 + x] ==
                          whole[static_cast<std::size_t>((c * NY + at_y) * NX + at_x)]);
                }
    step.origin[0] = 6, step.origin[1] = 1; // the same without a list
    const std::vector<float> third(found + 4 * 99, found + 6 * 99);
    CHECK_STATUS(surrogate_parts_run(model, &found, none.data(), 2, shape, nullptr, &step), SURROGATE_OK, "");
    CHECK(std::memcmp(found, third.data(), third.size() * sizeof(float)) == 0);
    CHECK(std::memcmp(found + 2 * 99, third.data(), third.size() * sizeof(float)) == 0);
    surrogate_close(model);
}

/// What is refused is packed and summed all the same, to the last cell of the last field.
void a_refused_value_ends_neither_packing_nor_sums() {
    for (const char *guards : {R"({"finite": true})", R"({"range": {"share": 1}, "statistics": {"distance": 99}})"}) {
        const std::vector<Block> one = {{0, 0, NY, NX}};
        Parted<double> clean("guarded", guards, true, false, one), spoilt("guarded", guards, true, false, one);
        spoilt.value(0, 0, 0, 0) = spoilt.value(0, 1, 2, 2) = NOT_A_NUMBER;
        clean.predict_in_parts();
        CHECK(spoilt.predict_in_parts() == std::vector<int>{SURROGATE_REJECTED});
        const std::vector<float> &a = clean.packed(), &b = spoilt.packed();
        for (std::size_t i = 0; i < a.size(); ++i)
            CHECK(i == 0 || i == NY * NX + 2 * NX + 2 ? std::isnan(b[i]) : a[i] == b[i]);
        constexpr std::size_t SUMS = 12;
        for (std::size_t channel = 0; channel < 3; ++channel)
            CHECK(spoilt.totals()[channel * SUMS] == NY * NX);
        CHECK(spoilt.totals()[1] == 1 && spoilt.totals()[SUMS + 1] == 1 && spoilt.totals()[2 * SUMS + 1] == 0);
        for (std::size_t k = 0; k < SUMS; ++k)
            CHECK(spoilt.totals()[2 * SUMS + k] == clean.totals()[2 * SUMS + k]);
    }
}

/// A program that returns its input returns memory of the model's, not of the caller's.
void increments_lie_apart_from_the_tiles() {
    surrogate_model *model = open_bundle("view");
    const std::int64_t shape[] = {4, 4};
    std::vector<float> tiles(3 * 16, 1.5f);
    const float *found = nullptr;
    CHECK_STATUS(surrogate_parts_run(model, &found, tiles.data(), 1, shape, nullptr, nullptr), SURROGATE_OK, "");
    std::fill(tiles.begin(), tiles.end(), -1.0f);
    for (int i = 0; i < 2 * 16; ++i)
        CHECK(found[i] == 1.5f);
    surrogate_close(model);
}

} // namespace

int main(int argc, char **argv) {
    start(argc, argv);
    blocks_get_the_bits_of_the_whole();
    an_integral_is_restored_over_all_blocks();
    a_tile_draws_the_noise_of_its_cells();
    a_refused_value_ends_neither_packing_nor_sums();
    increments_lie_apart_from_the_tiles();
    return finish();
}
