/* The public header compiles alone, as C99 and as C++17, and every function that it declares can be linked. */
#include <surrogate/surrogate.h>

int main(void) {
    surrogate_model *model = 0;
    surrogate_open_options options;
    surrogate_step_options step;
    surrogate_field field;
    surrogate_info info;
    surrogate_field_info field_info;
    surrogate_parameter_info parameter_info;
    surrogate_statistics statistics;
    surrogate_rejection rejection;
    surrogate_verification verification;
    int64_t shape[2] = {2, 2};
    float data[4] = {0};
    int failed = 0, done = 0;
    info.struct_size = sizeof info;
    field_info.struct_size = sizeof field_info;
    parameter_info.struct_size = sizeof parameter_info;
    statistics.struct_size = sizeof statistics;
    rejection.struct_size = sizeof rejection;
    verification.struct_size = sizeof verification;
    surrogate_open_options_init(&options, sizeof options);
    surrogate_step_options_init(&step, sizeof step);
    surrogate_field_init(&field, "u", data, SURROGATE_FLOAT32, 2, shape);
    surrogate_field_init_ghost(&field, "u", data, SURROGATE_FLOAT32, 2, shape, shape);
    failed |= surrogate_open(&model, "/nowhere", &options) != SURROGATE_ERROR_NOT_FOUND;
    failed |= surrogate_open_memory(&model, 0, 0, &options) != SURROGATE_ERROR_ARGUMENT;
    failed |= surrogate_predict(model, &field, &field, 1, &step) != SURROGATE_ERROR_ARGUMENT;
    failed |= surrogate_predict_array(model, data, data, SURROGATE_FLOAT32, 2, shape, 0) != SURROGATE_ERROR_ARGUMENT;
    failed |= surrogate_predict_begin(model, &field, &field, 1, &step) != SURROGATE_ERROR_ARGUMENT;
    failed |= surrogate_predict_test(model, &done) != SURROGATE_ERROR_ARGUMENT;
    failed |= surrogate_predict_wait(model) != SURROGATE_ERROR_ARGUMENT;
    failed |= surrogate_predict_ensemble(model, &field, &field, &field, 1, &step) != SURROGATE_ERROR_ARGUMENT;
    failed |= surrogate_predict_members(model, &field, &field, 1, &step) != SURROGATE_ERROR_ARGUMENT;
    failed |= surrogate_rollout(model, 0, &field, &field, 1, 2, &step) != SURROGATE_ERROR_ARGUMENT;
    failed |= surrogate_noise(data, 0, 1, 2, shape, &step) != SURROGATE_ERROR_PARAMETER;
    failed |= surrogate_last_rejection(model, &rejection) != SURROGATE_ERROR_ARGUMENT;
    failed |= surrogate_get_info(model, &info) != SURROGATE_ERROR_ARGUMENT;
    failed |= surrogate_get_field_info(model, 0, &field_info) != SURROGATE_ERROR_ARGUMENT;
    failed |= surrogate_get_parameter_info(model, 0, &parameter_info) != SURROGATE_ERROR_ARGUMENT;
    failed |= surrogate_get_statistics(model, &statistics) != SURROGATE_ERROR_ARGUMENT;
    failed |= surrogate_verify(model, &verification) != SURROGATE_ERROR_ARGUMENT;
    failed |= surrogate_last_error()[0] == '\0' || surrogate_version()[0] == '\0';
    failed |= surrogate_status_name(SURROGATE_OK)[0] != 'S' || surrogate_reason_name(-1)[0] != 'u';
    surrogate_close(model);
    return failed;
}
