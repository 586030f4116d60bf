"use strict";
// Predicts for the patient set in the form: the steps of outcomes.models.export, in the same order.
(() => {
  const Z = 1.959963984540054;
  const sum = (values) => values.reduce((total, value) => total + value, 0);

  // Value of a term of the design from the inputs.
  const termValue = (term, patient) => {
    const value = patient[term.covariate];
    switch (term.kind) {
      case "absent": return 0;
      case "number": return (value - term.center) / term.scale;
      case "below": return value < term.center ? 1 : 0;
      case "level": return value === term.level ? 1 : 0;
      default: return Number(value);
    }
  };

  // Cumulative incidence of each cause from cumulative hazards on the grid.
  const incidences = (hazards) => {
    const size = hazards[0].length;
    if (hazards.length === 1) return [hazards[0].map((hazard) => -Math.expm1(-hazard))];
    const result = hazards.map(() => new Array(size).fill(0));
    const reached = hazards.map(() => 0);
    let before = 0;
    for (let node = 0; node < size; node += 1) {
      const total = sum(hazards.map((hazard) => hazard[node]));
      const step = total - before;
      const weight = Math.exp(-before) * (step > 1e-300 ? -Math.expm1(-step) / step : 1);
      hazards.forEach((hazard, cause) => {
        reached[cause] += (hazard[node] - (node ? hazard[node - 1] : 0)) * weight;
        result[cause][node] = reached[cause];
      });
      before = total;
    }
    return result;
  };

  // Average over the series; one that ends is continued by those that go on.
  const average = (curves, nodes, series) => {
    const causes = curves[0].length;
    const result = Array.from({ length: causes }, () => new Array(nodes.length).fill(0));
    const ends = series.map((item) => nodes[item.end]);
    let start = new Array(causes).fill(0);
    let starts = curves.map(() => new Array(causes).fill(0));
    let begin = 0;
    for (const finish of [...new Set(ends)].sort((a, b) => a - b)) {
      const inside = nodes.map((_, i) => i)
        .filter((i) => (begin > 0 ? nodes[i] > begin : true) && nodes[i] <= finish);
      if (!inside.length) continue;
      const reaching = series.map((_, s) => s).filter((s) => ends[s] >= finish);
      const stillFree = sum(reaching.map((s) => series[s].weight * (1 - sum(starts[s]))));
      const share = stillFree > 1e-12 ? (1 - sum(start)) / stillFree : 0;
      for (const i of inside) {
        for (let cause = 0; cause < causes; cause += 1) {
          const gained = sum(
            reaching.map((s) => series[s].weight * (curves[s][cause][i] - starts[s][cause])),
          );
          result[cause][i] = start[cause] + share * gained;
        }
      }
      const last = inside[inside.length - 1];
      start = result.map((curve) => curve[last]);
      starts = curves.map((curve) => curve.map((cause) => cause[last]));
      begin = finish;
    }
    return result;
  };

  const relativeHazards = (data, parameters, values) => parameters.map((part, cause) => Math.exp(sum(
    part.coefficients.map((beta, term) => beta * (values[term] - data.causes[cause].center[term])),
  )));

  // Incidence of each cause by node, for the estimates or one draw.
  const risks = (data, parameters, values, chosen) => {
    const relative = relativeHazards(data, parameters, values);
    const curveOf = (position) => incidences(parameters.map((part, cause) =>
      part.baselines[position].map((hazard) => relative[cause] * hazard)));
    const only = data.series.findIndex((item) => chosen !== "" && item.name === chosen);
    if (only >= 0) return curveOf(only);
    const curves = data.series.map((_, position) => curveOf(position).map((curve) =>
      data.nodes.map((_node, i) => curve[Math.min(i, curve.length - 1)])));
    return average(curves, data.nodes, data.series);
  };

  const hazardOf = (value) => -Math.log1p(-Math.min(value, 1 - 1e-16));
  const logLog = (value) => Math.log(hazardOf(value));

  // Limit of a gamma distribution over its mean.
  const byar = (mean, variance, z) => {
    const root = mean > 0 ? Math.sqrt(variance) / mean : 0;
    return Math.max(1 - root ** 2 / 9 + z * root / 3, 0) ** 3;
  };

  // Limits of 1 - risk: on the log(-log) scale, and never narrower than those of few events.
  const limitsOf = (value, error, added) => {
    const hazard = hazardOf(value);
    if (hazard === 0) return [1, 1];
    const variance = Math.max((hazard * error) ** 2, hazard * added);
    const more = hazard + added;
    const fewest = hazard * byar(hazard, variance, -Z);
    const most = more * byar(more, variance + added ** 2, Z);
    return [
      Math.exp(-Math.max(most, hazard * Math.exp(Z * error))),
      Math.exp(-Math.min(fewest, hazard * Math.exp(-Z * error))),
    ];
  };

  const predict = (data, patient, chosen) => {
    const values = data.terms.map((term) => termValue(term, patient));
    const [estimate, ...competing] = risks(data, data.causes, values, chosen);
    const drawn = data.draws.map((draw) => risks(data, draw, values, chosen)[0].map(logLog));
    const averaged = data.series.filter((item) => chosen === "" || item.name === chosen);
    const added = relativeHazards(data, data.causes, values)[0] * Math.max(
      ...averaged.map((item) => item.one_more * (chosen === "" ? item.weight : 1)),
    );
    const until = Math.max(...averaged.map((item) => item.until));
    const lower = [];
    const upper = [];
    estimate.forEach((value, i) => {
      const column = drawn.map((draw) => draw[i]);
      let error = 0;
      if (column.every(Number.isFinite)) {
        const mean = sum(column) / column.length;
        error = Math.sqrt(sum(column.map((x) => (x - mean) ** 2)) / (column.length - 1));
      }
      const [low, high] = limitsOf(value, error, added);
      lower.push(low);
      upper.push(high);
    });
    // Between the months shown stand the ends of the series; they are computed, not shown.
    const asked = new Set(data.months.filter((month) => month <= until));
    const shown = (values) => values.filter((_, i) => asked.has(data.nodes[i]));
    return {
      months: shown(data.nodes.slice(0, estimate.length)),
      survival: shown(estimate.map((value) => 1 - value)),
      lower: shown(lower),
      upper: shown(upper),
      competing: shown(estimate.map((_, i) => sum(competing.map((curve) => curve[i])))),
    };
  };

  const of100 = (share) => Math.floor(100 * share + 0.5);
  const fill = (words, values) => words.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const percent = (share) => `${(100 * share).toFixed(1)}`;

  // What is shown of an endpoint: the course without the event, or the risk of it where another
  // event may come first.
  const shownOf = (words, prediction) => {
    if (!words.risk) {
      const { survival, lower, upper } = prediction;
      return { ...prediction, shown: survival, low: lower, high: upper };
    }
    const from1 = (values) => values.map((value) => 1 - value);
    return {
      ...prediction,
      shown: from1(prediction.survival),
      low: from1(prediction.upper),
      high: from1(prediction.lower),
    };
  };

  // The limits in percent, with more digits where they would coincide, or why there are none.
  const interval = (page, course, at) => {
    if (course.survival[at] === 1) return page.noEvent;
    for (const written of [of100, percent]) {
      const [lower, upper] = [written(course.low[at]), written(course.high[at])];
      if (lower !== upper) return fill(page.limits, { lower, upper });
    }
    return page.hardlyAny;
  };

  window.startCalculator = async (figures, draw) => {
    const page = JSON.parse(document.getElementById("report-calculator").textContent);
    const form = document.getElementById("calculator");
    const status = document.getElementById("calculator-status");
    const field = (name) => form.elements.namedItem(name);

    const readPatient = (data) => Object.fromEntries(data.inputs.map((item) => {
      const input = field(item.name);
      if (item.requires && !field(item.requires).checked) return [item.name, "none"];
      if (item.kind === "boolean") return [item.name, input.checked];
      return [item.name, item.kind === "number" ? Number(input.value) : input.value];
    }));

    const show = (endpoint, data) => {
      const chosen = field("series") ? field("series").value : "";
      const words = page.words[endpoint];
      const course = shownOf(words, predict(data, readPatient(data), chosen));
      const { months } = course;
      const last = months[months.length - 1];
      const month = Number(field("horizon").value);
      const box = form.querySelector(`.result[data-endpoint="${CSS.escape(endpoint)}"]`);
      const part = (name) => box.querySelector(`[data-part="${name}"]`);
      const at = months.indexOf(month);
      if (at < 0) {
        part("big").textContent = "–";
        part("interval").textContent = "";
        part("sentence").textContent = page.beyond;
      } else {
        const n = of100(course.shown[at]);
        const first = of100(course.competing[at]);
        const values = { month, n, first, interval: interval(page, course, at) };
        values.rest = Math.max(100 - n - first, 0);
        part("big").textContent = `${n}%`;
        part("interval").textContent = fill(words.answer, values);
        part("sentence").textContent = fill(words.sentence, values);
      }
      const short = chosen && last < data.months[data.months.length - 1];
      part("source").textContent = `Refers to: ${chosen ? page.titles[chosen] : page.average}.`
        + (short ? ` ${fill(page.until, { month: last })}` : "");
      box.querySelectorAll("tbody tr").forEach((row) => {
        const i = months.indexOf(Number(row.cells[0].textContent));
        row.cells[1].textContent = i < 0 ? "–" : `${percent(course.shown[i])}%`;
        const [low, high] = ["low", "high"].map((side) => i < 0 ? "" : percent(course[side][i]));
        row.cells[2].textContent = low === high ? "–" : `${low} to ${high}`;
      });
      const node = box.querySelector(".chart");
      const figure = figures[node.dataset.figure];
      const { shown, low, high } = course;
      for (const traces of [figure.data, figure.narrow_data].filter(Boolean)) {
        Object.assign(traces[0], { x: [...months, ...[...months].reverse()], y: [...high, ...[...low].reverse()] });
        Object.assign(traces[1], { x: months, y: shown });
      }
      return draw(node, figure);
    };

    const label = (input) => {
      const output = document.getElementById(`out-${input.name}`);
      const unit = input.dataset.unit;
      const words = unit ? `${input.value} ${unit}` : input.value;
      output.textContent = words;
      input.setAttribute("aria-valuetext", words);
    };

    const warn = () => {
      const chosen = field("series") ? field("series").value : "";
      const sbrt = field("sbrt");
      const words = (sbrt && page.warnings[sbrt.checked][chosen]) || "";
      const node = form.querySelector("[data-part=warning]");
      node.textContent = words;
      node.hidden = !words;
    };

    const update = () => {
      warn();
      form.querySelectorAll("input[type=range]").forEach(label);
      for (const data of Object.values(page.endpoints)) {
        for (const item of data.inputs.filter((each) => each.requires)) {
          field(item.name).disabled = !field(item.requires).checked;
        }
      }
      const drawn = Object.entries(page.endpoints).map(([name, data]) => show(name, data));
      form.querySelector("[data-part=glance]").textContent = fill(page.glance, {
        month: field("horizon").value,
        parts: [...form.querySelectorAll(".result")].map((box) =>
          `${box.querySelector("h3").textContent} ${box.querySelector("[data-part=big]").textContent}`,
        ).join(page.glanceJoin),
      });
      return Promise.all(drawn);
    };

    let speaking = 0;
    form.addEventListener("input", () => {
      update();
      clearTimeout(speaking);
      speaking = setTimeout(() => {
        status.textContent = [...form.querySelectorAll("[data-part=sentence]")]
          .map((node) => node.textContent).join(" ");
      }, 700);
    });
    form.addEventListener("submit", (event) => event.preventDefault());
    window.predictPatient = (endpoint, patient, chosen) =>
      predict(page.endpoints[endpoint], patient, chosen);
    await update();
  };
})();
