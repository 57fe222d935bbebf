// The public functions of sections 1 to 4: each is one guarded call.
#include "c_handle.h"
#include "folder.h"

using namespace surrogate::core;

namespace {

std::string string_or(const char *value, const char *otherwise) {
    return value ? value : otherwise;
}

std::string name_or_any(const char *value) {
    return value && std::strcmp(value, "auto") != 0 ? value : "";
}

Options read_options(const surrogate_open_options *given) {
    surrogate_open_options o;
    surrogate_open_options_init(&o, sizeof o);
    if (given)
        o = read_versioned(given, o, "options", "call surrogate_open_options_init first");
    if (o.threads < 0)
        fail(SURROGATE_ERROR_ARGUMENT, "options.threads ", o.threads,
             " given, expected 0 (the engine's choice) or more");
    if (o.verify != SURROGATE_VERIFY_HASHES && o.verify != SURROGATE_VERIFY_EXAMPLE)
        fail(SURROGATE_ERROR_ARGUMENT, "options.verify ", o.verify,
             " given, expected SURROGATE_VERIFY_HASHES (0) or SURROGATE_VERIFY_EXAMPLE (1)");
    Options options;
    options.request.engine = name_or_any(o.engine);
    options.request.program = name_or_any(o.program);
    options.request.device = string_or(o.device, "cpu");
    options.request.precision = string_or(o.precision, "");
    options.request.engine_path = string_or(o.engine_path, "");
    options.request.engine_options = string_or(o.engine_options, "");
    options.request.overlay = overlay_folder(o.overlay);
    options.request.threads = o.threads;
    if (o.guards)
        options.guards = read_overrides(o.guards);
    options.preload = o.preload != 0;
    options.verify_example = o.verify == SURROGATE_VERIFY_EXAMPLE;
    options.log = o.log;
    options.log_user = o.log_user;
    options.record_calls = string_or(o.record_calls, "");
    return options;
}

} // namespace

extern "C" {

const char *surrogate_version(void) {
    return SURROGATE_VERSION;
}

const char *surrogate_last_error(void) {
    return last_error();
}

void surrogate_set_last_error(const char *where, const char *text) {
    set_last_error(where ? where : "", text ? text : "");
}

void surrogate_open_options_init(surrogate_open_options *options, size_t size) {
    init_versioned(options, size, surrogate_open_options{});
}

int surrogate_open(surrogate_model **model, const char *path, const surrogate_open_options *options) {
    return guarded("surrogate_open", [&] {
        if (!model)
            fail(SURROGATE_ERROR_ARGUMENT, "model is NULL, expected the address of a surrogate_model pointer");
        *model = nullptr;
        if (!path)
            fail(SURROGATE_ERROR_ARGUMENT, "path is NULL, expected the folder of a bundle, NAME.surrogate");
        const Options read = read_options(options);
        *model = make_handle(std::make_unique<Model>(Bundle::open_folder(path), read));
        return SURROGATE_OK;
    });
}

int surrogate_open_memory(surrogate_model **model, const surrogate_file *files, size_t count,
                          const surrogate_open_options *options) {
    return guarded("surrogate_open_memory", [&] {
        if (!model)
            fail(SURROGATE_ERROR_ARGUMENT, "model is NULL, expected the address of a surrogate_model pointer");
        *model = nullptr;
        if (!files || count == 0)
            fail(SURROGATE_ERROR_ARGUMENT, files ? "count is 0" : "files is NULL", ", expected the files of a bundle");
        const Options read = read_options(options);
        *model = make_handle(std::make_unique<Model>(Bundle::open_memory(files, count), read));
        return SURROGATE_OK;
    });
}

void surrogate_close(surrogate_model *model) {
    if (!model)
        return;
    guarded("surrogate_close", [&] {
        close_handle(model);
        return SURROGATE_OK;
    });
}

} // extern "C"
