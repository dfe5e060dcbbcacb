#pragma once
// Every command of the program, by the room it works on. main.cpp adds `serve`.

#include "gateway/cli/command.hpp"

namespace gateway::cli {

std::vector<Command> house_commands();     ///< init, db
std::vector<Command> certs_commands();     ///< certs
std::vector<Command> clinic_commands();    ///< clinic, settings
std::vector<Command> patient_commands();   ///< patient, document
std::vector<Command> partner_commands();   ///< partner
std::vector<Command> policy_commands();        ///< policy set, clear, show, rules, decide
std::vector<Command> case_commands();          ///< policy cases
std::vector<Command> simulate_commands();      ///< policy simulate
std::vector<Command> break_glass_commands();   ///< policy breakglass, review
std::vector<Command> consent_commands();       ///< consent give, revoke, show, history
std::vector<Command> consent_file_commands();  ///< consent import, export
std::vector<Command> hie_consent_commands();   ///< consent hie-…
std::vector<Command> audit_commands();     ///< audit
std::vector<Command> disclosure_commands();  ///< disclosures
std::vector<Command> direct_commands();    ///< direct

}  // namespace gateway::cli
