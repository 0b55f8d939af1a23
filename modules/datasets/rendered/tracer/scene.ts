// A room as rays see it: the six faces of an empty cuboid seen from inside, and solids. Only solids whose bounding box a ray
// meets are looked at (boxes.ts). Nothing is allocated while tracing; a hit is written into one record per scene.
import { Boxes, type Box } from './boxes.js';
import { invert, type Part, type Shape } from './solids.js';

const SHAPES: readonly Shape[] = ['box', 'ellipsoid', 'cylinder'];
const [BOX, ELLIPSOID] = [0, 1];
/** Rays start a little off the surface they leave. */
const NEAR = 1e-4;

/** Faces of the room: x = 0, x = width, y = 0, y = depth, floor, ceiling. */
export const FLOOR = 4;
export const CEILING = 5;

export interface Hit {
  /** In units of the ray's direction. */
  distance: number;
  /** Index of the part, or the number of parts plus the face of the room. */
  surface: number;
  /** Unit normal, towards where the ray came from. */
  nx: number;
  ny: number;
  nz: number;
  /** Where in the part's cube; for a face of the room, metres in the room. */
  ux: number;
  uy: number;
  uz: number;
}

export class Scene {
  readonly hit: Hit = { distance: 0, surface: 0, nx: 0, ny: 0, nz: 0, ux: 0, uy: 0, uz: 0 };
  readonly #inverse: Float64Array;
  readonly #shape: Uint8Array;
  readonly #taper: Float64Array;
  readonly #boxes: Boxes;
  #blocker = -1;

  constructor(
    readonly parts: readonly Part[],
    /** Width, depth and height of the room, whose corner is the origin. */
    readonly room: readonly [number, number, number],
  ) {
    this.#inverse = Float64Array.from(parts.flatMap((part) => invert(part.transform)));
    this.#shape = Uint8Array.from(parts, (part) => SHAPES.indexOf(part.shape));
    this.#taper = Float64Array.from(parts, (part) => part.taper);
    this.#boxes = new Boxes(parts.map(boundsOf));
  }

  /** The nearest surface along a ray that starts inside the room, in `hit`. */
  trace(ox: number, oy: number, oz: number, dx: number, dy: number, dz: number): Hit {
    const face = this.#leaveRoom(ox, oy, oz, dx, dy, dz);
    this.hit.surface = this.parts.length + face;
    this.#search(ox, oy, oz, dx, dy, dz, false);
    return this.#describe(ox, oy, oz, dx, dy, dz, face);
  }

  /** Like `trace`, for a ray that is known to meet `surface`; traces it if it does not. */
  traceTo(surface: number, ox: number, oy: number, oz: number, dx: number, dy: number, dz: number): Hit {
    const face = this.#leaveRoom(ox, oy, oz, dx, dy, dz);
    if (surface !== this.parts.length + face) {
      const distance = surface < this.parts.length ? this.#meet(surface, ox, oy, oz, dx, dy, dz) : Infinity;
      if (distance === Infinity) return this.trace(ox, oy, oz, dx, dy, dz);
      this.hit.distance = distance;
    }
    this.hit.surface = surface;
    return this.#describe(ox, oy, oz, dx, dy, dz, face);
  }

