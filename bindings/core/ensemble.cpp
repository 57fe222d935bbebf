#include "ensemble.h"

#include "error.h"
#include "model.h"

#include <algorithm>
#include <cstring>

namespace surrogate::core {

namespace {

// Floats of input in one run of the program: enough to fill a machine, little beside its memory.
constexpr std::int64_t LARGEST_RUN = std::int64_t{1} << 24;

Manifest of_deviations(Manifest manifest) {
    for (FieldSpec &field : manifest.fields)
        if (field.predicted()) {
            field.prediction = Prediction::frame;
            std::fill(field.offset.begin(), field.offset.end(), 0.0);
        }
    return manifest;
}

GuardSpec none(const Manifest &manifest) {
    GuardSpec guards;
    guards.finite = false;
    guards.bounds.resize(manifest.fields.size());
    return guards;
}

} // namespace

Ensemble::Ensemble(const Manifest &manifest)
    : spread_manifest(of_deviations(manifest)), unguarded(none(manifest)), spread_pass(spread_manifest, unguarded),
      spread(manifest), from(manifest), to(manifest) {}

void select(State &part, const State &whole, std::int64_t first, std::int64_t count) {
    part = whole;
    part.batch = count;
    for (Channel &channel : part.channels)
        channel.data = channel.data ? channel.data + first * channel.batch_stride : nullptr;
}

void repeat(State &part, const State &whole, std::int64_t index, std::int64_t count) {
    select(part, whole, index, count);
    for (Channel &channel : part.channels)
        channel.batch_stride = 0;
}

int Model::predict_ensemble(const char *where, const surrogate_field *mean, const surrogate_field *spread,
                            const surrogate_field *input, std::size_t count, const surrogate_step_options &step) {
    const Lock lock = claim();
    return counted([&] {
        if (!mean && !spread)
            fail(SURROGATE_ERROR_ARGUMENT, "mean and spread are NULL, expected one of them at least");
        ensemble_.wants_mean = mean, ensemble_.wants_spread = spread, ensemble_.wants_all = false;
        check_members(step, spread ? 2 : 1);
        select_program(step);
        read_frames(input, count);
        require_host("ensembles");
        for (const auto &[given, state] : {std::pair{mean, &call_.output}, std::pair{spread, &ensemble_.spread}}) {
            if (!given)
                continue;
            resolve(*state, manifest_, Role::output, given, count);
            check_output(*state, 1);
        }
        if (mean && spread)
            check_apart(call_.output, ensemble_.spread, manifest_);
        return run_ensemble(where, step);
    });
}

int Model::predict_members(const char *where, const surrogate_field *output, const surrogate_field *input,
                           std::size_t count, const surrogate_step_options &step) {
    const Lock lock = claim();
    return counted([&] {
        ensemble_.wants_mean = ensemble_.wants_spread = false, ensemble_.wants_all = true;
        check_members(step, 1);
        select_program(step);
        read_frames(input, count);
        require_host("ensembles");
        resolve(call_.output, manifest_, Role::output, output, count);
        check_output(call_.output, step.members);
        return run_ensemble(where, step);
    });
}

/// Fail unless the fields that were read are in host memory.
void Model::require_host(const char *what) const {
    if (call_.input().memory != SURROGATE_HOST)
        fail(SURROGATE_ERROR_UNSUPPORTED, what, " of fields in memory of cuda:", call_.input().device,
             " are not in this version; hand over fields in host memory (the program may run on the GPU all the same)");
}

void Model::check_members(const surrogate_step_options &step, std::int64_t least) const {
    constexpr std::int64_t MOST = std::int64_t{1} << 32;
    if (manifest_.noise.empty())
        fail(SURROGATE_ERROR_UNSUPPORTED, "the model has no noise inputs: all members would be equal; call ",
             "surrogate_predict, or use a stochastic model");
    if (step.members < least || step.members > MOST)
        fail(SURROGATE_ERROR_ARGUMENT, "step.members ", step.members, " given, expected ", least, " or more",
             least > 1 ? ": a spread needs two" : "");
    if (manifest_.sampler && step.members > manifest_.sampler.members)
        fail(SURROGATE_ERROR_PARAMETER, "step.members ", step.members, " given, expected at most ",
             manifest_.sampler.members, ", the largest ensemble of '", manifest_.name,
             "'; draw further ones in another call, from step.member ", manifest_.sampler.members, " on");
}

int Model::run_ensemble(const char *where, const surrogate_step_options &step) {
    const State &input = call_.input();
    const std::int64_t channels = std::int64_t{manifest_.history} * manifest_.input_channels;
    call_.in_engine = false;
    ensemble_.members = step.members;
    ensemble_.chunk = std::clamp<std::int64_t>(LARGEST_RUN / (channels * input.cells()), 1, step.members);
    inputs_.prepare(step, input.shape, ensemble_.chunk, statistics_.allocations);
    call_.keep(step, inputs_.parameters());
    compute_ensemble();
    call_.states = input.batch * step.members;
    if (!call_.accepted())
        return reject(where);
    write_ensemble();
    accept(where, ensemble_.wants_all ? ensemble_.tally : call_.tally);
    return SURROGATE_OK;
}

void Model::compute_ensemble() {
    Ensemble &e = ensemble_;
    const State &input = call_.input();
    const float *packed = pack();
    if (!accept_input())
        return;
    const std::int64_t read = std::int64_t{manifest_.history} * manifest_.input_channels * input.cells();
    const std::int64_t frame = manifest_.output_channels * input.cells();
    float *tiled = e.tiled.get(e.chunk * read, statistics_.allocations);
    if (!e.wants_all)
        e.moments.start(input.batch * frame, statistics_.allocations);
    for (std::int64_t b = 0; b < input.batch; ++b) {
        for (std::int64_t m = 0; m < e.chunk; ++m)
            std::copy(packed + b * read, packed + (b + 1) * read, tiled + m * read);
        for (std::int64_t m = 0; m < e.members; m += e.chunk)
            if (!compute_members(tiled, b, m, frame))
                return;
    }
    judge_spread();
}

/// One run of the program: members m .. of state b, judged and kept.
bool Model::compute_members(const float *tiled, std::int64_t b, std::int64_t m, std::int64_t frame) {
    Ensemble &e = ensemble_;
    const std::int64_t count = std::min(e.chunk, e.members - m), first = b * e.members + m;
    repeat(e.from, call_.input(), b, count);
    const float *program = run_program(tiled, e.from, call_.step.member + first);
    sum_members(b, count, program);
    if (!accept_frame(e.tally, e.from, program)) {
        call_.offence.batch += first;
        return false;
    }
    const Stopwatch watch(statistics_.output_seconds);
    if (e.wants_all) {
        float *frames = e.frames.get(call_.input().batch * e.members * frame, statistics_.allocations);
        std::copy(program, program + count * frame, frames + first * frame);
    } else
        for (std::int64_t k = 0; k < count; ++k)
            e.moments.add(b * frame, frame, m + k + 1, program + k * frame);
    return true;
}

/// Guard 'spread': rms over cells of the standard deviation over members, over the rms of the trained increments.
void Model::judge_spread() {
    const std::int64_t cells = call_.input().cells();
    if (!guards_.largest_spread || ensemble_.wants_all || ensemble_.members < 2)
        return;
    ensemble_.rms.assign(static_cast<std::size_t>(call_.input().batch * manifest_.input_channels), 0.0);
    for (std::int64_t b = 0; b < call_.input().batch; ++b)
        for (const FieldSpec &field : manifest_.fields)
            for (int c = 0; field.predicted() && c < field.components; ++c) {
                const std::int64_t channel = b * manifest_.output_channels + field.first_output + c;
                const auto at = static_cast<std::size_t>(b * manifest_.input_channels + field.first_input + c);
                ensemble_.rms[at] = field.scale[static_cast<std::size_t>(c)] *
                                    ensemble_.moments.rms_deviation(channel * cells, cells, ensemble_.members);
            }
    take(judge_.spread(ensemble_.rms.data(), call_.input().batch));
    call_.offence.batch *= ensemble_.members;
}

/// Sums of `count` frames that the program made of state `b`, in ensemble_.from, beside those of the state.
void Model::sum_members(std::int64_t b, std::int64_t count, const float *program) {
    const auto channels = static_cast<std::size_t>(manifest_.input_channels);
    ensemble_.tally.reset(count, channels, statistics_.allocations);
    for (std::int64_t m = 0; m < count; ++m)
        for (std::size_t k = 0; k < channels; ++k) {
            ensemble_.tally.at(m, k) = call_.tally.at(b, k);
            ensemble_.tally.range(m, k) = call_.tally.range(b, k);
        }
    look(ensemble_.tally, ensemble_.from, program);
}

void Model::write_ensemble() {
    const Stopwatch watch(statistics_.output_seconds);
    Ensemble &e = ensemble_;
    const State &input = call_.input();
    const std::int64_t size = input.batch * manifest_.output_channels * input.cells();
    if (e.wants_all) {
        const float *frames = e.frames.get(size * e.members, statistics_.allocations);
        for (std::int64_t b = 0; b < input.batch; ++b) {
            repeat(e.from, input, b, e.members);
            select(e.to, call_.output, b * e.members, e.members);
            const float *program = frames + b * e.members * (size / input.batch);
            sum_members(b, e.members, program);
            output_pass_.write(e.to, e.from, program, e.tally);
            ++statistics_.output_passes;
        }
        return;
    }
    float *values = e.frames.get(size, statistics_.allocations);
    if (e.wants_mean) { // first: it reads the input, which the spread may be written to
        e.moments.write_mean(values);
        look(call_.tally, input, values);
        output_pass_.write(call_.output, input, values, call_.tally);
        ++statistics_.output_passes;
    }
    if (e.wants_spread) {
        e.moments.write_deviation(values, e.members);
        e.spread_pass.write(e.spread, input, values, call_.tally);
        ++statistics_.output_passes;
    }
}

} // namespace surrogate::core
