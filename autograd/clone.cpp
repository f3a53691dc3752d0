#include <autograd/clone.hpp>

namespace xtape::detail {
namespace {

thread_local CloneScope* innermost = nullptr;

}  // namespace

CloneScope::CloneScope() : outer_(std::exchange(innermost, this)) {}

CloneScope::~CloneScope() {
  for (auto& [original, pair] : replacements_) original->being_cloned = false;
  innermost = outer_;
}

CloneScope* CloneScope::current() { return innermost; }

void CloneScope::replace(const Variable& original, Variable replacement) {
  VariableImpl* impl = original.impl();
  auto [place, is_new] = replacements_.try_emplace(impl);
  if (!is_new) return;
  place->second = {original, std::move(replacement)};
  impl->being_cloned = true;
}

VariableImpl* CloneScope::find(VariableImpl* original) const {
  auto found = replacements_.find(original);
  return found == replacements_.end() ? original : found->second.second.impl();
}

VariableImpl* clone_of(VariableImpl* impl) {
  CloneScope* scope = CloneScope::current();
  return scope ? scope->find(impl) : impl;
}

}  // namespace xtape::detail