  /** Whether a solid lies on the way to `limit`, in units of the direction. */
  blocked(ox: number, oy: number, oz: number, dx: number, dy: number, dz: number, limit: number): boolean {
    // Neighbouring points tend to lie in the shadow of the same thing.
    if (this.#blocker >= 0 && this.#meet(this.#blocker, ox, oy, oz, dx, dy, dz) < limit) return true;
    this.hit.distance = limit;
    return this.#search(ox, oy, oz, dx, dy, dz, true);
  }

  /** Whether a point lies in a solid, where rays must not start. */
  inside(x: number, y: number, z: number): boolean {
    const m = this.#inverse;
    for (let part = 0, i = 0; i < m.length; part++, i += 12) {
      const ux = m[i] * x + m[i + 1] * y + m[i + 2] * z + m[i + 3];
      const uy = m[i + 4] * x + m[i + 5] * y + m[i + 6] * z + m[i + 7];
      const uz = m[i + 8] * x + m[i + 9] * y + m[i + 10] * z + m[i + 11];
      const across = Math.max(Math.abs(ux), Math.abs(uy)) / Math.max(1, this.#taper[part]);
      if (Math.max(across, Math.abs(uz)) < 1.01) return true;
    }
    return false;
  }

  #leaveRoom(ox: number, oy: number, oz: number, dx: number, dy: number, dz: number): number {
    const { room } = this;
    const tx = dx === 0 ? Infinity : ((dx > 0 ? room[0] : 0) - ox) / dx;
    const ty = dy === 0 ? Infinity : ((dy > 0 ? room[1] : 0) - oy) / dy;
    const tz = dz === 0 ? Infinity : ((dz > 0 ? room[2] : 0) - oz) / dz;
    this.hit.distance = Math.min(tx, ty, tz);
    if (tx <= ty && tx <= tz) return dx > 0 ? 1 : 0;
    if (ty <= tz) return dy > 0 ? 3 : 2;
    return dz > 0 ? CEILING : FLOOR;
  }

  /**
   * Lowers `hit.distance` to the nearest part, of several at the same distance the first; with `any`, stops at the first
   * part that is nearer.
   */
  #search(ox: number, oy: number, oz: number, dx: number, dy: number, dz: number, any: boolean): boolean {
    let best = this.hit.distance;
    let surface = -1;
    const groups = this.#boxes.find(ox, oy, oz, dx, dy, dz, best);
    const { found } = this.#boxes;
    for (let g = 0; g < groups; g++) {
      let part = (found[g] >> 4) * 4;
      for (let hits = found[g] & 15; hits !== 0; hits >>= 1, part++) {
        if ((hits & 1) === 0) continue;
        const distance = this.#meet(part, ox, oy, oz, dx, dy, dz);
        if (distance >= best) continue;
        best = distance;
        surface = part;
        if (any) {
          this.#blocker = surface;
          return true;
        }
      }
    }
    if (surface < 0) return false;
    this.hit.distance = best;
    this.hit.surface = surface;
    return true;
  }

