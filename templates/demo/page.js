// The page of a trained network: a picture comes from a file, the clipboard or the camera, worker.js predicts every task,
// and the maps are drawn side by side. All names are set as text, never as markup.
const $ = (id) => document.getElementById(id);
/** Longer sides are made smaller: maps of every task are drawn at this size. */
const MOST = 1600;

const settings = await (await fetch('model.json')).json();
const worker = new Worker('worker.js', { type: 'module' });
/** Takes the answer of the worker; one picture is predicted at a time. */
let answered;
let busy = Promise.resolve();
let stream;

document.title = `${settings.title} - mtcp demo`;
$('title').textContent = settings.title;
$('about').textContent = settings.about;
const say = (text) => ($('status').textContent = text);

worker.onmessage = ({ data }) => {
  if (data.kind === 'ready') {
    $('file').disabled = $('camera').disabled = false;
    say('Ready.');
    return;
  }
  if (data.kind === 'failed') say(`It did not work: ${data.message}`);
  answered?.(data);
};
worker.onerror = ({ message }) => say(`It did not work: ${message || 'worker.js cannot be loaded'}`);

const element = (name, properties, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};

/** RGB of what can be drawn, on white, no larger than the model and this page take. */
function pixelsOf(source, width, height) {
  const [rows, columns] = settings.fit === 'pad' ? settings.size : [MOST, MOST];
  const scale = Math.min(1, rows / height, columns / width);
  const canvas = element('canvas', {
    width: Math.max(1, Math.floor(width * scale)),
    height: Math.max(1, Math.floor(height * scale)),
  });
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context.fillStyle = '#fff';
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(source, 0, 0, canvas.width, canvas.height);
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  const rgb = new Uint8Array((data.length / 4) * 3);
  for (let i = 0, to = 0; i < data.length; i += 4, to += 3) rgb.set(data.subarray(i, i + 3), to);
  return { height: canvas.height, width: canvas.width, data: rgb, shrunk: scale < 1 };
}

function predict(source, width, height, name) {
  const pixels = pixelsOf(source, width, height);
  return (busy = busy.then(() => predictNext(pixels, name, `${width} x ${height}`)));
}

async function predictNext({ data, shrunk, ...size }, name, original) {
  const answer = new Promise((resolve) => (answered = resolve));
  worker.postMessage({ ...size, data });
  const predicted = await answer;
  if (predicted.kind === 'failed') return predicted;
  show({ ...size, data }, predicted);
  const smaller = shrunk ? `, made smaller from ${original}` : '';
  say(
    `${name}, ${size.width} x ${size.height}${smaller}: the network took ${Math.round(predicted.milliseconds)} ms.`,
  );
  return predicted;
}

function show(picture, { maps }) {
  const there = $('maps').children;
  const figures = [
    { task: 'picture', colours: picture.data },
    ...maps.map((map, i) => ({
      ...map,
      meaning: settings.tasks[i].meaning,
      classes: settings.tasks[i].classes,
      unit: settings.tasks[i].unit,
    })),
  ];
  figures.forEach((figure, i) => {
    if (!there[i]) $('maps').append(figureOf(figure));
    fill(there[i], figure, picture);
  });
}

const figureOf = ({ task, meaning }) =>
  element(
    'figure',
    {},
    element(
      'figcaption',
      {},
      element('h2', { textContent: task }),
      element('span', { className: 'soft', textContent: meaning ?? '' }),
    ),
    element('canvas', {}),
    element('output', {}),
    element('div', { className: 'legend' }),
  );

