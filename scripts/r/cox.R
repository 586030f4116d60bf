# Reference values for the Cox engine, from R's survival.
# Run from the root of the project: Rscript scripts/r/cox.R

suppressPackageStartupMessages({
  library(survival)
  library(jsonlite)
})

control <- coxph.control(eps = 1e-13, toler.chol = 1e-14, iter.max = 50)

# The curves that plot.cox.zph draws, one row per covariate.
smooth_curves <- function(tested, df = 4, points = 40) {
  ahead <- seq(min(tested$x), max(tested$x), length = points)
  basis <- splines::ns(c(ahead, tested$x), df = df, intercept = TRUE)
  at <- basis[seq_len(points), ]
  qr_x <- qr(basis[-seq_len(points), ])
  root <- backsolve(qr_x$qr[1:df, 1:df], diag(df))
  spread <- rowSums((at %*% root %*% t(root)) * at)
  lapply(seq_len(ncol(tested$y)), function(i) {
    value <- drop(at %*% qr.coef(qr_x, tested$y[, i]))
    reach <- 2 * sqrt(tested$var[i, i] * spread)
    list(value = value, lower = value - reach, upper = value + reach)
  })
}

# Standard errors of cumulative hazards over clusters: the root of the sum of squared derivatives by the
# weights of each cluster, which survfit has for the coefficients alone.
clustered_error <- function(arguments, data, cluster, new, months, ctype) {
  weights <- if (is.null(arguments$weights)) rep(1, nrow(data)) else arguments$weights
  arguments$cluster <- NULL
  arguments$robust <- FALSE
  hazard <- function(factor) {
    arguments$weights <- weights * factor
    curve <- survfit(do.call(coxph, arguments), newdata = new, se.fit = FALSE, ctype = ctype, stype = 2)
    c(summary(curve, times = months, extend = TRUE)$cumhaz)
  }
  moved <- sapply(unique(data[[cluster]]), function(one) {
    step <- 1e-3 * (data[[cluster]] == one)
    # Richardson's extrapolation of central differences.
    (8 * (hazard(1 + step) - hazard(1 - step)) - (hazard(1 + 2 * step) - hazard(1 - 2 * step))) / 12e-3
  })
  unname(t(matrix(sqrt(rowSums(moved^2)), nrow = length(months))))
}

# What a fit says, in the order of its data.
reference <- function(name, data, covariates, entry = NULL, time, event, ties = "efron", weights = NULL,
                      strata = NULL, cluster = NULL, ridge = 0, new = NULL, months = NULL, zph = "km",
                      by_row = TRUE) {
  response <- if (is.null(entry)) sprintf("Surv(%s, %s)", time, event) else
    sprintf("Surv(%s, %s, %s)", entry, time, event)
  terms <- if (ridge > 0) sprintf("ridge(%s, theta = %g, scale = FALSE)", paste(covariates, collapse = ", "), ridge)
           else covariates
  if (!is.null(strata)) terms <- c(terms, sprintf("strata(%s)", strata))
  formula <- as.formula(paste(response, "~", paste(terms, collapse = " + ")))
  arguments <- list(formula, data = data, ties = ties, control = control)
  if (!is.null(weights)) arguments$weights <- data[[weights]]
  if (!is.null(cluster)) arguments$cluster <- data[[cluster]]
  arguments$robust <- !is.null(cluster)
  fit <- do.call(coxph, arguments)
  value <- list(
    name = name, data = data, covariates = covariates, entry = entry, time = time, event = event, ties = ties,
    weights = weights, strata = strata, cluster = cluster, ridge = ridge,
    coefficients = unname(coef(fit)), covariance = unname(vcov(fit)), log_likelihood = fit$loglik
  )
  if (by_row) value$martingale <- unname(residuals(fit, type = "martingale"))
  if (ridge > 0) return(value)
  value$score_test <- fit$score
  value$wald_test <- unname(fit$wald.test)
  if (by_row) {
    value$score_residuals <- unname(as.matrix(residuals(fit, type = "score")))
    value$dfbeta <- unname(as.matrix(residuals(fit, type = "dfbeta", weighted = !is.null(weights))))
  }
  scho <- as.matrix(residuals(fit, type = "schoenfeld"))
  value$schoenfeld_sum_of_squares <- unname(colSums(scho^2))
  if (!is.null(zph)) {
    tested <- cox.zph(fit, transform = zph, terms = FALSE)
    value$zph <- list(transform = zph, chisq = unname(tested$table[, "chisq"]), p = unname(tested$table[, "p"]),
                      var = unname(tested$var), sums = unname(colSums(tested$y)), curves = smooth_curves(tested))
  }
  if (!is.null(new)) {
    value$new <- new
    value$months <- months
    curve <- survfit(fit, newdata = new, se.fit = TRUE, conf.type = "log-log")
    at <- summary(curve, times = months, extend = TRUE)
    shape <- function(x) unname(t(matrix(x, nrow = length(months))))
    value$survival <- shape(at$surv)
    if (is.null(cluster)) {
      value$hazard_error <- shape(at$std.err / at$surv)
    } else {
      value$hazard_error <- clustered_error(arguments, data, cluster, new, months, if (ties == "efron") 2 else 1)
      value$breslow_hazard_error <- clustered_error(arguments, data, cluster, new, months, 1)
    }
    value$breslow <- shape(summary(
      survfit(fit, newdata = new, ctype = 1, stype = 2), times = months, extend = TRUE)$surv)
  }
  value
}

