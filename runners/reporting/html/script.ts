// The script of the page: sorts tables, hides rows, shows the values of points, and moves the sliders of the predictions. It is the same in every report and
// only reads attributes, so that nothing in the data is ever executed.
export const SCRIPT = `
'use strict';
for (const table of document.querySelectorAll('table.sortable')) {
  const body = table.tBodies[0];
  const original = [...body.rows];
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener('click', () => {
      const next = { none: 'ascending', ascending: 'descending', descending: 'none' }[head.ariaSort ?? 'none'];
      for (const other of heads) other.removeAttribute('aria-sort');
      if (next !== 'none') head.setAttribute('aria-sort', next);
      const value = (row) => row.cells[column].dataset.value;
      const sign = next === 'descending' ? -1 : 1;
      const rows = next === 'none' ? original : [...original].sort((a, b) => {
        const [x, y] = [value(a), value(b)];
        if (x === '' || y === '') return (x === '') - (y === '');
        const [p, q] = [Number(x), Number(y)];
        return sign * (Number.isNaN(p) || Number.isNaN(q) ? x.localeCompare(y) : p - q);
      });
      body.append(...rows);
    });
  });
}
const chooser = document.querySelector('details.rows');
const about = document.getElementById('about');
const plots = [...document.querySelectorAll('.plot')].map((plot) => ({ plot, points: [...plot.querySelectorAll('[data-about]')], at: -1 }));
const quiet = () => {
  about.hidden = true;
  for (const { plot } of plots) if (plot.classList.contains('lit')) {
    plot.classList.remove('lit');
    for (const mark of plot.querySelectorAll('.on')) mark.classList.remove('on');
  }
};
const tell = ({ plot }, point) => {
  quiet();
  plot.classList.add('lit');
  for (const mark of plot.querySelectorAll('[data-row="' + point.dataset.row + '"]')) mark.classList.add('on');
  about.textContent = point.dataset.about;
  about.hidden = false;
  const box = point.getBoundingClientRect();
  const [wide, high] = [about.offsetWidth, about.offsetHeight];
  const left = box.right + 10 + wide < innerWidth ? box.right + 10 : Math.max(4, box.left - 10 - wide);
  about.style.left = left + 'px';
  about.style.top = Math.min(innerHeight - high - 4, Math.max(4, box.top - high - 6)) + 'px';
};
for (const each of plots) {
  const { plot, points } = each;
  if (points.length === 0) continue;
  const visible = () => points.filter((point) => !point.classList.contains('gone'));
  plot.addEventListener('pointermove', ({ clientX, clientY }) => {
    let [best, least] = [undefined, 24];
    for (const point of visible()) {
      const { left, right, top, bottom } = point.getBoundingClientRect();
      const far = Math.hypot((left + right) / 2 - clientX, (top + bottom) / 2 - clientY);
      if (far < least) [best, least] = [point, far];
    }
    if (best) tell(each, best); else quiet();
  });
  plot.addEventListener('pointerleave', quiet);
  plot.addEventListener('blur', quiet);
  plot.addEventListener('keydown', (event) => {
    const all = visible();
    if (event.key === 'Escape') return quiet();
    if (all.length === 0 || !['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown', 'Home', 'End'].includes(event.key)) return;
    event.preventDefault();
    const now = all.indexOf(points[each.at]);
    const rows = [...new Set(all.map((point) => point.dataset.row))];
    const otherRow = (step) => {
      const row = rows[(rows.indexOf(all[now]?.dataset.row) + step + rows.length) % rows.length];
      return all.findIndex((point) => point.dataset.row === row);
    };
    const next = event.key === 'Home' ? 0 : event.key === 'End' ? all.length - 1
      : event.key === 'ArrowDown' ? otherRow(1) : event.key === 'ArrowUp' ? otherRow(now < 0 ? 0 : -1)
      : event.key === 'ArrowRight' ? Math.min(all.length - 1, now + 1) : Math.max(0, now - 1);
    each.at = points.indexOf(all[next]);
    all[next].scrollIntoView({ block: 'nearest', inline: 'nearest' });
    tell(each, all[next]);
  });
}
addEventListener('scroll', () => { if (!document.activeElement?.classList.contains('plot')) quiet(); }, { passive: true });
if (chooser) {
  chooser.hidden = false;
  const boxes = [...chooser.querySelectorAll('[name=shown]')];
  const apply = () => {
    quiet();
    const shown = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
    for (const part of document.querySelectorAll('[data-of]')) part.hidden = !shown.has(part.dataset.of);
    for (const mark of document.querySelectorAll('.plot [data-row]'))
      mark.classList.toggle('gone', mark.dataset.row !== '-1' && !shown.has(mark.dataset.row));
    chooser.querySelector('.count').textContent = shown.size === boxes.length ? '(all ' + boxes.length + ' shown)' : '(' + shown.size + ' of ' + boxes.length + ' shown)';
    const select = document.querySelector('#predictions [name=row]');
    if (select?.selectedOptions[0]?.hidden) {
      const first = [...select.options].find((option) => !option.hidden);
      if (first) { select.value = first.value; select.dispatchEvent(new Event('input')); }
    }
  };
  for (const box of boxes) box.addEventListener('change', apply);
  for (const button of chooser.querySelectorAll('button')) button.addEventListener('click', () => {
    for (const box of boxes) box.checked = button.dataset.all === '1';
    apply();
  });
  apply();
}
const predictions = document.getElementById('predictions');
if (predictions) {
  const [row, image, reveal] = ['row', 'image', 'reveal'].map((name) => predictions.querySelector('[name=' + name + ']'));
  const update = () => {
    for (const figure of predictions.querySelectorAll('.figure')) figure.hidden = figure.dataset.image !== image.value;
    for (const part of predictions.querySelectorAll('[data-row]')) part.hidden = part.dataset.row !== row.value;
    for (const stack of predictions.querySelectorAll('.stack'))
      stack.querySelector('.none').hidden = [...stack.querySelectorAll('[data-row]')].some((part) => !part.hidden);
    predictions.style.setProperty('--reveal', reveal.value + '%');
    image.setAttribute('aria-valuetext', 'image ' + image.value);
  };
  for (const control of [row, image, reveal]) control.addEventListener('input', update);
  update();
}
`;
