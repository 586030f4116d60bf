# Reference values for outcomes/causal: Rscript scripts/r/causal.R > tests/reference/causal.json
suppressPackageStartupMessages({
  library(survival)
  library(riskRegression)
  library(timereg)
  library(data.table)
  library(jsonlite)
})
exact <- coxph.control(eps = 1e-11)
horizons <- c(6, 12, 18)

# Two arms by choice, two covariates, two series, a competing event, censoring; no ties.
set.seed(7)
n <- 300
x1 <- rnorm(n)
x2 <- rbinom(n, 1, .4)
series <- rbinom(n, 1, .5)
a <- rbinom(n, 1, plogis(-.4 + .6 * x1 - .5 * x2))
t1 <- rexp(n, .05 * exp(.4 * x1 - .8 * a + .3 * series))
t2 <- rexp(n, .06 * exp(.5 * x2 - .3 * a + .2 * x1))
end <- runif(n, 2, 40)
time <- pmin(t1, t2, end)
status <- ifelse(time == end, 0, ifelse(time == t1, 1, 2))
data <- data.frame(time, status, dead = as.numeric(status > 0), a = factor(a), x1, x2, series)

arms <- function(table, kind) {
  found <- table[type == kind]
  list(estimate = found$estimate, se = found$se)
}
average <- function(...) {
  table <- as.data.table(ate(..., data = data, times = horizons, verbose = FALSE))
  mean <- table[type == "meanRisk"]
  list(control = list(estimate = mean[level == "0"]$estimate, se = mean[level == "0"]$se),
       treated = list(estimate = mean[level == "1"]$estimate, se = mean[level == "1"]$se),
       difference = arms(table, "diffRisk"), ratio = arms(table, "ratioRisk"))
}

# Overall survival.
outcome <- coxph(Surv(time, dead) ~ a + x1 + x2, data = data, x = TRUE, y = TRUE, control = exact)
stratified <- coxph(Surv(time, dead) ~ a + x1 + x2 + strata(series), data = data, x = TRUE, y = TRUE,
                    control = exact)
treatment <- glm(a ~ x1 + x2, data = data, family = binomial, control = glm.control(epsilon = 1e-14))
censoring <- coxph(Surv(time, dead == 0) ~ strata(a), data = data, x = TRUE, y = TRUE)
survival <- list(
  g_formula = average(outcome, treatment = "a"),
  g_formula_stratified = average(stratified, treatment = "a"),
  doubly_robust = average(outcome, treatment = treatment, censor = censoring, estimator = "AIPTW",
                          known.nuisance = TRUE)
)

# Local control: code 1 with code 2 competing.
causes <- CSC(Hist(time, status) ~ a + x1 + x2, data = data, control = exact)
ended <- coxph(Surv(time, status == 0) ~ strata(a), data = data, x = TRUE, y = TRUE)
competing <- list(
  g_formula = average(causes, treatment = "a", cause = 1),
  doubly_robust = average(causes, treatment = treatment, censor = ended, cause = 1,
                          estimator = "AIPTW", known.nuisance = TRUE)
)
# The same standardised by survival's multi-state model, whose probabilities sum to one.
data$id <- seq_len(n)
data$state <- factor(data$status, 0:2)
multi <- coxph(Surv(time, state) ~ a + x1 + x2, data = data, id = id, control = exact)
standardised <- function(level) {
  everyone <- transform(data, a = factor(level, levels = 0:1))
  curves <- survfit(multi, newdata = everyone)
  found <- summary(curves, times = horizons)$pstate
  apply(found[, , 2], 1, mean)
}
competing$multi_state <- list(control = standardised(0), treated = standardised(1))

# Weighted curves: estimates and robust errors for known weights.
score <- fitted(treatment)
weights <- ifelse(a == 1, 1 / score, 1 / (1 - score))
curve <- function(fit, column) {
  at <- summary(fit, times = horizons)
  rows <- function(level) at$strata == paste0("a=", level)
  pick <- function(values) if (is.null(column)) values else values[, column]
  estimate <- if (is.null(column)) 1 - at$surv else at$pstate[, column]
  list(control = list(estimate = estimate[rows(0)], se = pick(at$std.err)[rows(0)]),
       treated = list(estimate = estimate[rows(1)], se = pick(at$std.err)[rows(1)]))
}
survival$weighted <- curve(survfit(Surv(time, dead) ~ a, data = data, weights = weights,
                                   robust = TRUE, id = id), NULL)
competing$weighted <- curve(survfit(Surv(time, state) ~ a, data = data, weights = weights,
                                    robust = TRUE, id = id), 2)
stabilised <- weights * ifelse(a == 1, mean(a), 1 - mean(a))
marginal <- coxph(Surv(time, dead) ~ a, data = data, weights = stabilised, robust = TRUE,
                  control = exact)
survival$weighted_hazard_ratio <- list(log_hr = unname(coef(marginal)),
                                       se = sqrt(marginal$var[1, 1]))
# timereg's direct binomial regression: the same risks by weighting for censoring instead.
direct <- lapply(0:1, function(level) {
  rows <- data$a == level
  fit <- comp.risk(Event(time, status) ~ +1, data = data[rows, ], cause = 1, times = horizons,
                   weights = weights[rows], n.sim = 0, model = "additive")
  unname(1 - exp(-fit$cum[, 2]))
})
competing$direct <- list(control = direct[[1]], treated = direct[[2]])

# Treatment as it comes: begins at a month of its own.
begins <- ifelse(a == 1, runif(n, .2, 1.5), Inf)
begun <- begins < time
rows <- rbind(
  data.frame(id = data$id, entry = 0, exit = ifelse(begun, begins, time),
             event = ifelse(begun, 0, data$dead), on = 0, x1, x2),
  data.frame(id = data$id, entry = begins, exit = time, event = data$dead, on = 1, x1, x2)[begun, ])
switching <- coxph(Surv(entry, exit, event) ~ x1 + x2 + on, data = rows, cluster = id, control = exact)

result <- list(
  made_by = "scripts/r/causal.R",
  versions = list(R = R.version.string, survival = as.character(packageVersion("survival")),
                  riskRegression = as.character(packageVersion("riskRegression")),
                  timereg = as.character(packageVersion("timereg"))),
  # Product limits instead of exponentials in riskRegression's competing risks, and weights for
  # censoring instead of risk sets in timereg, differ by what such samples leave open.
  tolerance = list(exact = 1e-7, product_limit = 3e-3, censoring_weights = 1e-2),
  data = list(time = time, status = status, treated = a, x1 = x1, x2 = x2, series = series,
              start = ifelse(is.finite(begins), begins, -1)),
  horizons = horizons, survival = survival, competing = competing,
  time_dependent = list(log_hr = unname(coef(switching)["on"]), se = sqrt(switching$var[3, 3]))
)
cat(toJSON(result, digits = NA, auto_unbox = TRUE, na = "null", null = "null", pretty = FALSE))
cat("\n")
