// The folder of mtcp's own package.json, seen from dist/runners/cli.
export const packageRoot = new URL('../../../', import.meta.url);
