// What the handles to a module share. For nn's own use.
#pragma once

#include <nn/module.hpp>

namespace xtape::nn {

using NamedVariables = std::vector<std::pair<std::string, Variable>>;

struct Module::State {
  struct Lazy {
    Variable x;   // without elements until it is materialized
    Shape known;  // its extents, 0 for those that are not known before
  };
  NamedVariables parameters, buffers;
  NamedVariables computed;     // were parameters, and are computed from others now
  std::vector<Lazy> lazy;      // parameters that were added without knowing all extents
  std::vector<std::pair<std::string, std::shared_ptr<Module>>> children;
  bool training = true;
  Copier copier = nullptr;  // null while no call that knew the class has passed
};

}  // namespace xtape::nn
