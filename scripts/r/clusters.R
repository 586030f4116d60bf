# Reference values for rows of patients with several lesions:
# Rscript scripts/r/clusters.R > tests/reference/clusters.json
suppressPackageStartupMessages({
  library(survival)
  library(jsonlite)
})

# The robust score test of a Cox model, at 0, with Breslow's ties: the log-rank test's score.
log_rank <- function(time, event, treated, cluster, strata = NULL) {
  data <- data.frame(time, event, treated = as.numeric(treated), cluster)
  data$strata <- if (is.null(strata)) 1 else strata
  fit <- coxph(Surv(time, event) ~ treated + strata(strata), data, cluster = cluster, ties = "breslow")
  test <- summary(fit)$robscore
  list(time = time, event = event, treated = treated, cluster = cluster, strata = strata,
       statistic = unname(test["test"]), p = unname(test["pvalue"]))
}

# Gray's numerator with case weights, from his definition (Annals of Statistics 1988, 2.2).
gray_score <- function(time, code, treated, weight) {
  at <- sort(unique(time[code == 1]))
  risk <- lapply(c(FALSE, TRUE), function(arm) {
    mine <- treated == arm
    fit <- survfit(Surv(time[mine], factor(code[mine], 0:2)) ~ 1, weights = weight[mine], se.fit = FALSE)
    before <- findInterval(at, fit$time, left.open = TRUE) + 1
    free <- c(1, fit$pstate[, 1])[before]
    own <- c(0, fit$pstate[, 2])[before]
    here <- sapply(at, function(t) sum(weight[mine & time >= t]))
    ifelse(here > 0, here * (1 - own) / free, 0)
  })
  events <- function(keep) sapply(at, function(t) sum(weight[keep & code == 1 & time == t]))
  sum(events(treated) - events(TRUE) * risk[[2]] / (risk[[1]] + risk[[2]]))
}

# What each row adds to the numerator: the score residual at 0 and the effect of its censoring on the
# weights of others, as Fine & Gray (JASA 1999, section 3) give them, by group. Censorings come just
# after the events of their month.
gray_shares <- function(time, code, x) {
  at <- sort(unique(time[code == 1]))
  lost <- sort(unique(time[code == 0]))
  n <- length(time)
  weight <- matrix(0, n, length(at))
  q <- censored <- at_risk <- matrix(0, 2, length(lost))
  for (arm in 0:1) {
    censored[arm + 1, ] <- sapply(lost, function(u) sum(x == arm & code == 0 & time == u))
    at_risk[arm + 1, ] <- sapply(lost, function(u) sum(x == arm & (time > u | (time == u & code == 0))))
  }
  stay <- ifelse(at_risk > 0, 1 - censored / at_risk, 1)
  before <- function(arm, t) prod(stay[arm + 1, lost < t]) * (t <= max(time[x == arm]))
  for (i in 1:n) for (j in seq_along(at)) {
    weight[i, j] <- if (time[i] >= at[j]) 1 else if (code[i] == 2) before(x[i], at[j]) / before(x[i], time[i]) else 0
  }
  mean_x <- colSums(weight * x) / colSums(weight)
  hazard <- sapply(at, function(t) sum(code == 1 & time == t)) / colSums(weight)
  away <- outer(x, mean_x, "-")
  flow <- sweep(weight * away, 2, hazard, "*")
  share <- -rowSums(flow)
  for (i in which(code == 1)) share[i] <- share[i] + away[i, match(time[i], at)]
  for (arm in 0:1) for (k in seq_along(lost)) {
    here <- x == arm & code == 2 & time <= lost[k]
    q[arm + 1, k] <- sum(flow[here, at > lost[k]])
  }
  for (i in 1:n) {
    mine <- x[i] + 1
    there <- (time[i] > lost | (time[i] == lost & code[i] == 0)) & at_risk[mine, ] > 0
    share[i] <- share[i] - sum((q[mine, ] * censored[mine, ] / at_risk[mine, ]^2)[there])
    if (code[i] == 0) share[i] <- share[i] + (q[mine, ] / at_risk[mine, ])[match(time[i], lost)]
  }
  share
}

