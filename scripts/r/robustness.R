# Reference values for the robustness analyses of outcomes/causal:
# Rscript scripts/r/robustness.R > tests/reference/robustness.json
suppressPackageStartupMessages({
  library(survival)
  library(jsonlite)
})

# Exact limits of Poisson rates and of their ratio.
finite <- function(x) ifelse(is.finite(x), x, NA)
counts <- list(c(0, 40.5, 3, 200), c(5, 120, 0, 33), c(4, 61.25, 27, 390), c(31, 150, 12, 700.5))
rates <- lapply(counts, function(x) {
  one <- poisson.test(x[1], x[2])
  ratio <- poisson.test(x[c(1, 3)], x[c(2, 4)])
  list(events = x[c(1, 3)], person_months = x[c(2, 4)],
       rate = 100 * unname(one$estimate), rate_limits = 100 * as.numeric(one$conf.int),
       ratio = finite(unname(ratio$estimate)), ratio_limits = finite(as.numeric(ratio$conf.int)))
})

# Balance of women and men in R's lung cancer trial, weighted by a logistic propensity score.
lung <- survival::cancer
lung <- lung[complete.cases(lung[, c("age", "ph.karno", "ph.ecog", "wt.loss")]), ]
woman <- lung$sex == 2
columns <- data.frame(age = lung$age, ph_karno = lung$ph.karno, wt_loss = lung$wt.loss,
                      ambulatory = as.numeric(lung$ph.ecog == 0))
propensity <- fitted(glm(woman ~ age + ph_karno + wt_loss + ambulatory, binomial, columns))
weights <- ifelse(woman, 1 / propensity, 1 / (1 - propensity))
variance <- function(x, w) cov.wt(matrix(x), w / sum(w), method = "unbiased")$cov[1, 1]
balance <- lapply(columns, function(x) {
  binary <- all(x %in% 0:1)
  spread <- sapply(list(x[woman], x[!woman]), function(y) if (binary) mean(y) * (1 - mean(y)) else var(y))
  means <- c(weighted.mean(x[woman], weights[woman]), weighted.mean(x[!woman], weights[!woman]))
  pooled <- sqrt(mean(spread))
  list(difference = (mean(x[woman]) - mean(x[!woman])) / pooled,
       weighted_difference = (means[1] - means[2]) / pooled,
       variance_ratio = if (binary) NULL else spread[1] / spread[2],
       weighted_variance_ratio = if (binary) NULL else
         variance(x[woman], weights[woman]) / variance(x[!woman], weights[!woman]))
})

result <- list(
  made_by = "scripts/r/robustness.R",
  versions = list(R = R.version.string, survival = as.character(packageVersion("survival"))),
  tolerance = 1e-9,
  rates = rates,
  data = list(columns = columns, treated = woman, propensity = unname(propensity), weights = unname(weights)),
  balance = balance,
  quantiles = list(treated = unname(quantile(propensity[woman])), control = unname(quantile(propensity[!woman])))
)
cat(toJSON(result, digits = NA, auto_unbox = TRUE, dataframe = "columns", na = "null", null = "null"))
cat("\n")
