/* Opening: what is chosen and told, and how options and engines fail; damaged bundles: tests/faults. */
#include "check.h"

static int open_with(const char *name, surrogate_open_options *options) {
    surrogate_model *model = NULL;
    int status = surrogate_open(&model, bundle(name), options);
    CHECK((model != NULL) == (status == SURROGATE_OK));
    surrogate_close(model);
    return status;
}

static void engines_that_fail_are_named(void) {
    char path[8192];
    surrogate_open_options options;
    CHECK_STATUS(open_with("fail_load", NULL), SURROGATE_ERROR_ENGINE, "asks to fail in load");
    CHECK_STATUS(open_with("fail_at_once", NULL), SURROGATE_ERROR_EXECUTION, "asks to fail in run");
    surrogate_open_options_init(&options, sizeof options);
    options.engine = "nonsense";
    CHECK_STATUS(open_with("identity", &options), SURROGATE_ERROR_UNSUPPORTED, "'nonsense' is needed by no program");
    options.engine = "../stub";
    CHECK_STATUS(open_with("identity", &options), SURROGATE_ERROR_UNSUPPORTED, "'../stub' is needed by no program");
    CHECK_STATUS(open_with("no_engine", NULL), SURROGATE_ERROR_ENGINE, "no engine 'jax' works here");
    options.engine = "jax"; /* a program of the bundle uses it */
    CHECK_STATUS(open_with("no_engine", &options), SURROGATE_ERROR_ENGINE, "SURROGATE_ENGINE_PATH");
    CHECK(strstr(surrogate_last_error(), "Searched:") != NULL);
    snprintf(path, sizeof path, "/nowhere:%s/engines", bundles);
    options.engine_path = path;
    CHECK_STATUS(open_with("no_engine", &options), SURROGATE_ERROR_ENGINE, "/nowhere: none");
    CHECK(strstr(surrogate_last_error(), "engines/libsurrogate_engine_jax-0.so: ") != NULL);
    CHECK(strstr(surrogate_last_error(), "jaxlike") == NULL);
}

static void options_are_checked(void) {
    surrogate_open_options options;
    struct {
        surrogate_open_options known;
        size_t more[4];
    } newer;
    surrogate_open_options_init(&options, sizeof options);
    CHECK(options.struct_size == sizeof options);
    options.struct_size = 0;
    CHECK_STATUS(open_with("identity", &options), SURROGATE_ERROR_ARGUMENT, "surrogate_open_options_init");
    options.struct_size = 100000;
    CHECK_STATUS(open_with("identity", &options), SURROGATE_ERROR_ARGUMENT, "surrogate_open_options_init");
    options.struct_size = 2 * sizeof(size_t); /* an older header: engine only */
    options.verify = 77;
    CHECK_STATUS(open_with("identity", &options), SURROGATE_OK, "");
    memset(&newer, 0, sizeof newer);
    /* an older header: init writes no byte behind the caller's struct */
    newer.more[0] = 7;
    newer.known.threads = 9;
    surrogate_open_options_init(&newer.known, 2 * sizeof(size_t));
    CHECK(newer.known.struct_size == 2 * sizeof(size_t) && newer.known.engine == NULL && newer.known.threads == 9);
    /* a newer header: what this library does not know is zeroed by init, and ignored */
    surrogate_open_options_init(&newer.known, sizeof newer);
    CHECK(newer.known.struct_size == sizeof newer && newer.known.threads == 0 && newer.more[0] == 0);
    newer.more[0] = 1;
    CHECK_STATUS(open_with("identity", &newer.known), SURROGATE_OK, "");
    options.struct_size = sizeof options;
    CHECK_STATUS(open_with("identity", &options), SURROGATE_ERROR_ARGUMENT, "options.verify 77");
    options.verify = 0;
    options.threads = -1;
    CHECK_STATUS(open_with("identity", &options), SURROGATE_ERROR_ARGUMENT, "options.threads -1");
    options.threads = 0;
    options.device = "gpu";
    CHECK_STATUS(open_with("identity", &options), SURROGATE_ERROR_ARGUMENT, "options.device 'gpu'");
    options.device = NULL;
    options.precision = "double";
    CHECK_STATUS(open_with("identity", &options), SURROGATE_ERROR_ARGUMENT, "options.precision 'double'");
    options.precision = NULL;
    options.program = "stubb";
    CHECK_STATUS(open_with("identity", &options), SURROGATE_ERROR_ARGUMENT, "did you mean 'stub'");
    options.program = "auto";
    options.engine = "auto";
    options.guards = "{\"bounds\": {\"w\": {}}}";
    CHECK_STATUS(open_with("identity", &options), SURROGATE_ERROR_ARGUMENT, "no field 'w' (did you mean 'u'?)");
    options.guards = "{\"finit\": true}";
    CHECK_STATUS(open_with("identity", &options), SURROGATE_ERROR_ARGUMENT, "did you mean 'finite'");
    options.guards = "{\"bounds\": {\"u\": {\"lower\": 2, \"upper\": 1}}}";
    CHECK_STATUS(open_with("identity", &options), SURROGATE_ERROR_ARGUMENT, "above");
    options.guards = "{";
    CHECK_STATUS(open_with("identity", &options), SURROGATE_ERROR_ARGUMENT, "not valid JSON");
    options.guards = "{}";
    options.engine_options = "[1]";
    CHECK_STATUS(open_with("identity", &options), SURROGATE_ERROR_ARGUMENT, "options.engine_options: [1] given");
    options.engine_options = "{}";
    CHECK_STATUS(open_with("identity", &options), SURROGATE_OK, "");
}

