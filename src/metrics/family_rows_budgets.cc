// Rows: budgets and rate limits of keys, teams, users, organisations and projects.
#include "metrics/family_rows.h"

namespace gw::metrics {

using enum FamilyId;

namespace {

// compat: LiteLLM's help of the team's hours says "days"; the value is hours for all.
void AppendBudgetOf(std::vector<FamilyRow>& rows, const std::string& owner,
                    const std::string& labels, std::string_view priority, FamilyId remaining) {
  rows.push_back(Gauge(remaining, {"litellm_remaining_" + owner + "_budget_metric", labels,
                                   priority,
                                   "Budget left in US dollars; +Inf when there is no limit"}));
  rows.push_back(NameOnly(Type::kGauge, Buckets::kNone,
                          {"litellm_" + owner + "_max_budget_metric", labels, priority,
                           "Configured budget in US dollars"}));
  rows.push_back(NameOnly(Type::kGauge, Buckets::kNone,
                          {"litellm_" + owner + "_budget_remaining_hours_metric", labels,
                           priority, "Hours until the budget is reset"}));
}

void AppendRateLimitOf(std::vector<FamilyRow>& rows, const std::string& owner,
                       const std::string& labels, std::string_view priority) {
  rows.push_back(NameOnly(Type::kGauge, Buckets::kNone,
                          {"litellm_" + owner + "_rate_limit_allowed_metric", labels, priority,
                           "Requests or tokens allowed in the current window"}));
  rows.push_back(NameOnly(Type::kGauge, Buckets::kNone,
                          {"litellm_" + owner + "_rate_limit_used_metric", labels, priority,
                           "Requests or tokens used in the current window"}));
}

}  // namespace

void AppendBudgetRows(std::vector<FamilyRow>& rows) {
  AppendBudgetOf(rows, "team", "T", "P1", kNone);
  rows.push_back(NameOnly(Type::kGauge, Buckets::kNone,
                          {"litellm_team_members_metric", "T", "P2", "Members of the team"}));
  AppendBudgetOf(rows, "org", "O", "P2", kNone);
  AppendBudgetOf(rows, "api_key", "K", "P1", kRemainingKeyBudget);
  AppendBudgetOf(rows, "user", "user", "P1", kRemainingUserBudget);
  AppendBudgetOf(rows, "customer", "end_user", "P2", kNone);
  rows.push_back(Gauge(kKeyRequestsForModel,
                       {"litellm_remaining_api_key_requests_for_model", "K model model_id", "P1",
                        "Requests the key may still make for the model group in this minute; "
                        "9.2e+18 when unlimited"}));
  rows.push_back(Gauge(kKeyTokensForModel,
                       {"litellm_remaining_api_key_tokens_for_model", "K model model_id", "P1",
                        "Tokens the key may still use for the model group in this minute; "
                        "9.2e+18 when unlimited"}));
  AppendRateLimitOf(rows, "api_key", "K rate_limit_type", "P1");
  AppendRateLimitOf(rows, "team", "T rate_limit_type", "P2");
  AppendRateLimitOf(rows, "project_model",
                    "project_id project_alias requested_model rate_limit_type", "P2");
}

}  // namespace gw::metrics
