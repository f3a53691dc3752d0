#include <nn/callbacks/callback.hpp>

#include <algorithm>

namespace xtape::nn {

bool Scores::contains(const std::string& name) const {
  return std::ranges::any_of(entries_, [&](const auto& entry) { return entry.first == name; });
}

double Scores::operator[](const std::string& name) const {
  for (const auto& [own, value] : entries_)
    if (own == name) return value;
  throw ValueError("no score is named \"" + name + "\"; there are " + names());
}

std::string Scores::names() const {
  std::string list;
  for (const auto& [name, value] : entries_) list += (list.empty() ? "" : ", ") + name;
  return list;
}

CallbackHandle::CallbackHandle(std::shared_ptr<Callback> callback) : callback_(std::move(callback)) {
  if (!callback_) throw ValueError("CallbackHandle: the callback is a null pointer");
}

}  // namespace xtape::nn