static void programs_are_chosen_in_order(void) {
    surrogate_model *model = NULL;
    surrogate_info info;
    surrogate_open_options options;
    info.struct_size = sizeof info;
    surrogate_open_options_init(&options, sizeof options);
    CHECK_STATUS(surrogate_open(&model, bundle("choice"), &options), SURROGATE_OK, "");
    CHECK_STATUS(surrogate_get_info(model, &info), SURROGATE_OK, "");
    CHECK(strcmp(info.program, "half") == 0 && strcmp(info.precision, "bf16") == 0);
    CHECK(strstr(info.choice, "'portable' (format torch.export") &&
          strstr(info.choice, "no engine 'jax' works here"));
    CHECK(!strchr(info.choice, '\n'));
    surrogate_close(model);
    options.precision = "fp32";
    CHECK_STATUS(surrogate_open(&model, bundle("choice"), &options), SURROGATE_OK, "");
    CHECK_STATUS(surrogate_get_info(model, &info), SURROGATE_OK, "");
    CHECK(strcmp(info.program, "stub") == 0 && strcmp(info.device, "cpu") == 0);
    surrogate_close(model);
    options.program = "gpu";
    CHECK_STATUS(open_with("choice", &options), SURROGATE_ERROR_UNSUPPORTED, "runs on cuda, cpu was asked for");
    options.device = "cuda";
    CHECK_STATUS(open_with("choice", &options), SURROGATE_ERROR_UNSUPPORTED, "on cpu");
}

static void programs_of_a_later_version_are_passed_over(void) {
    surrogate_model *model = NULL;
    surrogate_info info;
    surrogate_open_options options;
    info.struct_size = sizeof info;
    CHECK_STATUS(surrogate_open(&model, bundle("later"), NULL), SURROGATE_OK, "");
    CHECK_STATUS(surrogate_get_info(model, &info), SURROGATE_OK, "");
    CHECK(strcmp(info.program, "stub") == 0 && info.stochastic == 0);
    CHECK(strstr(info.choice, "'graph' (this version does not know format 'onnx')") != NULL);
    CHECK(strstr(info.choice, "'eighth' (this version does not know precision 'fp8')") != NULL);
    CHECK(strstr(info.choice, "'tile' (this version does not know device 'tpu')") != NULL);
    CHECK(strstr(info.choice, "'compiled' (no engine 'tvm' works here") != NULL);
    surrogate_close(model);
    CHECK_STATUS(open_with("only_later", NULL), SURROGATE_ERROR_UNSUPPORTED, "does not know format 'onnx'");
    CHECK(strstr(surrogate_last_error(), "'fp8'") != NULL && strstr(surrogate_last_error(), "'tpu'") != NULL);
    surrogate_open_options_init(&options, sizeof options);
    options.program = "graph";
    CHECK_STATUS(open_with("later", &options), SURROGATE_ERROR_UNSUPPORTED, "does not know format 'onnx'");
}

static void a_model_with_noise_opens_and_says_so(void) {
    surrogate_model *m = open_bundle("noisy");
    surrogate_info info;
    info.struct_size = sizeof info;
    CHECK_STATUS(surrogate_get_info(m, &info), SURROGATE_OK, "");
    CHECK(info.stochastic == 1 && info.history == 1);
    surrogate_close(m);
}

static void opening_runs_the_program_once(void) {
    surrogate_model *model = NULL;
    float u[1] = {1}, next[1];
    int64_t shape[3] = {1, 1, 1};
    CHECK_STATUS(open_with("fail_at_once", NULL), SURROGATE_ERROR_EXECUTION, "asks to fail in run");
    CHECK_STATUS(surrogate_open(&model, bundle("fail_run"), NULL), SURROGATE_OK, ""); /* fails from its second run on */
    CHECK_STATUS(surrogate_predict_array(model, next, u, SURROGATE_FLOAT32, 3, shape, NULL), SURROGATE_ERROR_EXECUTION,
                 "asks to fail in run");
    surrogate_close(model);
}

