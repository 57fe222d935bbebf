// The public functions of sections 6 to 8: facts, statistics, verification.
#include "c_handle.h"

using namespace surrogate::core;

extern "C" {

int surrogate_get_info(surrogate_model *model, surrogate_info *info) {
    return guarded("surrogate_get_info", [&] {
        write_versioned(info, opened(model).info(), "info");
        return SURROGATE_OK;
    });
}

int surrogate_get_field_info(surrogate_model *model, int index, surrogate_field_info *info) {
    return guarded("surrogate_get_field_info", [&] {
        write_versioned(info, opened(model).field_info(index), "info");
        return SURROGATE_OK;
    });
}

int surrogate_get_parameter_info(surrogate_model *model, int index, surrogate_parameter_info *info) {
    return guarded("surrogate_get_parameter_info", [&] {
        write_versioned(info, opened(model).parameter_info(index), "info");
        return SURROGATE_OK;
    });
}

int surrogate_get_statistics(surrogate_model *model, surrogate_statistics *statistics) {
    return guarded("surrogate_get_statistics", [&] {
        write_versioned(statistics, opened(model).statistics(), "statistics");
        return SURROGATE_OK;
    });
}

int surrogate_verify(surrogate_model *model, surrogate_verification *verification) {
    return guarded("surrogate_verify", [&] {
        Model &m = opened(model);
        given_size(verification, "verification", "set it to sizeof of the struct before the call");
        write_versioned(verification, m.verify(), "verification");
        return SURROGATE_OK;
    });
}

} // extern "C"
