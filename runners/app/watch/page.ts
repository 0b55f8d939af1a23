// The live page: asks the server for the state every two seconds and draws it. All text from runs is set as text, never as
// markup, and the content security policy allows this script only.
import { createHash } from 'node:crypto';
import { COLOURS } from '../../drawing/theme.js';

const STYLE = `
:root { color-scheme: light dark; --ink: #1d2126; --soft: #5c6670; --line: #d9dde2; --ground: #fff; --panel: #f6f7f9; --accent: #0060a8; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8eb; --soft: #a3abb5; --line: #3a4048; --ground: #14171a; --panel: #1d2125; --accent: #6cb6ff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 90rem; padding: 1rem 1rem 4rem; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.4rem; margin: 0; } h2 { font-size: 1.1rem; margin: 1.5rem 0 .5rem; }
.soft, figcaption { color: var(--soft); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .7rem; border-bottom: 1px solid var(--line); text-align: left; white-space: nowrap; }
td.n, th.n { text-align: right; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(19rem, 1fr)); gap: 1rem; }
.chart svg { width: 100%; height: auto; display: block; }
.chart h3 { font-size: .95rem; margin: 0; font-weight: 600; }
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 28rem), 1fr)); gap: 1rem; }
figure { margin: 0; } img { max-width: 100%; }
.swatch { display: inline-block; width: .8em; height: .8em; margin-right: .4em; border-radius: 2px; }
progress { width: 7rem; accent-color: var(--accent); }
.failed { color: #c62828; } .lost { background: #c62828; color: #fff; padding: .2rem .6rem; border-radius: .3rem; }
label { cursor: pointer; }
svg text { fill: var(--soft); font-size: 11px; }
.grid { stroke: var(--line); }
`;

