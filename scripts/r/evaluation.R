# Reference values for evaluation, from R's survival, riskRegression and prodlim.
# Run from the root of the project: Rscript scripts/r/evaluation.R

suppressPackageStartupMessages({
  library(survival)
  library(riskRegression)
  library(prodlim)
  library(jsonlite)
})

# Concordance -------------------------------------------------------------------------------------

concordance_case <- function(name, data, time, event, score, timewt = "n", weights = NULL,
                             strata = NULL, ymax = NULL) {
  y <- Surv(data[[time]], data[[event]])
  x <- data[[score]]
  formula <- if (is.null(strata)) y ~ x else y ~ x + strata(data[[strata]])
  arguments <- list(formula, reverse = TRUE, timewt = timewt, timefix = FALSE)
  if (!is.null(weights)) arguments$weights <- weights
  if (!is.null(ymax)) arguments$ymax <- ymax
  fit <- do.call(concordance, arguments)
  count <- if (is.matrix(fit$count)) colSums(fit$count) else fit$count
  list(name = name, time = data[[time]], event = data[[event]], score = x,
       weights = weights, groups = if (is.null(strata)) NULL else as.character(data[[strata]]),
       timewt = timewt, ymax = ymax, counts = unname(count[1:3]),
       value = unname(fit$concordance), standard_error = sqrt(unname(fit$var)))
}

lung2 <- na.omit(survival::lung[c("time", "status", "age", "sex", "ph.ecog", "ph.karno")])
lung2$event <- lung2$status - 1
lung2$months <- ceiling(lung2$time / 30.4375)
lung2$marker <- lung2$age + 15 * lung2$ph.ecog - 12 * lung2$sex
veteran2 <- survival::veteran
veteran2$risk <- -veteran2$karno
veteran2$celltype <- as.character(veteran2$celltype)
pbc2 <- survival::pbc[c("time", "status", "bili", "edema", "sex")]
pbc2$event <- as.integer(pbc2$status == 2)
pbc2$sex <- as.character(pbc2$sex)
repeats <- function(n) rep_len(c(1, 2, 1, 3, 2), n)
uneven <- function(n) rep_len(c(0.5, 1.25, 2, 0.8), n)

concordances <- list(
  concordance_case("lung", lung2, "time", "event", "marker"),
  concordance_case("lung, tied times", lung2, "months", "event", "marker"),
  concordance_case("lung, weighted", lung2, "time", "event", "marker", weights = uneven(nrow(lung2))),
  concordance_case("lung, tied, Uno", lung2, "months", "event", "marker", "n/G2"),
  concordance_case("lung, tied, Uno to 18", lung2, "months", "event", "marker", "n/G2", ymax = 18),
  concordance_case("lung, tied, Uno, weighted", lung2, "months", "event", "marker", "n/G2",
                   weights = repeats(nrow(lung2))),
  concordance_case("lung to a year", lung2, "time", "event", "age", ymax = 365),
  concordance_case("veteran", veteran2, "time", "status", "risk"),
  concordance_case("veteran, stratified", veteran2, "time", "status", "risk", strata = "celltype"),
  concordance_case("veteran, Uno", veteran2, "time", "status", "risk", "n/G2"),
  concordance_case("veteran, Uno, stratified", veteran2, "time", "status", "risk", "n/G2",
                   strata = "celltype"),
  concordance_case("pbc", pbc2, "time", "event", "bili"),
  concordance_case("pbc, stratified, weighted", pbc2, "time", "event", "bili", strata = "sex",
                   weights = uneven(nrow(pbc2))),
  concordance_case("pbc, tied scores, Uno", pbc2, "time", "event", "edema", "n/G2")
)

# Scores of predicted risks ------------------------------------------------------------------------

score_case <- function(name, data, time, status, risk, months, conservative) {
  frame <- data.frame(time = data[[time]], status = data[[status]])
  colnames(risk) <- months
  fit <- suppressWarnings(Score(
    list(model = risk), formula = Hist(time, status) ~ 1, data = frame, cause = 1, times = months,
    metrics = c("AUC", "Brier"), summary = c("ipa", "ibs"), cens.method = "ipcw", cens.model = "km",
    se.fit = TRUE, null.model = TRUE, conservative = conservative, contrasts = TRUE
  ))
  brier <- as.data.frame(fit$Brier$score)
  auc <- as.data.frame(fit$AUC$score)
  contrast <- as.data.frame(fit$Brier$contrasts)
  of <- function(model, column) brier[as.character(brier$model) == model, column]
  list(name = name, time = frame$time, event = frame$status, risk = unname(risk), months = months,
       conservative = conservative,
       brier = of("model", "Brier"), brier_se = of("model", "se"), ibs = of("model", "IBS"),
       null_brier = of("Null model", "Brier"), null_se = of("Null model", "se"),
       ipa = of("model", "IPA"), auc = auc$AUC, auc_se = auc$se,
       difference = contrast$delta.Brier, difference_se = contrast$se)
}

