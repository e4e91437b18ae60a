// Draws every [data-chart]; only pages with charts load this file.
import { BarChart, LineChart, PieChart } from "echarts/charts";
import { AriaComponent, GridComponent, LegendComponent, TooltipComponent } from "echarts/components";
import { init, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import { optionsOf } from "./options.js";

use([BarChart, LineChart, PieChart, AriaComponent, GridComponent, LegendComponent, TooltipComponent, SVGRenderer]);

const drawn = new Map();

function draw(node) {
  let spec;
  try {
    spec = JSON.parse(node.dataset.chart);
  } catch {
    return; // a page without its figures is better than a page without its other scripts
  }
  const chart = drawn.get(node) || init(node, null, { renderer: "svg" });
  drawn.set(node, chart);
  chart.setOption(optionsOf(spec, getComputedStyle(document.documentElement)), true);
}

function drawAll() {
  for (const [node, chart] of drawn) {
    if (node.isConnected) continue;
    chart.dispose();
    drawn.delete(node);
  }
  document.querySelectorAll("[data-chart]").forEach(draw);
}

const resizer = new ResizeObserver(() => drawn.forEach((chart) => chart.resize()));
drawAll();
document.querySelectorAll("[data-chart]").forEach((node) => resizer.observe(node));
document.addEventListener("siyu:theme", drawAll);
document.addEventListener("htmx:afterSwap", drawAll);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
