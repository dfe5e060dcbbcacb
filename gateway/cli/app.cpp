#include "gateway/cli/command.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <memory>

namespace gateway::cli {
namespace {

/// Where the values of one command's options are collected while the line is parsed.
struct Bound {
  const Command* command;
  CLI::App* app;
  std::map<std::string, std::string> single;
  std::map<std::string, std::vector<std::string>> many;
  std::map<std::string, bool> switches;
};

std::string plain(std::string_view name) {
  return std::string(name.substr(std::min(name.find_first_not_of('-'), name.size())));
}

CLI::App* group(CLI::App& root, std::string_view path) {
  static const std::map<std::string_view, std::string_view> groups{
      {"certs", "Keys, certificates and trust bundles"},  {"clinic", "The clinics this gateway speaks for"},
      {"settings", "What a clinic's administrator sets"}, {"patient", "Load and look at patients"},
      {"document", "Load, list and show documents"},      {"partner", "The directory of organizations"},
      {"consent", "What patients have chosen"},           {"policy", "Purposes, choices and what they decide"},
      {"audit", "The audit trail and its proof"},         {"db", "The database"},
  };
  for (CLI::App* known : root.get_subcommands({})) {
    if (known->get_name() == path) return known;
  }
  const auto found = groups.find(path);
  CLI::App* added = root.add_subcommand(std::string(path), found == groups.end() ? "" : std::string(found->second));
  added->require_subcommand(1);
  return added;
}

void bind(Bound& bound) {
  for (const Option& option : bound.command->options) {
    const std::string name(option.name), help(option.help);
    if (option.is_switch) {
      bound.app->add_flag(name, bound.switches[plain(name)], help);
      continue;
    }
    CLI::Option* added = option.many ? bound.app->add_option(name, bound.many[plain(name)], help)
                                     : bound.app->add_option(name, bound.single[plain(name)], help);
    added->required(option.required)->type_name("");
    if (option.many && name.starts_with("-")) added->expected(1)->take_all();
  }
  bound.app->footer("Example:\n  gatehouse " + std::string(bound.command->example));
}

Arguments collected(const Bound& bound) {
  Arguments arguments;
  for (const Option& option : bound.command->options) {
    const std::string name = plain(option.name);
    if (bound.app->count(std::string(option.name)) == 0) continue;
    if (const auto one = bound.single.find(name); one != bound.single.end()) arguments.given_[name] = {one->second};
    if (const auto all = bound.many.find(name); all != bound.many.end()) arguments.given_[name] = all->second;
  }
  if (bound.command->json_file && bound.app->count("--json") > 0) arguments.given_["json"] = {bound.single.at("json")};
  for (const auto& [name, on] : bound.switches) {
    if (on) arguments.given_[name] = {"yes"};
  }
  return arguments;
}

int execute(const Bound& bound, bool json, const std::string& config) {
  Arguments arguments = collected(bound);
  arguments.given_["config"] = {config};
  Console console(json);
  const auto failed = [&](const std::string& text, std::string_view reason) {
    if (json) {
      console.show(Fields().text("error", text).text("reason", std::string(reason)));
    } else {
      std::fprintf(stderr, "gatehouse %s: %s\n", std::string(bound.command->path).c_str(), text.c_str());
    }
    return static_cast<int>(Exit::Refused);
  };
  try {
    const auto done = bound.command->run(arguments, console);
    std::fflush(stdout);
    return done ? static_cast<int>(*done) : failed(sentence(done.error()), base::reason_of(done.error()));
  } catch (const std::exception& defect) {
    return failed(std::string("a defect: ") + defect.what(), "defect");
  }
}

}  // namespace

std::string Arguments::text(const std::string& name, std::string otherwise) const {
  const auto found = given_.find(name);
  return found == given_.end() ? std::move(otherwise) : found->second.front();
}

std::vector<std::string> Arguments::list(const std::string& name) const {
  const auto found = given_.find(name);
  return found == given_.end() ? std::vector<std::string>{} : found->second;
}

int run(int argc, char** argv, std::span<const Command> commands) {
  CLI::App root("Gatehouse: a FHIR/IHE interoperability gateway that decides, signs and proves every answer.",
                "gatehouse");
  root.footer(
      "Begin with:\n  gatehouse init /var/lib/gatehouse --home 2.16.840.1.113883.3.1 --name \"My Clinic\"\n"
      "Every command has --help with an example.");
  root.require_subcommand(1);
  root.set_version_flag("--version", "gatehouse " GATEHOUSE_VERSION);
  bool json = false;
  std::string config = "gatehouse.toml";
  std::vector<std::unique_ptr<Bound>> bound;
  for (const Command& command : commands) {
    const auto space = command.path.find(' ');
    CLI::App* parent = space == std::string_view::npos ? &root : group(root, command.path.substr(0, space));
    auto* app = parent->add_subcommand(std::string(command.path.substr(space + 1)), std::string(command.help));
    bound.push_back(std::make_unique<Bound>(Bound{&command, app, {}, {}, {}}));
    bind(*bound.back());
    if (command.json_file) {
      app->add_option("--json", bound.back()->single["json"], "Write JSON to a file, - for standard output")
          ->type_name("FILE");
    } else {
      app->add_flag("--json", json, "Print JSON for programs");
    }
    if (command.needs_config) {
      app->add_option("--config", config, "Configuration file")->envname("GATEHOUSE_CONFIG")->type_name("FILE");
    }
  }
  try {
    root.parse(argc, argv);
  } catch (const CLI::Success& asked) {
    return root.exit(asked);
  } catch (const CLI::ParseError& error) {
    root.exit(error);
    return static_cast<int>(Exit::BadUsage);
  }
  for (const auto& one : bound) {
    if (one->app->parsed()) return execute(*one, json || one->single["json"] == "-", config);
  }
  return static_cast<int>(Exit::BadUsage);
}

}  // namespace gateway::cli
