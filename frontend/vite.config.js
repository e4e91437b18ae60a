// What the browser gets: five entries, written with hashed names into admin_api/assets/,
// an icon sprite, and a flat manifest.json (logical name -> file name) that Python reads.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";
import { flatManifest } from "./plugins/flat_manifest.js";
import { iconSprite } from "./plugins/icon_sprite.js";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

const favicon = {
  name: "siyu-favicon",
  generateBundle() {
    this.emitFile({ type: "asset", name: "favicon.svg", source: readFileSync(here("favicon.svg")) });
  },
};

// Brands paste this name into their pages, so it must never change.
const FIXED_NAMES = new Set(["embed"]);

export default defineConfig({
  root: here("."),
  base: "./",
  publicDir: false,
  logLevel: "warn",
  plugins: [iconSprite(here("icons.json"), here("node_modules/@tabler/icons/icons")), favicon, flatManifest()],
  build: {
    outDir: process.env.SIYU_ASSETS_OUT || here("../admin_api/assets"),
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: false,
    reportCompressedSize: false,
    chunkSizeWarningLimit: 900,
    rolldownOptions: {
      input: {
        theme: here("src/theme/main.js"),
        console: here("src/console/main.js"),
        charts: here("src/charts/main.js"),
        webchat: here("src/webchat/main.js"),
        embed: here("src/embed/main.js"),
      },
      output: {
        entryFileNames: (chunk) => (FIXED_NAMES.has(chunk.name) ? "[name].js" : "[name]-[hash].js"),
        chunkFileNames: "chunk-[hash].js",
        assetFileNames: "[name]-[hash][extname]",
      },
    },
  },
});
