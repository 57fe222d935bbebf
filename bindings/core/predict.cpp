// The hot call: validate, pack and check, run, check, write.
#include "model.h"

#include "error.h"

#include <algorithm>
#include <chrono>
#include <cstring>

namespace surrogate::core {

namespace {

using Clock = std::chrono::steady_clock;

double seconds(Clock::time_point from, Clock::time_point to) {
    return std::chrono::duration<double>(to - from).count();
}

} // namespace

int Model::predict(const char *where, const surrogate_field *output, const surrogate_field *input, std::size_t count,
                   const surrogate_step_options &step) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return predict_locked(where, output, input, count, step);
}

int Model::predict_locked(const char *where, const surrogate_field *output, const surrogate_field *input,
                          std::size_t count, const surrogate_step_options &step) {
    ++statistics_.calls;
    try {
        resolve(input_, manifest_, Role::input, input, count);
        check_grid(manifest_.grid, input_.shape);
        resolve(output_, manifest_, Role::output, output, count);
        check_agreement(output_, input_, manifest_.grid.rank);
        check_overlap(output_, input_, manifest_);
        return run(where, step);
    } catch (...) {
        ++statistics_.errors;
        throw;
    }
}

int Model::run(const char *where, const surrogate_step_options &step) {
    const auto start = Clock::now();
    const InputPass::Result packed = input_pass_.run(input_, packed_, statistics_.allocations);
    const auto after_pack = Clock::now();
    statistics_.pack_seconds += seconds(start, after_pack);
    statistics_.input_copies += packed.copied;
    if (!packed.data)
        return reject(where, input_pass_.find(input_));

    const float *program = run_program(packed.data, step);
    const auto after_program = Clock::now();
    statistics_.program_seconds += seconds(after_pack, after_program);

    const bool accepted = output_pass_.accepted(input_, program);
    if (accepted) {
        output_pass_.write(output_, input_, program);
        ++statistics_.output_passes;
        ++statistics_.ok;
    }
    statistics_.output_seconds += seconds(after_program, Clock::now());
    return accepted ? int{SURROGATE_OK} : reject(where, output_pass_.find(input_, program));
}

const float *Model::run_program(const float *data, const surrogate_step_options &step) {
    surrogate_tensor inputs[2] = {};
    inputs[0].data = const_cast<float *>(data); // engines only read their inputs
    inputs[0].dtype = SURROGATE_FLOAT32;
    inputs[0].rank = 2 + manifest_.grid.rank;
    inputs[0].shape[0] = input_.batch;
    inputs[0].shape[1] = manifest_.input_channels;
    std::copy(input_.shape, input_.shape + manifest_.grid.rank, inputs[0].shape + 2);
    int count = 1;
    if (const float *values = parameters(step, input_.batch)) {
        inputs[1].data = const_cast<float *>(values);
        inputs[1].dtype = SURROGATE_FLOAT32;
        inputs[1].rank = 2;
        inputs[1].shape[0] = input_.batch;
        inputs[1].shape[1] = static_cast<std::int64_t>(manifest_.parameters.size());
        count = 2;
    }
    const float *program = run_checked(inputs, count, step.stream);

    // A program that returns its input, which is the caller's memory, must not see it change while we write.
    const std::int64_t size = input_.batch * manifest_.output_channels * input_.cells();
    if (output_pass_.writes_into(output_, program, size)) {
        float *staged = staged_.get(size, statistics_.allocations);
        std::memcpy(staged, program, static_cast<std::size_t>(size) * sizeof(float));
        return staged;
    }
    return program;
}

