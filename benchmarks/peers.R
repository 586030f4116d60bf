# The same work in R: Rscript peers.R WORK DATA N REPEATS prints seconds and results as JSON.

suppressPackageStartupMessages(library(survival))
arguments <- commandArgs(trailingOnly = TRUE)
work <- arguments[1]
data <- read.csv(arguments[2])
n <- as.integer(arguments[3])
repeats <- as.integer(arguments[4])
x <- grep("^x", names(data), value = TRUE)
matrix_x <- as.matrix(data[x])
score <- drop(matrix_x %*% seq(1, 0, length.out = length(x)))
formula_x <- as.formula(paste("Surv(time, event) ~", paste(x, collapse = " + ")))

first <- function(fit) list(coefficient = unname(coef(fit)[1]), se = unname(sqrt(diag(vcov(fit)))[1]))

run <- switch(work,
  coxph = function() first(coxph(formula_x, data = data)),
  coxph_fit = {
    y <- with(data, Surv(time, event))
    function() {
      fit <- coxph.fit(matrix_x, y, NULL, NULL, NULL, coxph.control(), NULL, "efron", NULL)
      list(coefficient = unname(fit$coefficients[1]), se = sqrt(fit$var[1, 1]))
    }
  },
  coxph_bootstrap = function() {
    set.seed(1)
    found <- replicate(200, coef(coxph(formula_x, data = data[sample.int(n, replace = TRUE), ]))[1])
    list(bootstrap_se = sd(found))
  },
  ranger = {
    suppressPackageStartupMessages(library(ranger))
    train <- data[data$train == 1, ]
    test <- data[data$train == 0, ]
    formula_b <- as.formula(paste("Surv(time, event) ~", paste(x, collapse = " + ")))
    function() {
      fit <- ranger(formula_b, data = train[c("time", "event", x)], num.trees = 100, min.node.size = 30,
                    min.bucket = 15, num.threads = 1, seed = 1, write.forest = TRUE)
      fit
    }
  },
  concordance = function() {
    found <- concordance(Surv(time, event) ~ score, data = data, reverse = TRUE)
    list(c = unname(found$concordance), se = sqrt(found$var))
  },
  concordance_uno = function() {
    found <- concordance(Surv(time, event) ~ score, data = data, reverse = TRUE, timewt = "n/G2", ymax = 20)
    list(c = unname(found$concordance))
  },
  survfit_aj = function() {
    fit <- survfit(Surv(time, factor(code, 0:2)) ~ 1, data = data)
    list(at_12 = summary(fit, times = 12)$pstate[1, 2], lower = 0)
  },
  crr = {
    suppressPackageStartupMessages(library(cmprsk))
    function() {
      fit <- crr(data$time, data$code, matrix_x)
      list(coefficient = unname(fit$coef[1]), se = sqrt(fit$var[1, 1]))
    }
  },
  stop("unknown work")
)

seconds <- numeric(0)
for (k in seq_len(repeats)) {
  spent <- system.time(result <- run())
  seconds <- c(seconds, sum(spent[c("user.self", "sys.self")]))
}
if (work == "ranger") {
  # Survival at the training times is too large for all test patients at once.
  months <- seq(2, 25, length.out = 24)
  parts <- split(seq_len(nrow(test)), (seq_len(nrow(test)) - 1) %/% 200)
  curves <- lapply(parts, function(rows) {
    predicted <- predict(result, test[rows, ], num.threads = 1)
    at <- findInterval(months, predicted$unique.death.times)
    list(survival = cbind(1, predicted$survival)[, at + 1, drop = FALSE], risk = rowSums(predicted$chf))
  })
  survival <- do.call(rbind, lapply(curves, `[[`, "survival"))
  risk <- unlist(lapply(curves, `[[`, "risk"))
  out <- cbind(risk, survival)
  write.table(out, paste0(arguments[2], ".predicted"), row.names = FALSE, col.names = FALSE)
  result <- list(size_mb = as.numeric(object.size(result$forest)) / 1e6)
}
number <- function(value) if (length(value) == 1) format(value, digits = 15) else "null"
cat(sprintf('{"seconds": [%s], "result": {%s}}\n', paste(format(seconds, digits = 6), collapse = ", "),
            paste(sprintf('"%s": %s', names(result), vapply(result, number, "")), collapse = ", ")))
