# The same models in lme4, with Kenward-Roger tests by pbkrtest, to check estimates.tsv.
# In this folder: Rscript analysis.R    (Debian: r-cran-lme4 r-cran-pbkrtest)

suppressPackageStartupMessages({
  library(lme4)
  library(pbkrtest)
})

read <- function(name) read.delim(name, na.strings = "n/a", check.names = FALSE, stringsAsFactors = FALSE)
estimates <- read("estimates.tsv")
drug <- sub(" - .*", "", estimates$contrast[estimates$model == "mixed model"][1])

# From several starts, since one alone can stay at a variance of 0 that is no minimum.
fit <- function(formula, data) {
  control <- function(size) lmerControl(
    optimizer = "bobyqa", calc.derivs = FALSE, check.conv.singular = "ignore",
    optCtrl = list(rhobeg = size, rhoend = 1e-10, maxfun = 1e5)
  )
  fits <- lapply(c(0.2, 0.02, 0.5), function(size) suppressMessages(lmer(formula, data, control = control(size))))
  fits[[which.min(sapply(fits, REMLcrit))]]
}

# One coefficient: estimate, standard error, degrees of freedom (Kenward and Roger), two-sided p.
test <- function(model, name) {
  contrast <- as.numeric(names(fixef(model)) == name)
  adjusted <- vcovAdj(model)
  se <- sqrt(as.numeric(contrast %*% as.matrix(adjusted) %*% contrast))
  df <- as.numeric(Lb_ddf(contrast, vcov(model), adjusted))
  estimate <- fixef(model)[[name]]
  c(estimate = estimate, se = se, df = df, p = 2 * pt(-abs(estimate / se), df))
}

coded <- function(data) {
  data$treatment <- ifelse(data$treatment == drug, 0.5, -0.5)
  data$period <- ifelse(data$session == 2, 0.5, -0.5)
  data$carryover <- -2 * data$treatment * data$period
  data
}

result <- NULL
for (outcome in unique(estimates$outcome)) {
  source <- sub("_.*", "", outcome)
  parts <- strsplit(sub("^[a-z]+_", "", outcome), "_minus_")[[1]]
  data <- coded(read(paste0(source, "_rows.tsv")))
  data$y <- if (length(parts) == 2) data[[parts[1]]] - data[[parts[2]]] else data[[parts[1]]]
  data <- data[!is.na(data$y), ]
  terms <- "y ~ treatment + period + (1 | participant) + (1 | participant:session)"
  shown_twice <- any(duplicated(data[c("participant", "item")]))
  if (source == "daily") terms <- paste(terms, "+ factor(item)")
  if (source == "session" && shown_twice) terms <- paste(terms, "+ (1 | participant:item)")
  plain <- fit(as.formula(terms), data)
  further <- fit(as.formula(paste(terms, "+ carryover")), data)
  rows <- rbind(test(plain, "treatment"), test(plain, "period"), test(further, "carryover"))
  result <- rbind(result, data.frame(outcome, effect = c("treatment", "period", "carryover"), rows))
}
write.table(format(result, digits = 12), "analysis_R.tsv", sep = "\t", quote = FALSE, row.names = FALSE)
print(result, digits = 6, row.names = FALSE)
