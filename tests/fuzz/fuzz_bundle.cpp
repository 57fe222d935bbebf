// A bundle in memory (see archive.h): opened, used in every way and closed, or refused with a text.
#include "archive.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

static void use(surrogate_model *model) {
    surrogate_info info;
    surrogate_verification verification;
    surrogate_field_info field;
    info.struct_size = sizeof info;
    verification.struct_size = sizeof verification;
    field.struct_size = sizeof field;
    if (surrogate_get_info(model, &info) != SURROGATE_OK || surrogate_get_field_info(model, 0, &field) != SURROGATE_OK)
        std::abort();
    std::int64_t shape[4] = {info.channel_count, 1, 1, 1}, count = shape[0];
    for (int k = 0; k < info.spatial_rank; ++k) {
        shape[1 + k] = std::max({info.fixed_shape[k], info.multiple_of[k], info.minimum_shape[k]});
        if (shape[1 + k] > 4096 || count > 65536)
            return;
        count *= shape[1 + k];
    }
    if (count > 1 << 18)
        return;
    const std::vector<double> now(static_cast<std::size_t>(count), 0.75);
    std::vector<double> next(now.size(), -3.0);
    if (surrogate_predict_array(model, next.data(), now.data(), SURROGATE_FLOAT64, 1 + info.spatial_rank, shape,
                                nullptr) != SURROGATE_OK)
        for (const double value : next)
            if (value != -3.0)
                std::abort();
    surrogate_verify(model, &verification);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    const Archive archive = unpack({reinterpret_cast<const char *>(data), size});
    const auto files = files_of(archive);
    surrogate_model *model = nullptr;
    const int status = surrogate_open_memory(&model, files.data(), files.size(), nullptr);
    if ((status == SURROGATE_OK) != (model != nullptr) || (status != SURROGATE_OK && !*surrogate_last_error()))
        std::abort();
    if (model)
        use(model);
    surrogate_close(model);
    return 0;
}
