# Reference values for outcomes/comparison: Rscript scripts/r/comparison.R > tests/reference/comparison.json
suppressPackageStartupMessages({
  library(survival)
  library(jsonlite)
})

# The default stops some 1e-6 short of the maximum.
exact <- coxph.control(eps = 1e-11)

hazard_ratio <- function(fit, name) {
  row <- summary(fit)$coefficients[name, ]
  list(log_hr = unname(row["coef"]), se = unname(row["se(coef)"]), p = unname(row["Pr(>|z|)"]))
}

# Overall survival of R's lung cancer trial: women against men, series = performance status 0, 1, 2+.
lung <- survival::cancer
lung <- lung[complete.cases(lung[, c("age", "ph.karno", "ph.ecog")]), ]
months <- lung$time / 30.4375
death <- lung$status - 1
woman <- lung$sex == 2
series <- pmin(lung$ph.ecog, 2)
arm <- function(keep, horizons) {
  fit <- survfit(Surv(months[keep], death[keep]) ~ 1, conf.type = "log-log")
  at <- summary(fit, times = horizons)
  tables <- lapply(horizons, function(h) summary(fit, rmean = h)$table)
  list(risk = 1 - at$surv, se = at$std.err, lower = 1 - at$upper, upper = 1 - at$lower,
       restricted_mean = sapply(tables, function(t) unname(t["rmean"])),
       restricted_mean_se = sapply(tables, function(t) unname(t["se(rmean)"])))
}
landmark <- 42 / 30.4375
later <- months > landmark
landmark_arm <- function(keep, horizons) {
  fit <- survfit(Surv(months[keep & later], death[keep & later]) ~ 1)
  at <- summary(fit, times = horizons)
  list(risk = 1 - at$surv, se = at$std.err)
}
model <- Surv(months, death) ~ woman + lung$age + lung$ph.karno + strata(series)
overall <- list(
  data = list(os_months = months, death = death, sbrt = woman, age = lung$age,
              ph_karno = lung$ph.karno, study = paste0("series-", series)),
  horizons = c(12, 24),
  treated = arm(woman, c(12, 24)), control = arm(!woman, c(12, 24)),
  log_rank = survdiff(Surv(months, death) ~ woman)$chisq,
  log_rank_stratified = survdiff(Surv(months, death) ~ woman + strata(series))$chisq,
  cox_unadjusted = hazard_ratio(coxph(Surv(months, death) ~ woman + strata(series), control = exact), "womanTRUE"),
  cox_adjusted = hazard_ratio(coxph(model, control = exact), "womanTRUE"),
  landmark = list(
    treated = landmark_arm(woman, c(12, 24)), control = landmark_arm(!woman, c(12, 24)),
    cox_adjusted = hazard_ratio(coxph(model, subset = later, control = exact), "womanTRUE")
  )
)

# Competing events: plasma cell malignancy with death competing, women against men.
mgus <- survival::mgus2[seq(1, nrow(survival::mgus2), by = 2), ]
mgus <- mgus[complete.cases(mgus[, c("age", "mspike")]), ]
time <- with(mgus, ifelse(pstat == 0, futime, ptime)) + 0.0
code <- with(mgus, ifelse(pstat == 0, 2 * death, 1))
woman <- mgus$sex == "F"
competing_arm <- function(keep, horizons) {
  fit <- survfit(Surv(time[keep], factor(code[keep], 0:2)) ~ 1, id = seq_len(sum(keep)),
                 conf.type = "log-log")
  at <- summary(fit, times = horizons)
  naive <- summary(survfit(Surv(time[keep], code[keep] == 1) ~ 1), times = horizons)
  list(risk = at$pstate[, 2], se = at$std.err[, 2], lower = at$lower[, 2], upper = at$upper[, 2],
       naive_risk = 1 - naive$surv, naive_se = naive$std.err)
}
specific <- Surv(time, code == 1)
local <- list(
  data = list(lp_months = time, lp_event = code, sbrt = woman, age = mgus$age, mspike = mgus$mspike),
  horizons = c(60, 120),
  treated = competing_arm(woman, c(60, 120)), control = competing_arm(!woman, c(60, 120)),
  cox_unadjusted = hazard_ratio(coxph(specific ~ woman, control = exact), "womanTRUE"),
  cox_adjusted = hazard_ratio(coxph(specific ~ woman + mgus$age + mgus$mspike, control = exact), "womanTRUE")
)

result <- list(
  made_by = "scripts/r/comparison.R",
  versions = list(R = R.version.string, survival = as.character(packageVersion("survival"))),
  tolerance = list(curves = 1e-10, cox = 1e-6),
  overall_survival = overall,
  local_control = local
)
cat(toJSON(result, digits = NA, auto_unbox = TRUE, na = "null", null = "null", pretty = FALSE))
cat("\n")
