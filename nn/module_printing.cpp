#include <algorithm>
#include <ostream>

#include <nn/module.hpp>

namespace xtape::nn {
namespace {

std::string with_thousands(std::size_t count) {
  std::string text = std::to_string(count);
  for (std::size_t i = text.size(); i > 3;) text.insert(i -= 3, ",");
  return text;
}

struct Line {
  std::string text, count;
};

// The number of parameters, where there are any and it is known.
std::string count_of(const Module& module) {
  if (!module.materialized()) return "not yet materialized";
  std::size_t count = module.parameter_count();
  return count > 0 ? with_thousands(count) : "";
}

void add_lines(const Module& module, const std::string& label, std::size_t depth, std::vector<Line>& lines) {
  std::string description = module.description();
  std::string text = std::string(2 * depth, ' ') + label + module.name();
  if (!description.empty()) text += "(" + description + ")";
  lines.push_back({text, count_of(module)});
  for (const auto& [name, child] : module.children()) add_lines(*child, name + ": ", depth + 1, lines);
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const Module& module) {
  std::vector<Line> lines;
  add_lines(module, "", 0, lines);
  std::size_t width = 0, count_width = 0;
  for (const Line& line : lines) {
    width = std::max(width, line.text.size());
    count_width = std::max(count_width, line.count.size());
  }
  for (const auto& [text, count] : lines) {
    out << text;
    if (!count.empty()) out << std::string(width - text.size() + 2 + count_width - count.size(), ' ') << count;
    out << '\n';
  }
  return out << "total: " << (lines[0].count.empty() ? "0" : lines[0].count)
             << (module.materialized() ? " parameters\n" : "\n");
}

}  // namespace xtape::nn
