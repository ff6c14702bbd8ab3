// Two things Biome does not know: the layers of the workspace, and the few rules that need types.
import nx from "@nx/eslint-plugin";
import tseslint from "typescript-eslint";

const below = {
  base: ["base"],
  wire: ["base"],
  os: ["base"],
  edge: ["os", "wire", "base"],
  client: ["edge", "os", "wire", "base"],
  provider: ["edge", "os", "wire", "base"],
  record: ["client", "provider", "edge", "os", "wire", "base"],
  host: ["host", "record", "provider", "edge", "os", "wire", "base"],
  system: ["system", "host", "record", "client", "provider", "edge", "os", "wire", "base"],
  service: ["client", "system", "host", "record", "provider", "edge", "os", "wire", "base"],
  assembly: ["service", "client", "system", "host", "record", "provider", "edge", "os", "wire", "base"],
  app: [
    "assembly",
    "service",
    "client",
    "system",
    "host",
    "record",
    "provider",
    "edge",
    "os",
    "wire",
    "base",
  ],
  tool: [
    "app",
    "assembly",
    "service",
    "client",
    "system",
    "host",
    "record",
    "provider",
    "edge",
    "os",
    "wire",
    "base",
  ],
};

/** Imports point down the page: docs/architecture.md. */
const layers = Object.entries(below).map(([layer, lower]) => ({
  sourceTag: `layer:${layer}`,
  onlyDependOnLibsWithTags: lower.map((name) => `layer:${name}`),
}));

/** What an app may see is narrower than its layer. */
const apps = [
  { sourceTag: "app:dmg", onlyDependOnLibsWithTags: ["layer:base", "client"] },
  { sourceTag: "app:web", onlyDependOnLibsWithTags: ["layer:base", "layer:wire"] },
  { sourceTag: "app:daos-admin", onlyDependOnLibsWithTags: ["layer:base", "helper"] },
];

/** @type {Record<string, "error">} Also for the programs without types of their own. */
const promises = {
  "@typescript-eslint/no-floating-promises": "error",
  "@typescript-eslint/no-misused-promises": "error",
  "@typescript-eslint/await-thenable": "error",
  "@typescript-eslint/return-await": "error",
};

export default tseslint.config(
  { ignores: ["**/dist/**", "**/gen/**", "**/fixtures/**"] },
  {
    files: ["**/*.{ts,tsx}"],
    languageOptions: {
      parser: tseslint.parser,
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    plugins: { "@typescript-eslint": tseslint.plugin, "@nx": nx },
    rules: {
      "@nx/enforce-module-boundaries": ["error", { allow: [], depConstraints: [...layers, ...apps] }],
      ...promises,
      "@typescript-eslint/switch-exhaustiveness-check": "error",
      "@typescript-eslint/no-explicit-any": "error",
    },
  },
  {
    files: ["**/*.mjs"],
    languageOptions: {
      parser: tseslint.parser,
      parserOptions: { project: "tools/workspace/tsconfig.json", tsconfigRootDir: import.meta.dirname },
    },
    plugins: { "@typescript-eslint": tseslint.plugin },
    rules: promises,
  },
);
