// What an opened model says of itself, as dicts with the names of surrogate/facts.py.
#pragma once

#include "calling.hpp"
#include "states.hpp"

#include <pybind11/pybind11.h>

namespace native {

pybind11::dict info_facts(surrogate_model *model);
pybind11::list field_facts(surrogate_model *model);
pybind11::list parameter_facts(surrogate_model *model);
pybind11::dict statistics_facts(surrogate_model *model);

// What rejections of one process and of many have in common; `Rejection`: surrogate_rejection and its like.
template <class Rejection>
pybind11::dict rejection_facts(surrogate_model *model, const StateForm &form, const Rejection &rejection) {
    auto info = sized<surrogate_info>();
    check(surrogate_get_info(model, &info));
    const auto field = static_cast<std::size_t>(rejection.field);
    const bool named = rejection.field >= 0 && field < form.channels().size();
    using namespace pybind11::literals;
    return pybind11::dict("reason"_a = surrogate_reason_name(rejection.reason),
                          "field"_a = named ? pybind11::object(pybind11::str(form.channels()[field].name))
                                            : pybind11::object(pybind11::none()),
                          "component"_a = rejection.component, "cell"_a = axes(rejection.cell, info.spatial_rank),
                          "value"_a = rejection.value, "lower"_a = rejection.lower, "upper"_a = rejection.upper);
}

} // namespace native
