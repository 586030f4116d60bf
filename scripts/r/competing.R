# Reference values for competing risks: Rscript scripts/r/competing.R > tests/reference/competing.json
suppressPackageStartupMessages({
  library(survival)
  library(cmprsk)
  library(jsonlite)
})

fine_gray <- function(time, event, x, cause = 1, group = NULL, horizons) {
  censoring <- if (is.null(group)) rep(1, length(time)) else group
  fit <- crr(time, event, x, failcode = cause, cengroup = censoring, gtol = 1e-14, maxiter = 100)
  patients <- x[c(1, 5, 9), , drop = FALSE]
  curves <- predict(fit, patients)
  at <- sapply(horizons, function(h) sum(curves[, 1] <= h))
  list(
    data = list(time = time, event = event, x = unname(x), cause = cause, group = group),
    names = colnames(x), coefficients = unname(fit$coef), variance = unname(fit$var),
    information_inverse = unname(fit$invinf), score = unname(fit$score),
    log_likelihood = fit$loglik, log_likelihood_null = fit$loglik.null,
    event_times = fit$uftime, increments = fit$bfitj, residuals = unname(fit$res),
    patients = unname(patients), horizons = horizons,
    incidence = t(unname(rbind(0, curves)[at + 1, -1, drop = FALSE]))
  )
}

# crr has no strata; finegray's expanded data have the same likelihood.
stratified <- function(time, event, x, stratum) {
  data <- data.frame(time = time, state = factor(event, 0:2), x, stratum = stratum,
                     id = seq_along(time))
  long <- finegray(Surv(time, state) ~ . + strata(stratum), data = data, etype = "1", id = id)
  long$stratum <- stratum[match(long$id, data$id)]
  right <- paste(c(colnames(x), "strata(stratum)"), collapse = " + ")
  fit <- coxph(as.formula(paste("Surv(fgstart, fgstop, fgstatus) ~", right)), data = long,
               weights = fgwt, ties = "breslow",
               control = coxph.control(eps = 1e-12, toler.chol = 1e-13, iter.max = 100))
  list(data = list(time = time, event = event, x = unname(x), strata = stratum),
       coefficients = unname(coef(fit)),
       information_inverse = unname(if (is.null(fit$naive.var)) fit$var else fit$naive.var),
       log_likelihood = fit$loglik[2])
}

# A patient of weight 2 is two patients.
replicated <- function(time, event, x, weight) {
  rows <- rep(seq_along(time), weight)
  fit <- fine_gray(time[rows], event[rows], x[rows, ], horizons = c(3, 12))
  fit$data <- list(time = time, event = event, x = unname(x), weights = weight)
  fit[c("data", "coefficients", "information_inverse", "log_likelihood", "event_times",
        "increments")]
}

cumulative <- function(time, event, months) {
  fit <- cuminc(time, event, cencode = 0)
  values <- timepoints(fit, months)
  list(data = list(time = time, event = event), months = months,
       incidence = unname(values$est), variance = unname(values$var))
}

limits <- function(time, event) {
  types <- c("log-log", "log", "logit", "arcsin", "plain")
  fits <- lapply(types, function(type) survfit(Surv(time, event) ~ 1, conf.type = type))
  list(data = list(time = time, event = event), time = fits[[1]]$time,
       lower = setNames(lapply(fits, function(fit) fit$lower), types),
       upper = setNames(lapply(fits, function(fit) fit$upper), types))
}

gray <- function(time, event, group, stratum = NULL, rho = 0) {
  fit <- if (is.null(stratum)) cuminc(time, event, group, rho = rho, cencode = 0)
    else cuminc(time, event, group, stratum, rho = rho, cencode = 0)
  list(data = list(time = time, event = event, group = group, strata = stratum), rho = rho,
       causes = as.integer(rownames(fit$Tests)), statistic = unname(fit$Tests[, "stat"]),
       p = unname(fit$Tests[, "pv"]), df = unname(fit$Tests[, "df"]))
}

melanoma <- MASS::Melanoma
melanoma_time <- melanoma$time / 30.4375
melanoma_code <- c(1, 0, 2)[melanoma$status]
melanoma_x <- as.matrix(melanoma[, c("sex", "age", "thickness", "ulcer")])

