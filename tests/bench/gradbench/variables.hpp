// Evaluations whose functions are written for Variables.
#pragma once

#include <vector>

#include <autograd/variable.hpp>

#include "evaluation.hpp"

namespace gradbench {

/// The elements of all, in this order.
inline Vector elements(const std::vector<xtape::Variable>& xs) {
  Vector result;
  for (const xtape::Variable& x : xs) result.insert(result.end(), x.data<double>(), x.data<double>() + x.size());
  return result;
}

}  // namespace gradbench