const SCRIPT = `
'use strict';
const COLOURS = ${JSON.stringify(COLOURS)};
const $ = (id) => document.getElementById(id);
const SVG = 'http://www.w3.org/2000/svg';
const hidden = new Set();
const colours = new Map();
const colourOf = (id) => {
  if (!colours.has(id)) colours.set(id, COLOURS[colours.size % COLOURS.length]);
  return colours.get(id);
};
const element = (name, properties, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};
const drawn = (name, attributes, text) => {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
};
const number = (value) => value === null ? '' : Math.abs(value) >= 1000 || (value !== 0 && Math.abs(value) < 0.001) ? value.toExponential(2) : String(Number(value.toPrecision(4)));
const duration = (seconds) => {
  if (seconds === null) return '';
  if (seconds < 60) return Math.max(1, Math.round(seconds)) + ' s';
  const minutes = Math.round(seconds / 60);
  return minutes < 100 ? minutes + ' min' : (minutes / 60).toFixed(1) + ' h';
};
const gigabytes = (bytes) => (bytes / 1e9).toFixed(1) + ' GB';

function row(trial) {
  const box = element('input', { type: 'checkbox', checked: !hidden.has(trial.id) });
  box.addEventListener('change', () => {
    if (box.checked) hidden.delete(trial.id); else hidden.add(trial.id);
    draw(last);
  });
  const swatch = element('span', { className: 'swatch' });
  swatch.style.background = colourOf(trial.id);
  const cells = [
    element('td', {}, element('label', {}, box, ' ', swatch, trial.row)),
    element('td', { className: 'n' }, String(trial.seed)),
    element('td', { className: trial.state, title: trial.failure ?? '' }, trial.state),
    element('td', {}, element('progress', { max: Math.max(1, trial.epochs), value: trial.epoch }), ' ' + trial.epoch + (trial.epochs ? '/' + trial.epochs : '')),
    element('td', { className: 'n' }, trial.step === null ? '' : String(trial.step)),
    element('td', { className: 'n' }, number(trial.objective)),
    element('td', { className: 'n' }, trial.state === 'running' ? duration(trial.left) : ''),
    element('td', { className: 'soft' }, trial.experiment),
  ];
  const made = element('tr', {}, ...cells);
  made.dataset.trial = trial.id;
  return made;
}

function chart(name, series) {
  const [W, H, left, bottom, top] = [320, 190, 52, 22, 8];
  const points = series.flatMap(({ points }) => points);
  const xs = points.map(([x]) => x), ys = points.map(([, y]) => y);
  const [x0, x1, low, high] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const x = (value) => left + (x1 === x0 ? 0.5 : (value - x0) / (x1 - x0)) * (W - left - 10);
  const y = (value) => H - bottom - (high === low ? 0.5 : (value - low) / (high - low)) * (H - bottom - top);
  const svg = drawn('svg', { viewBox: '0 0 ' + W + ' ' + H, role: 'img', 'aria-label': name });
  for (const value of high === low ? [low] : [low, (low + high) / 2, high]) {
    svg.append(drawn('line', { class: 'grid', x1: left, x2: W - 10, y1: y(value), y2: y(value) }));
    svg.append(drawn('text', { x: left - 5, y: y(value) + 4, 'text-anchor': 'end' }, number(value)));
  }
  for (const value of x1 === x0 ? [x0] : [x0, x1])
    svg.append(drawn('text', { x: x(value), y: H - 6, 'text-anchor': x(value) > W - 60 ? 'end' : 'middle' }, 'epoch ' + value));
  for (const { id, label, points } of series) {
    const colour = colourOf(id);
    svg.append(drawn('polyline', { points: points.map(([a, b]) => x(a) + ',' + y(b)).join(' '), fill: 'none', stroke: colour, 'stroke-width': 2 }));
    for (const [a, b] of points) {
      const dot = drawn('circle', { cx: x(a), cy: y(b), r: 2.6, fill: colour });
      dot.append(drawn('title', {}, label + ', epoch ' + a + ': ' + number(b)));
      svg.append(dot);
    }
  }
  return element('div', { className: 'chart' }, element('h3', { textContent: name }), svg);
}

let last;
function draw(state) {
  last = state;
  const { trials, left, machine } = state;
  const count = (name) => trials.filter((trial) => trial.state === name).length;
  const states = ['running', 'done', 'queued', 'failed', 'interrupted', 'stale'].filter(count).map((name) => count(name) + ' ' + name);
  $('summary').textContent = (states.join(', ') || 'no trials yet') + (left ? '; about ' + duration(left) + ' of training left' : '');
  $('machine').textContent = 'load ' + machine.load.toFixed(1) + ' on ' + machine.cores + ' cores, memory ' + gigabytes(machine.memory) + ' of ' + gigabytes(machine.memoryTotal);
  document.title = (count('running') ? count('running') + ' running' : count('done') + ' done') + ' - mtcp watch';
  $('trials').replaceChildren(...trials.map(row));
  const shown = trials.filter(({ id }) => !hidden.has(id));
  const names = [...new Set(shown.flatMap(({ curves }) => curves.map(({ name }) => name)))];
  $('charts').replaceChildren(...names.map((name) => chart(name, shown.flatMap(({ id, row, seed, curves }) => {
    const found = curves.find((curve) => curve.name === name);
    return found ? [{ id, label: row + ', seed ' + seed, points: found.points }] : [];
  }))));
  const pictures = shown.filter(({ picture }) => picture !== null);
  const wanted = new Set(pictures.map(({ id, picture }) => id + ' ' + picture));
  for (const figure of [...$('pictures').children]) if (!wanted.has(figure.dataset.key)) figure.remove();
  const there = new Set([...$('pictures').children].map((figure) => figure.dataset.key));
  for (const { id, row, seed, picture } of pictures) {
    if (there.has(id + ' ' + picture)) continue;
    const image = element('img', { src: 'picture?trial=' + encodeURIComponent(id) + '&at=' + picture, alt: 'predictions of ' + row, loading: 'lazy' });
    const figure = element('figure', {}, image, element('figcaption', {}, row + ', seed ' + seed));
    figure.dataset.key = id + ' ' + picture;
    $('pictures').append(figure);
  }
}

async function update() {
  try {
    const answer = await fetch('state.json', { cache: 'no-store' });
    if (!answer.ok) throw new Error(answer.statusText);
    draw(await answer.json());
    $('lost').hidden = true;
  } catch (error) {
    $('lost').hidden = false;
  }
  setTimeout(update, document.hidden ? 10000 : 2000);
}
update();
`;

const hash = createHash('sha256').update(SCRIPT).digest('base64');

export const POLICY = `default-src 'none'; connect-src 'self'; img-src 'self' data:; style-src 'unsafe-inline'; script-src 'sha256-${hash}'`;

export const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>mtcp watch</title>
    <link rel="icon" href="data:," />
    <style>${STYLE}</style>
  </head>
  <body>
    <header>
      <h1>mtcp watch</h1>
      <p><span id="summary">loading</span> <span class="soft" id="machine"></span>
        <span id="lost" class="lost" hidden>mtcp watch has ended, or cannot be reached</span></p>
    </header>
    <main>
      <div class="scroll" role="group" tabindex="0" aria-label="Trials">
        <table>
          <thead><tr><th scope="col">row</th><th scope="col" class="n">seed</th><th scope="col">state</th><th scope="col">epoch</th><th scope="col" class="n">step</th><th scope="col" class="n">objective</th><th scope="col" class="n">left</th><th scope="col">experiment</th></tr></thead>
          <tbody id="trials"></tbody>
        </table>
      </div>
      <h2>Curves</h2>
      <div class="charts" id="charts"></div>
      <h2>Predictions</h2>
      <div class="pictures" id="pictures"></div>
    </main>
    <script>${SCRIPT}</script>
  </body>
</html>
`;
