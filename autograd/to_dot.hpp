// Pictures of the graph.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <autograd/variable.hpp>

namespace xtape {

/// The graph behind y in the language of Graphviz: `dot -Tsvg` draws it. Data flows down, from the Variables that need
/// a gradient (ellipses, the named ones, as a module's `named_parameters()`, filled) through the operations (boxes,
/// with their attributes, and the dtype and shape of their results) to y. What needs no gradient does not stand in it.
/// @throws GraphError when nothing was recorded that leads to y, or the graph was released.
std::string to_dot(const Variable& y, const std::vector<std::pair<std::string, Variable>>& names = {});

}  // namespace xtape
