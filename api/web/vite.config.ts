import { defineConfig } from "vite";

// Everything is served by the hub itself: no CDN, no inlined scripts (the hub's CSP refuses them), hashed names under /assets.
export default defineConfig({
  base: "/",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: "dist",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    sourcemap: false,
    chunkSizeWarningLimit: 1400,
    target: "es2022",
    modulePreload: { polyfill: false },
    rolldownOptions: {
      // The phone page and the residents' page are entries of their own: they must open fast on a poor line.
      input: { index: "index.html", phone: "phone.html", resident: "resident.html" },
      // Some servers do not know the type of .mjs, and a worker of unknown type is refused.
      output: { assetFileNames: (asset) => (asset.names[0]?.endsWith(".mjs") ? "assets/[name]-[hash].js" : "assets/[name]-[hash][extname]") },
    },
  },
  server: { host: "127.0.0.1", proxy: { "/api": "http://127.0.0.1:8099", "/dev": "http://127.0.0.1:8099" } },
});