mgus <- subset(survival::mgus2, !is.na(hgb) & !is.na(mspike))
mgus_time <- with(mgus, ifelse(pstat == 0, futime, ptime))
mgus_code <- with(mgus, ifelse(pstat == 0, 2 * death, 1))
mgus_x <- cbind(age = mgus$age, male = as.numeric(mgus$sex == "M"), hgb = mgus$hgb,
                mspike = mgus$mspike)

pbc2 <- subset(survival::pbc, !is.na(protime))
pbc_time <- pbc2$time / 30.4375
pbc_code <- c(0, 2, 1)[pbc2$status + 1]
pbc_x <- cbind(age = pbc2$age, edema = pbc2$edema, log_bili = log(pbc2$bili),
               log_albumin = log(pbc2$albumin), log_protime = log(pbc2$protime))

# Times in whole months tie events of both kinds with each other and with censoring.
lung2 <- subset(survival::lung, !is.na(ph.ecog))
lung_time <- ceiling(lung2$time / 30.4375)
lung_code <- ifelse(lung2$status == 1, 0, 1 + (seq_along(lung2$time) %% 3 == 0))
lung_x <- cbind(age = lung2$age, sex = lung2$sex, ecog = lung2$ph.ecog)
lung_weight <- 1 + seq_along(lung_time) %% 3
# finegray takes censoring to come after tied events in G as well, crr and we do not: no such ties.
apart_time <- lung_time + 0.25 * (lung_code == 0)
lung_stratum <- as.integer(lung2$sex)

result <- list(
  made_by = "scripts/r/competing.R",
  versions = list(R = R.version.string, survival = as.character(packageVersion("survival")),
                  cmprsk = as.character(packageVersion("cmprsk"))),
  tolerance = list(fine_gray = 1e-9, cuminc = 1e-10, gray = 1e-8),
  fine_gray = list(
    melanoma = fine_gray(melanoma_time, melanoma_code, melanoma_x, horizons = c(12, 36, 60, 120)),
    melanoma_other = fine_gray(melanoma_time, melanoma_code, melanoma_x, cause = 2,
                               horizons = c(36, 60, 120)),
    mgus2 = fine_gray(mgus_time, mgus_code, mgus_x, horizons = c(12, 60, 120, 240)),
    mgus2_groups = fine_gray(mgus_time, mgus_code, mgus_x, group = mgus_x[, "male"] + 1,
                             horizons = c(12, 60, 120, 240)),
    pbc = fine_gray(pbc_time, pbc_code, pbc_x, horizons = c(12, 36, 60, 120)),
    lung_tied = fine_gray(lung_time, lung_code, lung_x, horizons = c(3, 6, 12, 24)),
    lung_tied_groups = fine_gray(lung_time, lung_code, lung_x, group = lung_stratum,
                                 horizons = c(3, 6, 12, 24))
  ),
  stratified = stratified(apart_time, lung_code, lung_x[, -2], lung_stratum),
  replicated = replicated(lung_time, lung_code, lung_x, lung_weight),
  cuminc = list(
    melanoma = cumulative(melanoma_time, melanoma_code, c(12, 36, 60, 120)),
    mgus2 = cumulative(mgus_time, mgus_code, c(12, 60, 120, 240)),
    lung_tied = cumulative(lung_time, lung_code, c(3, 6, 12, 24))
  ),
  limits = limits(lung2$time, lung2$status - 1),
  gray = list(
    melanoma_ulcer = gray(melanoma_time, melanoma_code, melanoma$ulcer),
    melanoma_ulcer_rho = gray(melanoma_time, melanoma_code, melanoma$ulcer, rho = 1),
    melanoma_ulcer_by_sex_rho = gray(melanoma_time, melanoma_code, melanoma$ulcer, melanoma$sex,
                                     rho = -0.5),
    mgus2_age_rho = gray(mgus_time, mgus_code, findInterval(mgus$age, c(60, 70, 80)), rho = 1),
    mgus2_age_by_sex = gray(mgus_time, mgus_code, findInterval(mgus$age, c(60, 70, 80)),
                            mgus_x[, "male"]),
    lung_tied_ecog_rho = gray(lung_time, lung_code, lung2$ph.ecog > 0, lung_stratum, rho = 2),
    lung_tied_ecog = gray(lung_time, lung_code, lung2$ph.ecog > 0)
  )
)
cat(toJSON(result, digits = NA, auto_unbox = TRUE, na = "null", null = "null", pretty = FALSE))
cat("\n")
