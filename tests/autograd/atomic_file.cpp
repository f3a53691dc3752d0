// Files that are there as a whole or not at all, and the temporary files of those who are killed while they write one.
#include <atomic>
#include <csignal>
#include <thread>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <autograd/atomic_file.hpp>
#include <tests/nn/support.hpp>

using namespace xtape;
using xtape::testing::content;
using xtape::testing::put;
using xtape::testing::TemporaryDirectory;
namespace fs = std::filesystem;

namespace {

// The files whose names begin so, but for the one of that name.
std::vector<fs::path> temporaries(const fs::path& path) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(path.parent_path()))
    if (entry.path().filename().string().starts_with(path.filename().string() + ".tmp-")) found.push_back(entry.path());
  return found;
}

// A process that begins to write a file, and goes on only when it is told to.
class Writer {
 public:
  explicit Writer(const fs::path& path) {
    BOOST_REQUIRE(::pipe(to_child_) == 0);
    BOOST_REQUIRE(::pipe(from_child_) == 0);
    child_ = ::fork();
    BOOST_REQUIRE(child_ >= 0);
    if (child_ == 0) ::_exit(write(path));
    char begun = 0;
    BOOST_REQUIRE(::read(from_child_[0], &begun, 1) == 1);
  }
  ~Writer() {
    for (int end : {to_child_[0], to_child_[1], from_child_[0], from_child_[1]}) ::close(end);
  }

  void kill() {
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
  }
  // Lets it end, and returns whether it succeeded.
  bool finish() {
    int status = 1;
    return ::write(to_child_[1], "x", 1) == 1 && ::waitpid(child_, &status, 0) == child_ && status == 0;
  }
  pid_t process() const { return child_; }

 private:
  int write(const fs::path& path) const {
    try {
      AtomicFile file(path);
      file.write("of a child");
      char go_on = 0;
      if (::write(from_child_[1], "x", 1) != 1 || ::read(to_child_[0], &go_on, 1) != 1) return 1;
      file.commit();
      return 0;
    } catch (...) {
      return 2;
    }
  }

  int to_child_[2], from_child_[2];
  pid_t child_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(atomic_file)

BOOST_AUTO_TEST_CASE(the_next_save_removes_what_a_killed_process_left) {
  TemporaryDirectory directory;
  for (int kill = 0; kill < 3; ++kill) {
    Writer writer(directory / "x");
    writer.kill();
  }
  BOOST_REQUIRE(temporaries(directory / "x").size() == 1);  // each removed that of the one before
  write_file_atomically(directory / "y", "other");          // of another name
  BOOST_TEST(temporaries(directory / "x").size() == 1);
  write_file_atomically(directory / "x", "new");
  BOOST_TEST(content(directory / "x") == "new");
  BOOST_TEST(directory.entries() == 2);
}

BOOST_AUTO_TEST_CASE(the_file_of_a_living_process_stays) {
  TemporaryDirectory directory;
  Writer living(directory / "x"), dead(directory / "x");
  std::string process = "-" + std::to_string(living.process()) + "-";
  dead.kill();
  write_file_atomically(directory / "x", "ours");
  auto left = temporaries(directory / "x");
  BOOST_REQUIRE(left.size() == 1);
  BOOST_TEST((left[0].string().find(process) != std::string::npos));  // its name says whose it is
  BOOST_TEST(living.finish());
  BOOST_TEST(content(directory / "x") == "of a child");
  BOOST_TEST(directory.entries() == 1);
}

BOOST_AUTO_TEST_CASE(a_file_of_this_process_stays) {
  TemporaryDirectory directory;
  AtomicFile first(directory / "x"), given_up(directory / "x");
  first.write("first");
  write_file_atomically(directory / "x", "second");
  BOOST_TEST(temporaries(directory / "x").size() == 2);
  first.commit();
  BOOST_TEST(content(directory / "x") == "first");
}

BOOST_AUTO_TEST_CASE(what_is_no_leftover_of_this_host_stays) {
  TemporaryDirectory directory;
  {
    Writer writer(directory / "x");
    writer.kill();
  }
  std::string ours = temporaries(directory / "x").at(0).filename().string();
  std::string prefix = "x.tmp-", behind = ours.substr(ours.find('-', prefix.size()));
  std::vector<std::string> others{prefix + "0badcafe" + behind, prefix + "0badcafe-1-1", ours + ".bak", ours + "-",
                                  ours.substr(0, ours.rfind('-')), ours.substr(0, ours.find('-', prefix.size()) + 1),
                                  "x.tmp-12-3", "xx" + ours.substr(1)};
  for (const std::string& name : others) put(directory / name, "keep");
  fs::create_directory(directory / (ours + "1"));
  BOOST_REQUIRE(::mkfifo((directory / (ours + "2")).c_str(), 0666) == 0);
  fs::create_symlink(directory / others[0], directory / (ours + "3"));
  write_file_atomically(directory / "x", "new");
  BOOST_TEST(!fs::exists(directory / ours));
  for (const std::string& name : others) BOOST_TEST(content(directory / name) == "keep", name);
  for (const char* kind : {"1", "2", "3"}) BOOST_TEST(fs::exists(fs::symlink_status(directory / (ours + kind))));
}

BOOST_AUTO_TEST_CASE(a_leftover_that_may_not_be_written_is_removed) {
  TemporaryDirectory directory;
  put(directory / "x", "old");
  ::chmod((directory / "x").c_str(), 0400);
  Writer writer(directory / "x");
  writer.kill();
  BOOST_REQUIRE(temporaries(directory / "x").size() == 1);
  write_file_atomically(directory / "x", "new");
  BOOST_TEST(directory.entries() == 1);
  struct stat status{};
  ::stat((directory / "x").c_str(), &status);
  BOOST_TEST((status.st_mode & 0777) == 0400u);
}

BOOST_AUTO_TEST_CASE(names_as_long_as_they_may_be) {
  TemporaryDirectory directory;
  std::string letters, accented(1, 'x');
  for (int i = 0; i < 255; ++i) letters += 'a';
  for (int i = 0; i < 127; ++i) accented += "\xc3\xbc";
  for (const std::string& name : {letters, accented}) {
    Writer writer(directory / name);
    writer.kill();
    BOOST_TEST(directory.entries() == 1);
    write_file_atomically(directory / name, name);
    BOOST_TEST(content(directory / name) == name);
    BOOST_TEST(directory.entries() == 1);
    fs::remove(directory / name);
  }
}

// Two processes of two threads each: a file that is just being opened may look like a leftover.
BOOST_AUTO_TEST_CASE(many_writers_of_one_name) {
  TemporaryDirectory directory;
  auto save = [&](const std::string& text) {
    std::atomic<int> failed = 0;
    auto many = [&] {
      for (int i = 0; i < 200; ++i) try {
          write_file_atomically(directory / "x", text);
        } catch (...) {
          ++failed;
        }
    };
    std::thread other(many);
    many();
    other.join();
    return failed.load();
  };
  pid_t child = ::fork();
  BOOST_REQUIRE(child >= 0);
  if (child == 0) ::_exit(save("child") > 0);
  BOOST_TEST(save("parent") == 0);
  int status = 1;
  ::waitpid(child, &status, 0);
  BOOST_TEST(status == 0);
  BOOST_TEST((content(directory / "x") == "child" || content(directory / "x") == "parent"));
  BOOST_TEST(directory.entries() == 1);
}

BOOST_AUTO_TEST_SUITE_END()
