// Making independent copies of objects that hold Variables as members.
#pragma once

#include <unordered_map>

#include <autograd/variable.hpp>

namespace xtape::detail {

/// While one of these lives, a copy of a replaced Variable, made by this thread, is a handle to its replacement.
/// So the copy constructor of any class that holds Variables makes an independent copy: what nn::clone builds on.
class CloneScope {
 public:
  CloneScope();
  ~CloneScope();
  CloneScope(const CloneScope&) = delete;
  CloneScope& operator=(const CloneScope&) = delete;

  void replace(const Variable& original, Variable replacement);
  VariableImpl* find(VariableImpl* original) const;
  static CloneScope* current();

 private:
  std::unordered_map<VariableImpl*, std::pair<Variable, Variable>> replacements_;  // the original and the replacement
  CloneScope* outer_;
};

}  // namespace xtape::detail
