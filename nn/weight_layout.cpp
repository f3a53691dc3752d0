#include <nn/weight_layout.hpp>

#include <algorithm>
#include <array>

#include <nn/linear.hpp>

namespace xtape::nn {

// Of recurrent layers and attention, by what the names begin with.
static constexpr std::array<std::string_view, 6> matrices{"weight_ih",     "weight_hh",     "in_proj_weight",
                                                          "q_proj_weight", "k_proj_weight", "v_proj_weight"};

bool detail::has_inputs_as_rows(const Module& module, std::string_view name) {
  if (dynamic_cast<const Dense*>(&module)) return name == "weight";
  return std::any_of(matrices.begin(), matrices.end(),
                     [&](std::string_view start) { return name.starts_with(start); });
}

}  // namespace xtape::nn
