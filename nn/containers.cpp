#include <nn/containers.hpp>

#include <algorithm>
#include <span>

#include <autograd/ops/elementwise.hpp>
#include <nn/checks.hpp>
#include <nn/convolution_block.hpp>

namespace xtape::nn {

Lambda::Lambda(Function function, std::string label) : function_(std::move(function)), label_(std::move(label)) {
  if (!function_) throw ValueError("Lambda: the function is empty");
}

Variable Lambda::forward(const Variable& x) { return function_(x); }

std::shared_ptr<Module> detail::Modules::operator[](std::size_t i) const {
  if (i >= size())
    throw ValueError(name() + ": layer " + std::to_string(i) + " of " + std::to_string(size()) + ": out of range");
  return children()[i].second;
}

Variable Sequential::forward(const Variable& x) {
  Variable y = x;
  for (std::span<const detail::NamedLayer> rest = children(); !rest.empty();) {
    const detail::ConvolutionBlock block(rest, y);
    y = block(y);
    rest = rest.subspan(block.layers());
  }
  return y;
}

bool ModuleDict::contains(const std::string& name) const {
  return std::any_of(children().begin(), children().end(), [&](const auto& entry) { return entry.first == name; });
}

std::vector<std::string> ModuleDict::names() const {
  std::vector<std::string> result;
  for (const auto& [name, module] : children()) result.push_back(name);
  return result;
}

std::shared_ptr<Module> ModuleDict::operator[](const std::string& name) const {
  std::string known;
  for (const auto& [other, module] : children()) {
    if (other == name) return module;
    known += (known.empty() ? "" : ", ") + other;
  }
  throw ValueError("ModuleDict: there is no \"" + name + "\"; there are: " + (known.empty() ? "none" : known));
}

Residual::Residual(std::initializer_list<detail::Layer> parts) {
  if (auto* other = parts.size() == 1 ? parts.begin()->as<Residual>() : nullptr) {
    *this = *other;
    return;
  }
  if (parts.size() == 0 || parts.size() > 2)
    throw ValueError("Residual: got " + std::to_string(parts.size()) + " modules, needs a body, and a shortcut or none");
  for (const detail::Layer& part : parts) add(children().empty() ? "body" : "shortcut", part.module());
}

Variable Residual::forward(const Variable& x) {
  Variable y = (*children()[0].second)(x), straight = children().size() > 1 ? (*children()[1].second)(x) : x;
  if (!straight.defined() || !y.defined() || straight.shape() != y.shape())
    throw ShapeError("Residual: the body gives " + describe(y) + " for an input " + describe(x) +
                     (children().size() > 1 ? ", the shortcut " + describe(straight) : "") +
                     ": needs one shape, which a shortcut can give");
  return straight + y;
}

}  // namespace xtape::nn