/// The program's second input, one row a state; NULL if the model has no parameters.
const float *Model::parameters(const surrogate_step_options &step, std::int64_t batch) {
    const auto &known = manifest_.parameters;
    if (step.parameters && step.parameter_count != known.size())
        fail(SURROGATE_ERROR_PARAMETER, "step.parameter_count ", step.parameter_count, " given, expected ",
             known.size(), known.empty() ? ": this model has no parameters" : ", one value for each parameter");
    if (known.empty())
        return nullptr;
    const auto count = static_cast<std::int64_t>(known.size());
    float *values = parameter_values_.get(batch * count, statistics_.allocations);
    for (std::size_t p = 0; p < known.size(); ++p) {
        const double value = step.parameters ? step.parameters[p] : known[p].preset;
        if (!(value >= known[p].lower && value <= known[p].upper))
            fail(SURROGATE_ERROR_PARAMETER, "parameter '", known[p].name, "': ", value, " given, expected ",
                 known[p].lower, " to ", known[p].upper, " (unit ", known[p].unit,
                 "), the range that the model was trained in");
        for (std::int64_t b = 0; b < batch; ++b)
            values[b * count + static_cast<std::int64_t>(p)] = static_cast<float>(value);
    }
    return values;
}

/// Counts and remembers the rejection last: until then memory may run out, which makes the call an error.
int Model::reject(const char *where, const Offence &offence) {
    describe(rejection_text_, offence, manifest_, input_.batch);
    bool &warned = warned_[offence.reason];
    if (!warned)
        log(SURROGATE_LOG_WARNING,
            text(where, ": ", rejection_text_, " (further rejections of this kind are not logged)"));
    warned = true;
    set_last_error(where, rejection_text_);
    ++statistics_.rejected;
    rejection_.reason = offence.reason;
    rejection_.field = offence.field;
    rejection_.component = offence.component;
    rejection_.batch = offence.batch;
    std::copy(offence.cell, offence.cell + 3, rejection_.cell);
    rejection_.value = offence.value;
    rejection_.lower = offence.bounds.lower;
    rejection_.upper = offence.bounds.upper;
    rejection_.call = statistics_.calls;
    return SURROGATE_REJECTED;
}

int Model::predict_array(const char *where, void *output, const void *input, int dtype, int rank,
                         const std::int64_t *shape, const surrogate_step_options &step) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto refuse = [&](int status, const std::string &text) {
        ++statistics_.calls;
        ++statistics_.errors;
        throw Error(status, text);
    };
    if (!output || !input || !shape)
        refuse(SURROGATE_ERROR_ARGUMENT, text(!output ? "output" : !input ? "input" : "shape", " is NULL"));
    const int spatial = manifest_.grid.rank;
    if (rank != 1 + spatial)
        refuse(SURROGATE_ERROR_SHAPE, text("rank ", rank, " given, expected ", 1 + spatial, ": a channel axis and ",
                                           spatial, " spatial axes"));
    if (shape[0] != manifest_.input_channels)
        refuse(SURROGATE_ERROR_FIELD, text(shape[0], " channels given (shape ", list_text(shape, rank), "), expected ",
                                           manifest_.input_channels, ": fields ", names_text(manifest_.field_names())));
    std::int64_t plane = size_of(dtype);
    for (int k = 1; k < rank; ++k)
        if (shape[k] < 1 || __builtin_mul_overflow(plane, shape[k], &plane) ||
            plane > (std::int64_t{1} << 56) / shape[0])
            refuse(SURROGATE_ERROR_SHAPE, text("shape ", list_text(shape, rank),
                                               " given, expected sizes of at least 1 "
                                               "that fit in memory"));
    for (std::size_t f = 0; f < manifest_.fields.size(); ++f) {
        const FieldSpec &spec = manifest_.fields[f];
        std::int64_t part[SURROGATE_MAX_RANK] = {spec.components};
        std::copy(shape + 1, shape + rank, part + 1);
        const std::int64_t offset = spec.first_input * plane;
        surrogate_field_init(&array_output_[f], nullptr, static_cast<char *>(output) + offset, dtype, rank, part);
        surrogate_field_init(&array_input_[f], nullptr, const_cast<char *>(static_cast<const char *>(input)) + offset,
                             dtype, rank, part);
        array_output_[f].component_axis = array_input_[f].component_axis = 0;
    }
    return predict_locked(where, array_output_.data(), array_input_.data(), manifest_.fields.size(), step);
}

} // namespace surrogate::core
