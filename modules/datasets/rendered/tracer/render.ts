// A picture of a room and its labels. Labels come from the ray through each pixel's centre; the picture
// averages a grid of rays per pixel, each with one ray to a random point of a light and one into the
// surroundings, which gives soft shadows and dark corners.
import type { RandomStream } from '../../../../registry/index.js';
import { traceThrough, type Camera } from './camera.js';
import { colourAt, sampled, type Material } from './materials.js';
import { Dice } from '../dice.js';
import type { Light, World } from './world.js';
import { CEILING, FLOOR, type Hit, type Scene } from './scene.js';

export interface Rendering {
  camera: Camera;
  /** [H,W,3] bytes. */
  image: Uint8Array;
  /** [H,W] surfaces of the scene that the pixels show. */
  surfaces: Int32Array;
  /** [H,W] classes 0 to 39. */
  semseg: Uint8Array;
  /** [H,W] metres along the optical axis. */
  depth: Float32Array;
  /** [H,W,3] unit vectors in camera coordinates. */
  normals: Float32Array;
}

/** Rays per pixel along each side. */
const GRID = 3;
const RAYS = GRID * GRID;
/** Every how manyth ray asks for the surroundings. */
const OPENNESS_RAYS = 2;
/** How far surroundings darken a corner, in metres. */
const REACH = 0.9;

/** What a camera in a room sees. */
export function renderView(
  built: World,
  camera: Camera,
  random: RandomStream,
  height: number,
  width: number,
): Rendering {
  return new Painter(built, camera, random).render(height, width);
}

class Painter {
  readonly #scene: Scene;
  readonly #lights: readonly Light[];
  /** Light that has bounced about the room and comes from everywhere. */
  readonly #ambient: readonly number[];
  readonly #colour = new Float64Array(3);
  readonly #target = new Float64Array(3);
  /** Seed of the xorshift generator: a picture needs millions of numbers. */
  #state: number;
  /** Turns the pattern in which the rays of a pixel scatter. */
  #shift = 0;
  #open = 1;

  constructor(
    private readonly built: World,
    private readonly camera: Camera,
    private readonly random: RandomStream,
  ) {
    this.#scene = built.scene;
    this.#lights = built.room.lights;
    this.#state = random.integer(1 << 30) | 1;
    this.#ambient = built.ambient ?? ambientLight(built);
  }

