// What surfaces look like: a procedural pattern in two colours, evaluated where a ray hits. Coordinates are
// metres in the frame of the thing, so grain and checks run on over all of its parts. Colours are linear RGB.

export type Rgb = readonly [number, number, number];

export type Pattern =
  | 'plain'
  | 'plaster'
  | 'wood'
  | 'planks'
  | 'tiles'
  | 'checks'
  | 'carpet'
  | 'stripes'
  | 'plaid'
  | 'flowers'
  | 'brick'
  | 'marble'
  | 'print'
  | 'painting'
  | 'outdoors'
  | 'mirror'
  | 'patches'
  | 'horizon'
  | 'clouds';

export interface Material {
  pattern: Pattern;
  colour: Rgb;
  second: Rgb;
  /** Metres from one feature of the pattern to the next. */
  scale: number;
  /** Strength of highlights, 0 to 1. */
  gloss: number;
  /** Light given off, in units of its colour. */
  glow: number;
  /** Which of the pattern's instances. */
  seed: number;
}

/** Colour of the last call of `colourAt`. */
export const sampled = new Float64Array(3);

/** Uniform in [0, 1) for a lattice point. */
function lattice(x: number, y: number, z: number, seed: number): number {
  let h = Math.imul(x, 0x27d4eb2d) ^ Math.imul(y, 0x165667b1) ^ Math.imul(z, 0x9e3779b1) ^ seed;
  h = Math.imul(h ^ (h >>> 15), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return ((h ^ (h >>> 16)) >>> 0) / 4294967296;
}

/** Smooth noise in [0, 1] with features of size 1. */
function noise(x: number, y: number, z: number, seed: number): number {
  const ix = Math.floor(x);
  const iy = Math.floor(y);
  const iz = Math.floor(z);
  let fx = x - ix;
  let fy = y - iy;
  let fz = z - iz;
  fx = fx * fx * (3 - 2 * fx);
  fy = fy * fy * (3 - 2 * fy);
  fz = fz * fz * (3 - 2 * fz);
  const near = plane(ix, iy, iz, fx, fy, seed);
  return near + fz * (plane(ix, iy, iz + 1, fx, fy, seed) - near);
}

function plane(ix: number, iy: number, iz: number, fx: number, fy: number, seed: number): number {
  const low = lattice(ix, iy, iz, seed);
  const high = lattice(ix, iy + 1, iz, seed);
  const lower = low + fx * (lattice(ix + 1, iy, iz, seed) - low);
  const upper = high + fx * (lattice(ix + 1, iy + 1, iz, seed) - high);
  return lower + fy * (upper - lower);
}

const fraction = (x: number) => x - Math.floor(x);

/** Colour one, `t` of the way to colour two, times `shade`. */
function mix({ colour, second }: Material, t: number, shade: number): void {
  for (let k = 0; k < 3; k++) sampled[k] = (colour[k] + t * (second[k] - colour[k])) * shade;
}

/**
 * The surface's colour at (x, y, z) metres, in `sampled`.
 * @param axis 0, 1 or 2: the direction the surface faces most; flat patterns use the other two
 */
export function colourAt(material: Material, x: number, y: number, z: number, axis: number): void {
  const u = axis === 0 ? y : x;
  const v = axis === 2 ? y : z;
  const s = material.scale;
  const { seed } = material;
  switch (material.pattern) {
    case 'plain':
      return mix(material, 0, 0.96 + 0.08 * noise(x * 3, y * 3, z * 3, seed));
    case 'plaster':
      return mix(
        material,
        0,
        0.92 + 0.13 * noise(x * 0.9, y * 0.9, z * 0.9, seed) + 0.03 * noise(x * 45, y * 45, z * 45, seed),
      );
    case 'wood':
      return wood(material, x, y, z);
    case 'planks':
      return planks(material, u, v);
    case 'tiles':
    case 'checks':
      return tiles(material, u / s, v / s);
    case 'carpet':
      return mix(
        material,
        noise(x / s, y / s, z / s, seed),
        0.84 + 0.32 * noise(x * 90, y * 90, z * 90, seed + 1),
      );
    case 'stripes':
      return mix(material, fraction(u / s) < 0.5 ? 0 : 1, cloth(x, y, z, seed));
    case 'plaid': {
      const bars = (fraction(u / s) < 0.35 ? 1 : 0) + (fraction(v / s) < 0.35 ? 1 : 0);
      return mix(material, bars / 2, cloth(x, y, z, seed));
    }
    case 'flowers':
      return flowers(material, u / s, v / s, cloth(x, y, z, seed));
    case 'brick':
      return brick(material, u / s, v / s);
    case 'marble': {
      const vein =
        noise(x / s, y / s, z / s, seed) + 0.5 * noise((2 * x) / s, (2 * y) / s, (2 * z) / s, seed);
      return mix(material, Math.abs(Math.sin(9 * vein)) ** 3, 1);
    }
    case 'print':
      return print(material, u / s, v / s);
    case 'painting':
      return painting(material, u / s, v / s);
    case 'outdoors':
      return outdoors(material, u, v);
    case 'mirror':
      return mix(material, 0, 1);
    case 'patches':
      return mix(material, noise(x / s, y / s, z / s, seed) > 0.52 ? 1 : 0, cloth(x, y, z, seed));
    case 'horizon':
      return horizon(material, x, y, v, u);
    case 'clouds':
      return mix(material, 0.75 * cloudiness(x / 11, y / 11, z / 6, seed), 1.1);
  }
}

/** Threads and a soft shade over the folds. */
function cloth(x: number, y: number, z: number, seed: number): number {
  return 0.88 + 0.12 * noise(x * 70, y * 70, z * 70, seed) + 0.12 * noise(x * 4, y * 4, z * 4, seed);
}

/** Grain along the x axis, wavy across it. */
function wood(material: Material, x: number, y: number, z: number): void {
  const s = material.scale;
  const wave = noise((x * 0.15) / s, y / s, z / s, material.seed);
  const grain = 0.5 + 0.5 * Math.sin(16 * wave);
  mix(material, grain, 0.88 + 0.22 * noise((x * 0.6) / s, (y * 9) / s, (z * 9) / s, material.seed + 1));
}

function planks(material: Material, u: number, v: number): void {
  const { scale: s, seed } = material;
  const row = Math.floor(v / s);
  const along = u / (9 * s) + 7 * lattice(row, 0, 0, seed);
  const tone = lattice(row, Math.floor(along), 1, seed);
  const seam = fraction(v / s) < 0.05 || fraction(along) < 0.006 ? 0.45 : 1;
  const grain = noise((u * 2) / s, (v * 12) / s, tone * 50, seed);
  mix(material, 0.65 * tone + 0.35 * grain, seam * (0.88 + 0.2 * grain));
}

function tiles(material: Material, u: number, v: number): void {
  const [i, j] = [Math.floor(u), Math.floor(v)];
  if (u - i < 0.05 || v - j < 0.05) return mix(material, 1, 0.8);
  const tone = 0.93 + 0.14 * lattice(i, j, 0, material.seed);
  mix(material, material.pattern === 'checks' && ((i + j) & 1) === 1 ? 1 : 0, tone);
}

function brick(material: Material, u: number, v: number): void {
  const row = Math.floor(v * 3);
  const along = u + (row & 1) / 2;
  if (fraction(v * 3) < 0.14 || fraction(along) < 0.05) return mix(material, 1, 1);
  mix(material, 0, 0.7 + 0.6 * lattice(row, Math.floor(along), 0, material.seed));
}

/** One blossom or dot somewhere in each cell. */
function flowers(material: Material, u: number, v: number, shade: number): void {
  const [i, j] = [Math.floor(u), Math.floor(v)];
  const x = u - i - 0.3 - 0.4 * lattice(i, j, 0, material.seed);
  const y = v - j - 0.3 - 0.4 * lattice(i, j, 1, material.seed);
  const petals = 1 + 0.35 * Math.cos(5 * Math.atan2(y, x));
  mix(material, x * x + y * y < 0.06 * petals ? 1 : 0, shade);
}

/** Lines of writing on paper: bars of uneven length. */
function print(material: Material, u: number, v: number): void {
  const line = Math.floor(v);
  const written = fraction(v) < 0.5 && noise(u * 3, line * 7.3, 0, material.seed) > 0.42;
  mix(material, written ? 0.7 : 0, 0.97);
}

/** A landscape under a sky, or fields of colour; `u`, `v` from -1 to 1 over the canvas. */
function painting(material: Material, u: number, v: number): void {
  const { seed } = material;
  if (seed % 3 === 0) {
    const [i, j] = [Math.floor((u + 1) * 2.2), Math.floor((v + 1) * 1.8)];
    mix(material, lattice(i, j, 0, seed), 0.5 + 0.9 * lattice(i, j, 1, seed));
    for (let k = 0; k < 3; k++) sampled[k] *= 0.5 + lattice(i, j, 2 + k, seed);
    return;
  }
  const hills = -0.2 + 0.7 * (noise(u * 2 + 9, 0, 0, seed) - 0.5);
  if (v > hills) return mix(material, 0.15 + 0.5 * noise(u * 3, v * 5, 0, seed), 0.8 + 0.3 * v);
  const strokes = noise(u * 6, v * 14, 1, seed);
  mix(material, 1, 0.35 + 0.7 * strokes);
}

/** Sky above trees or roofs; `v` is metres above the middle of the pane. */
function outdoors(material: Material, u: number, v: number): void {
  const { seed } = material;
  const house = lattice(Math.floor(u * 1.7), 3, 0, seed);
  const trees = -0.25 + 0.5 * noise(u * 3, 0, 0, seed) + 0.12 * noise(u * 17, v * 9, 0, seed);
  const skyline = seed % 2 === 0 ? trees : -0.3 + 0.6 * house;
  if (v > skyline) return mix(material, 0.4 * noise(u * 1.5, v * 4, 2, seed), 0.85 + 0.15 * v);
  const leaf = noise(u * 25, v * 25, 1, seed);
  const green = seed % 2 === 0 ? 1 : 0.8;
  sampled[0] = (0.08 + 0.12 * leaf) * (2 - green);
  sampled[1] = 0.12 + 0.16 * leaf * green;
  sampled[2] = 0.07 + 0.07 * leaf * (2 - green);
}

const cloudiness = (x: number, y: number, z: number, seed: number): number =>
  Math.max(0, 1.6 * (0.65 * noise(x, y, z, seed) + 0.35 * noise(x * 3, y * 3, z * 3, seed)) - 0.55);

/**
 * What closes an outdoor scene: sky with clouds above hills, woods or roofs about `scale` metres high. Patterns
 * follow the place (x, y, v), so that they go around corners; windows follow the wall, `u`.
 */
function horizon(material: Material, x: number, y: number, v: number, u: number): void {
  const { scale: s, seed } = material;
  const woods = 0.5 * noise(x / (3 * s), y / (3 * s), 0, seed) + 0.5 * noise(x / s, y / s, v / s, seed);
  const block = Math.floor(u / s + 40);
  const roofs = 0.35 + 0.9 * lattice(block, 3, 0, seed);
  const skyline = s * (seed % 3 === 0 ? roofs : 0.3 + 0.8 * woods);
  if (v > skyline)
    return mix(material, 0.75 * cloudiness(x / 11, y / 11, v / 6, seed), 0.9 + Math.min(0.2, 0.008 * v));
  if (seed % 3 === 0) {
    const pane = fraction((u * 1.1) / s) > 0.55 && fraction(v / 1.4) > 0.5;
    const tone = (pane ? 0.12 : 0.3 + 0.45 * lattice(block, 5, 0, seed)) * (0.9 + 0.2 * noise(u, v, 0, seed));
    sampled[0] = tone;
    sampled[1] = tone * (0.8 + 0.15 * lattice(block, 6, 0, seed));
    sampled[2] = tone * (0.6 + 0.35 * lattice(block, 7, 0, seed));
    return;
  }
  const leaf = 0.6 * noise(x * 1.7, y * 1.7, v * 1.7, seed) + 0.4 * noise(x * 6, y * 6, v * 6, seed);
  // Air makes far woods pale.
  const haze = seed % 3 === 1 ? 0.35 : 0.12;
  sampled[0] = haze * 0.5 + (1 - haze) * (0.05 + 0.13 * leaf);
  sampled[1] = haze * 0.58 + (1 - haze) * (0.09 + 0.18 * leaf);
  sampled[2] = haze * 0.66 + (1 - haze) * (0.03 + 0.07 * leaf);
}
