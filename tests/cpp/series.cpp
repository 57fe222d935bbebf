// Ensembles, rollouts, predictions beside the solver, guards by sums.  Arguments: NOISY (stub; u, stochastic), PLAIN
// (stub; c, q).
#include "check.hpp"

#include <cmath>
#include <surrogate/surrogate.hpp>

using surrogate::Model;
using surrogate::Outcome;

namespace {

constexpr int ny = 6, nx = 8, members = 4;
using Values = std::vector<double>;

void ensembles(const std::string &bundle) {
    Model model = Model::open(bundle);
    const Values now(ny * nx, 0.25);
    Values one(now.size()), mean(now.size()), spread(now.size()), all(members * now.size());
    const auto u = surrogate::field("u", now, {ny, nx});
    surrogate::Step step;
    step.step = 3;
    step.members = members;
    const auto every = surrogate::batched(surrogate::field("u", all, {members, ny, nx}), 0);
    CHECK(model.predict_members({every}, {u}, step) == Outcome::ok);
    CHECK(model.predict_ensemble({surrogate::field("u", mean, {ny, nx})}, {surrogate::field("u", spread, {ny, nx})},
                                 {u}, step) == Outcome::ok);
    CHECK(model.predict_ensemble({surrogate::field("u", one, {ny, nx})}, {}, {u}, step) == Outcome::ok && one == mean);
    for (std::size_t i = 0; i < now.size(); ++i) {
        double sum = 0;
        for (std::size_t k = 0; k < members; ++k)
            sum += all[k * now.size() + i];
        CHECK(std::abs(mean[i] - sum / members) < 1e-6 && spread[i] > 0);
    }
    step.member = 1;
    CHECK(model.predict({surrogate::field("u", one, {ny, nx})}, {u}, step) == Outcome::ok);
    CHECK(std::equal(one.begin(), one.end(), all.begin() + ny * nx));

    step.member = 0;
    const auto rolled = model.rollout({every}, {u}, members, step);
    CHECK(rolled.outcome == Outcome::ok && rolled.completed == members);
    CHECK(model.predict({surrogate::field("u", one, {ny, nx})}, {u}, step) == Outcome::ok);
    CHECK(std::equal(one.begin(), one.end(), all.begin()));
}

void beside(const std::string &bundle) {
    Model model = Model::open(bundle);
    const Values c(ny * nx, 0.5), q(ny * nx, 0.125);
    Values c_next(c.size()), q_next(q.size()), c_other(c.size()), q_other(q.size());
    const surrogate::ConstField now[] = {surrogate::field("c", c, {ny, nx}), surrogate::field("q", q, {ny, nx})};
    model.begin({surrogate::field("c", c_next, {ny, nx}), surrogate::field("q", q_next, {ny, nx})}, now);
    while (!model.done()) {
    }
    CHECK(c_next[0] == 0.0);
    CHECK(model.wait() == Outcome::ok);
    CHECK(model.predict({surrogate::field("c", c_other, {ny, nx}), surrogate::field("q", q_other, {ny, nx})}, now) ==
          Outcome::ok);
    CHECK(c_next == c_other && q_next == q_other);
    int status = 0;
    try {
        model.wait();
    } catch (const surrogate::Error &error) {
        status = error.status();
    }
    CHECK(status == SURROGATE_ERROR_ARGUMENT);
}

void by_sums(const std::string &bundle) {
    Model model = Model::open(bundle);
    const Values c(ny * nx, 0.5), q(ny * nx, 0.125);
    Values c_next(c.size()), q_next(q.size()), c_other(c.size()), q_other(q.size());
    const surrogate::ConstField now[] = {surrogate::field("c", c, {ny, nx}), surrogate::field("q", q, {ny, nx})};
    model.begin({surrogate::field("c", c_next, {ny, nx}), surrogate::field("q", q_next, {ny, nx})}, now);
    auto sums = model.partials();
    CHECK(sums.size() == static_cast<std::size_t>(model.info().partial_count) && c_next[0] == 0.0);
    int status = 0;
    try {
        model.finish({1.0});
    } catch (const surrogate::Error &error) {
        status = error.status();
    }
    CHECK(status == SURROGATE_ERROR_ARGUMENT); // and the call is still under way
    CHECK(model.finish(sums) == Outcome::ok);
    CHECK(model.predict({surrogate::field("c", c_other, {ny, nx}), surrogate::field("q", q_other, {ny, nx})}, now) ==
          Outcome::ok);
    CHECK(c_next == c_other && q_next == q_other);
}

} // namespace

int main(int argc, char **argv) {
    CHECK(argc == 3);
    ensembles(argv[1]);
    beside(argv[2]);
    by_sums(argv[2]);
    std::puts("all held");
}
