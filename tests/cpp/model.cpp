// surrogate::Model: ownership, exceptions, the path without them.  Arguments: BUNDLE (stub; c, q; c in [0, 1]),
// CONDITION (stub; u predicted, forcing read only), MANY (stub; u0 predicted, u1 to u39 read only).
#include "check.hpp"

#include <cmath>
#include <surrogate/surrogate.hpp>

using surrogate::Model;
using surrogate::Outcome;

namespace {

constexpr int ny = 6, nx = 8;

template <class Call> int status_of(Call call, std::string &text) {
    try {
        call();
    } catch (const surrogate::Error &error) {
        text = error.what();
        return error.status();
    }
    return 0;
}

void opening(const std::string &bundle) {
    std::string text;
    CHECK(status_of([] { Model::open("/no/such/bundle"); }, text) == SURROGATE_ERROR_NOT_FOUND);
    CHECK(text.find("/no/such/bundle") != std::string::npos);
    surrogate::Options options;
    options.engine = "nonsense";
    CHECK(status_of([&] { Model::open(bundle, options); }, text) < 0);

    Model model;
    CHECK(!model);
    CHECK(Model::try_open(model, "/no/such/bundle") == SURROGATE_ERROR_NOT_FOUND && !model);
    CHECK(Model::try_open(model, bundle) == SURROGATE_OK && model);
    CHECK(Model::try_open(model, "/no/such/bundle") < 0 && model);
    static_assert(noexcept(Model::try_open(model, bundle)), "try_open never throws");
}

void moving(const std::string &bundle) {
    static_assert(!std::is_copy_constructible_v<Model> && !std::is_copy_assignable_v<Model>, "one owner");
    static_assert(std::is_nothrow_move_constructible_v<Model> && std::is_nothrow_move_assignable_v<Model>, "moves");
    Model first = Model::open(bundle);
    surrogate_model *handle = first.get();
    Model second = std::move(first);
    CHECK(second.get() == handle && !first);
    std::string text;
    CHECK(status_of([&] { first.info(); }, text) == SURROGATE_ERROR_ARGUMENT);
    std::vector<double> u(2 * ny * nx, 0.5);
    CHECK(first.try_predict(u.data(), u.data(), {2, ny, nx}) == SURROGATE_ERROR_ARGUMENT);
    second = Model::open(bundle); // frees the first
    first = std::move(second);
    CHECK(first && !second);
    Model third(first.release());
    CHECK(third && !first);
    third.close();
    third.close();
    std::vector<Model> many;
    for (int k = 0; k < 5; ++k)
        many.push_back(Model::open(bundle));
    many.erase(many.begin() + 1);
    CHECK(many[1].predict(u, u, {2, ny, nx}) == Outcome::ok);
}

void predicting(const std::string &bundle) {
    surrogate::Options options;
    options.threads = 1;
    options.verify = false;
    std::vector<std::string> log;
    options.log = [](void *user, int, const char *line) {
        static_cast<std::vector<std::string> *>(user)->push_back(line);
    };
    options.log_user = &log;
    Model model = Model::open(bundle, options);
    std::vector<double> now(2 * ny * nx, 0.5), next(now.size(), -7);
    const auto &read_only = now;
    CHECK(model.predict(next, read_only, {2, ny, nx}) == Outcome::ok);
    CHECK(next[0] != -7 && next.back() != -7);

    const auto expected = next;
    const auto c = surrogate::field("c", next.data(), {ny, nx}),
               q = surrogate::field("q", next.data() + ny * nx, {ny, nx});
    const auto c0 = surrogate::field("c", read_only.data(), {ny, nx});
    const auto q0 = surrogate::field("q", read_only.data() + ny * nx, {ny, nx});
    surrogate::Step step;
    step.step = 4;
    step.time = 2.0;
    next.assign(next.size(), -7);
    CHECK(model.predict({q, c}, {c0, q0}, step) == Outcome::ok && next == expected);
    const std::array<surrogate::Field, 2> array{c, q};
    const std::vector<surrogate::ConstField> vector{c0, q0};
    next.assign(next.size(), -7);
    CHECK(model.predict(array, vector) == Outcome::ok && next == expected);
    static_assert(noexcept(model.try_predict(array, vector)), "try_predict never throws");

    next.assign(next.size(), -7);
    const auto untouched = next;
    now[nx + 2] = 1.5;
    CHECK(model.predict({c, q}, {c0, q0}) == Outcome::rejected && next == untouched);
    CHECK(model.try_predict({c, q}, {c0, q0}) == SURROGATE_REJECTED);
    const surrogate_rejection rejection = model.rejection();
    CHECK(rejection.reason == SURROGATE_REASON_INPUT_OUT_OF_BOUNDS && rejection.field == 0);
    CHECK(rejection.cell[0] == 1 && rejection.cell[1] == 2 && rejection.value == 1.5);
    now[nx + 2] = 0.5;

    std::string text;
    CHECK(status_of([&] { model.predict({c}, {c0}); }, text) == SURROGATE_ERROR_FIELD);
    CHECK(text.find('q') != std::string::npos);
    CHECK(status_of([&] { model.predict({c, q, c}, {c0, q0}); }, text) == SURROGATE_ERROR_FIELD);
    CHECK(text.find("3 fields given, expected 2: 'c', 'q'") != std::string::npos);
    CHECK(status_of([&] { model.predict({c, q}, {c0}); }, text) == SURROGATE_ERROR_FIELD);
    CHECK(text.find("1 fields given, expected 2: 'c', 'q'; missing: 'q'") != std::string::npos);
    CHECK(model.try_predict({q, c, q, c}, {c0, q0}) == SURROGATE_ERROR_FIELD);
    CHECK(std::string(surrogate_last_error()).find("4 fields given") != std::string::npos);
    const std::vector<surrogate::ConstField> too_many(40, c0);
    CHECK(model.try_predict({c, q}, too_many) == SURROGATE_ERROR_FIELD);
    CHECK(std::string(surrogate_last_error()).find("40 fields given, expected 2") != std::string::npos);
    CHECK(Model().try_predict({c, q, c}, {c0, q0}) == SURROGATE_ERROR_ARGUMENT);
    CHECK(status_of(
              [&] {
                  model.predict({c, q}, {surrogate::unit(c0, "furlong"), q0});
              },
              text) == SURROGATE_ERROR_UNIT);
    CHECK(text.find("furlong") != std::string::npos);
    CHECK(status_of([&] { model.predict(next, now, {2, ny, nx - 1}); }, text) == SURROGATE_ERROR_SHAPE);
    CHECK(model.try_predict({c, q}, {surrogate::field("c", now.data(), {ny - 1, nx}), q0}) == SURROGATE_ERROR_SHAPE);
    CHECK(std::string(surrogate_last_error()) != "");
    CHECK(next == untouched);
    CHECK(model.predict(next, now, {2, ny, nx}) == Outcome::ok && next == expected);

    const surrogate_info info = model.info();
    CHECK(std::string(info.engine) == "stub" && info.field_count == 2 && info.time_step == 0.5);
    CHECK(std::string(model.field_info(1).name) == "q");
    CHECK(status_of([&] { model.field_info(2); }, text) == SURROGATE_ERROR_ARGUMENT);
    const surrogate_statistics statistics = model.statistics();
    CHECK(statistics.calls == statistics.ok + statistics.rejected + statistics.errors);
    CHECK(statistics.ok == 4 && statistics.rejected == 2);
}

void conditions(const std::string &bundle) {
    Model model = Model::open(bundle);
    std::vector<double> u(ny * nx, 0.25), forcing(ny * nx, 1), all(ny * nx);
    const auto next = surrogate::field("u", all, {ny, nx}), now = surrogate::field("u", u, {ny, nx});
    const auto read = surrogate::field("forcing", forcing, {ny, nx});
    CHECK(model.predict({next}, {now, read}) == Outcome::ok && all[0] != 0);
    std::string text;
    CHECK(status_of([&] { model.predict({read}, {now, read}); }, text) < 0);
    const auto unknown = surrogate::field("unknown", forcing, {ny, nx});
    CHECK(status_of([&] { model.predict({unknown}, {now, read}); }, text) == SURROGATE_ERROR_FIELD);
}

/// More conditions than are padded on the stack: u0 predicted, u1 .. u39 read only.
void many_conditions(const std::string &bundle) {
    Model model = Model::open(bundle);
    std::vector<std::string> names;
    for (int k = 0; k < 40; ++k)
        names.push_back("u" + std::to_string(k));
    const std::vector<double> u(ny * nx, 0.5);
    std::vector<double> next(u.size());
    std::vector<surrogate::ConstField> input;
    for (const auto &name : names)
        input.push_back(surrogate::field(name.c_str(), u, {ny, nx}));
    CHECK(model.predict({surrogate::field("u0", next, {ny, nx})}, input) == Outcome::ok && next[0] == 1.0);
    input.pop_back();
    CHECK(model.try_predict({surrogate::field("u0", next, {ny, nx})}, input) == SURROGATE_ERROR_FIELD);
    CHECK(std::string(surrogate_last_error()).find("missing: 'u39'") != std::string::npos);
}

} // namespace

int main(int argc, char **argv) {
    CHECK(argc == 4);
    opening(argv[1]);
    moving(argv[1]);
    predicting(argv[1]);
    conditions(argv[2]);
    many_conditions(argv[3]);
    std::puts("all held");
}
