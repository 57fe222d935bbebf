// Running the program on the bundle's example: once at open, and to tell whether it still is the same program.
#include "model.h"

#include "error.h"

#include <cmath>

namespace surrogate::core {

/// Run program_, of `variant`, once on the example, or on zeros: what it does only in its first run is then done.
void Model::warm_up(Variant &variant) {
    const std::vector<Tensor> blank = example_.empty() ? blank_inputs(manifest_) : std::vector<Tensor>();
    run_checked(example_.empty() ? Example::tensors_of(blank) : example_.inputs(), nullptr);
    variant.warm = true;
    if (&variant != &variants_.standard())
        log(SURROGATE_LOG_INFO, text(bundle_.label(), ": ", variant.steps, " steps: ", program_->choice()));
}

/// Load the programs of all steps, and run each once if `warm`; one that fails does so again when it is asked for.
void Model::preload(bool warm) {
    if (!program_->loaded())
        return;
    variants_.load_all();
    for (Variant &variant : variants_.all())
        if (warm && variant.program && !variant.warm)
            try {
                program_ = variant.program.get();
                warm_up(variant);
            } catch (const Error &) { // it stays cold
            }
    program_ = variants_.standard().program.get();
}

surrogate_verification Model::replay() {
    program_ = variants_.standard().program.get();
    program_->require_loaded();
    if (example_.empty())
        fail(SURROGATE_ERROR_UNSUPPORTED, bundle_.label(),
             ": the bundle has no example to replay; export it again with one");
    if (variants_.standard().steps != manifest_.sampler.preset)
        fail(SURROGATE_ERROR_UNSUPPORTED, bundle_.label(), ": the example is of ", manifest_.sampler.preset,
             " steps, the model was opened with a program of ", variants_.standard().steps,
             "; open it without options.program");
    const float *found = run_checked(example_.inputs(), nullptr);
    surrogate_verification result{};
    for (const float expected : example_.expected()) {
        const double difference = std::abs(double{*found++} - double{expected});
        if (!(difference <= result.largest_difference)) // NaN is the largest of all, and stays
            result.largest_difference = difference;
        if (std::isnan(difference))
            break;
    }
    result.tolerance = manifest_.tolerance + program_->deviation();
    result.passed = result.largest_difference <= result.tolerance;
    return result;
}

surrogate_verification Model::verify() {
    const Lock lock = claim();
    variants_.standard().program->require_loaded();
    bundle_.check_all();
    return replay();
}

} // namespace surrogate::core