# Also by the numerator's derivative by each cluster's weight: the same but for terms of order 1/n.
gray <- function(time, code, treated, cluster, strata = rep(1, length(time))) {
  score <- function(weight) {
    sum(sapply(unique(strata), function(s) {
      mine <- strata == s
      gray_score(time[mine], code[mine], treated[mine], weight[mine])
    }))
  }
  step <- 1e-4
  derivatives <- sapply(unique(cluster), function(k) {
    moved <- step * (cluster == k)
    (score(1 + moved) - score(1 - moved)) / (2 * step)
  })
  shares <- numeric(length(time))
  for (s in unique(strata)) {
    mine <- strata == s
    shares[mine] <- gray_shares(time[mine], code[mine], as.numeric(treated[mine]))
  }
  statistic <- sum(shares)^2 / sum(tapply(shares, cluster, sum)^2)
  list(time = time, event = code, treated = treated, cluster = cluster, strata = strata,
       score = score(rep(1, length(time))), statistic_by_weights = sum(derivatives)^2 / sum(derivatives^2),
       statistic = statistic, p = pchisq(statistic, 1, lower.tail = FALSE))
}

# Standard errors of survival and of a cumulative incidence by cluster; log-log bands of survival.
survival_curve <- function(time, event, cluster, months) {
  fit <- survfit(Surv(time, event) ~ 1, cluster = cluster, robust = TRUE, conf.type = "log-log")
  at <- summary(fit, times = months)
  half <- quantile(fit, 0.5)
  list(time = time, event = event, cluster = cluster, months = months, survival = at$surv,
       standard_error = at$std.err, lower = at$lower, upper = at$upper,
       median = c(half$quantile, half$lower, half$upper))
}
# Of several states survfit takes the rows apart whatever the cluster; its influences are summed here.
incidence_curve <- function(time, code, cluster, months) {
  fit <- survfit(Surv(time, factor(code, 0:2)) ~ 1, id = seq_along(time), influence = TRUE)
  shares <- rowsum(fit$influence.pstate[, findInterval(months, fit$time), 2], cluster)
  list(time = time, event = code, cluster = cluster, months = months,
       incidence = summary(fit, times = months)$pstate[, 2], standard_error = sqrt(colSums(shares^2)))
}

# Litters of three rats; eyes of patients, one of the two treated; pairs of patients of like age.
rats <- survival::rats
eyes <- survival::retinopathy
mgus <- survival::mgus2
mgus <- mgus[complete.cases(mgus[, c("age", "mspike")]), ]
mgus <- mgus[order(mgus$age), ][seq(1, nrow(mgus), by = 4), ]
months <- with(mgus, ifelse(pstat == 0, futime, ptime)) + 0.0
code <- with(mgus, ifelse(pstat == 0, 2 * death, 1))
pair <- (seq_along(months) + 1) %/% 2
woman <- mgus$sex == "F"
high <- as.numeric(mgus$mspike > 1.2)

result <- list(
  made_by = "scripts/r/clusters.R",
  versions = list(R = R.version.string, survival = as.character(packageVersion("survival"))),
  tolerance = list(log_rank = 1e-10, gray = 1e-9, gray_by_weights = 0.02, curves = 1e-10),
  log_rank = list(
    rats = with(rats, log_rank(time, status, rx == 1, litter)),
    rats_by_sex = with(rats, log_rank(time, status, rx == 1, litter, as.character(sex))),
    eyes = with(eyes, log_rank(futime, status, trt == 1, id)),
    eyes_by_type = with(eyes, log_rank(futime, status, trt == 1, id, as.character(type)))
  ),
  gray = list(pairs = gray(months, code, woman, pair), pairs_stratified = gray(months, code, woman, pair, high)),
  survival = list(
    rats = with(rats[rats$rx == 0, ], survival_curve(time, status, litter, c(50, 80, 100, 104))),
    eyes = with(eyes[eyes$trt == 0, ], survival_curve(futime, status, (id + 1) %/% 60, c(5, 20, 40, 60))),
    pairs = survival_curve(months, code > 0, pair, c(12, 60, 120, 240))
  ),
  incidence = list(pairs = incidence_curve(months, code, pair, c(12, 60, 120, 240)))
)
cat(toJSON(result, digits = NA, auto_unbox = TRUE, na = "null", null = "null", pretty = FALSE))
cat("\n")
