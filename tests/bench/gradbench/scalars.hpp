// Evaluations whose functions are written for scalars.
#pragma once

#include <utility>

#include <autograd/scalar/derivatives.hpp>

#include "evaluation.hpp"

namespace gradbench {

template <class F>
Evaluation of_scalars(std::string name, std::string size, const F& f, const Vector& x) {
  return {std::move(name), std::move(size), [f, x] { return Vector{f(x)}; },
          [f, x] { return xtape::scalar::gradient(f, x); }, adolc_gradient(f, x),
          [f, x] { return by_differences(f, x); }};
}

}  // namespace gradbench
