"use strict";
// Draws the figures of a page with plotly, follows the reader's theme and width, and prepares printing.
(() => {
  const root = document.documentElement;
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const figures = read("report-figures");
  const dark = read("report-dark");
  const wantsDark = window.matchMedia("(prefers-color-scheme: dark)");
  const config = {
    displayModeBar: false,
    plotlyServerURL: "",
    responsive: false,
    showSendToCloud: false,
    staticPlot: true,
  };
  const NARROW = 560;
  let printing = false;

  const coloured = (value) => {
    if (typeof value === "string") return dark[value] || value;
    if (Array.isArray(value)) return value.map(coloured);
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, coloured(item)]));
    }
    return value;
  };

  const draw = (node, figure) => {
    const width = node.clientWidth;
    if (!width) return null;
    const narrow = width < NARROW && !node.classList.contains("compact");
    const picked = {
      data: (narrow && figure.narrow_data) || figure.data,
      layout: { ...(narrow ? figure.narrow : figure.layout), width },
    };
    const isDark = wantsDark.matches && !printing;
    // plotly keeps what it is given, so it gets its own copy.
    const { data, layout } = isDark ? coloured(picked) : structuredClone(picked);
    return window.Plotly.react(node, data, layout, config).then(() => {
      node.style.minHeight = "0";
      // plotly's drawing is a picture: its inner parts are not for the tab key.
      node.querySelectorAll("svg").forEach((svg) => svg.setAttribute("focusable", "false"));
    });
  };

  // A table wider than its column says that it can be moved sideways.
  const markTables = () => document.querySelectorAll(".scroll").forEach((node) => {
    node.classList.toggle("cut", node.scrollWidth > node.clientWidth + 1);
  });

  const charts = () =>
    [...document.querySelectorAll(".chart[data-figure]")].map((node) => [
      node,
      figures[node.dataset.figure],
    ]);
  const drawAll = () => charts().forEach(([node, figure]) => draw(node, figure));

  const library = async () => {
    const packed = atob(document.getElementById("report-plotly").textContent.trim());
    const bytes = Uint8Array.from(packed, (character) => character.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    const script = document.createElement("script");
    script.textContent = await new Response(stream).text();
    document.head.appendChild(script);
  };

  const start = async () => {
    markTables();
    document.querySelectorAll("details").forEach((node) => node.addEventListener("toggle", markTables));
    if (charts().length || window.startCalculator) await library();
    for (const [node, figure] of charts()) {
      await draw(node, figure);
      // Give the browser a breath, so that the page scrolls while it draws.
      await new Promise((resume) => setTimeout(resume, 0));
    }
    if (window.startCalculator) await window.startCalculator(figures, draw);
    wantsDark.addEventListener("change", drawAll);
    let width = window.innerWidth;
    let pending = 0;
    window.addEventListener("resize", () => {
      if (window.innerWidth === width) return;
      width = window.innerWidth;
      clearTimeout(pending);
      pending = setTimeout(() => { markTables(); drawAll(); }, 120);
    });
    let opened = [];
    window.addEventListener("beforeprint", () => {
      printing = true;
      root.dataset.theme = "light";
      opened = [...document.querySelectorAll("details:not([open])")];
      opened.forEach((node) => { node.open = true; });
      charts().forEach(([node]) => { node.style.width = node.classList.contains("compact") ? "215px" : node.closest(".calculator") ? "430px" : "688px"; });
      drawAll();
    });
    window.addEventListener("afterprint", () => {
      printing = false;
      delete root.dataset.theme;
      opened.forEach((node) => { node.open = false; });
      charts().forEach(([node]) => { node.style.width = ""; });
      drawAll();
    });
    root.dataset.ready = "1";
  };
  start();
})();