  /** Distance to where the ray enters a part, Infinity if it does not. */
  #meet(part: number, ox: number, oy: number, oz: number, dx: number, dy: number, dz: number): number {
    const m = this.#inverse;
    const i = part * 12;
    const px = m[i] * ox + m[i + 1] * oy + m[i + 2] * oz + m[i + 3];
    const py = m[i + 4] * ox + m[i + 5] * oy + m[i + 6] * oz + m[i + 7];
    const pz = m[i + 8] * ox + m[i + 9] * oy + m[i + 10] * oz + m[i + 11];
    const vx = m[i] * dx + m[i + 1] * dy + m[i + 2] * dz;
    const vy = m[i + 4] * dx + m[i + 5] * dy + m[i + 6] * dz;
    const vz = m[i + 8] * dx + m[i + 9] * dy + m[i + 10] * dz;
    if (this.#shape[part] === BOX) return meetBox(px, py, pz, vx, vy, vz);
    if (this.#shape[part] === ELLIPSOID) return meetSphere(px, py, pz, vx, vy, vz);
    return meetCylinder(px, py, pz, vx, vy, vz, this.#taper[part]);
  }

  /** Fills in position and normal of the hit; `face` is where the ray leaves the room. */
  #describe(ox: number, oy: number, oz: number, dx: number, dy: number, dz: number, face: number): Hit {
    const { hit } = this;
    const x = ox + dx * hit.distance;
    const y = oy + dy * hit.distance;
    const z = oz + dz * hit.distance;
    if (hit.surface >= this.parts.length) {
      const inwards = face & 1 ? -1 : 1;
      hit.ux = x;
      hit.uy = y;
      hit.uz = z;
      hit.nx = face < 2 ? inwards : 0;
      hit.ny = face >> 1 === 1 ? inwards : 0;
      hit.nz = face >= FLOOR ? inwards : 0;
      return hit;
    }
    const m = this.#inverse;
    const i = hit.surface * 12;
    const ux = m[i] * x + m[i + 1] * y + m[i + 2] * z + m[i + 3];
    const uy = m[i + 4] * x + m[i + 5] * y + m[i + 6] * z + m[i + 7];
    const uz = m[i + 8] * x + m[i + 9] * y + m[i + 10] * z + m[i + 11];
    let nx = ux;
    let ny = uy;
    let nz = uz;
    const shape = this.#shape[hit.surface];
    if (shape === BOX) {
      const ax = Math.abs(ux);
      const ay = Math.abs(uy);
      const az = Math.abs(uz);
      nx = ax >= ay && ax >= az ? Math.sign(ux) : 0;
      ny = nx === 0 && ay >= az ? Math.sign(uy) : 0;
      nz = nx === 0 && ny === 0 ? Math.sign(uz) : 0;
    } else if (shape !== ELLIPSOID) {
      const slope = (this.#taper[hit.surface] - 1) / 2;
      const radius = 1 + slope * (uz + 1);
      // A point on a cap lies at the very end and within the rim.
      const cap = 1 - Math.abs(uz) < 1e-9 && ux * ux + uy * uy < radius * radius * (1 - 1e-9);
      nx = cap ? 0 : ux;
      ny = cap ? 0 : uy;
      nz = cap ? Math.sign(uz) : -slope * radius;
    }
    // Normals go with the transposed inverse.
    const wx = m[i] * nx + m[i + 4] * ny + m[i + 8] * nz;
    const wy = m[i + 1] * nx + m[i + 5] * ny + m[i + 9] * nz;
    const wz = m[i + 2] * nx + m[i + 6] * ny + m[i + 10] * nz;
    const scale = 1 / Math.sqrt(wx * wx + wy * wy + wz * wz);
    hit.ux = ux;
    hit.uy = uy;
    hit.uz = uz;
    hit.nx = wx * scale;
    hit.ny = wy * scale;
    hit.nz = wz * scale;
    return hit;
  }
}

function meetBox(px: number, py: number, pz: number, vx: number, vy: number, vz: number): number {
  const x0 = (-1 - px) / vx;
  const x1 = (1 - px) / vx;
  const y0 = (-1 - py) / vy;
  const y1 = (1 - py) / vy;
  const z0 = (-1 - pz) / vz;
  const z1 = (1 - pz) / vz;
  const enter = Math.max(Math.min(x0, x1), Math.min(y0, y1), Math.min(z0, z1));
  const leave = Math.min(Math.max(x0, x1), Math.max(y0, y1), Math.max(z0, z1));
  return enter < leave && enter > NEAR ? enter : Infinity;
}

function meetSphere(px: number, py: number, pz: number, vx: number, vy: number, vz: number): number {
  const a = vx * vx + vy * vy + vz * vz;
  const b = px * vx + py * vy + pz * vz;
  const c = px * px + py * py + pz * pz - 1;
  const d = b * b - a * c;
  if (d <= 0) return Infinity;
  const t = (-b - Math.sqrt(d)) / a;
  return t > NEAR ? t : Infinity;
}

function meetCylinder(
  px: number,
  py: number,
  pz: number,
  vx: number,
  vy: number,
  vz: number,
  taper: number,
): number {
  const slope = (taper - 1) / 2;
  const radius = 1 + slope * (pz + 1);
  // The cap that faces the ray.
  const end = vz < 0 ? 1 : -1;
  const cap = (end - pz) / vz;
  if (cap > NEAR && cap < Infinity) {
    const x = px + cap * vx;
    const y = py + cap * vy;
    const capRadius = end > 0 ? taper : 1;
    if (x * x + y * y <= capRadius * capRadius) return cap;
  }
  const a = vx * vx + vy * vy - slope * slope * vz * vz;
  const b = px * vx + py * vy - slope * vz * radius;
  const c = px * px + py * py - radius * radius;
  const d = b * b - a * c;
  if (d <= 0) return Infinity;
  const t = (-b - Math.sqrt(d)) / a;
  if (t <= NEAR) return Infinity;
  const z = pz + t * vz;
  return z >= -1 && z <= 1 ? t : Infinity;
}

/** Of the transformed cube, which is wider for a cylinder whose top is. */
function boundsOf({ transform: m, taper }: Part): Box {
  const wide = Math.max(1, taper);
  const reach = [0, 4, 8].map(
    (row) => wide * (Math.abs(m[row]) + Math.abs(m[row + 1])) + Math.abs(m[row + 2]),
  );
  const centre = [m[3], m[7], m[11]];
  return [...centre.map((c, k) => c - reach[k]), ...centre.map((c, k) => c + reach[k])];
}
