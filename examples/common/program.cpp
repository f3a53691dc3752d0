#include <examples/common/program.hpp>

#include <algorithm>
#include <exception>
#include <iostream>
#include <sstream>

#include <unistd.h>

#include <autograd/communicator.hpp>
#include <autograd/error.hpp>
#include <autograd/random.hpp>
#include <autograd/threads.hpp>
#include <examples/common/interrupt.hpp>

namespace example {

constexpr int exit_interrupted = 130;  // as a shell reports Ctrl-C

Program::Program(std::string name, const std::string& description)
    : name_(std::move(name)), app_(description, "./examples/run " + name_), out_(name_ + "-results") {
  app_.add_option("--seed", seed_, "of the random numbers")->capture_default_str();
  app_.add_option("--threads", threads_, "0: one for each core")->capture_default_str()->check(CLI::NonNegativeNumber);
  app_.add_flag("--quick", quick_, "a run of seconds, to see that it works");
  app_.add_option("--out", out_, "the folder for pictures, plots and numbers")->capture_default_str();
}

int Program::run(int argc, char** argv, const std::function<void()>& body) try {
  try {
    app_.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app_.exit(error);
  }
  xtape::seed(seed_);
  // Of several processes, one speaks.
  if (!xtape::Communicator::world().is_main()) std::cout.setstate(std::ios::failbit);
  if (threads_ > 0) xtape::set_num_threads(threads_);
  note_interrupts();
  body();
  return interrupted() ? exit_interrupted : 0;
} catch (const std::exception& error) {
  std::cerr << name_ << ": " << error.what() << '\n';
  return 1;
}

std::filesystem::path Program::file(const std::string& name) const {
  std::error_code error;
  std::filesystem::create_directories(out_, error);
  if (error) throw xtape::FileError(out_.string() + ": " + error.message());
  return out_ / name;
}

std::string Program::values(const std::vector<std::string>& options) const {
  std::string text;
  for (const std::string& name : options) text += name + ' ' + app_.get_option(name)->as<std::string>() + '\n';
  return text;
}

void Program::go_on_with(const std::string& values) {
  std::istringstream in(values);
  for (std::string name, value; in >> name && std::getline(in >> std::ws, value);) {
    CLI::Option* option = app_.get_option(name);
    // As the variable has it: "0.001", also where the command line says "1e-3".
    auto held = [&] { return option->capture_default_str()->get_default_str(); };
    const bool given = option->count() > 0;
    const std::string before = held();
    option->clear();
    option->add_result(value)->run_callback();
    if (given && held() != before)
      throw xtape::ValueError(name + ' ' + before + ": contradicts the checkpoint, which was trained with " + value +
                              "; leave it out to go on with that");
  }
}

void Program::result(const std::string& name, double value, int digits) const {
  std::cout << name << ": " << xtape::nn::fixed(value, digits) << std::endl;
}

Progress::Progress(std::string head, std::size_t steps, std::size_t done)
    : head_(std::move(head)), steps_(steps), before_(done), next_(done),
      line_(xtape::Communicator::world().is_main() ? STDOUT_FILENO : -1) {}

bool Progress::next() {
  if (next_ >= steps_ || interrupted()) {
    line_.clear();
    return false;
  }
  ++next_;
  return true;
}

void Progress::show(const std::string& name, double value) {
  auto found = std::find_if(shown_.begin(), shown_.end(), [&](const auto& each) { return each.first == name; });
  if (found != shown_.end()) found->second = value;
  else shown_.emplace_back(name, value);
  if (!line_.due()) return;
  const double done = static_cast<double>(next_) / static_cast<double>(steps_);
  std::vector<std::string> details;
  for (const auto& [each, number] : shown_) details.push_back(each + " " + xtape::nn::fixed(number, 4));
  const double seconds_a_step = watch_.seconds() / static_cast<double>(next_ - before_);
  details.push_back(xtape::nn::clock_time(seconds_a_step * static_cast<double>(steps_ - next_)) + " left");
  line_.draw({.head = head_, .done = done, .details = std::move(details)});
}

}  // namespace example