static int logged[3];

static void count_lines(void *user, int level, const char *text) {
    CHECK(user == logged && strlen(text) > 10);
    ++logged[level];
}

static void the_log_gets_one_line_at_open_and_one_a_kind_of_rejection(void) {
    surrogate_model *model = NULL;
    surrogate_open_options options;
    float nan_field[1] = {0}, out[1] = {5};
    int64_t shape[3] = {1, 1, 1};
    int i;
    surrogate_open_options_init(&options, sizeof options);
    options.log = count_lines;
    options.log_user = logged;
    CHECK_STATUS(surrogate_open(&model, bundle("identity"), &options), SURROGATE_OK, "");
    CHECK(logged[SURROGATE_LOG_INFO] == 1 && logged[SURROGATE_LOG_WARNING] == 0);
    memset(nan_field, 0xff, sizeof nan_field);
    for (i = 0; i < 3; ++i)
        CHECK_STATUS(surrogate_predict_array(model, out, nan_field, SURROGATE_FLOAT32, 3, shape, NULL),
                     SURROGATE_REJECTED, "input field 'u' is not finite at cell [0, 0] (value nan)");
    CHECK(out[0] == 5);
    CHECK(logged[SURROGATE_LOG_INFO] == 1 && logged[SURROGATE_LOG_WARNING] == 1);
    surrogate_close(model);
}

static void the_example_is_replayed(void) {
    surrogate_open_options options;
    surrogate_verification result;
    surrogate_model *model = open_bundle("example");
    memset(&result, 0, sizeof result);
    CHECK_STATUS(surrogate_verify(model, &result), SURROGATE_ERROR_ARGUMENT, "struct_size");
    result.struct_size = sizeof result;
    CHECK_STATUS(surrogate_verify(model, &result), SURROGATE_OK, "");
    CHECK(result.passed == 1 && result.largest_difference == 0.0 && result.tolerance == 1e-6);
    surrogate_close(model);
    model = open_bundle("example_wrong");
    CHECK_STATUS(surrogate_verify(model, &result), SURROGATE_OK, "");
    CHECK(result.passed == 0 && result.largest_difference == 3.0);
    surrogate_close(model);
    model = open_bundle("identity");
    CHECK_STATUS(surrogate_verify(model, &result), SURROGATE_ERROR_UNSUPPORTED, "no example");
    surrogate_close(model);
    surrogate_open_options_init(&options, sizeof options);
    options.verify = SURROGATE_VERIFY_EXAMPLE;
    CHECK_STATUS(open_with("example", &options), SURROGATE_OK, "");
    CHECK_STATUS(open_with("example_wrong", &options), SURROGATE_ERROR_EXECUTION, "does not reproduce");
}

static void *read_file(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    char *data = (char *)malloc(1 << 16);
    *size = file ? fread(data, 1, 1 << 16, file) : 0;
    if (file)
        fclose(file);
    return data;
}

static void a_bundle_may_be_in_memory(void) {
    static const char *const names[] = {"manifest.json", "programs/stub.json", "example.safetensors"};
    surrogate_file files[3];
    surrogate_model *model = NULL;
    surrogate_verification result;
    surrogate_info info;
    char path[8192];
    int i;
    result.struct_size = sizeof result;
    info.struct_size = sizeof info;
    for (i = 0; i < 3; ++i) {
        snprintf(path, sizeof path, "%s/%s", bundle("example"), names[i]);
        files[i].name = names[i];
        files[i].data = read_file(path, &files[i].size);
    }
    if (CHECK_STATUS(surrogate_open_memory(&model, files, 3, NULL), SURROGATE_OK, "")) {
        for (i = 0; i < 3; ++i) /* borrowed during the call only */
            memset((void *)files[i].data, 0, files[i].size);
        CHECK_STATUS(surrogate_verify(model, &result), SURROGATE_OK, "");
        CHECK(result.passed == 1);
        CHECK_STATUS(surrogate_get_info(model, &info), SURROGATE_OK, "");
        CHECK(info.path[0] == '\0' && strcmp(info.name, "example") == 0);
    }
    surrogate_close(model);
    for (i = 0; i < 3; ++i)
        free((void *)files[i].data);
}

int main(int argc, char **argv) {
    start(argc, argv);
    CHECK(surrogate_last_error()[0] == '\0');
    CHECK(strcmp(surrogate_version(), SURROGATE_VERSION) == 0);
    engines_that_fail_are_named();
    options_are_checked();
    programs_are_chosen_in_order();
    programs_of_a_later_version_are_passed_over();
    a_model_with_noise_opens_and_says_so();
    opening_runs_the_program_once();
    the_log_gets_one_line_at_open_and_one_a_kind_of_rejection();
    the_example_is_replayed();
    a_bundle_may_be_in_memory();
    return finish();
}
