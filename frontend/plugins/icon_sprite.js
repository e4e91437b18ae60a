// Joins the icons that we use into one SVG sprite, so that pages load one cached file.
import { existsSync, readFileSync } from "node:fs";

function toSymbol(id, svg) {
  const body = svg.slice(svg.indexOf(">", svg.indexOf("<svg")) + 1, svg.lastIndexOf("</svg>"));
  return `<symbol id="${id}" viewBox="0 0 24 24">${body.replace(/\s+/g, " ").trim()}</symbol>`;
}

function readIcon(folder, path) {
  const file = `${folder}/${path}.svg`;
  if (!existsSync(file)) throw new Error(`icons.json names ${path}, which @tabler/icons does not have`);
  return readFileSync(file, "utf8");
}

/** `listFile` maps our icon names to files of `folder`, such as {"members": "outline/users"}. */
export function iconSprite(listFile, folder) {
  return {
    name: "siyu-icon-sprite",
    generateBundle() {
      const icons = JSON.parse(readFileSync(listFile, "utf8"));
      const symbols = Object.entries(icons).map(([id, path]) => toSymbol(id, readIcon(folder, path)));
      const source = `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("")}</svg>`;
      this.emitFile({ type: "asset", name: "icons.svg", source });
    },
  };
}