hazard_risk <- function(score, rate, months) sapply(months, function(t) 1 - exp(-rate * t * exp(score)))
lung_risk <- hazard_risk((lung2$marker - 60) / 40, 0.0014, c(90, 180, 365, 540))
veteran_risk <- hazard_risk((60 - veteran2$karno) / 30, 0.006, c(30, 90, 180))
pbc3 <- na.omit(survival::pbc[c("time", "status", "bili", "age")])
pbc3$event <- c(0, 2, 1)[pbc3$status + 1]
pbc_risk <- hazard_risk(log(pbc3$bili) * 0.9 + (pbc3$age - 50) / 40, 7e-5, c(730, 1825, 2920))
data(Melanoma, package = "riskRegression")
melanoma_risk <- hazard_risk(0.1 * Melanoma$thick + 0.6 * (Melanoma$ulcer == "present") - 1, 8e-5,
                             c(730, 1460, 2190))
scores <- list()
for (conservative in c(FALSE, TRUE)) {
  scores <- c(scores, list(
    score_case("lung", lung2, "time", "event", lung_risk, c(90, 180, 365, 540), conservative),
    score_case("veteran", veteran2, "time", "status", veteran_risk, c(30, 90, 180), conservative),
    score_case("pbc, death and transplant", pbc3, "time", "event", pbc_risk, c(730, 1825, 2920),
               conservative),
    score_case("Melanoma", Melanoma, "time", "status", melanoma_risk, c(730, 1460, 2190), conservative)
  ))
}

# Net benefit: Kaplan-Meier or Aalen-Johansen among those with a risk of at least the threshold -----

net_benefit <- function(time, status, risk, month, thresholds, competing) {
  sapply(thresholds, function(threshold) {
    treated <- risk >= threshold
    if (!any(treated)) return(0)
    if (competing) {
      fit <- survfit(Surv(time[treated], factor(status[treated], 0:2)) ~ 1)
      happens <- summary(fit, times = month, extend = TRUE)$pstate[2]
    } else {
      fit <- survfit(Surv(time[treated], status[treated]) ~ 1)
      happens <- 1 - summary(fit, times = month, extend = TRUE)$surv
    }
    mean(treated) * (happens - (1 - happens) * threshold / (1 - threshold))
  })
}
thresholds <- c(0.05, 0.1, 0.2, 0.3, 0.4)
decisions <- list(
  list(case = 1, month = 365, column = 3, thresholds = thresholds, net_benefit =
         net_benefit(lung2$time, lung2$event, lung_risk[, 3], 365, thresholds, FALSE)),
  list(case = 3, month = 1825, column = 2, thresholds = thresholds, net_benefit =
         net_benefit(pbc3$time, pbc3$event, pbc_risk[, 2], 1825, thresholds, TRUE)),
  list(case = 4, month = 1460, column = 2, thresholds = thresholds, net_benefit =
         net_benefit(Melanoma$time, Melanoma$status, melanoma_risk[, 2], 1460, thresholds, TRUE))
)

# Calibration curve: pseudo-values on a restricted cubic spline, both on the log(-log) scale --------

calibration_case <- function(case, data, risk, month, column, competing) {
  fit <- prodlim(Hist(time, event) ~ 1, data = data)
  pseudo <- if (competing) jackknife(fit, times = month, cause = 1)[, 1] else
    1 - jackknife(fit, times = month)[, 1]
  cll <- log(-log(1 - risk))
  basis <- Hmisc::rcspline.eval(cll, nk = 4, inclx = TRUE)
  frame <- data.frame(pseudo = pseudo, id = seq_along(pseudo))
  model <- geepack::geese(pseudo ~ basis, data = frame, id = id, scale.fix = TRUE, family = gaussian,
                          mean.link = "cloglog", corstr = "independence", jack = FALSE,
                          control = geepack::geese.control(epsilon = 1e-10, maxit = 100))
  columns <- cbind(1, basis)
  eta <- as.vector(columns %*% model$beta)
  observed <- 1 - exp(-exp(eta))
  distance <- abs(observed - risk)
  list(case = case, column = column, month = month, observed = observed,
       error = sqrt(rowSums((columns %*% model$vbeta) * columns)), ici = mean(distance),
       e50 = median(distance), e90 = unname(quantile(distance, 0.9)))
}
curves <- list(
  calibration_case(1, lung2[c("time", "event")], lung_risk[, 3], 365, 3, FALSE),
  calibration_case(3, pbc3[c("time", "event")], pbc_risk[, 2], 1825, 2, TRUE)
)

value <- list(
  made_by = "scripts/r/evaluation.R",
  versions = list(
    R = as.character(getRversion()),
    survival = as.character(packageVersion("survival")),
    riskRegression = as.character(packageVersion("riskRegression")),
    prodlim = as.character(packageVersion("prodlim")),
    geepack = as.character(packageVersion("geepack")),
    Hmisc = as.character(packageVersion("Hmisc"))
  ),
  tolerance = list(concordance = 1e-9, scores = 1e-7, standard_errors = 1e-6, net_benefit = 1e-9,
                   calibration = 1e-6),
  concordance = concordances,
  scores = scores,
  decisions = decisions,
  calibration = curves
)
write_json(value, "tests/reference/evaluation.json", digits = 12, auto_unbox = TRUE,
           dataframe = "columns", null = "null", pretty = FALSE)