function fill(figure, { task, colours, legend, values, channels, classes, unit }, { width, height }) {
  const canvas = figure.querySelector('canvas');
  canvas.width = width;
  canvas.height = height;
  canvas.setAttribute('role', 'img');
  const context = canvas.getContext('2d');
  const image = context.createImageData(width, height);
  for (let i = 0, from = 0; i < image.data.length; i += 4, from += 3) {
    image.data.set(colours.subarray(from, from + 3), i);
    image.data[i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
  canvas.setAttribute('aria-label', legend ? `${task}: ${legendText(legend)}` : task);
  if (!legend) return;
  figure.querySelector('.legend').replaceChildren(legendOf(legend));
  reading(figure, canvas, (at) =>
    classes
      ? `${classes[values[at]] ?? values[at]}`
      : Array.from(values.subarray(at * channels, (at + 1) * channels), (v) => v.toFixed(2)).join(', ') +
        (unit ? ` ${unit}` : ''),
  );
}

/** The value under the pointer, or in the crosshair that arrow keys move. */
function reading(figure, canvas, valueAt) {
  const output = figure.querySelector('output');
  let at = [canvas.width >> 1, canvas.height >> 1];
  const tell = (x, y) => {
    at = [Math.max(0, Math.min(canvas.width - 1, x)), Math.max(0, Math.min(canvas.height - 1, y))];
    output.textContent = `${at[0]}, ${at[1]}: ${valueAt(at[1] * canvas.width + at[0])}`;
  };
  canvas.tabIndex = 0;
  canvas.onpointermove = (event) => {
    const box = canvas.getBoundingClientRect();
    tell(
      Math.floor(((event.clientX - box.left) / box.width) * canvas.width),
      Math.floor(((event.clientY - box.top) / box.height) * canvas.height),
    );
  };
  const step = Math.max(1, Math.round(canvas.width / 40));
  const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  canvas.onkeydown = (event) => {
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    tell(at[0] + move[0] * step, at[1] + move[1] * step);
  };
  output.textContent = '';
}

const legendText = (legend) =>
  legend.kind === 'scale'
    ? `${legend.low} to ${legend.high}`
    : legend.entries.map(({ name }) => name).join(', ');

const SVG = 'http://www.w3.org/2000/svg';
const drawn = (name, attributes) => {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
};

function swatch(colours, properties) {
  const svg = drawn('svg', {
    viewBox: `0 0 ${colours.length} 1`,
    preserveAspectRatio: 'none',
    'aria-hidden': 'true',
    ...properties,
  });
  colours.forEach((fill, x) => svg.append(drawn('rect', { x, y: 0, width: 1.02, height: 1, fill })));
  return svg;
}

function legendOf(legend) {
  if (legend.kind === 'scale')
    return element('p', { className: 'scale' }, legend.low, swatch(legend.colours, {}), legend.high);
  return element(
    'ul',
    {},
    ...legend.entries.map(({ name, colour }) =>
      element('li', {}, swatch([colour], { class: 'swatch' }), name),
    ),
  );
}

async function open(file) {
  if (!file || $('file').disabled) return;
  stop();
  say(`${file.name}: predicting.`);
  try {
    const bitmap = await createImageBitmap(file);
    await predict(bitmap, bitmap.width, bitmap.height, file.name);
    bitmap.close();
  } catch (error) {
    say(`${file.name} cannot be read as a picture: ${error.message}`);
  }
}

function stop() {
  for (const track of stream?.getTracks() ?? []) track.stop();
  stream = undefined;
  $('video').hidden = true;
  $('camera').textContent = 'Use the camera';
}

async function camera() {
  if (stream) return stop();
  if (!navigator.mediaDevices) return say('The camera needs a page from localhost or over https.');
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } });
  } catch (error) {
    return say(`The camera cannot be used: ${error.message}`);
  }
  const video = $('video');
  video.srcObject = stream;
  video.hidden = false;
  $('camera').textContent = 'Stop the camera';
  await video.play();
  while (stream) {
    const done = await predict(video, video.videoWidth, video.videoHeight, 'camera');
    if (done?.kind === 'failed') stop();
    await new Promise(requestAnimationFrame);
  }
}

$('file').addEventListener('change', () => void open($('file').files[0]));
$('camera').addEventListener('click', () => void camera());
document.addEventListener('paste', (event) => void open([...(event.clipboardData?.files ?? [])][0]));
for (const name of ['dragover', 'dragleave', 'drop'])
  document.addEventListener(name, (event) => {
    event.preventDefault();
    $('drop').classList.toggle('over', name === 'dragover');
    if (name === 'drop') void open(event.dataTransfer.files[0]);
  });
