// Text in pictures is drawn with DejaVu Sans from an npm package. So it works on machines without fonts (containers,
// clusters) and looks the same everywhere.
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { writeWhole } from '../support/files.js';
import { makeFolder } from '../../registry/support/make-folder.js';

export const FONT = 'DejaVu Sans';

/** A font of a paper: paths of its files. */
export interface PaperFont {
  family: string;
  regular: string;
  bold: string;
}

let ready = false;

/** Comes before the first text that sharp draws in a process; fontconfig reads its settings once. */
export function useOwnFonts(): void {
  if (ready || process.env.FONTCONFIG_FILE) return;
  ready = true;
  const fonts = join(dirname(createRequire(import.meta.url).resolve('dejavu-fonts-ttf/package.json')), 'ttf');
  const folder = join(tmpdir(), `mtcp-fonts-${process.getuid?.() ?? 0}`);
  const file = join(folder, 'fonts.conf');
  try {
    makeFolder(folder);
    writeWhole(
      file,
      `<?xml version="1.0"?>\n<fontconfig><dir>${fonts}</dir><cachedir>${folder}</cachedir></fontconfig>\n`,
    );
    process.env.FONTCONFIG_FILE = file;
  } catch {
    // The system's fonts have to do.
  }
}
