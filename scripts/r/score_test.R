# Reference values for outcomes/cox/score_test: Rscript scripts/r/score_test.R > tests/reference/score_test.json
suppressPackageStartupMessages({
  library(survival)
  library(jsonlite)
})

# The score at the fit to the fixed covariates alone: coxph begins there and does not move.
score <- function(time, event, tested, fixed, ties_broken) {
  if (ties_broken) time <- time + seq_along(time) * 1e-3
  both <- cbind(fixed, tested)
  at <- rep(0, ncol(both))
  if (ncol(fixed) > 0) {
    exact <- coxph.control(eps = 1e-11)
    at[seq_len(ncol(fixed))] <- coef(coxph(Surv(time, event) ~ fixed, ties = "breslow", control = exact))
  }
  stay <- coxph(Surv(time, event) ~ both, ties = "breslow", init = at, iter.max = 0)
  list(time = time, event = event, tested = tested, fixed = fixed,
       statistic = stay$score, degrees_of_freedom = ncol(tested))
}

lung <- survival::cancer
lung <- lung[complete.cases(lung[, c("age", "ph.karno", "sex")]), ]
veteran <- survival::veteran
cells <- sapply(levels(veteran$celltype)[-1], function(level) as.numeric(veteran$celltype == level))
none <- matrix(0, nrow(lung), 0)
cases <- list(
  lung_sex_adjusted = score(lung$time, lung$status - 1, cbind(as.numeric(lung$sex == 2)),
                            cbind(lung$age, lung$ph.karno), FALSE),
  lung_sex_alone = score(lung$time, lung$status - 1, cbind(as.numeric(lung$sex == 2)), none, FALSE),
  veteran_cells_adjusted = score(veteran$time, veteran$status, cells,
                                 cbind(veteran$karno, veteran$trt), FALSE),
  veteran_untied = score(veteran$time, veteran$status, cells, cbind(veteran$karno), TRUE)
)
cat(toJSON(list(
  made_with = list(R = R.version.string, survival = as.character(packageVersion("survival"))),
  tolerance = 1e-7, cases = cases
), digits = 12, auto_unbox = TRUE, matrix = "rowmajor", pretty = FALSE), "\n")
