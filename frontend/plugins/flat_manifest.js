// Writes manifest.json: {"console.js": "console-1a2b3c.js", "console.css": ..., "icons.svg": ...}.
export function flatManifest() {
  return {
    name: "siyu-flat-manifest",
    enforce: "post",
    generateBundle: {
      order: "post",
      handler(_options, bundle) {
        const names = {};
        for (const file of Object.values(bundle)) {
          if (file.type === "chunk" && file.isEntry) names[`${file.name}.js`] = file.fileName;
          if (file.type === "asset") {
            for (const name of file.names) names[name.split("/").pop()] = file.fileName;
          }
        }
        const sorted = Object.fromEntries(Object.entries(names).sort());
        this.emitFile({ type: "asset", fileName: "manifest.json", source: `${JSON.stringify(sorted, null, 2)}\n` });
      },
    },
  };
}
