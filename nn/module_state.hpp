// What the handles to a module share. For nn's own use.
#pragma once

#include <nn/module.hpp>

namespace xtape::nn {

using NamedVariables = std::vector<std::pair<std::string, Variable>>;

struct Module::State {
  NamedVariables parameters, buffers;
  NamedVariables computed;     // were parameters, and are computed from others now
  std::vector<Variable> lazy;  // parameters of which some extents were not known; until they are, without elements
  std::vector<std::pair<std::string, std::shared_ptr<Module>>> children;
  bool training = true;
  Copier copier = nullptr;  // null while no call that knew the class has passed
};

}  // namespace xtape::nn
