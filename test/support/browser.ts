// A real Chromium, where the machine has one: Debian's, or what CHROMIUM names.
import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';

const PATHS = [
  process.env.CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

export const BROWSER = PATHS.find((path) => path !== undefined && existsSync(path));

export const NO_BROWSER = 'there is no Chromium; install it or set CHROMIUM to the path of one';

/**
 * Without the sandbox, which containers do not allow; only pages of ours are opened.
 * @param args further flags of Chromium
 */
export const openBrowser = (args: readonly string[] = []): Promise<Browser> =>
  chromium.launch({ executablePath: BROWSER, args: ['--no-sandbox', '--disable-gpu', ...args] });
