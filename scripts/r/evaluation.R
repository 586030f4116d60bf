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

value <- list(
  made_by = "scripts/r/evaluation.R",
  versions = list(
    R = as.character(getRversion()),
    survival = as.character(packageVersion("survival")),
    riskRegression = as.character(packageVersion("riskRegression")),
    prodlim = as.character(packageVersion("prodlim"))
  ),
  concordance = concordances
)
write_json(value, "tests/reference/evaluation.json", digits = 12, auto_unbox = TRUE,
           dataframe = "columns", null = "null", pretty = FALSE)
