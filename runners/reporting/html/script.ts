// The script of the page: sorts tables and moves the sliders of the predictions. It is the same in every report and
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
