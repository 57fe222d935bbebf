#include "model.h"

#include "error.h"

namespace surrogate::core {

Model::Model(Bundle bundle, const Options &options)
    : bundle_(std::move(bundle)), manifest_(bundle_.manifest()), guards_(merged_guards(manifest_, options.guards)),
      sampler_(manifest_.sampler ? manifest_.sampler.method + ", " + manifest_.sampler.kind : ""),
      variants_(bundle_, options.request), program_(variants_.standard().program.get()),
      input_pass_(manifest_, guards_), output_pass_(manifest_, guards_), engine_pass_(manifest_, guards_),
      judge_(manifest_, guards_), log_(options.log), log_user_(options.log_user), threads_(options.request.threads),
      call_(manifest_), ensemble_(manifest_), rolled_(manifest_), inputs_(manifest_),
      array_output_(manifest_.fields.size()), array_input_(manifest_.fields.size()),
      example_(program_->loaded() ? Example(bundle_) : Example()) {
    rejection_.field = -1;
    std::int64_t at_open = 0; // allocations of open are not counted
    call_.tally.reset(1, call_.input().channels.size(), at_open);
    if (program_->loaded())
        warm_up(variants_.standard());
    if (options.verify_example) {
        const auto result = replay();
        if (!result.passed)
            fail(SURROGATE_ERROR_EXECUTION, bundle_.label(),
                 ": the program does not reproduce the bundle's example: "
                 "largest difference ",
                 result.largest_difference, ", expected at most ", result.tolerance,
                 "; another version of the engine or another precision may be the cause (", program_->choice(), ")");
    }
    if (!options.record_calls.empty())
        calls_ =
            std::make_unique<CallRecord>(options.record_calls, bundle_, *program_,
                                         options.guards ? options.guards->document : "", options.request.engine_path);
    if (options.preload || bundle_.path().empty())
        preload(options.preload);
    bundle_.release();
    log(SURROGATE_LOG_INFO, text("surrogate_open: ", bundle_.label(), ": ", program_->choice()));
}

void Model::log(int level, const std::string &text) const {
    if (log_)
        log_(log_user_, level, text.c_str());
}

/// The program's output for `inputs`, after its shape was checked.
const float *Model::run_checked(const std::vector<surrogate_tensor> &inputs, void *stream) {
    const surrogate_tensor output = program_->run(inputs.data(), static_cast<int>(inputs.size()), stream);
    std::int64_t expected[SURROGATE_ENGINE_MAX_RANK] = {inputs[0].shape[0], manifest_.output_channels};
    const int rank = inputs[0].rank;
    for (int k = 2; k < rank; ++k)
        expected[k] = inputs[0].shape[k];
    bool same = output.rank == rank;
    for (int k = 0; k < rank; ++k)
        same = same && output.shape[k] == expected[k];
    if (!same)
        fail(SURROGATE_ERROR_EXECUTION, "the program returned shape ",
             list_text(output.shape, output.rank < 0 || output.rank > SURROGATE_ENGINE_MAX_RANK ? 0 : output.rank),
             ", expected ", list_text(expected, rank), "; program and manifest do not belong together: export again");
    if (output.dtype != SURROGATE_FLOAT32 || output.memory != SURROGATE_HOST || !output.data)
        fail(SURROGATE_ERROR_EXECUTION, "engine ", program_->engine_version(), " returned ", dtype_text(output.dtype),
             " in memory ", output.memory, ", expected float32 in host memory; this is a defect of the engine");
    return static_cast<const float *>(output.data);
}

} // namespace surrogate::core