lung2 <- na.omit(survival::lung[c("time", "status", "age", "sex", "ph.ecog", "inst")])
names(lung2)[5] <- "ecog"
lung2$status <- lung2$status - 1
lung2$w <- 1 + (seq_len(nrow(lung2)) %% 3) / 2
tied <- lung2
tied$time <- ceiling(tied$time / 30)
new_lung <- data.frame(age = c(50, 74), sex = c(1, 2), ecog = c(0, 2))
veteran2 <- survival::veteran
veteran2$celltype <- as.character(veteran2$celltype)
ovarian2 <- survival::ovarian
pbc2 <- survival::pbc[!is.na(survival::pbc$trt), c("time", "status", "age", "bili", "albumin", "edema")]
pbc2$status <- as.numeric(pbc2$status == 2)
pbc2$bili <- log(pbc2$bili)
mgus <- na.omit(survival::mgus2[c("age", "sex", "hgb", "creat", "mspike", "futime", "death")])
mgus$sex <- as.numeric(mgus$sex == "F")
heart2 <- survival::heart
heart2$transplant <- as.numeric(heart2$transplant == "1")
new_heart <- data.frame(age = c(-10, 5), year = c(1, 4), surgery = c(0, 1), transplant = c(0, 1))

cases <- list(
  reference("lung", lung2, c("age", "sex", "ecog"), NULL, "time", "status", new = new_lung, months = c(90, 365, 700)),
  reference("lung, tied", tied, c("age", "sex", "ecog"), NULL, "time", "status", new = new_lung, months = c(3, 12, 24)),
  reference("lung, tied, Breslow", tied, c("age", "sex", "ecog"), NULL, "time", "status", ties = "breslow",
            new = new_lung, months = c(3, 12, 24), zph = "identity"),
  reference("lung, tied, weighted", tied, c("age", "sex", "ecog"), NULL, "time", "status", weights = "w",
            new = new_lung, months = c(3, 12, 24)),
  reference("lung, tied, weighted, Breslow", tied, c("age", "sex", "ecog"), NULL, "time", "status", weights = "w",
            ties = "breslow", new = new_lung, months = c(3, 12, 24), zph = "log"),
  reference("lung, clustered", tied, c("age", "sex", "ecog"), NULL, "time", "status", cluster = "inst",
            new = new_lung, months = c(3, 12, 24)),
  reference("lung, clustered, Breslow", tied, c("age", "sex", "ecog"), NULL, "time", "status", ties = "breslow",
            cluster = "inst", new = new_lung, months = c(3, 12, 24)),
  reference("lung, weighted, clustered", tied, c("age", "sex", "ecog"), NULL, "time", "status", weights = "w",
            cluster = "inst", new = new_lung, months = c(3, 12, 24)),
  reference("lung, ridge", tied, c("age", "sex", "ecog"), NULL, "time", "status", ridge = 5),
  reference("veteran", veteran2, c("trt", "karno", "diagtime", "age", "prior"), NULL, "time", "status",
            new = data.frame(trt = 1:2, karno = c(40, 90), diagtime = c(5, 10), age = c(60, 45), prior = c(0, 10)),
            months = c(30, 100, 300), zph = "rank"),
  reference("veteran, stratified", veteran2, c("trt", "karno", "age"), NULL, "time", "status", strata = "celltype"),
  reference("veteran, stratified, weighted", cbind(veteran2, w = 1 + seq_len(nrow(veteran2)) %% 2),
            c("trt", "karno", "age"), NULL, "time", "status", strata = "celltype", weights = "w"),
  reference("ovarian", ovarian2, c("age", "ecog.ps", "rx"), NULL, "futime", "fustat"),
  reference("pbc", pbc2, c("age", "bili", "albumin", "edema"), NULL, "time", "status",
            new = data.frame(age = c(40, 60), bili = c(0, 2), albumin = c(4, 3), edema = c(0, 1)),
            months = c(500, 2000, 4000)),
  reference("mgus2", mgus, c("age", "sex", "hgb", "creat", "mspike"), NULL, "futime", "death", by_row = FALSE,
            new = data.frame(age = c(60, 80), sex = 0:1, hgb = c(14, 11), creat = c(1, 2), mspike = c(1, 2)),
            months = c(12, 60, 240)),
  reference("heart", heart2, c("age", "year", "surgery", "transplant"), "start", "stop", "event", cluster = "id",
            new = new_heart, months = c(30, 100, 500)),
  reference("heart, stratified, Breslow", heart2, c("age", "year"), "start", "stop", "event", ties = "breslow",
            strata = "surgery")
)

# A patient whose transplant comes at day 60: covariates that change along a predicted curve.
path <- local({
  fit <- coxph(Surv(start, stop, event) ~ age + surgery + transplant, data = heart2, control = control)
  planned <- data.frame(id = 1, start = c(0, 60), stop = c(60, 1000), event = 0, age = 3, surgery = 0,
                        transplant = c(0, 1))
  curve <- survfit(fit, newdata = planned, id = id, conf.type = "log-log")
  at <- summary(curve, times = c(30, 60, 100, 400), extend = TRUE)
  list(data = heart2[c("id", "start", "stop", "event", "age", "surgery", "transplant")], age = 3, surgery = 0, start = 60,
       days = at$time, coefficients = unname(coef(fit)), standard_errors = unname(sqrt(diag(vcov(fit)))),
       survival = at$surv, lower = at$lower, upper = at$upper)
})

value <- list(
  made_by = "scripts/r/cox.R",
  versions = list(R = as.character(getRversion()), survival = as.character(packageVersion("survival"))),
  tolerance = 1e-7,
  path = path,
  cases = cases
)
write_json(value, "tests/reference/cox.json", digits = 12, auto_unbox = TRUE, dataframe = "columns", null = "null",
           pretty = FALSE)
