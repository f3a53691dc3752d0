#include <autograd/to_dot.hpp>

#include <sstream>
#include <unordered_map>

#include <autograd/tape.hpp>

namespace xtape {
namespace {

// As a quoted string of the language.
std::string string_literal(const std::string& text) {
  std::string result = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    if (c == '\n') result += "\\n";
    else result += c;
  }
  return result + "\"";
}

std::string type_text(DType dtype, const Shape& shape) {
  return std::string(to_string(dtype)) + " " + to_string(shape);
}

class Drawing {
 public:
  explicit Drawing(const std::vector<std::pair<std::string, Variable>>& names) {
    for (const auto& [name, x] : names)
      if (x.defined() && x.impl()->node) names_[x.impl()->node.get()] = name;
  }

  // Numbers a node, and declares it, when it is met first.
  std::size_t number_of(Node* node) {
    auto [place, is_new] = numbers_.try_emplace(node, numbers_.size());
    if (is_new) {
      declare(node, place->second);
      open_.push_back(node);
    }
    return place->second;
  }

  std::string draw(const Variable& y) {
    std::size_t last = number_of(y.impl()->node.get());
    while (!open_.empty()) {
      Node* node = open_.back();
      open_.pop_back();
      std::size_t to = numbers_.at(node);
      for (const Edge& edge : node->edges())
        if (edge.node) connect(number_of(edge.node.get()), to, edge);
    }
    lines_ << "  result [label=" << string_literal("result\n" + type_text(y.dtype(), y.shape())) << ", shape=ellipse];\n"
           << "  n" << last << " -> result;\n";
    return "digraph {\n  node [fontname=\"sans-serif\", fontsize=10];\n" + lines_.str() + "}\n";
  }

 private:
  void declare(Node* node, std::size_t number) {
    lines_ << "  n" << number << " [";
    auto name = names_.find(node);
    if (node->is_leaf()) {
      std::string label = name == names_.end() ? "" : name->second + "\n";
      lines_ << "label=" << string_literal(label + leaf_text(*node)) << ", shape=ellipse, style=filled, fillcolor="
             << (name == names_.end() ? "white" : "lightblue");
    } else {
      if (node->released()) throw GraphError(std::string("to_dot: the graph was released (at ") + node->name() +
                                             "); draw it before backward, or walk with {.retain_graph = true}");
      std::string label = node->name(), attributes = to_string(node->operation()->attributes());
      if (name != names_.end()) label += " " + name->second;
      if (!attributes.empty()) label += " " + attributes;
      for (std::uint32_t i = 0; i < node->outputs(); ++i)
        label += "\n" + type_text(node->result_type(i).dtype, node->result_type(i).shape());
      lines_ << "label=" << string_literal(label) << ", shape=box, style=filled, fillcolor=lightgray";
    }
    lines_ << "];\n";
  }

  static std::string leaf_text(Node& node) {
    std::scoped_lock lock(node.attached()->mutex);
    if (node.attached()->owners.empty()) return "gone";
    const Array& value = node.attached()->owners[0]->value;
    return type_text(value.dtype(), value.shape());
  }

  void connect(std::size_t from, std::size_t to, const Edge& edge) {
    lines_ << "  n" << from << " -> n" << to;
    if (edge.node->outputs() > 1) lines_ << " [label=" << edge.output << "]";
    lines_ << ";\n";
  }

  std::unordered_map<Node*, std::string> names_;
  std::unordered_map<Node*, std::size_t> numbers_;
  std::vector<Node*> open_;
  std::ostringstream lines_;
};

}  // namespace

std::string to_dot(const Variable& y, const std::vector<std::pair<std::string, Variable>>& names) {
  if (!y.defined() || !y.requires_grad())
    throw GraphError("to_dot: nothing that leads to the Variable was recorded: it needs no gradient");
  return Drawing(names).draw(y);
}

}  // namespace xtape
