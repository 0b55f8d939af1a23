// Where the package lies: the folder of package.json, from dist/runners/cli.
export const packageRoot = new URL('../../../', import.meta.url);
