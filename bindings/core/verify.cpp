// Running the program on the bundle's example: once at open, and to tell whether it still is the same program.
#include "model.h"

#include "error.h"

#include <cmath>

namespace surrogate::core {

/// Run once on the example, or on zeros: what a program does only in its first run is then done.
void Model::warm_up() {
    if (!program_.loaded())
        return;
    if (!example_.empty()) {
        run_checked(example_.inputs(), nullptr);
        return;
    }
    const std::vector<Tensor> blank = blank_inputs(manifest_);
    run_checked(Example::tensors_of(blank), nullptr);
}

surrogate_verification Model::replay() {
    program_.require_loaded();
    if (example_.empty())
        fail(SURROGATE_ERROR_UNSUPPORTED, bundle_.label(),
             ": the bundle has no example to replay; export it again with one");
    const float *found = run_checked(example_.inputs(), nullptr);
    surrogate_verification result{};
    for (const float expected : example_.expected()) {
        const double difference = std::abs(double{*found++} - double{expected});
        if (!(difference <= result.largest_difference)) // NaN is the largest of all, and stays
            result.largest_difference = difference;
        if (std::isnan(difference))
            break;
    }
    result.tolerance = manifest_.tolerance + program_.deviation();
    result.passed = result.largest_difference <= result.tolerance;
    return result;
}

surrogate_verification Model::verify() {
    const Lock lock = claim();
    program_.require_loaded();
    bundle_.check_all();
    return replay();
}

} // namespace surrogate::core
