// Pages hold together: relative links and anchors lead somewhere, anchors are unique, and tables are whole (a blank line
// within one ends it, and what follows is shown as text).
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect } from 'chai';
import { ROOT } from '../support/rooms.js';

const pages = execFileSync('git', ['ls-files', '*.md'], { cwd: ROOT, encoding: 'utf8' })
  .split('\n')
  .filter((file) => file !== '');

/** The page without blocks of code. */
const proseOf = (page: string): string =>
  readFileSync(join(ROOT, page), 'utf8').replaceAll(/^( *)```.*?^\1```$/gms, '');

/** As GitHub makes them. */
function anchorsOf(page: string): string[] {
  return [...proseOf(page).matchAll(/^#+ +(.*)$/gm)].map(([, heading]) =>
    heading
      .toLowerCase()
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(/\s/g, '-'),
  );
}

const linksOf = (page: string): string[] =>
  [
    ...proseOf(page)
      .replaceAll(/`[^`]*`/g, '')
      .matchAll(/\]\(\s*<?([^)\s>]+)>?[^)]*\)|\b(?:src|href)="([^"]+)"/g),
  ]
    .map(([, markdown, html]) => markdown ?? html)
    .filter((link) => !/^[a-z]+:/i.test(link));

/** @returns why it leads nowhere */
function faultOf(page: string, link: string): string | undefined {
  const [path, anchor] = link.split('#');
  const target = path === '' ? page : relative(ROOT, join(ROOT, dirname(page), decodeURIComponent(path)));
  if (target.startsWith('..')) return 'outside of the repository';
  if (!existsSync(join(ROOT, target))) return 'no such file';
  if (anchor !== undefined && target.endsWith('.md') && !anchorsOf(target).includes(anchor))
    return `no such heading; there are ${anchorsOf(target).join(', ')}`;
  return undefined;
}

const cellsOf = (row: string): number =>
  row
    .replaceAll(/`[^`]*`/g, 'x')
    .replaceAll('\\|', 'x')
    .split('|').length;

describe('pages', () => {
  it('are found, with links', () => {
    expect(pages).to.include('docs/data.md');
    expect(pages.flatMap(linksOf)).to.have.length.above(100);
  });

  for (const page of pages) {
    it(`${page}: links lead somewhere`, () => {
      const faults = linksOf(page)
        .map((link) => [link, faultOf(page, link)])
        .filter(([, fault]) => fault !== undefined);
      expect(faults).to.deep.equal([]);
    });

    // Every version of a changelog has the same headings.
    if (page !== 'CHANGELOG.md')
      it(`${page}: no two headings have the same anchor`, () => {
        const anchors = anchorsOf(page);
        expect(anchors.filter((anchor, i) => anchors.indexOf(anchor) !== i)).to.deep.equal([]);
      });

    it(`${page}: tables are whole`, () => {
      const blocks = proseOf(page).match(/(?:^\|.*\n)+/gm) ?? [];
      for (const block of blocks) {
        const [head, rule, ...rows] = block.trimEnd().split('\n');
        expect(rule ?? '', `below ${head}`).to.match(/^\|(?: *:?-+:? *\|)+ *$/);
        for (const row of [rule, ...rows]) expect(cellsOf(row), row).to.equal(cellsOf(head));
      }
    });
  }
});
