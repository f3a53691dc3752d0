#include <examples/common/process.hpp>

#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <autograd/error.hpp>

extern char** environ;

namespace example {
namespace {

struct FileActions {
  posix_spawn_file_actions_t actions;
  FileActions() { posix_spawn_file_actions_init(&actions); }
  ~FileActions() { posix_spawn_file_actions_destroy(&actions); }
};

pid_t spawn(std::vector<std::string>& arguments, std::FILE* input, int output) {
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  FileActions files;
  if (input) posix_spawn_file_actions_adddup2(&files.actions, fileno(input), STDIN_FILENO);
  else posix_spawn_file_actions_addopen(&files.actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&files.actions, output, STDOUT_FILENO);
  pid_t process = 0;
  int error = posix_spawnp(&process, argv[0], &files.actions, nullptr, argv.data(), environ);
  if (error != 0) throw xtape::Error(arguments[0] + ": cannot be started: " + std::strerror(error));
  return process;
}

std::string read_all(int descriptor, std::size_t limit) {
  std::string result;
  std::array<char, 64 << 10> chunk;
  while (result.size() <= limit) {
    ssize_t count = read(descriptor, chunk.data(), chunk.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    result.append(chunk.data(), static_cast<std::size_t>(count));
  }
  return result;
}

int wait_for(pid_t process) {
  int status = 0;
  while (waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

ProcessResult run(std::vector<std::string> arguments, std::FILE* input, std::size_t output_limit) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw xtape::Error(arguments[0] + ": no pipe: " + std::strerror(errno));
  pid_t process = 0;
  try {
    process = spawn(arguments, input, ends[1]);
  } catch (...) {
    close(ends[0]);
    close(ends[1]);
    throw;
  }
  close(ends[1]);
  std::string output = read_all(ends[0], output_limit);
  close(ends[0]);
  return {wait_for(process), std::move(output)};
}

}  // namespace example
