# Reference values for the models, from R's survival and riskRegression.
# Run from the root of the project: Rscript scripts/r/models.R

suppressPackageStartupMessages({
  library(survival)
  library(riskRegression)
  library(prodlim)
  library(cmprsk)
  library(geepack)
  library(jsonlite)
})

cox_reference <- function(name, data, time, event, covariates, strata, new, months, stratum) {
  terms <- covariates
  if (!is.null(strata)) terms <- c(terms, sprintf("strata(%s)", strata))
  formula <- as.formula(sprintf("Surv(%s, %s) ~ %s", time, event, paste(terms, collapse = " + ")))
  fit <- coxph(formula, data = data, ties = "efron", control = coxph.control(eps = 1e-11, toler.chol = 1e-13))
  if (!is.null(strata)) new[[strata]] <- stratum
  curve <- survfit(fit, newdata = new, stype = 2, ctype = 1, conf.type = "log-log")
  at <- summary(curve, times = months, extend = TRUE)
  matrix_of <- function(x) matrix(x, ncol = nrow(new), nrow = length(months))
  list(
    name = name,
    data = data[c(time, event, covariates, strata)],
    time = time, event = event, covariates = covariates, strata = strata, stratum = stratum,
    coefficients = unname(coef(fit)),
    standard_errors = unname(sqrt(diag(vcov(fit)))),
    log_likelihood = fit$loglik[2],
    proportional_hazards = unname(cox.zph(fit, terms = FALSE, global = FALSE)$table[, "chisq"]),
    new = new[covariates],
    months = months,
    survival = t(matrix_of(at$surv)),
    standard_error = t(matrix_of(at$std.err)),
    lower = t(matrix_of(at$lower)),
    upper = t(matrix_of(at$upper))
  )
}

lung2 <- na.omit(survival::lung[c("time", "status", "age", "sex", "ph.ecog")])
names(lung2)[5] <- "ecog"
lung2$time <- lung2$time / 30.4375
lung2$status <- lung2$status - 1
tied <- lung2
tied$time <- ceiling(tied$time)
veteran2 <- survival::veteran
veteran2$celltype <- as.character(veteran2$celltype)
veteran2$trt <- veteran2$trt - 1
veteran2$time <- veteran2$time / 30.4375

cox <- list(
  cox_reference("lung", lung2, "time", "status", c("age", "sex", "ecog"), NULL,
                data.frame(age = c(50, 74), sex = c(1, 2), ecog = c(0, 2)), c(3, 6, 12, 24), NULL),
  cox_reference("lung, tied times", tied, "time", "status", c("age", "sex", "ecog"), NULL,
                data.frame(age = c(50, 74), sex = c(1, 2), ecog = c(0, 2)), c(3, 6, 12, 24), NULL),
  cox_reference("veteran, stratified", veteran2, "time", "status", c("trt", "karno", "age"),
                "celltype", data.frame(trt = c(0, 1), karno = c(40, 90), age = c(60, 45)),
                c(1, 2, 4, 8), "squamous")
)

# Competing risks: Melanoma of the riskRegression package; 1 = death from melanoma, 2 = other.
data(Melanoma, package = "riskRegression")
melanoma <- data.frame(
  # Distinct times: packages differ in the order of events and censorings at one time.
  time = (Melanoma$time + seq_along(Melanoma$time) / 1000) / 30.4375,
  status = Melanoma$status,
  thickness = Melanoma$thick,
  male = as.numeric(Melanoma$sex == "Male"),
  ulcer = as.numeric(Melanoma$ulcer == "present")
)
csc <- CSC(Hist(time, status) ~ thickness + male + ulcer, data = melanoma, surv.type = "hazard")
months <- c(24, 48, 72)
absolute <- predictRisk(csc, newdata = melanoma[1:5, ], times = months, cause = 1, product.limit = FALSE)
causes <- lapply(1:2, function(k) {
  fit <- coxph(Surv(time, status == k) ~ thickness + male + ulcer, data = melanoma,
               control = coxph.control(eps = 1e-11, toler.chol = 1e-13))
  list(coefficients = unname(coef(fit)), standard_errors = unname(sqrt(diag(vcov(fit)))))
})

# A fixed risk, so that only the scores are compared.
marker <- 0.1 * melanoma$thickness + 0.6 * melanoma$ulcer + 0.2 * melanoma$male
risk <- sapply(months, function(t) 1 - exp(-0.0025 * t * exp(marker - 1)))
colnames(risk) <- months
score <- suppressWarnings(Score(
  list(marker = risk), formula = Hist(time, status) ~ 1, data = melanoma, cause = 1, times = months,
  metrics = c("AUC", "Brier"), cens.method = "ipcw", cens.model = "km", se.fit = FALSE,
  null.model = TRUE, conservative = TRUE
))
auc <- score$AUC$score
brier <- score$Brier$score
pseudo <- jackknife(prodlim(Hist(time, status) ~ 1, data = melanoma), times = 48, cause = 1)[, 1]
cll <- log(-log(1 - risk[, "48"]))
geese_fit <- function(formula) {
  frame <- data.frame(pseudo = pseudo, cll = cll, id = seq_along(pseudo))
  geese(formula, data = frame, id = id, scale.fix = TRUE, family = gaussian,
        mean.link = "cloglog", corstr = "independence", jack = FALSE)$beta
}
calibration <- list(
  intercept = unname(geese_fit(pseudo ~ offset(cll))[1]),
  slope = unname(1 + geese_fit(pseudo ~ offset(cll) + cll)[2])
)
# Whole numbers, so that a tie is a tie on every machine.
lung_marker <- lung2$age + 15 * lung2$ecog - 12 * lung2$sex
concordance_lung <- concordance(Surv(time, status) ~ lung_marker, data = lung2, reverse = TRUE)

value <- list(
  made_by = "scripts/r/models.R",
  versions = list(
    R = as.character(getRversion()),
    survival = as.character(packageVersion("survival")),
    riskRegression = as.character(packageVersion("riskRegression")),
    prodlim = as.character(packageVersion("prodlim")),
    geepack = as.character(packageVersion("geepack"))
  ),
  tolerance = 1e-6,
  cox = cox,
  competing = list(
    data = melanoma,
    months = months,
    causes = causes,
    incidence = unname(absolute),
    risk = unname(risk),
    auc = auc$AUC[auc$model == "marker"],
    brier = brier$Brier[brier$model == "marker"],
    null_brier = brier$Brier[brier$model == "Null model"],
    pseudo_month = 48,
    pseudo = pseudo,
    calibration = calibration
  ),
  concordance = list(marker = lung_marker, value = unname(concordance_lung$concordance))
)
write_json(value, "tests/reference/models.json", digits = 12, auto_unbox = TRUE,
           dataframe = "columns", null = "null", pretty = FALSE)
