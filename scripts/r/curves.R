# Reference values for outcomes/curves: Rscript scripts/r/curves.R > tests/reference/curves.json
suppressPackageStartupMessages({
  library(survival)
  library(cmprsk)
  library(jsonlite)
})

curve <- function(time, event, entry = NULL, weights = NULL) {
  response <- if (is.null(entry)) Surv(time, event) else Surv(entry, time, event)
  fits <- lapply(c("log-log", "plain"), function(type) {
    if (is.null(weights)) survfit(response ~ 1, conf.type = type)
    else survfit(response ~ 1, conf.type = type, weights = weights, robust = TRUE)
  })
  fit <- fits[[1]]
  list(
    data = list(time = time, event = event, entry = entry, weights = weights),
    time = fit$time, n_risk = fit$n.risk, n_event = fit$n.event, survival = fit$surv,
    standard_error = if (fit$logse) fit$std.err * fit$surv else fit$std.err,
    log_log = list(lower = fit$lower, upper = fit$upper),
    plain = list(lower = fits[[2]]$lower, upper = fits[[2]]$upper),
    quartiles = list(
      value = unname(quantile(fit, c(.25, .5, .75))$quantile),
      lower = unname(quantile(fit, c(.25, .5, .75))$lower),
      upper = unname(quantile(fit, c(.25, .5, .75))$upper)
    )
  )
}

with_restricted_mean <- function(entry, horizons) {
  fit <- survfit(Surv(entry$data$time, entry$data$event) ~ 1)
  tables <- lapply(horizons, function(h) summary(fit, rmean = h)$table)
  entry$restricted_mean <- list(
    horizon = horizons,
    value = sapply(tables, function(t) unname(t["rmean"])),
    standard_error = sapply(tables, function(t) unname(t["se(rmean)"]))
  )
  entry
}

competing <- function(time, code, horizons) {
  causes <- sort(unique(code[code > 0]))
  state <- factor(code, 0:max(code))
  id <- seq_along(time)
  fit <- survfit(Surv(time, state) ~ 1, id = id, conf.type = "log-log", influence = TRUE)
  gray <- cuminc(time, code, cencode = 0)
  grid <- fit$time
  list(
    data = list(time = time, event = code),
    time = fit$time,
    incidence = lapply(causes, function(k) fit$pstate[, k + 1]),
    standard_error = lapply(causes, function(k) fit$std.err[, k + 1]),
    lower = lapply(causes, function(k) fit$lower[, k + 1]),
    upper = lapply(causes, function(k) fit$upper[, k + 1]),
    aalen_variance = lapply(causes, function(k) timepoints(gray, grid)$var[k, ]),
    # Area under each influence function: the infinitesimal jackknife of the time lost.
    time_lost = lapply(horizons, function(h) {
      inside <- which(fit$time < h)
      width <- diff(c(fit$time[inside], h))
      influence <- fit$influence.pstate
      influence <- influence[, dim(influence)[2] - length(fit$time) + inside, , drop = FALSE]
      list(
        horizon = h,
        value = sapply(causes, function(k) sum(width * fit$pstate[inside, k + 1])),
        standard_error = sapply(causes, function(k) {
          sqrt(sum((influence[, , k + 1] %*% width)^2))
        })
      )
    })
  )
}

logrank <- function(time, event, group, stratum = NULL) {
  fit <- if (is.null(stratum)) survdiff(Surv(time, event) ~ group)
    else survdiff(Surv(time, event) ~ group + strata(stratum))
  total <- function(x) if (is.matrix(x)) rowSums(x) else x
  list(
    data = list(time = time, event = event, group = group, strata = stratum),
    statistic = fit$chisq, df = length(fit$n) - 1,
    p = pchisq(fit$chisq, length(fit$n) - 1, lower.tail = FALSE),
    observed = total(fit$obs), expected = total(fit$exp), variance = fit$var
  )
}

gray <- function(time, code, group, stratum = NULL) {
  fit <- if (is.null(stratum)) cuminc(time, code, group, cencode = 0)
    else cuminc(time, code, group, stratum, cencode = 0)
  list(
    data = list(time = time, event = code, group = group, strata = stratum),
    causes = as.integer(rownames(fit$Tests)),
    statistic = unname(fit$Tests[, "stat"]), p = unname(fit$Tests[, "pv"]),
    df = unname(fit$Tests[, "df"])
  )
}

lung2 <- survival::cancer
lung_event <- lung2$status - 1
vet <- survival::veteran
mgus <- survival::mgus2
mgus_time <- with(mgus, ifelse(pstat == 0, futime, ptime))
mgus_code <- with(mgus, ifelse(pstat == 0, 2 * death, 1))
few <- seq(1, nrow(mgus), by = 4)
pbc2 <- survival::pbc
pbc_months <- pbc2$time / 30.4375
age_group <- cut(mgus$age, c(0, 60, 70, 80, 120), labels = FALSE)
vet_entry <- with(vet, ifelse(time > 10, (seq_along(time) %% 5), 0))
vet_weight <- 0.5 + (seq_along(vet$time) %% 4) / 2

result <- list(
  made_by = "scripts/r/curves.R",
  versions = list(R = R.version.string, survival = as.character(packageVersion("survival")),
                  cmprsk = as.character(packageVersion("cmprsk"))),
  tolerance = list(curves = 1e-10, gray = 1e-6),
  kaplan_meier = list(
    lung = with_restricted_mean(curve(lung2$time, lung_event), c(180, 365, 730, 1000)),
    veteran_squamous = with_restricted_mean(
      with(subset(vet, celltype == "squamous"), curve(time, status)), c(100, 365, 900)),
    veteran_smallcell = with_restricted_mean(
      with(subset(vet, celltype == "smallcell"), curve(time, status)), c(30, 100, 390)),
    veteran_delayed = curve(vet$time, vet$status, entry = vet_entry),
    veteran_weighted = curve(vet$time, vet$status, weights = vet_weight)
  ),
  aalen_johansen = list(
    mgus2 = competing(mgus_time[few], mgus_code[few], c(60, 120, 240)),
    pbc = competing(pbc_months, pbc2$status, c(24, 60, 120))
  ),
  log_rank = list(
    lung_sex = logrank(lung2$time, lung_event, lung2$sex),
    veteran_celltype = logrank(vet$time, vet$status, as.integer(vet$celltype)),
    veteran_stratified = logrank(vet$time, vet$status, vet$trt, as.integer(vet$celltype))
  ),
  gray = list(
    mgus2_sex = gray(mgus_time, mgus_code, as.integer(mgus$sex)),
    mgus2_age = gray(mgus_time, mgus_code, age_group),
    mgus2_sex_by_age = gray(mgus_time, mgus_code, as.integer(mgus$sex), age_group),
    pbc_stage = with(subset(pbc2, !is.na(stage)), gray(time, status, stage))
  )
)
cat(toJSON(result, digits = NA, auto_unbox = TRUE, na = "null", null = "null", pretty = FALSE))
cat("\n")