  render(height: number, width: number): Rendering {
    const { camera } = this;
    const { labels } = this.built;
    const pixels = height * width;
    const light = new Float32Array(3 * pixels);
    const semseg = new Uint8Array(pixels);
    const depth = new Float32Array(pixels);
    const normals = new Float32Array(3 * pixels);
    const surfaces = new Int32Array(pixels);
    for (let i = 0, p = 0; i < height; i++)
      for (let j = 0; j < width; j++, p++) {
        const hit = traceThrough(this.#scene, camera, j + 0.5, i + 0.5);
        surfaces[p] = hit.surface;
        semseg[p] = labels[hit.surface];
        depth[p] = hit.distance;
        normals[3 * p] = dot(hit, camera.right);
        normals[3 * p + 1] = dot(hit, camera.down);
        normals[3 * p + 2] = dot(hit, camera.forward);
      }
    for (let i = 0, p = 0; i < height; i++)
      for (let j = 0; j < width; j++, p++) {
        const surface = sameAround(surfaces, i, j, height, width) ? surfaces[p] : -1;
        this.#shift = this.#next();
        for (let ray = 0; ray < RAYS; ray++) {
          const x = j + ((ray % GRID) + 0.5) / GRID;
          const y = i + (Math.floor(ray / GRID) + 0.5) / GRID;
          const hit = traceThrough(this.#scene, camera, x, y, surface);
          this.#shade(hit, (x - camera.cx) / camera.focal, (y - camera.cy) / camera.focal, ray);
          for (let k = 0; k < 3; k++) light[3 * p + k] += this.#colour[k] / RAYS;
        }
      }
    const image = develop(light, height, width, this.random);
    return { camera, image, surfaces, semseg, depth, normals };
  }

  /** Light that leaves a hit towards the camera, in `#colour`. */
  #shade(hit: Hit, u: number, v: number, ray: number): void {
    const { at, right, down, forward } = this.camera;
    const distance = hit.distance;
    const vx = forward[0] + u * right[0] + v * down[0];
    const vy = forward[1] + u * right[1] + v * down[1];
    const vz = forward[2] + u * right[2] + v * down[2];
    const length = Math.sqrt(vx * vx + vy * vy + vz * vz);
    const x = at[0] + distance * vx;
    const y = at[1] + distance * vy;
    const z = at[2] + distance * vz;
    this.#surface(hit, x, y, z, vx / length, vy / length, vz / length, ray, true);
  }

  /** The light from (x, y, z) on a surface, seen along the unit vector v. */
  #surface(
    hit: Hit,
    x: number,
    y: number,
    z: number,
    vx: number,
    vy: number,
    vz: number,
    ray: number,
    mirrors: boolean,
  ): void {
    const colour = this.#colour;
    const material = this.built.materials[hit.surface];
    const nx = hit.nx;
    const ny = hit.ny;
    const nz = hit.nz;
    this.#paint(material, hit);
    const red = sampled[0];
    const green = sampled[1];
    const blue = sampled[2];
    if (material.glow > 0) {
      colour[0] = red * material.glow;
      colour[1] = green * material.glow;
      colour[2] = blue * material.glow;
      return;
    }
    // Off the surface, so that its own roundness does not shade it.
    const px = x + nx * 0.002;
    const py = y + ny * 0.002;
    const pz = z + nz * 0.002;
    if (material.pattern === 'mirror' && mirrors) {
      const turn = 2 * (vx * nx + vy * ny + vz * nz);
      const rx = vx - turn * nx;
      const ry = vy - turn * ny;
      const rz = vz - turn * nz;
      const seen = this.#scene.trace(px, py, pz, rx, ry, rz);
      const d = seen.distance;
      this.#surface(seen, px + d * rx, py + d * ry, pz + d * rz, rx, ry, rz, ray, false);
      colour[0] *= red;
      colour[1] *= green;
      colour[2] *= blue;
      return;
    }
    if (ray % OPENNESS_RAYS === 0) this.#open = this.#openness(px, py, pz, nx, ny, nz, ray / RAYS);
    // More comes from above than from the floor.
    const sky = (0.75 + 0.25 * nz) * this.#open;
    let r = this.#ambient[0] * sky;
    let g = this.#ambient[1] * sky;
    let b = this.#ambient[2] * sky;
    let shine = 0;
    const count = this.#lights.length;
    for (let i = 0; i < count; i++) {
      // The strongest light is asked by every ray, the others by some, which then count for all.
      const every = i === 0 ? 1 : Math.min(3, count - 1);
      if (ray % every !== (i === 0 ? 0 : (i - 1) % every)) continue;
      const source = this.#lights[i];
      this.#aim(source, ray);
      const lx = this.#target[0] - px;
      const ly = this.#target[1] - py;
      const lz = this.#target[2] - pz;
      const facing = lx * nx + ly * ny + lz * nz;
      if (facing <= 0) continue;
      const square = lx * lx + ly * ly + lz * lz;
      const far = Math.sqrt(square);
      const strength =
        (every * facing * beam(source, lx, ly, lz, far)) / far / Math.max(square, source.window ? 0.7 : 0.25);
      const limit = 1 - source.clear / far;
      if (strength <= 0 || (limit > 0 && this.#scene.blocked(px, py, pz, lx, ly, lz, limit))) continue;
      r += source.power[0] * strength;
      g += source.power[1] * strength;
      b += source.power[2] * strength;
      if (material.gloss > 0) {
        const hx = lx / far - vx;
        const hy = ly / far - vy;
        const hz = lz / far - vz;
        const half = (hx * nx + hy * ny + hz * nz) / Math.sqrt(hx * hx + hy * hy + hz * hz);
        if (half > 0.9)
          shine += material.gloss * (half ** 60 * 0.9 + half ** 12 * 0.12) * strength * source.power[1];
      }
    }
    colour[0] = red * r + shine;
    colour[1] = green * g + shine;
    colour[2] = blue * b + shine;
  }

  /** A point of the light, in `#target`: every ray of a pixel aims at another part of it. */
  #aim({ at, radius, window }: Light, ray: number): void {
    const target = this.#target;
    const a = 2 * wrap(((ray % GRID) + this.#next()) / GRID + this.#shift) - 1;
    const b = 2 * wrap((Math.floor(ray / GRID) + this.#next()) / GRID + this.#shift) - 1;
    if (window) {
      for (let k = 0; k < 3; k++) target[k] = at[k] + a * window.across[k] + b * window.up[k];
      return;
    }
    const flat = radius * Math.sqrt(1 - a * a);
    target[0] = at[0] + flat * Math.cos(Math.PI * b);
    target[1] = at[1] + flat * Math.sin(Math.PI * b);
    target[2] = at[2] + radius * a;
  }

  #paint(material: Material, hit: Hit): void {
    const part = this.built.room.parts[hit.surface];
    if (!part) {
      const face = hit.surface - this.built.room.parts.length;
      return colourAt(material, hit.ux, hit.uy, hit.uz, face >= FLOOR ? 2 : face >> 1);
    }
    const { half, offset } = part;
    const ax = Math.abs(hit.ux);
    const ay = Math.abs(hit.uy);
    const az = Math.abs(hit.uz);
    const axis = ax >= ay && ax >= az ? 0 : ay >= az ? 1 : 2;
    let x = half[0] * hit.ux + offset[0];
    let y = half[1] * hit.uy + offset[1];
    let z = half[2] * hit.uz + offset[2];
    if (material.pattern === 'painting') {
      x /= material.scale;
      y /= material.scale;
      z /= material.scale;
    }
    colourAt(material, x, y, z, axis);
  }

  /** How much of its surroundings a point sees: 1 on an open plane, less in corners and under things. */
  #openness(px: number, py: number, pz: number, nx: number, ny: number, nz: number, part: number): number {
    const { room } = this.#scene;
    let open = 1;
    if (Math.abs(nx) < 0.9) open *= edge(px) * edge(room[0] - px);
    if (Math.abs(ny) < 0.9) open *= edge(py) * edge(room[1] - py);
    if (Math.abs(nz) < 0.9) open *= edge(pz) * edge(room[2] - pz);
    // A direction around the normal: the normal plus a point of the unit sphere.
    const up = 2 * wrap(part + this.#shift + this.#next() / RAYS) - 1;
    const turn = 2 * Math.PI * wrap(2.618 * RAYS * part + this.#shift);
    const flat = Math.sqrt(1 - up * up);
    const dx = nx + flat * Math.cos(turn);
    const dy = ny + flat * Math.sin(turn);
    const dz = nz + up;
    const length = Math.sqrt(dx * dx + dy * dy + dz * dz) + 1e-6;
    return this.#scene.blocked(px, py, pz, dx, dy, dz, REACH / length) ? 0.25 * open : open;
  }

  /** Uniform in [0, 1). */
  #next(): number {
    let s = this.#state;
    s ^= s << 13;
    s ^= s >>> 17;
    s ^= s << 5;
    this.#state = s;
    return (s >>> 0) / 4294967296;
  }
}

const wrap = (x: number) => x - Math.floor(x);

/** Windows shine straight ahead most, lamps everywhere alike. */
function beam({ window }: Light, lx: number, ly: number, lz: number, far: number): number {
  if (!window) return 1;
  const [ax, ay, az] = window.along;
  return -(lx * ax + ly * ay + lz * az) / far;
}

/** Whether a pixel and its eight neighbours show the same surface. */
function sameAround(surfaces: Int32Array, i: number, j: number, height: number, width: number): boolean {
  if (i === 0 || j === 0 || i === height - 1 || j === width - 1) return false;
  const p = i * width + j;
  for (let q = p - width; q <= p + width; q += width)
    if (surfaces[q - 1] !== surfaces[p] || surfaces[q] !== surfaces[p] || surfaces[q + 1] !== surfaces[p])
      return false;
  return true;
}

function edge(distance: number): number {
  return 1 - 0.38 * Math.exp(-distance / 0.3);
}

function dot({ nx, ny, nz }: Hit, axis: readonly [number, number, number]): number {
  return nx * axis[0] + ny * axis[1] + nz * axis[2];
}

/** What walls, floor and ceiling throw back of all lights together, spread evenly. */
function ambientLight({ room }: World): number[] {
  const [w, d, h] = room.size;
  const area = 2 * (w * d + w * h + d * h);
  const shell = [0, 1, 2, 3, FLOOR, CEILING].map((face) => room.surfaces[face].colour);
  return [0, 1, 2].map((k) => {
    const reflected = shell.reduce((sum, colour) => sum + colour[k], 0) / shell.length;
    const power = room.lights.reduce((sum, light) => sum + light.power[k], 0);
    // Furniture swallows some; a room is never quite dark.
    return 0.02 + (4 * Math.PI * power * (0.35 + 0.75 * reflected)) / (area * (1.05 - 0.7 * reflected));
  });
}

/** Exposure, white balance, lens and sensor: light to bytes. */
function develop(light: Float32Array, height: number, width: number, random: RandomStream): Uint8Array {
  const dice = new Dice(random);
  let logs = 0;
  for (let i = 0; i < light.length; i += 3)
    logs += Math.log(0.3 * light[i] + 0.6 * light[i + 1] + 0.1 * light[i + 2] + 1e-3);
  const exposure = dice.range(0.16, 0.3) / Math.exp(logs / (light.length / 3));
  // The camera takes most of the lamps' tint out.
  const mean = [0, 0, 0];
  for (let i = 0; i < light.length; i++) mean[i % 3] += light[i];
  const grey = (mean[0] + mean[1] + mean[2]) / 3;
  const trust = dice.range(0.3, 0.7);
  const gain = mean.map((sum) => exposure * (grey / sum) ** trust * dice.range(0.96, 1.04));
  const noise = dice.range(0.004, 0.02);
  const vignette = dice.range(0, 0.3);
  const image = new Uint8Array(light.length);
  for (let i = 0, p = 0; i < height; i++)
    for (let j = 0; j < width; j++) {
      const [x, y] = [(j + 0.5) / width - 0.5, (i + 0.5) / height - 0.5];
      const lens = 1 - vignette * 2 * (x * x + y * y);
      for (let k = 0; k < 3; k++, p++) {
        const exposed = light[p] * gain[k] * lens;
        // A soft shoulder instead of hard clipping.
        const toned = exposed < 0.6 ? exposed : 0.6 + 0.4 * (1 - Math.exp(-(exposed - 0.6) / 0.4));
        const level = toned ** (1 / 2.2) + noise * random.normal();
        image[p] = Math.max(0, Math.min(255, Math.round(255 * level)));
      }
    }
  return image;
}
