// Our small chart language, in the palette of the page, as ECharts options.

const SERIES_COLOURS = ["jade", "sky", "amber", "plum", "seal"];

// light-dark() must be resolved by the browser: ECharts knows plain colours only.
function resolver() {
  const probe = document.createElement("span");
  probe.hidden = true;
  document.body.append(probe);
  const read = (name) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  return { read, done: () => probe.remove() };
}

export function optionsOf(spec, rootStyle) {
  const colours = resolver();
  const palette = {
    series: SERIES_COLOURS.map(colours.read),
    text: colours.read("ink-soft"),
    strong: colours.read("ink"),
    line: colours.read("line"),
    surface: colours.read("surface"),
    font: rootStyle.getPropertyValue("--font"),
  };
  colours.done();
  const common = {
    color: palette.series,
    textStyle: { fontFamily: palette.font, color: palette.text },
    aria: { enabled: true },
    animationDuration: 400,
    tooltip: {
      trigger: spec.type === "pie" ? "item" : "axis",
      backgroundColor: palette.surface,
      borderColor: palette.line,
      textStyle: { color: palette.strong, fontFamily: palette.font, fontSize: 13 },
      confine: true,
    },
  };
  return { ...common, ...(spec.type === "pie" ? pie(spec, palette) : axes(spec, palette)) };
}

function pie(spec, palette) {
  return {
    legend: { bottom: 0, icon: "roundRect", itemWidth: 10, itemHeight: 10, textStyle: { color: palette.text } },
    series: [{
      type: "pie",
      radius: ["52%", "76%"],
      center: ["50%", "44%"],
      label: { show: false },
      itemStyle: { borderColor: palette.surface, borderWidth: 2, borderRadius: 4 },
      data: spec.slices,
    }],
  };
}

function axes(spec, palette) {
  const hasLegend = spec.series.length > 1;
  const axisText = { color: palette.text, fontSize: 12, hideOverlap: true };
  return {
    grid: { left: 8, right: 12, top: 14, bottom: hasLegend ? 34 : 6, containLabel: true },
    legend: hasLegend
      ? { bottom: 0, icon: "roundRect", itemWidth: 10, itemHeight: 10, textStyle: { color: palette.text } }
      : undefined,
    xAxis: {
      type: "category",
      data: spec.labels,
      boundaryGap: !["line", "area"].includes(spec.type),
      axisLine: { lineStyle: { color: palette.line } },
      axisTick: { show: false },
      axisLabel: axisText,
    },
    yAxis: { type: "value", minInterval: 1, splitLine: { lineStyle: { color: palette.line } }, axisLabel: axisText },
    series: spec.series.map((series, index) => oneSeries(spec.type, series, palette.series[index % palette.series.length])),
  };
}

function oneSeries(type, series, colour) {
  const shared = { name: series.name, data: series.values, itemStyle: { color: colour } };
  if (type === "bar" || type === "stack") {
    const radius = type === "bar" ? [4, 4, 0, 0] : 0;
    return { ...shared, type: "bar", stack: type === "stack" ? "all" : undefined, barMaxWidth: 22, itemStyle: { color: colour, borderRadius: radius } };
  }
  return {
    ...shared,
    type: "line",
    smooth: 0.25,
    showSymbol: series.values.length < 3,
    symbolSize: 7,
    lineStyle: { width: 2.5, color: colour },
    areaStyle: type === "area" ? { color: colour, opacity: 0.13 } : undefined,
  };
}
